"""What the confirmation says so far, whom it has to judge next, and when its verdict is clear. Pure.

Contenders run side by side in rounds that choose nobody. After some of these rounds one looks whether a rival is faster
than the reference (compare.looks); the confirmation ends as soon as that is clear, and begins again for a newcomer
that the search finds later: all its rounds are evidence.

    nobody ── a rival looks faster ──► open ── clear, or MAX_ROUNDS ──► closed
                                        ▲                                 │
                                        └─────── a newcomer looks faster ─┘

While it is open (`is_open`), `contenders` are those of the last round; else the newcomers beside the best so far.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from sweeper.compare.candidates import Candidate
from sweeper.compare.contrast import Contrast, Ratio, Reading, Variance
from sweeper.compare.looks import LOOKS, level, rejected
from sweeper.model.trial import Outcome, Stage, TrialResult
from sweeper.study.history import History

LEADERS = 2
"""Rivals that are judged beside the reference at one time."""
MAX_ROUNDS = LOOKS[-1]
WORTH_KNOWING = 1.1
"""Times as fast. From here on a difference that is not shown is left open and not called a tie with the reference, nor
given for less memory: a confirmation of full length finds it in 9 of 10 studies where sessions differ by 6 %."""
WORTH_GOING_ON = 1.2
"""Times as fast as the fastest that is shown to be better: a rival that may be that much faster is looked at again."""
NEWCOMER = 1.02
"""Times as fast as what was judged before, that a configuration must look to be judged too."""
MOST_LONE_READINGS = 20
"""Sessions of the reference outside the rounds that are looked at; the last ones, on a machine that changes."""


@dataclass(frozen=True)
class Confirmation:
    """The confirmation of a study. `is_last`: nothing more will be measured, so what is known decides."""

    history: History
    is_last: bool = False

    @cached_property
    def rounds(self) -> dict[int, tuple[TrialResult, ...]]:
        """Trials by round, in order; those of sessions that somebody stopped left out."""
        found: dict[int, list[TrialResult]] = {}
        for trial in self.history.counted:
            is_stopped = trial.outcome is Outcome.INTERRUPTED
            if trial.stage is Stage.CONFIRMATION and trial.round is not None and not is_stopped:
                found.setdefault(trial.round, []).append(trial)
        return {number: tuple(trials) for number, trials in found.items()}

    @cached_property
    def contrast(self) -> Contrast:
        """All readings."""
        return self._contrast(self._lone_readings, self._round_readings)

    @cached_property
    def better(self) -> tuple[Candidate, ...]:
        """Rivals that are shown to be faster than the reference, fastest first."""
        reference = self.history.reference
        if reference is None:
            return ()
        shown: set[str] = set()
        rounds = self.judging_rounds
        for count in range(1, len(rounds) + 1):
            is_last = self.is_last and count == len(rounds)
            allowed = level(count, is_last)
            if allowed <= 0:
                continue
            contrast = self._until(rounds[count - 1])
            open_rivals = [name for name in self._tried_names if name not in shown and contrast.knows(name)]
            if contrast.knows(reference.key):
                chances = {name: contrast.chance(name, reference.key) for name in open_rivals}
                shown |= rejected(chances, allowed)
        # What was shown by a look has to hold by all that came after it.
        found = [item for item in self.judged if item.key in shown and self._holds(item, reference)]
        return tuple(sorted(found, key=lambda item: self.times(item), reverse=True))

    def _holds(self, item: Candidate, reference: Candidate) -> bool:
        found = self.ratio(item, reference)
        return found is not None and found.interval[0] > 1

    @cached_property
    def judged(self) -> tuple[Candidate, ...]:
        """Feasible rivals that were read in a round, in the order in which the search ranks them."""
        return tuple(item for item in self._tried if self.contrast.knows(item.key))

    def ratio(self, item: Candidate, other: Candidate) -> Ratio | None:
        """Speed of one over the other; None where one of them was never read."""
        if not (self.contrast.knows(item.key) and self.contrast.knows(other.key)):
            return None
        return self.contrast.ratio(item.key, other.key)

    def times(self, item: Candidate) -> float:
        """How many times as fast as the reference; 0 where that is not known."""
        found = self.ratio(item, self.history.reference) if self.history.reference else None
        return found.estimate if found else 0.0

    @cached_property
    def contenders(self) -> tuple[Candidate, ...]:
        """Who is to run in the next round: the reference, then its rivals. Empty where nothing is left to judge.

        The reference rests where what is left to judge is not about it, because its sessions are the longest.
        """
        reference = self.history.reference
        if reference is None or self.is_over:
            return ()
        rivals = self._current if self.is_open else self._newcomers
        if self.reference_rests and len(rivals) > 1:
            return rivals
        return (reference, *rivals) if rivals else ()

    @cached_property
    def reference_rests(self) -> bool:
        """Whether it is known to be slower than whatever may turn out to be as fast as the best so far."""
        if self.history.reference is None or not self.better:
            return False
        best = self.ratio(self.better[0], self.history.reference)
        return best is not None and best.interval[0] > WORTH_GOING_ON

    @property
    def is_open(self) -> bool:
        """Whether it has begun, and more rounds of the same contenders are wanted."""
        return bool(self._current) and not self.is_over and not self._is_clear(self._current)

    @property
    def is_over(self) -> bool:
        """Whether it has had as many rounds as it may have, disturbed ones included."""
        return len(self.rounds) >= MAX_ROUNDS

    @cached_property
    def _current(self) -> tuple[Candidate, ...]:
        """Feasible rivals of the last round."""
        if not self.rounds:
            return ()
        last = {trial.key for trial in self.rounds[max(self.rounds)]}
        return tuple(item for item in self._tried if item.key in last)

    @cached_property
    def _newcomers(self) -> tuple[Candidate, ...]:
        """The fastest by the search that were never judged, with the best that was, where one of them looks faster."""
        best = self.better[0] if self.better else None
        beside = best or self.history.reference
        least = NEWCOMER * self.history.speed(beside) if self.judged and beside else self._reference_rate
        passed_over = {item.key for item in (*self.judged, *filter(None, [self.history.reference]))}
        passed_over.add(self.history.own_key)
        rivals = [
            item
            for item in self.history.ranked_by_search
            if item.key not in passed_over and self.history.speed(item) > least
        ]
        if not self.judged:
            return tuple(rivals[:LEADERS])
        return (*rivals[: LEADERS - 1], *([best] if best else [])) if rivals else ()

    @property
    def _reference_rate(self) -> float:
        reference = self.history.reference
        return self.history.speed(reference) if reference else 0.0

    def _is_clear(self, rivals: Sequence[Candidate]) -> bool:
        """Whether more rounds of these would change nothing that matters."""
        ratios = [ratio for item in rivals if (ratio := self._over_best(item)) is not None]
        if len(ratios) < len(rivals):
            return False
        most = WORTH_GOING_ON if self.better else WORTH_KNOWING
        return all(ratio.interval[1] < most for ratio in ratios)

    def _over_best(self, item: Candidate) -> Ratio | None:
        """Its speed over the fastest that is shown to be better, itself excepted; without any, over the reference."""
        best = self.better[0] if self.better else self.history.reference
        if best is item:
            return Ratio(1.0, (1.0, 1.0))
        return self.ratio(item, best) if best is not None else None

    @cached_property
    def _tried(self) -> tuple[Candidate, ...]:
        """Feasible rivals that ran in a round, disturbed or not."""
        return tuple(item for item in self.history.ranked_by_search if item.key in self._tried_names)

    @cached_property
    def _tried_names(self) -> frozenset[str]:
        reference = self.history.reference
        own = reference.key if reference else None
        return frozenset(trial.key for trials in self.rounds.values() for trial in trials if trial.key != own)

    @cached_property
    def judging_rounds(self) -> list[int]:
        """Rounds in which a rival was read."""
        return [
            number
            for number, trials in sorted(self.rounds.items())
            if any(trial.is_ok and trial.key in self._tried_names for trial in trials)
        ]

    def _until(self, round: int) -> Contrast:
        """With the readings of when that round was over; how much sessions differ is taken from all of the study."""
        if self.judging_rounds and round == self.judging_rounds[-1]:
            return self.contrast
        last = max(trial.number for trial in self.rounds[round])
        lone = [(number, reading) for number, reading in self._lone_readings if number <= last]
        inside = [(number, reading) for number, reading in self._round_readings if number <= last]
        return self._contrast(lone, inside)

    def _contrast(self, lone: Sequence[tuple[int, Reading]], inside: Sequence[tuple[int, Reading]]) -> Contrast:
        found = self.history.spread_alone
        repeats = Variance(found.total, found.degrees) if found else None
        return Contrast(tuple(reading for _, reading in (*lone[-MOST_LONE_READINGS:], *inside)), repeats)

    @cached_property
    def _lone_readings(self) -> list[tuple[int, Reading]]:
        """Sessions of the reference at other times, with their numbers, brief ones left out.

        A rival's own chose it, and do not count.
        """
        if self.history.reference is None:
            return []
        name = self.history.reference.key
        return [
            (trial.number, Reading(name, math.log(trial.steps_per_second or 1.0)))
            for trial in self.history.reference.measured
            if trial.stage is not Stage.CONFIRMATION and not trial.brief
        ]

    @cached_property
    def _round_readings(self) -> list[tuple[int, Reading]]:
        return [(trial.number, _reading(trial)) for trials in self.rounds.values() for trial in trials if trial.is_ok]


def _reading(trial: TrialResult) -> Reading:
    slices = tuple(math.log(rate) for rate in trial.slices if rate)
    rate = sum(slices) / len(slices) if slices else math.log(trial.steps_per_second or 1.0)
    return Reading(trial.contender or trial.key, rate, trial.round, slices)
