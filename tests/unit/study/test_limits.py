"""What a session is held to, from the sessions before it."""

from __future__ import annotations

import re

from sweeper.app.clock import now
from sweeper.model.trial import Outcome, Stage, TrialResult
from sweeper.study.limits import warmup_cycles
from tests.helpers.builders import params_of, trial_of

OWN, A = params_of(1), params_of(2)
PILOT = Stage.PILOT


def test_times_are_fine_enough_to_tell_sessions_apart() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", now())


class TestWarmup:
    def pilots(self, *cycles: int | None, outcome: Outcome = Outcome.OK) -> list[TrialResult]:
        return [trial_of(at, OWN, stage=PILOT, outcome=outcome, warmup_cycles=found) for at, found in enumerate(cycles)]

    def test_pilots_decide_for_themselves(self) -> None:
        assert warmup_cycles([], PILOT) is None
        assert warmup_cycles(self.pilots(2), PILOT) is None
        assert warmup_cycles(self.pilots(2, outcome=Outcome.DISTURBED), PILOT) is None

    def test_the_largest_of_theirs_holds_for_all_others(self) -> None:
        assert warmup_cycles(self.pilots(2, 3), Stage.SEARCH) == 3
        assert warmup_cycles(self.pilots(3, 2), Stage.CONFIRMATION) == 3

    def test_later_sessions_do_not_change_it(self) -> None:
        later = [*self.pilots(2), trial_of(1, A, warmup_cycles=5), trial_of(2, OWN, warmup_cycles=4)]
        assert [warmup_cycles(later, stage) for stage in Stage if stage is not PILOT] == [2, 2, 2]

    def test_the_first_cycle_is_dropped_anyway(self) -> None:
        assert warmup_cycles([], Stage.SEARCH) == 1
        assert warmup_cycles(self.pilots(None), Stage.SEARCH) == 1
        assert warmup_cycles(self.pilots(0), Stage.SEARCH) == 1
        assert warmup_cycles(self.pilots(4, outcome=Outcome.DISTURBED), Stage.SEARCH) == 1
