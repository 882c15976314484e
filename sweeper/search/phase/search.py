"""The strategy: measure what teaches most about the fastest configuration for the seconds that it costs."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy

from sweeper.model.trial import Params, configuration_key
from sweeper.plan.space import LISTABLE, Space
from sweeper.search.guesses import first_sessions
from sweeper.search.phase.coordinates import BATCH, Array, coordinates
from sweeper.search.phase.cost import LENGTHS, Window, overheads, windows
from sweeper.search.phase.feasible import chances_to_fit, keep_guard
from sweeper.search.phase.gain import expected_regret, improvement, knowledge_gradient
from sweeper.search.phase.posterior import Posterior, believe
from sweeper.search.phase.readings import readings
from sweeper.search.proposal import Answer, Because, Proposal, Question, Settled

ENOUGH = 0.01
"""Expected regret beside the two fastest, at which the search ends by itself, and not later: the model is too sure
where a configuration lies off its surface (docs/sources.md, 12)."""
ENOUGH_BY_WORTH = 0.02
TRAINING_SECONDS = 4 * 3600.0
"""Of training that the answer is for, at the least: a session that is expected to save less of it than it costs is not
worth it, where the expected regret is below ENOUGH_BY_WORTH."""
NEAR = 0.2
"""ln(steps/s) below the leader, of neighbours that get a session of their own before the search ends: where the build
does not follow the model, they are the likeliest to be faster."""
LEAST_CHANCE = 0.5
"""Of keeping the memory cap, for a configuration to be launched, or to be thought the fastest."""
MOST = 1_000
"""Configurations that are thought about at once; of larger spaces a random part, with what the search asks for."""
FEW = 4
"""Fastest so far, whose neighbours are thought about in any case."""


def propose(question: Question) -> Answer:
    """What to measure next."""
    view = _view_of(question)
    for guess in first_sessions(question.space, question.usable_cores):
        key = configuration_key(guess)
        if key not in view.touched and view.may_lead(guess):
            return Proposal(guess, Because.FIRST)
    if not view.is_known or not view.allowed.any():
        return view.anything()
    leader = view.leader
    regret = expected_regret(view.posterior, [leader], view.allowed)
    # Which of the two fastest it is, their confirmation tells: at full length, and side by side.
    beyond = expected_regret(view.posterior, view.contenders, view.allowed)
    place, length, worth = view.most_worth()
    if beyond >= ENOUGH and (beyond >= ENOUGH_BY_WORTH or worth * TRAINING_SECONDS >= 1):
        return view.proposal(place, length, Because.TEACHES, regret)
    if not view.is_measured(leader):
        return view.proposal(leader, LENGTHS[-1], Because.LEADS, regret)
    beside = view.unmeasured_beside(leader)
    return Settled(beyond) if beside is None else view.proposal(beside, LENGTHS[1], Because.BESIDE, regret)


def expected(question: Question) -> dict[str, float]:
    """Steps per second of what was measured, as the model believes."""
    view = _view_of(question)
    if not view.is_known:
        return {}
    measured = {item.key for item in question.history.ranked}
    return {key: math.exp(-float(view.posterior.mean[place])) for key, place in view.places.items() if key in measured}


@dataclass(frozen=True)
class _View:
    """A question, seen through the model."""

    question: Question

    def answers(self, question: Question) -> bool:
        """Whether `question` is the same, whatever its history expects: that comes from here."""
        own = self.question
        # A space without what turned out to do nothing is made anew for every question.
        is_space = own.space is question.space or own.space.knobs == question.space.knobs
        is_same = is_space and own.history.results == question.history.results
        others = (own.cap_bytes, own.usable_cores, own.history.own, own.history.min_updates)
        asked = (question.cap_bytes, question.usable_cores, question.history.own, question.history.min_updates)
        return is_same and others == asked

    @cached_property
    def configurations(self) -> list[Params]:
        """What is thought about: what was tried, and all that is legal; of very many some, and what a search asks for.

        That are the first sessions, what lies beside the few fastest, and what told sessions with other batch sizes.
        """
        space, history = self.question.space, self.question.history
        tried = [item.params for item in history.candidates]
        few = [item.params for item in history.ranked[:FEW]]
        wanted = [
            *first_sessions(space, self.question.usable_cores),
            *(other for params in few for other in _beside(space, params)),
            *({**one.params, BATCH: int(size)} for one in history.counted for size in one.update_seconds or {}),
        ]
        legal = [params for params in wanted if space.contains(params) and space.problem(params) is None]
        return list({configuration_key(params): params for params in (*tried, *legal, *_some(space))}.values())

    @cached_property
    def places(self) -> Mapping[str, int]:
        return {configuration_key(params): place for place, params in enumerate(self.configurations)}

    @cached_property
    def touched(self) -> frozenset[str]:
        """Keys of what was tried, or given up."""
        return frozenset(self.question.history.by_key) | self.question.history.given_up

    @cached_property
    def is_known(self) -> bool:
        """Whether anything was read."""
        return bool(readings(self.question.history.counted))

    @cached_property
    def posterior(self) -> Posterior:
        where = coordinates(self.question.space, self.configurations, self.question.usable_cores)
        return believe(where, self.places, readings(self.question.history.counted))

    @cached_property
    def chances(self) -> Array:
        """Of keeping the memory cap; of what was measured, as it was."""
        history = self.question.history
        chances = chances_to_fit(self.configurations, history.candidates, self.question.cap_bytes)
        for item in history.candidates:
            chances[self.places[item.key]] = float(item.is_feasible)
        return chances

    @cached_property
    def allowed(self) -> Array:
        """Which may be the fastest: in the space, likely to fit, learning enough, not given up."""
        keeps = keep_guard(self.configurations, self.question.history, self.question.space)
        given_up = self.question.history.given_up
        allowed = (self.chances >= LEAST_CHANCE) & keeps
        for key, place in self.places.items():
            allowed[place] &= key not in given_up and self.question.space.contains(self.configurations[place])
        return allowed

    @property
    def leader(self) -> int:
        """Whose posterior mean is the fastest."""
        return int(numpy.argmin(numpy.where(self.allowed, self.posterior.mean, numpy.inf)))

    @property
    def contenders(self) -> list[int]:
        """The leader, and the fastest other that was measured: what would be confirmed."""
        places = [self.places[item.key] for item in self.question.history.ranked]
        others = [place for place in places if self.allowed[place] and place != self.leader]
        return [self.leader, *sorted(others, key=lambda place: float(self.posterior.mean[place]))[:1]]

    def most_worth(self) -> tuple[int, float, float]:
        """Whose session teaches most for a second, how long it measures then, and the expected gain for a second."""
        candidates = numpy.flatnonzero(self.allowed)
        worth = numpy.array([self._worth(candidates, length) for length in LENGTHS])
        if worth.max() <= 0:
            ahead = improvement(self.posterior, candidates, self.leader)
            worth[-1] = ahead / self._seconds(LENGTHS[-1])[candidates]
        length, best = numpy.unravel_index(int(numpy.argmax(worth)), worth.shape)
        return int(candidates[best]), LENGTHS[length], float(worth[length, best])

    def _worth(self, candidates: Array, length: float) -> Array:
        gains = knowledge_gradient(self.posterior, candidates, self.allowed, self._window(length))
        return gains * self.chances[candidates] / self._seconds(length)[candidates]

    def _window(self, length: float) -> Window:
        return windows(numpy.exp(self.posterior.mean), self.question.history.counted, length)

    def _seconds(self, length: float) -> Array:
        window = self._window(length)
        return self._overheads + window.warmup + window.seconds

    @cached_property
    def _overheads(self) -> Array:
        return overheads(self.configurations, self.question.history.counted)

    def unmeasured_beside(self, leader: int) -> int | None:
        """The fastest neighbour of `leader`, one value of one knob away, that may be near it and was never tried."""
        near = [configuration_key(params) for params in _beside(self.question.space, self.configurations[leader])]
        mean = self.posterior.mean
        places = [self.places[key] for key in near if key in self.places and key not in self.touched]
        places = [place for place in places if self.allowed[place] and mean[place] - mean[leader] < NEAR]
        return min(places, key=lambda place: float(mean[place]), default=None)

    def is_measured(self, place: int) -> bool:
        key = configuration_key(self.configurations[place])
        return key in self.question.history.by_key and self.question.history.by_key[key].is_feasible

    def may_lead(self, params: Params) -> bool:
        """Whether it is likely to fit, and to learn enough."""
        place = self.places.get(configuration_key(params))
        return place is not None and bool(self.allowed[place])

    def proposal(self, place: int, length: float, because: Because, regret: float) -> Proposal:
        """With what is expected of it. `regret`: over the leader, which need not have been measured."""
        mean = self.posterior.mean
        seconds = float(self._seconds(length)[place])
        places = [self.places[item.key] for item in self.question.history.ranked]
        measured = [mean[one] for one in places if self.allowed[one]]
        left = regret + float(min(measured) - mean[self.leader]) if measured else None
        return Proposal(self.configurations[place], because, length, seconds, left)

    def anything(self) -> Answer:
        """Something that was not tried, where the model has nothing to say."""
        untried = ((key, params) for key, params in zip(self.places, self.configurations) if key not in self.touched)
        found = next((params for key, params in untried if self.allowed[self.places[key]]), None)
        return Settled() if found is None else Proposal(found, Because.FIRST)


_latest: list[_View] = []
"""Of the latest question: between two trials it is asked again for the ranking, the results and the proposal."""


def _view_of(question: Question) -> _View:
    latest = _latest[:1]
    if not (latest and latest[0].answers(question)):
        _latest[:] = latest = [_View(question)]
    return latest[0]


def _beside(space: Space, params: Params) -> list[Params]:
    """What is one value of one knob away, legal or not."""
    found: list[Params] = []
    for knob, values in space.knobs.items():
        if params.get(knob) in values:
            at = values.index(params[knob])
            found += [{**params, knob: values[index]} for index in (at - 1, at + 1) if 0 <= index < len(values)]
    return found


def _some(space: Space) -> Sequence[Params]:
    """All legal configurations; of more than MOST a part, drawn once for all."""
    if space.size <= LISTABLE:
        return space.legal if len(space.legal) <= MOST else random.Random(0).sample(space.legal, MOST)
    chooser = random.Random(0)
    drawn: dict[str, Params] = {}
    for _ in range(LISTABLE):
        params = space.configuration({knob: chooser.choice(values) for knob, values in space.knobs.items()})
        if len(drawn) < MOST and space.problem(params) is None:
            drawn[configuration_key(params)] = params
    return list(drawn.values())
