"""How a study's budget is spent: the baseline, the search, and a confirmation that is reserved from the start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sweeper.compare.confirm import LEADERS, MIN_BLOCKS
from sweeper.model.trial import Purpose, TrialResult
from sweeper.study_file import Budget

MAX_BLOCKS = 4
"""More blocks than this are a longer confirmation than this version knows how to use."""
MARGIN = 1.15
"""Sessions of one configuration differ in length: start-up, and a cycle more or less."""


@dataclass(frozen=True)
class Plan:
    """What a budget allows, given what was measured so far. Seconds."""

    budget: Budget
    spent_seconds: float
    results: Sequence[TrialResult]
    baseline_key: str

    @property
    def remaining_seconds(self) -> float:
        """Of the study's total."""
        return max(0.0, self.budget.seconds - self.spent_seconds)

    @property
    def remaining_trials(self) -> float:
        """Of the study's total; infinite without a limit."""
        return float("inf") if self.budget.trials is None else max(0, self.budget.trials - len(self.results))

    def session_seconds(self, key: str | None = None) -> float:
        """What a session is expected to take: as its configuration did, else the longer of baseline and search."""
        own = [trial.total_seconds for trial in self.results if trial.key == key and trial.is_ok]
        if own:
            return MARGIN * sum(own) / len(own)
        groups = [
            [trial.total_seconds for trial in self.results if trial.is_ok and trial.purpose is purpose]
            for purpose in (Purpose.BASELINE, Purpose.SEARCH)
        ]
        means = [sum(group) / len(group) for group in groups if group]
        return MARGIN * max(means, default=0.0)

    def block_seconds(self, keys: Sequence[str]) -> float:
        """One confirmation session of each configuration."""
        return sum(self.session_seconds(key) for key in keys)

    def confirmation_seconds(self, leaders: Sequence[str]) -> float:
        """The shortest confirmation that can tell anything: two blocks of the baseline and two leaders."""
        known = [*leaders[:LEADERS]]
        unknown = LEADERS - len(known)
        return MIN_BLOCKS * (self.block_seconds([self.baseline_key, *known]) + unknown * self.session_seconds())

    def has_room_for_search(self, leaders: Sequence[str]) -> bool:
        """Whether one more search trial fits beside the confirmation.

        Without any search there is nothing to confirm, so the first search trial needs no confirmation beside it.
        """
        searched = any(trial.purpose is Purpose.SEARCH for trial in self.results)
        reserve_seconds = self.confirmation_seconds(leaders) if searched else 0.0
        reserve_trials = MIN_BLOCKS * (1 + LEADERS)
        if not searched or (self.budget.trials is not None and self.budget.trials < reserve_trials + 2):
            reserve_trials = 0
        fits = self.remaining_seconds >= self.session_seconds() + reserve_seconds
        return fits and self.remaining_seconds > 0 and self.remaining_trials >= 1 + reserve_trials

    def blocks(self, keys: Sequence[str]) -> int:
        """How many confirmation blocks of these configurations fit; decided before any of them is seen."""
        cost = self.block_seconds(keys)
        by_time = int(self.remaining_seconds / cost) if cost > 0 else MAX_BLOCKS
        by_trials = self.remaining_trials // len(keys)
        return int(min(by_time, by_trials, MAX_BLOCKS))
