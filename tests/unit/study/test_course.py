"""What a study does next."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from sweeper.compare.voids import MAX_VOIDS
from sweeper.inputs.study_limits import Budget
from sweeper.model.findings import Finding, FindingKind
from sweeper.model.trial import Outcome, Params, Purpose, Stage, TrialResult
from sweeper.study.allowance import ANCHOR_EVERY, Allowance
from sweeper.study.course import (
    FAILURES_TO_LOOK_INTO,
    MAX_FAILURES_IN_A_ROW,
    DeadEnd,
    End,
    Ending,
    Measure,
    MeasureRound,
    Search,
    Step,
    TakeTurns,
    Why,
    next_step,
    order,
)
from sweeper.study.history import History
from tests.helpers.builders import GIB, params_of, space_of, trial_of

OWN, A, B, C = params_of(1), params_of(2), params_of(4), params_of(4, 4)
SPACE = space_of("env_path: build.x86_64\nbaseline: {num_envs: 1}\nspace: {num_envs: [1, 2, 4], num_areas: [1, 4]}\n")
BASELINE, SEARCH, ANCHOR, CONFIRM = Purpose.BASELINE, Purpose.SEARCH, Purpose.ANCHOR, Purpose.CONFIRM
SETTLED = "nothing is left to search"
CRASHED, VOID = Outcome.CRASHED, Outcome.DISTURBED


def step(
    *results: TrialResult,
    seconds: float = 1200.0,
    trials: int | None = None,
    begun: int = 0,
    settled: str | None = None,
    **fields: Any,
) -> Step:
    allowance = Allowance(History(results, OWN), Budget(seconds, trials), fields.pop("spent", 0.0), 8 * GIB, **fields)
    return next_step(allowance, SPACE, begun, settled)


def own(number: int = 0, **fields: Any) -> TrialResult:
    return trial_of(number, OWN, **{"purpose": BASELINE, "cost_seconds": 30.0, **fields})


def again(number: int, **fields: Any) -> TrialResult:
    return own(number, **{"purpose": ANCHOR, **fields})


def crashed(first: int, *params: Params) -> list[TrialResult]:
    return [trial_of(first + at, one, outcome=CRASHED) for at, one in enumerate(params)]


class TestReference:
    def test_the_users_own_settings_first(self) -> None:
        assert step() == Measure(SPACE.baseline, BASELINE, Stage.PILOT, Why.BASELINE)

    def test_again_after_it_was_disturbed_or_stopped(self) -> None:
        for outcome in (VOID, Outcome.INTERRUPTED):
            found = step(own(outcome=outcome))
            assert isinstance(found, Measure)
            assert (found.params, found.purpose) == (SPACE.baseline, BASELINE)

    def test_after_three_times_as_it_is(self) -> None:
        found = step(*(own(at, outcome=VOID) for at in range(3)))
        assert isinstance(found, Measure)
        assert found.why is Why.NEVER_QUIET

    def test_no_time_left_for_it(self) -> None:
        tried = own(outcome=VOID)
        assert step(tried, spent=1200.0) == DeadEnd(Ending.UNMEASURED, tried)

    @pytest.mark.parametrize("outcome", [CRASHED, Outcome.NO_STEPS, Outcome.TIMEOUT])
    def test_it_must_run(self, outcome: Outcome) -> None:
        failed = own(outcome=outcome)
        assert step(failed) == DeadEnd(Ending.DOES_NOT_RUN, failed)

    def test_too_slow_is_no_failure(self) -> None:
        slow = own(outcome=Outcome.TIMEOUT, reason=Finding(FindingKind.TOO_SLOW))
        assert step(slow) == DeadEnd(Ending.TOO_SLOW, slow)

    def test_what_an_earlier_run_met_may_be_mended(self) -> None:
        found = step(own(outcome=CRASHED), begun=1)
        assert isinstance(found, Measure)
        assert found.purpose is BASELINE

    def test_it_must_learn(self) -> None:
        idle = own(outcome=Outcome.TOO_FEW_UPDATES)
        assert step(idle) == DeadEnd(Ending.LEARNS_NOTHING, idle)

    def test_a_second_pilot_where_it_is_cheap(self) -> None:
        assert step(own()) == Measure(OWN, ANCHOR, Stage.PILOT, Why.PILOT)
        assert step(own(), seconds=200.0) == Search()
        assert step(own(), again(1, stage=Stage.PILOT)) == Search()


class TestOverTheCap:
    broke = own(outcome=Outcome.OVER_MEMORY, peak_memory_bytes=9 * GIB)

    def test_the_smallest_is_tried(self) -> None:
        smallest = SPACE.smallest()
        assert smallest is not None
        bigger = params_of(4, 4)
        allowance = Allowance(History((self.of(bigger),), bigger), Budget(1200.0), 0.0, 8 * GIB)
        assert next_step(allowance, SPACE, 0, None) == Measure(smallest, SEARCH, Stage.PILOT, Why.SMALLEST)

    @staticmethod
    def of(params: Params, **fields: Any) -> TrialResult:
        over = {"outcome": Outcome.OVER_MEMORY, "peak_memory_bytes": 9 * GIB, **fields}
        return trial_of(0, params, purpose=BASELINE, **over)

    def test_nothing_fits(self) -> None:
        assert step(self.broke) == DeadEnd(Ending.CAP_TOO_LOW, self.broke)

    @pytest.mark.parametrize("attempts", [1, 2, 3])
    def test_the_smallest_is_not_tried_for_ever_on_a_busy_machine(self, attempts: int) -> None:
        bigger = params_of(4, 4)
        void = [trial_of(1 + at, OWN, stage=Stage.PILOT, outcome=VOID) for at in range(attempts)]
        allowance = Allowance(History((self.of(bigger), *void), bigger), Budget(1200.0), 0.0, 8 * GIB)
        again = Measure(OWN, SEARCH, Stage.PILOT, Why.SMALLEST)
        assert next_step(allowance, SPACE, 0, None) == (
            again if attempts < MAX_VOIDS else DeadEnd(Ending.UNMEASURED, void[-1])
        )
        spent = replace(allowance, spent_seconds=1200.0)
        assert next_step(spent, SPACE, 0, None) == DeadEnd(Ending.UNMEASURED, void[-1])

    def test_the_search_goes_on_beside_the_smallest(self) -> None:
        bigger = params_of(4, 4)
        small = trial_of(1, OWN, stage=Stage.PILOT)
        allowance = Allowance(History((self.of(bigger), small), bigger), Budget(1200.0), 0.0, 8 * GIB)
        assert next_step(allowance, SPACE, 0, None) == Search()


class TestSearch:
    def test_anchors_in_between(self) -> None:
        searched = [trial_of(2 + at, params_of(10 + at), 900.0) for at in range(ANCHOR_EVERY)]
        assert step(own(), again(1), *searched[:-1]) == Search()
        assert step(own(), again(1), *searched) == Measure(OWN, ANCHOR, Stage.SEARCH, Why.ANCHOR)

    def test_it_ends(self) -> None:
        measured = (own(), again(1), trial_of(2, A, 900.0))
        assert step(*measured, spent=1200.0) == End("budget")
        assert step(*measured, trials=3) == End("limit on trials")
        assert step(*measured, settled=SETTLED) == End(SETTLED)


class TestABrokenMachine:
    unlike = (A, B, C)

    def test_several_unlike_configurations_are_looked_into(self) -> None:
        assert len(self.unlike) == FAILURES_TO_LOOK_INTO
        measured = (own(), again(1))
        assert step(*measured, *crashed(2, A, B)) == Search()
        assert step(*measured, *crashed(2, A, A, A)) == Search()
        found = step(*measured, *crashed(2, *self.unlike))
        assert found == Measure(OWN, ANCHOR, Stage.SEARCH, Why.CHECK, excuses=(2, 3, 4))

    def test_nothing_is_looked_into_when_the_budget_is_spent(self) -> None:
        measured = (own(), again(1))
        assert step(*measured, *crashed(2, *self.unlike), spent=1200.0) == End("budget")

    def test_so_is_an_anchor_that_no_longer_runs(self) -> None:
        found = step(own(), again(1), again(2, outcome=CRASHED))
        assert found == Measure(OWN, ANCHOR, Stage.SEARCH, Why.CHECK, excuses=(2,))

    def test_it_is_the_machine(self) -> None:
        failed = again(5, outcome=CRASHED, excuses=(2, 3, 4, 5))
        assert step(own(), again(1), *crashed(2, *self.unlike), failed) == DeadEnd(Ending.NOTHING_RUNS, failed)

    def test_the_next_run_measures_again_what_failed(self) -> None:
        failed = again(5, outcome=CRASHED, excuses=(2, 3, 4, 5))
        results = (own(), again(1), *crashed(2, *self.unlike), failed)
        # What ran before tells first whether the machine was mended.
        assert step(*results, begun=6) == Measure(OWN, ANCHOR, Stage.SEARCH, Why.CHECK, excuses=(5,))
        still = again(6, outcome=CRASHED, excuses=(5, 6))
        assert step(*results, still, begun=6) == DeadEnd(Ending.NOTHING_RUNS, still)
        assert step(*results, again(6), begun=6) == Search()
        assert History((*results, again(6)), OWN).owed == A

    def test_it_is_not_the_machine(self) -> None:
        assert step(own(), again(1), *crashed(2, *self.unlike), again(5)) == Search()

    def test_failures_of_an_earlier_run_are_not_looked_into_again(self) -> None:
        assert step(own(), again(1), *crashed(2, *self.unlike), begun=5) == Search()

    def test_without_anything_that_ever_ran(self) -> None:
        broke = own(outcome=Outcome.OVER_MEMORY)
        bigger = params_of(4, 4)
        failed = crashed(1, *(params_of(10 + at) for at in range(MAX_FAILURES_IN_A_ROW)))
        smallest = trial_of(0, OWN, stage=Stage.PILOT, outcome=CRASHED)
        results = (trial_of(0, bigger, purpose=BASELINE, outcome=broke.outcome), smallest, *failed)
        allowance = Allowance(History(results, bigger), Budget(1e6), 0.0, 8 * GIB)
        found = next_step(allowance, SPACE, 0, None)
        assert found == DeadEnd(Ending.ALL_FAIL, failed[-1], 1 + MAX_FAILURES_IN_A_ROW)


class TestConfirmation:
    measured = (own(), again(1), trial_of(2, A, 1500.0, cost_seconds=30.0), trial_of(3, B, 5000.0, cost_seconds=30.0))

    def test_when_the_search_is_over(self) -> None:
        found = step(*self.measured, settled=SETTLED)
        assert isinstance(found, MeasureRound)
        assert (found.purpose, found.stage, found.why) == (CONFIRM, Stage.CONFIRMATION, Why.CONFIRMATION)
        assert sorted(map(str, found.contenders)) == sorted(map(str, (OWN, A, B)))

    def test_in_turn(self) -> None:
        known = {"measured_seconds": 40.0, "cycles": 20, "cost_seconds": 100.0, "startup_seconds": 4.0}
        results = [own(0, **known), again(1, **known), trial_of(2, A, 1100.0, **known)]
        found = step(*results, settled=SETTLED)
        assert isinstance(found, TakeTurns)
        assert sorted(map(str, found.contenders)) == sorted(map(str, (OWN, A)))
        assert found.round == 0
        assert len(found.plan.slice_cycles) == 2

    def rounds(self, *rates: float, first: int = 4) -> list[TrialResult]:
        return [
            trial_of(first + at, params, rate, CONFIRM, round=0, cost_seconds=30.0)
            for at, (params, rate) in enumerate(zip((OWN, B, A), rates))
        ]

    def test_it_goes_on_while_it_is_open(self) -> None:
        found = step(*self.measured, *self.rounds(1000.0, 1300.0, 1000.0))
        assert isinstance(found, MeasureRound)
        assert found.round == 1

    def test_what_is_left_over_is_searched_with(self) -> None:
        clear = self.rounds(1000.0, 5000.0, 1500.0)
        assert step(*self.measured, *clear) == Search()
        assert step(*self.measured, *clear, settled=SETTLED) == End(SETTLED)

    def test_no_room(self) -> None:
        assert step(*self.measured, spent=1180.0) == End("budget")

    def test_what_is_left_holds_no_round_but_a_session_of_the_search(self) -> None:
        assert step(*self.measured, spent=1150.0) == Search()

    def test_room_for_one_rival_is_room(self) -> None:
        found = step(*self.measured, spent=1125.0)
        assert isinstance(found, MeasureRound)
        assert len(found.contenders) == 2
        assert OWN in found.contenders

    def test_the_fastest_once_more_before_it(self) -> None:
        many = [trial_of(2 + at, params_of(2 + at), 2000.0 + at, cost_seconds=30.0) for at in range(6)]
        found = step(own(), again(1), *many, settled=SETTLED)
        assert isinstance(found, MeasureRound)
        assert (found.stage, len(found.contenders)) == (Stage.FINALS, 4)


class TestOrders:
    def test_every_other_is_the_reverse(self) -> None:
        orders = [order(3, number) for number in range(40)]
        assert all(sorted(one) == [0, 1, 2] for one in orders)
        assert all(first[::-1] == second for first, second in zip(orders[::2], orders[1::2]))
        assert len({tuple(one) for one in orders[::2]}) > 3

    def test_a_number_is_an_order(self) -> None:
        assert [order(9, number) for number in range(6)] == [order(9, number) for number in range(6)]
        assert order(9, 0) != order(9, 2)

    def test_nobody_is_always_first(self) -> None:
        firsts = Counter(order(3, number)[0] for number in range(400))
        assert all(100 < firsts[index] < 170 for index in range(3))
