"""All that is known of a study so far, told once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from sweeper.compare.voids import MAX_VOIDS
from sweeper.model.trial import Outcome, Purpose, Stage, TrialResult
from sweeper.study.history import History
from tests.helpers.builders import GIB, params_of, trial_of

OWN, A, B, C = params_of(1), params_of(2), params_of(4), params_of(4, 4)
BASELINE, SEARCH, ANCHOR, CONFIRM = Purpose.BASELINE, Purpose.SEARCH, Purpose.ANCHOR, Purpose.CONFIRM
OK, VOID, CUT, CRASHED = Outcome.OK, Outcome.DISTURBED, Outcome.INTERRUPTED, Outcome.CRASHED


def history(*results: TrialResult, **fields: Any) -> History:
    return History(results, OWN, **fields)


def own(number: int = 0, rate: float = 1000.0, **fields: Any) -> TrialResult:
    return trial_of(number, OWN, rate, **{"purpose": BASELINE, **fields})


class TestWhoIsWho:
    def test_the_fastest_first_and_the_users_own_among_them(self) -> None:
        found = history(own(), trial_of(1, A, 900.0), trial_of(2, B, 2000.0), trial_of(3, A, 1300.0))
        assert [item.params for item in found.ranked] == [B, A, OWN]
        assert [item.params for item in found.rivals] == [B, A]
        assert found.reference is found.baseline
        assert found.by_key[found.own_key].params == OWN

    def test_the_confirmation_chooses_nobody(self) -> None:
        results = (own(), trial_of(1, A, 1500.0), trial_of(2, B, 1400.0))
        fell_back = trial_of(3, A, 1000.0, CONFIRM, round=0)
        found = history(*results, fell_back)
        assert [item.params for item in found.ranked] == [B, A, OWN]
        assert [item.params for item in found.ranked_by_search] == [A, B, OWN]

    def test_the_smallest_stands_in_for_settings_that_break_the_cap(self) -> None:
        broke = own(outcome=Outcome.OVER_MEMORY, peak_memory_bytes=9 * GIB)
        small = trial_of(1, C, 500.0, stage=Stage.PILOT)
        found = history(broke, small, trial_of(2, B, 700.0))
        assert found.own_breaks_cap
        assert found.baseline is None
        assert found.reference is not None
        assert found.reference.params == C
        assert [item.params for item in found.rivals] == [B]

    def test_nothing_stands_in_for_settings_that_do_not_run(self) -> None:
        assert history(own(outcome=CRASHED), trial_of(1, A)).reference is None


class TestOwed:
    @staticmethod
    def owed(*found: tuple[Any, Outcome]) -> Any:
        return history(*(trial_of(at, params, outcome=outcome) for at, (params, outcome) in enumerate(found))).owed

    def test_the_first_that_never_counted(self) -> None:
        assert self.owed((A, VOID), (B, VOID)) == A
        assert self.owed((A, VOID), (B, VOID), (A, OK)) == B
        assert self.owed((A, VOID), (B, VOID), (A, CRASHED)) == B
        assert self.owed() is None

    def test_what_somebody_stopped(self) -> None:
        assert self.owed((A, OK), (B, CUT)) == B

    def test_not_for_ever(self) -> None:
        assert self.owed(*[(A, VOID)] * (MAX_VOIDS - 1)) == A
        assert self.owed(*[(A, VOID)] * MAX_VOIDS) is None

    def test_the_baseline_and_anchors_are_nobodys_debt(self) -> None:
        assert history(own(outcome=VOID)).owed is None
        assert history(own(), own(1, purpose=ANCHOR, outcome=VOID)).owed is None

    def test_what_failed_while_nothing_ran(self) -> None:
        failed = [trial_of(at, params, outcome=CRASHED) for at, params in ((1, A), (2, B))]
        check = own(3, purpose=ANCHOR, outcome=CRASHED, excuses=(1, 2, 3))
        found = history(own(), *failed, check)
        assert found.owed == A
        assert found.excused == {1, 2, 3}
        assert [item.params for item in found.candidates] == [OWN]
        assert found.reference is not None
        assert history(own(), *failed, check, trial_of(4, A)).owed == B


class TestFailing:
    def failing(self, results: Sequence[TrialResult]) -> list[int]:
        return [trial.number for trial in history(*results).failing]

    def test_the_last_in_a_row(self) -> None:
        crashed = [trial_of(at, params_of(at), outcome=CRASHED) for at in (1, 2)]
        assert self.failing([own(), *crashed]) == [1, 2]
        assert self.failing([own(), *crashed, trial_of(3, A)]) == []
        assert self.failing([own(), crashed[0], trial_of(2, A), trial_of(3, B, outcome=Outcome.NO_STEPS)]) == [3]

    @pytest.mark.parametrize("outcome", [VOID, CUT, Outcome.VETOED])
    def test_what_says_nothing_is_passed_over(self, outcome: Outcome) -> None:
        trials = [own(), trial_of(1, A, outcome=CRASHED), trial_of(2, B, outcome=outcome)]
        assert self.failing(trials) == [1]

    @pytest.mark.parametrize("outcome", [Outcome.OVER_MEMORY, Outcome.TOO_FEW_UPDATES])
    def test_a_limit_that_was_broken_shows_that_the_machine_runs(self, outcome: Outcome) -> None:
        assert self.failing([own(), trial_of(1, A, outcome=CRASHED), trial_of(2, B, outcome=outcome)]) == []

    def test_what_was_looked_into(self) -> None:
        check = own(2, purpose=ANCHOR, outcome=CRASHED, excuses=(1, 2))
        assert self.failing([own(), trial_of(1, A, outcome=CRASHED), check]) == []


def test_rounds_have_numbers_of_their_own() -> None:
    assert history().next_round == 0
    found = history(own(), trial_of(1, A, stage=Stage.FINALS, round=4), trial_of(2, B, purpose=CONFIRM, round=2))
    assert found.next_round == 5


def test_what_the_search_believes_ranks_and_not_the_highest_reading() -> None:
    lucky, steady = trial_of(1, params_of(2), 3000.0), trial_of(2, params_of(4), 2500.0)
    history = History((trial_of(0), lucky, steady), params_of())
    assert [item.key for item in history.ranked][:2] == [lucky.key, steady.key]
    believed = replace(history, expected={lucky.key: 2200.0, steady.key: 2400.0})
    assert [item.key for item in believed.ranked][:2] == [steady.key, lucky.key]
    assert [item.key for item in believed.ranked_by_search][:2] == [steady.key, lucky.key]
    assert believed.by_key[lucky.key].steps_per_second == pytest.approx(3000.0)


def test_brief_sessions_say_nothing_of_how_much_whole_ones_differ() -> None:
    trials = [trial_of(0), trial_of(1, rate=1300.0, brief=True), trial_of(2, rate=1010.0)]
    found = History(tuple(trials), params_of()).spread_alone
    assert found is not None
    assert found.degrees == 1
    assert found.total < 0.01


def test_what_differs_in_inert_knobs_alone_is_one() -> None:
    """Areas that add no agents: of two configurations with as many environments one is a rival, of yours none."""
    trials = [
        trial_of(0, params_of(1, 1), 1000.0, Purpose.BASELINE, agents=8.0),
        trial_of(1, params_of(1, 4), 1100.0, agents=8.0),
        trial_of(2, params_of(2, 4), 1500.0, agents=16.0),
        trial_of(3, params_of(2, 1), 1400.0, agents=16.0),
    ]
    history = History(tuple(trials), params_of(1, 1))
    assert history.inert == ("num_areas",)
    assert [item.params for item in history.rivals] == [params_of(2, 4)]
    assert [item.params for item in history.ranked_by_search] == [params_of(2, 4), params_of(1, 1)]
    assert len(history.ranked) == 4
    other = [replace(trial, agents=agents) for trial, agents in zip(trials, (8.0, 32.0, 64.0, 16.0))]
    assert len(History(tuple(other), params_of(1, 1)).rivals) == 3
