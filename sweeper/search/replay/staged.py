"""Searches with stages of their own, told as courses: each asks for sessions and goes on with what they gave.

Strategies are functions of the history; so a course is walked through from its beginning with the sessions that are
recorded, until it asks for one that is not.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Generator, Mapping

from sweeper.model.trial import Params, TrialResult, configuration_key
from sweeper.plan.space import Space
from sweeper.search.proposal import Answer, Because, Proposal, Question, Settled

Course = Generator[Params, TrialResult, None]
"""Yields the parameters of the next session, and is sent what came of it."""
Place = tuple[int, ...]
"""Of a configuration: the index of each knob's value, smallest first."""

RADIUS = 3.0
SIGNIFICANT = (0.09, 0.3, 1.0)
"""Of a direction's gain: each that it exceeds is another step (Triton Model Analyzer, `quick` search)."""
LEAST_BESIDE = 3
"""Measured in the neighbourhood, for a direction to be read off it."""
MOST_VISITS = 2
AGAIN = 3
"""Of the best, that are measured once more at the end: where Triton sweeps its load."""
ETA = 3
"""Successive halving keeps one in so many."""


def walked(course: Callable[[Question], Course]) -> Callable[[Question], Answer]:
    """The strategy that follows a course."""

    def propose(question: Question) -> Answer:
        recorded: dict[str, list[TrialResult]] = {}
        for trial in question.history.counted:
            recorded.setdefault(trial.key, []).append(trial)
        steps = course(question)
        try:
            params = next(steps)
            while recorded.get(configuration_key(params)):
                params = steps.send(recorded[configuration_key(params)].pop(0))
        except StopIteration:
            return Settled()
        return Proposal(params, Because.SAMPLED)

    return propose


def quick(question: Question) -> Course:
    """Triton Model Analyzer's quick search: up the hill from the smallest corner, by what its neighbourhood shows."""
    grid = _Grid(question.space)
    seen: dict[Place, float] = {}
    visits: dict[Place, int] = {}
    home = current = grid.home
    trial = yield question.history.own  # every search begins with the user's own
    seen[grid.place(question.history.own)] = _rate(trial)
    while True:
        if current not in seen:
            trial = yield grid.params[current]
            seen[current] = _rate(trial)
        hood = [place for place in grid.params if math.dist(place, home) <= RADIUS]
        known = [place for place in hood if place in seen and place != home]
        passing = [place for place in (home, *known) if seen.get(place, 0.0) > 0]
        if len(known) < LEAST_BESIDE:
            unseen = [place for place in hood if place not in seen]
            if unseen:
                current = max(unseen, key=lambda place: (_newness(place, seen), -math.dist(place, home)))
                continue
        is_mixed = len(passing) not in (0, len(known) + 1)
        if is_mixed:
            beside = [place for place in hood if place not in seen and _is_beside(place, home)]
            if beside:
                current = beside[0]
                continue
            new = max(passing, key=lambda place: seen[place])
        else:
            new = grid.clamped(_climb(home, known, seen))
        if new == home or visits.get(new, 0) >= MOST_VISITS:
            break
        visits[new] = visits.get(new, 0) + 1
        home = current = new
    for place in sorted(seen, key=lambda place: -seen[place])[:AGAIN]:
        if seen[place] > 0:
            yield grid.params[place]


def halving(question: Question) -> Course:
    """Successive halving: many once, the best third again, and so on; then another bracket (Jamieson, Talwalkar 2016).

    A longer session is another session here, as for every recorded one: start-up is paid again.
    """
    chooser = random.Random(question.seed)
    legal = list(question.space.legal)
    trial = yield question.history.own
    known = {trial.key: _rate(trial)}
    while legal:
        chooser.shuffle(legal)
        rung = {configuration_key(params): params for params in legal[: 2 * ETA**2]}
        legal = legal[2 * ETA**2 :]
        rates: dict[str, list[float]] = {key: [] for key in rung}
        while rung:
            for key, params in list(rung.items()):
                if key in known:  # the user's own, measured before
                    rates[key].append(known.pop(key))
                    continue
                trial = yield params
                rates[key].append(_rate(trial))
            ordered = sorted(rung, key=lambda key: -sum(rates[key]) / len(rates[key]))
            rung = {key: rung[key] for key in ordered[: len(rung) // ETA] if min(rates[key]) > 0}


def survivors(question: Question) -> Mapping[str, float]:
    """What a staged search answers with is among those that it measured most often: all others rank last."""
    feasible = question.history.ranked
    most = max((len(item.measured) for item in feasible), default=0)
    return {item.key: 0.0 for item in feasible if len(item.measured) < most}


def _rate(trial: TrialResult) -> float:
    """Steps per second; nothing of one that failed."""
    return (trial.steps_per_second or 0.0) if trial.is_ok else 0.0


class _Grid:
    """Legal configurations by place."""

    def __init__(self, space: Space) -> None:
        self._knobs = space.knobs
        self._shape = [len(values) for values in space.knobs.values()]
        self.params: Mapping[Place, Params] = {self.place(params): params for params in space.legal}
        self.home = min(self.params, key=lambda place: (sum(place), place))

    def place(self, params: Params) -> Place:
        return tuple(values.index(params[knob]) for knob, values in self._knobs.items())

    def clamped(self, place: Place) -> Place:
        """The nearest legal place within the grid."""
        inside = tuple(min(max(at, 0), size - 1) for at, size in zip(place, self._shape))
        return min(self.params, key=lambda known: (math.dist(known, inside), known))


def _newness(place: Place, seen: Mapping[Place, float]) -> int:
    return sum(all(other[at] != value for other in seen) for at, value in enumerate(place))


def _is_beside(place: Place, home: Place) -> bool:
    return sum(abs(one - other) for one, other in itertools.zip_longest(place, home, fillvalue=0)) == 1


def _climb(home: Place, known: list[Place], seen: Mapping[Place, float]) -> Place:
    new = list(home)
    for at in range(len(home)):
        weight = sum(abs(place[at] - home[at]) for place in known)
        if not weight:
            continue
        pull = 0.0
        for place in known:
            total = seen[place] + seen[home]
            gain = 2 * (seen[place] - seen[home]) / total if total else 0.0
            pull += math.copysign(1.0, place[at] - home[at]) * gain if place[at] != home[at] else 0.0
        slope = pull / weight
        steps = sum(abs(slope) > bound for bound in SIGNIFICANT)
        new[at] += int(math.copysign(steps, slope))
    return tuple(new)
