"""All that is known of a study so far, told once: a frozen value made from its results.

Search, allowance, confirmation, answer, notes and report read it; nobody else pools trials.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sweeper.compare.candidates import Candidate, pool, ranked
from sweeper.compare.guard import constraints, requirement
from sweeper.compare.inert import inert_knobs
from sweeper.compare.noise import Spread, noise, spread
from sweeper.compare.voids import MAX_VOIDS, given_up, never_quiet, voids_in_a_row, waited_in_vain
from sweeper.model.measurement import PerThousandSteps
from sweeper.model.study import Noise
from sweeper.model.trial import Outcome, Params, Purpose, Stage, TrialResult, configuration_key
from sweeper.plan.space import Space

_AGAIN = (Outcome.DISTURBED, Outcome.INTERRUPTED)
_BROKEN = (Outcome.CRASHED, Outcome.NO_STEPS, Outcome.TIMEOUT)


@dataclass(frozen=True)
class History:
    """A study's results, in order, and what they say together.

    `own`: the parameters of the user's own settings. `min_updates`: the learning guard's share of theirs, None where it
    is off. `expected`: steps per second by configuration, where the search knows better than the mean of its sessions.
    """

    results: tuple[TrialResult, ...]
    own: Params
    min_updates: float | None = None
    expected: Mapping[str, float] = field(default_factory=dict)

    def __iter__(self) -> Iterator[TrialResult]:
        return iter(self.results)

    @cached_property
    def own_key(self) -> str:
        """The key of the user's own settings."""
        return configuration_key(self.own)

    @cached_property
    def excused(self) -> frozenset[int]:
        """Numbers of trials that failed while nothing ran on this machine, the user's own settings neither."""
        return frozenset(number for trial in self.results for number in trial.excuses)

    @cached_property
    def counted(self) -> tuple[TrialResult, ...]:
        """All trials but those that are excused."""
        if not self.excused:
            return self.results
        return tuple(trial for trial in self.results if trial.number not in self.excused)

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """Everything that was tried, in order of its first trial."""
        return pool(self.counted)

    @cached_property
    def by_key(self) -> Mapping[str, Candidate]:
        """The candidates by their keys."""
        return {item.key: item for item in self.candidates}

    @cached_property
    def ranked(self) -> tuple[Candidate, ...]:
        """Feasible candidates, fastest first, the user's own among them."""
        return tuple(sorted(ranked(self.candidates), key=self.speed, reverse=True))

    def speed(self, item: Candidate) -> float:
        """Steps per second by which candidates are ranked: as the search expects, else the mean of its sessions."""
        return self.expected.get(item.key, item.steps_per_second or 0.0)

    @cached_property
    def ranked_by_search(self) -> tuple[Candidate, ...]:
        """As `ranked`, by the sessions that choose, each once: the confirmation, which chooses nobody, left out."""
        choosing = [trial for trial in self.counted if trial.stage is not Stage.CONFIRMATION]
        if len(choosing) == len(self.counted):
            return self.once(self.ranked)
        chosen = ranked(pool(choosing))
        found = sorted(chosen, key=self.speed, reverse=True)
        return self.once(self.by_key[item.key] for item in found if self.by_key[item.key].is_feasible)

    @cached_property
    def inert(self) -> tuple[str, ...]:
        """Knobs that turned out to do nothing."""
        return inert_knobs(self.candidates)

    def still_searched(self, space: Space) -> Space:
        """What is left to search of `space`: a knob that turned out to do nothing is not searched any more."""
        for knob in self.inert:
            space = space.without(knob)
        return space

    def but_for_inert(self, params: Params) -> str:
        """A key that those have in common that differ in inert knobs alone."""
        return configuration_key({knob: value for knob, value in params.items() if knob not in self.inert})

    def once(self, items: Iterable[Candidate]) -> tuple[Candidate, ...]:
        """Those that differ in more than inert knobs: the first of each, and the user's own settings of theirs."""
        seen = {self.but_for_inert(self.own)}
        found = []
        for item in items:
            key = self.but_for_inert(item.params)
            if item.key == self.own_key or key not in seen:
                found.append(item)
                seen.add(key)
        return tuple(found)

    @cached_property
    def baseline(self) -> Candidate | None:
        """The user's own settings, where they were measured and fit."""
        found = self.by_key.get(self.own_key)
        return found if found is not None and found.is_feasible else None

    @cached_property
    def own_breaks_cap(self) -> bool:
        """Whether the user's own settings need more memory than they may use."""
        found = self.by_key.get(self.own_key)
        return found is not None and found.broke_cap

    @cached_property
    def reference(self) -> Candidate | None:
        """What speed-ups are over: the user's own settings, or the smallest that fits where those break the cap."""
        if self.baseline is not None or not self.own_breaks_cap:
            return self.baseline
        pilots = (trial.key for trial in self.counted if trial.stage is Stage.PILOT and trial.key != self.own_key)
        return next((self.by_key[key] for key in pilots if key in self.by_key and self.by_key[key].is_feasible), None)

    @cached_property
    def rivals(self) -> tuple[Candidate, ...]:
        """Feasible candidates other than the reference and the user's own, fastest first, each once."""
        return tuple(item for item in self.once(self.ranked) if item is not self.reference and item.key != self.own_key)

    @cached_property
    def searched(self) -> int:
        """Sessions of the search so far."""
        return sum(trial.purpose is Purpose.SEARCH for trial in self.results)

    @cached_property
    def next_round(self) -> int:
        """The number of a new round, of finals or of the confirmation."""
        return 1 + max((trial.round for trial in self.results if trial.round is not None), default=-1)

    @cached_property
    def noise(self) -> Noise:
        """Noise between sessions, and the drift of the reference's."""
        return noise(self.candidates, self.reference.key if self.reference else self.own_key)

    @cached_property
    def spread(self) -> Spread | None:
        """Variance between sessions of one configuration, over the whole study."""
        return spread(self.candidates)

    @cached_property
    def spread_alone(self) -> Spread | None:
        """As `spread`, of sessions outside the confirmation that were as long as its own are."""
        return spread(self.candidates, lambda trial: trial.stage is not Stage.CONFIRMATION and not trial.brief)

    @cached_property
    def required(self) -> PerThousandSteps | None:
        """The fewest updates per 1,000 steps that a configuration may make; None with the guard off."""
        return requirement(self.reference.updates_per_1000_steps if self.reference else None, self.min_updates)

    def constraints(self, trial: TrialResult, cap_bytes: int) -> dict[str, float]:
        """How a result stands to the memory cap and to the learning guard, as things are now."""
        return constraints(trial, cap_bytes, self.required)

    @cached_property
    def is_never_quiet(self) -> bool:
        """Whether the machine is taken as it is, because other programs never leave it alone."""
        return never_quiet(self.results)

    @cached_property
    def voids_in_a_row(self) -> int:
        """How many of the last sessions were disturbed."""
        return voids_in_a_row(self.results)

    @cached_property
    def waited_in_vain(self) -> bool:
        """Whether waiting for quiet was of no use lately."""
        return waited_in_vain(self.results)

    @cached_property
    def given_up(self) -> frozenset[str]:
        """Keys of what was disturbed so often, and never measured, that it is left alone."""
        return frozenset(given_up(self.results)) - {item.key for item in self.candidates if item.measured}

    @cached_property
    def owed(self) -> Params | None:
        """The first configuration of the search that has still to be measured, though it was begun.

        Others disturbed it, somebody stopped it, or the machine was broken.
        """
        begun: dict[str, list[TrialResult]] = {}
        for trial in self.results:
            if trial.purpose is Purpose.SEARCH:
                begun.setdefault(trial.key, []).append(trial)
        for key, trials in begun.items():
            if key in self.by_key or sum(trial.outcome is Outcome.DISTURBED for trial in trials) >= MAX_VOIDS:
                continue
            if all(trial.outcome in _AGAIN or trial.number in self.excused for trial in trials):
                return trials[0].params
        return None

    @cached_property
    def failing(self) -> tuple[TrialResult, ...]:
        """The last trials in a row that did not run, not looked into yet: the machine may be broken.

        Disturbed ones in between say nothing.
        """
        found: list[TrialResult] = []
        for trial in reversed(self.results):
            if trial.outcome in _AGAIN or trial.outcome is Outcome.VETOED:
                continue
            if trial.outcome not in _BROKEN or trial.excuses or trial.number in self.excused:
                break
            found.append(trial)
        return tuple(reversed(found))
