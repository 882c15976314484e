"""How a study's budget is spent: the baseline, the search, and a confirmation that is reserved from the start."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sweeper.compare.confirm import LEADERS, MIN_BLOCKS
from sweeper.inputs.study_limits import Budget
from sweeper.model.trial import Purpose, TrialResult

CONFIRM_SHARE = 0.25
"""Of the budget, kept for finding out which of the leaders is best and how much better (facts on search, 9)."""
MAX_BLOCKS = 12
"""Whole sessions of every contender: they tell 10 % from nothing in 9 of 10 studies where sessions differ by 6 %, as on
a quiet two-core machine."""
FINALS = (8, 4)
"""Sizes of rounds among the leaders, before the best two are confirmed (facts on statistics, 8.2)."""
MAX_ROUNDS = 40
"""Slices of every contender; 40 pairs reached a standard error of 1.5 % in seven minutes (facts, 18)."""
MIN_ROUNDS = 6
"""Fewer slices are not worth the start-ups of sessions that run in turn."""
MARGIN = 1.15
"""Sessions of one configuration differ in length: start-up, and a cycle more or less."""
ANCHOR_EVERY = 8
"""Search trials between two sessions of the baseline (facts on statistics, 8.2)."""
PILOT_SHARE = 0.1
"""Of the remaining budget that a second pilot session of the baseline may cost, start-up included."""
SLICE_CYCLES = 3
"""In a slice; fewer where too few rounds would fit."""
MIN_SLICE_SECONDS = 3.0
"""Shorter slices would be all resuming and suspending."""
MAX_SLICE_SECONDS = 15.0
"""Others stand still for so long, and must survive it."""
SUSPEND_SECONDS = 0.5
"""From a slice's last edge to the moment when everything stands still."""
END_SECONDS = 5.0
"""A learner's clean end."""


@dataclass(frozen=True)
class Turns:
    """A confirmation in slices: rounds, and whole cycles in each contender's slice."""

    rounds: int
    slice_cycles: tuple[int, ...]
    seconds: float


@dataclass(frozen=True)
class Plan:
    """What a budget allows, given what was measured so far. Seconds."""

    budget: Budget
    spent_seconds: float
    results: Sequence[TrialResult]
    baseline_key: str
    seconds_to_deadline: float = math.inf

    @property
    def remaining_seconds(self) -> float:
        """Of the study's total, and to the time by which it must have ended."""
        return max(0.0, min(self.budget.seconds - self.spent_seconds, self.seconds_to_deadline))

    @property
    def remaining_trials(self) -> float:
        """Of the study's total, some left out; infinite without a limit."""
        counted = sum(trial.outcome.uses_limit for trial in self.results)
        return float("inf") if self.budget.trials is None else max(0, self.budget.trials - counted)

    def session_seconds(self, key: str | None = None) -> float:
        """What a session is expected to take: as its configuration did, else the longer of baseline and search."""
        own = [trial.total_seconds for trial in self.results if trial.key == key and _was_alone(trial)]
        if own:
            return MARGIN * sum(own) / len(own)
        groups = [
            [trial.total_seconds for trial in self.results if trial.is_ok and trial.purpose is purpose]
            for purpose in (Purpose.BASELINE, Purpose.SEARCH)
        ]
        means = [sum(group) / len(group) for group in groups if group]
        return MARGIN * max(means, default=0.0)

    def block_seconds(self, keys: Sequence[str]) -> float:
        """One whole session of each configuration."""
        return sum(self.session_seconds(key) for key in keys)

    def confirmation_seconds(self, leaders: Sequence[str]) -> float:
        """Kept for the confirmation: its share of the budget, but at least two blocks of the baseline and two leaders,
        and no more than it can use."""
        known = [*leaders[:LEADERS]]
        unknown = LEADERS - len(known)
        block = self.block_seconds([self.baseline_key, *known]) + unknown * self.session_seconds()
        useful = MAX_BLOCKS * block + sum(FINALS) * self.session_seconds()
        return max(MIN_BLOCKS * block, min(CONFIRM_SHARE * self.budget.seconds, useful))

    def search_ends_because(self, leaders: Sequence[str]) -> str | None:
        """What leaves no room for one more search trial beside the confirmation, if anything.

        Without any search there is nothing to confirm, so the first search trial needs no confirmation beside it.
        """
        searched = any(trial.purpose is Purpose.SEARCH for trial in self.results)
        reserve_seconds = self.confirmation_seconds(leaders) if searched else 0.0
        reserve_trials = MIN_BLOCKS * (1 + LEADERS)
        if not searched or (self.budget.trials is not None and self.budget.trials < reserve_trials + 2):
            reserve_trials = 0
        if self.remaining_trials < 1 + reserve_trials:
            return "limit on trials"
        fits = 0 < self.remaining_seconds >= self.session_seconds() + reserve_seconds
        return None if fits else "budget"

    def has_room_for_pilot(self) -> bool:
        """Whether a second session of the baseline before the search is cheap."""
        few = self.budget.trials is not None and self.budget.trials < 2 * MIN_BLOCKS * (1 + LEADERS)
        return not few and 0 < self.session_seconds(self.baseline_key) <= PILOT_SHARE * self.remaining_seconds

    def anchor_is_due(self) -> bool:
        """Whether ANCHOR_EVERY search trials have passed since the baseline was last measured, or tried."""
        searched = 0
        for trial in reversed(self.results):
            if trial.key == self.baseline_key:
                break
            searched += trial.purpose is Purpose.SEARCH
        return searched >= ANCHOR_EVERY

    def finalists(self, leaders: Sequence[str], last: int | None) -> int:
        """How many leaders to run once more, of whom the better half goes on; 0 for none.

        `last`: the size of the round before. A round must leave half of what is kept for the confirmation, and the
        fewest blocks that confirm anything.
        """
        fewest = MIN_BLOCKS * self.block_seconds([self.baseline_key, *leaders[:LEADERS]])
        spare = self.remaining_seconds - max(fewest, self.confirmation_seconds(leaders) / 2)
        for count in FINALS:
            fits = self.block_seconds(leaders[:count]) <= spare
            fits = fits and self.remaining_trials >= count + MIN_BLOCKS * (1 + LEADERS)
            if len(leaders) >= count and fits and (last is None or count < last):
                return count
        return 0

    def blocks(self, keys: Sequence[str]) -> int:
        """How many blocks of whole sessions of these fit; decided before any of them is seen."""
        cost = self.block_seconds(keys)
        by_time = int(self.remaining_seconds / cost) if cost > 0 else MAX_BLOCKS
        by_trials = self.remaining_trials // len(keys)
        return int(min(by_time, by_trials, MAX_BLOCKS))

    def turns(self, keys: Sequence[str], cap_bytes: int) -> Turns | None:
        """A confirmation in slices, where it fits and tells more than whole sessions; decided before it is seen.

        All contenders must fit into memory together, and a cycle of each into a slice.
        """
        known = [[trial for trial in self.results if trial.key == key and _was_alone(trial)] for key in keys]
        if self.remaining_trials < len(keys) or not all(known):
            return None
        peaks = [max((trial.peak_memory_bytes or cap_bytes) for trial in trials) for trials in known]
        cycles = [_cycle_seconds(trials) for trials in known]
        if MARGIN * sum(peaks) > cap_bytes or any(cycle > MAX_SLICE_SECONDS for cycle in cycles):
            return None
        start_seconds = sum(
            max((trial.startup_seconds or 0.0) + (trial.warmup_seconds or 0.0) for trial in trials) + END_SECONDS
            for trials in known
        )
        enough = max(MIN_ROUNDS, min(MAX_ROUNDS, 2 * self.blocks(keys)))
        planned = (self._rounds(cycles, most, start_seconds) for most in range(SLICE_CYCLES, 0, -1))
        return next((turns for turns in planned if turns.rounds >= enough), None)

    def _rounds(self, cycles: Sequence[float], most: int, start_seconds: float) -> Turns:
        """As many rounds as fit, of slices of at most so many cycles unless these are very short."""
        counts = tuple(_slice_cycles(cycle, most) for cycle in cycles)
        # The cycle that the last suspension cut is run to its end first, and does not count.
        round_seconds = sum((count + 0.5) * cycle + SUSPEND_SECONDS for count, cycle in zip(counts, cycles))
        rounds = min(MAX_ROUNDS, int((self.remaining_seconds / MARGIN - start_seconds) / round_seconds))
        return Turns(rounds, counts, MARGIN * (rounds * round_seconds + start_seconds))


def _was_alone(trial: TrialResult) -> bool:
    """Measured, and not in turn with others, whose start-ups and share of the time its own figures would hold."""
    return trial.is_ok and not trial.slices


def _cycle_seconds(trials: Sequence[TrialResult]) -> float:
    found = [trial.measured_seconds / trial.cycles for trial in trials if trial.measured_seconds and trial.cycles]
    return max(found, default=math.inf)


def _slice_cycles(cycle_seconds: float, most: int) -> int:
    wanted = max(most, math.ceil(MIN_SLICE_SECONDS / cycle_seconds))
    return max(1, min(wanted, int(MAX_SLICE_SECONDS / cycle_seconds)))
