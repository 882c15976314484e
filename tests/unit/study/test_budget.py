"""How a study's budget is spent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sweeper.compare.confirm import MIN_BLOCKS
from sweeper.inputs.study_limits import Budget
from sweeper.model.trial import Outcome, Purpose, TrialResult, configuration_key
from sweeper.study.allowance import (
    ANCHOR_EVERY,
    CONFIRM_SHARE,
    END_SECONDS,
    FINALS,
    LEADERS,
    MARGIN,
    MAX_BLOCKS,
    MAX_ROUNDS,
    MAX_SLICE_SECONDS,
    MIN_ROUNDS,
    MIN_SLICE_SECONDS,
    PILOT_SHARE,
    SUSPEND_SECONDS,
    Plan,
)
from tests.helpers.builders import GIB, params_of, trial_of

OWN, A, B = params_of(1), params_of(2), params_of(4)
OWN_KEY, A_KEY, B_KEY = map(configuration_key, (OWN, A, B))
BASELINE = trial_of(0, OWN, purpose=Purpose.BASELINE, total_seconds=40.0)
SEARCHED = trial_of(1, A, total_seconds=60.0)
RESERVED = MIN_BLOCKS * (1 + LEADERS)


def plan(results: Sequence[TrialResult], spent: float = 0.0, seconds: float = 1200.0, trials: Any = None) -> Plan:
    return Plan(Budget(seconds, trials), spent, results, OWN_KEY)


def searches(count: int, first: int = 1, **fields: Any) -> list[TrialResult]:
    return [trial_of(first + at, params_of(10 + first + at), **fields) for at in range(count)]


def test_what_is_left() -> None:
    assert plan([], spent=200.0).remaining_seconds == 1000.0
    assert plan([], spent=2000.0).remaining_seconds == 0.0
    assert plan([BASELINE], trials=5).remaining_trials == 4
    assert plan([BASELINE], trials=1).remaining_trials == 0
    assert plan([BASELINE]).remaining_trials == float("inf")


def test_a_session_takes_as_long_as_its_own_did() -> None:
    found = plan([BASELINE, SEARCHED])
    assert found.session_seconds(SEARCHED.key) == pytest.approx(MARGIN * 60)
    assert found.session_seconds(OWN_KEY) == pytest.approx(MARGIN * 40)
    assert found.session_seconds("unknown") == pytest.approx(MARGIN * 60)
    assert plan([]).session_seconds() == 0.0


def test_failed_sessions_say_nothing_about_length() -> None:
    failed = trial_of(2, B, outcome=Outcome.TIMEOUT, total_seconds=900.0)
    assert plan([BASELINE, failed]).session_seconds() == pytest.approx(MARGIN * 40)


class TestReserve:
    def test_it_is_a_quarter_of_the_budget(self) -> None:
        assert CONFIRM_SHARE == 0.25
        assert plan([BASELINE, SEARCHED], seconds=8000.0).confirmation_seconds([A_KEY]) == pytest.approx(2000.0)

    def test_and_at_least_two_blocks_of_three(self) -> None:
        found = plan([BASELINE, SEARCHED])
        assert found.confirmation_seconds([A_KEY]) == pytest.approx(2 * MARGIN * (40 + 60 + 60))
        assert found.confirmation_seconds([]) == pytest.approx(2 * MARGIN * (40 + 60 + 60))

    def test_and_no_more_than_it_can_use(self) -> None:
        useful = MARGIN * (MAX_BLOCKS * 160 + sum(FINALS) * 60)
        for seconds, expected in ((4 * useful - 40, useful - 10), (4 * useful + 40, useful), (1e9, useful)):
            found = plan([BASELINE, SEARCHED], seconds=seconds)
            assert found.confirmation_seconds([A_KEY]) == pytest.approx(expected)

    def test_search_leaves_it_alone(self) -> None:
        needed = MARGIN * 60 + 2 * MARGIN * 160
        assert plan([BASELINE, SEARCHED], seconds=needed + 0.1).search_ends_because([A_KEY]) is None
        assert plan([BASELINE, SEARCHED], seconds=needed - 0.1).search_ends_because([A_KEY]) is not None
        spent = 0.75 * 8000 - MARGIN * 60
        assert plan([BASELINE, SEARCHED], spent - 1, 8000.0).search_ends_because([A_KEY]) is None
        assert plan([BASELINE, SEARCHED], spent + 1, 8000.0).search_ends_because([A_KEY]) is not None

    def test_the_first_search_needs_none(self) -> None:
        assert plan([BASELINE], seconds=MARGIN * 40 + 0.1).search_ends_because([]) is None
        assert plan([BASELINE], seconds=MARGIN * 40 - 0.1).search_ends_because([]) is not None

    def test_trials_are_reserved_where_there_are_enough(self) -> None:
        many = [BASELINE, *searches(3)]
        assert plan(many, seconds=1e6, trials=len(many) + RESERVED + 1).search_ends_because([]) is None
        assert plan(many, seconds=1e6, trials=len(many) + RESERVED).search_ends_because([]) is not None
        assert plan(many[:2], seconds=1e6, trials=3).search_ends_because([]) is None
        assert plan(many[:3], seconds=1e6, trials=3).search_ends_because([]) is not None


class TestPilot:
    def test_only_where_it_is_cheap(self) -> None:
        enough = MARGIN * 40 / PILOT_SHARE
        assert plan([BASELINE], seconds=enough + 1).has_room_for_pilot()
        assert not plan([BASELINE], seconds=enough - 1).has_room_for_pilot()
        assert not plan([], seconds=1e6).has_room_for_pilot()

    def test_not_where_trials_are_few(self) -> None:
        assert plan([BASELINE], seconds=1e6, trials=2 * RESERVED).has_room_for_pilot()
        assert not plan([BASELINE], seconds=1e6, trials=2 * RESERVED - 1).has_room_for_pilot()


class TestAnchors:
    def test_after_so_many_search_trials(self) -> None:
        assert not plan([BASELINE, *searches(ANCHOR_EVERY - 1)]).anchor_is_due()
        assert plan([BASELINE, *searches(ANCHOR_EVERY)]).anchor_is_due()

    @pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.DISTURBED])
    def test_the_baseline_counts_from_when_it_was_last_tried(self, outcome: Outcome) -> None:
        anchor = trial_of(9, OWN, purpose=Purpose.ANCHOR, outcome=outcome)
        assert not plan([BASELINE, *searches(8), anchor, *searches(7, 10)]).anchor_is_due()
        assert plan([BASELINE, *searches(8), anchor, *searches(8, 10)]).anchor_is_due()

    def test_only_search_trials_count(self) -> None:
        confirmed = searches(9, purpose=Purpose.CONFIRM)
        assert not plan([BASELINE, *confirmed]).anchor_is_due()


class TestFinalists:
    results = (BASELINE, *searches(9, total_seconds=40.0))
    ranking = tuple(trial.key for trial in results[1:])
    session = MARGIN * 40
    block = 3 * session

    def count(self, remaining: float, leaders: int = 9, trials: Any = None, last: int | None = None) -> int:
        # A budget that is small beside what remains, so that the reserve is two blocks.
        found = Plan(Budget(remaining, trials), 0.0, self.results, OWN_KEY)
        return found.finalists(self.ranking[:leaders], last)

    def test_eight_four_or_none(self) -> None:
        # Sessions of the final, and two blocks beside.
        assert self.count(8 * self.session + 2 * self.block + 1) == 8
        assert self.count(8 * self.session + 2 * self.block - 1) == 4
        assert self.count(4 * self.session + 2 * self.block + 1) == 4
        assert self.count(4 * self.session + 2 * self.block - 1) == 0

    def test_one_round_of_eight_and_one_of_four(self) -> None:
        assert FINALS == (8, 4)
        assert [self.count(1e6, last=last) for last in (None, 8, 4)] == [8, 4, 0]
        assert self.count(1e6, leaders=3, last=8) == 0

    def test_half_of_the_confirmations_share_is_left(self) -> None:
        total = 100 * self.session
        reserve = CONFIRM_SHARE * total
        assert reserve > 2 * self.block
        for spare, expected in ((8 * self.session + 1, 8), (8 * self.session - 1, 4), (4 * self.session - 1, 0)):
            spent = total - reserve / 2 - spare
            assert Plan(Budget(total), spent, self.results, OWN_KEY).finalists(self.ranking, None) == expected

    def test_no_more_than_there_are(self) -> None:
        assert self.count(1e6, leaders=7) == 4
        assert self.count(1e6, leaders=3) == 0

    def test_trials_are_left_for_the_confirmation(self) -> None:
        used = len(self.results)
        assert self.count(1e6, trials=used + 8 + RESERVED) == 8
        assert self.count(1e6, trials=used + 8 + RESERVED - 1) == 4
        assert self.count(1e6, trials=used + 4 + RESERVED - 1) == 0


def test_blocks() -> None:
    keys = [OWN_KEY, SEARCHED.key]
    results = [BASELINE, SEARCHED]
    block = MARGIN * 100
    assert plan(results, seconds=2.5 * block).blocks(keys) == 2
    assert plan(results, seconds=0.5 * block).blocks(keys) == 0
    assert plan(results, seconds=100 * block).blocks(keys) == MAX_BLOCKS
    assert plan(results, seconds=100 * block, trials=8).blocks(keys) == 3
    assert plan(results, seconds=100 * block, trials=2).blocks(keys) == 0


class TestTurns:
    keys = (OWN_KEY, A_KEY, B_KEY)
    start_seconds = 3 * (10.0 + 4.0 + END_SECONDS)

    def results(self, cycle: float = 2.0, **fields: Any) -> list[TrialResult]:
        common = {"measured_seconds": 8 * cycle, "cycles": 8, "startup_seconds": 10.0, "warmup_seconds": 4.0, **fields}
        return [
            trial_of(0, OWN, purpose=Purpose.BASELINE, **common), trial_of(1, A, **common), trial_of(2, B, **common),
        ]  # fmt: skip

    def round_seconds(self, cycle: float, count: int) -> float:
        return 3 * ((count + 0.5) * cycle + SUSPEND_SECONDS)

    def test_rounds_fill_the_time(self) -> None:
        one = self.round_seconds(2.0, 3)
        found = plan(self.results(total_seconds=200.0), seconds=MARGIN * (self.start_seconds + 20.5 * one)).turns(
            self.keys, 8 * GIB
        )
        assert found is not None
        assert (found.rounds, found.slice_cycles) == (20, (3, 3, 3))
        assert found.seconds == pytest.approx(MARGIN * (self.start_seconds + 20 * one))

    def test_no_more_rounds_than_tell_anything(self) -> None:
        found = plan(self.results(), seconds=1e6).turns(self.keys, 8 * GIB)
        assert found is not None
        assert found.rounds == MAX_ROUNDS

    def test_too_few_rounds_are_not_worth_it(self) -> None:
        one = self.round_seconds(4.0, 1)
        results = self.results(4.0, total_seconds=400.0)
        enough = MARGIN * (self.start_seconds + MIN_ROUNDS * one)
        assert plan(results, seconds=enough + 1).turns(self.keys, 8 * GIB) is not None
        assert plan(results, seconds=enough - 1).turns(self.keys, 8 * GIB) is None

    @pytest.mark.parametrize(("cycle", "counts"), [(4.0, (3, 2, 1)), (2.0, (3, 2)), (0.5, (6,))])
    def test_shorter_slices_where_long_ones_leave_too_few_rounds(self, cycle: float, counts: Sequence[int]) -> None:
        results = self.results(cycle, total_seconds=400.0)
        for count in counts:
            enough = MARGIN * (self.start_seconds + MIN_ROUNDS * self.round_seconds(cycle, count))
            found = plan(results, seconds=enough + 1).turns(self.keys, 8 * GIB)
            assert found is not None
            assert (found.rounds, found.slice_cycles) == (MIN_ROUNDS, (count,) * 3)
            fewer = plan(results, seconds=enough - 1).turns(self.keys, 8 * GIB)
            assert (fewer is None) == (count == counts[-1])

    def test_whole_sessions_where_slices_are_not_twice_as_many(self) -> None:
        one, rounds = self.round_seconds(4.0, 1), 10
        seconds = MARGIN * (self.start_seconds + (rounds + 0.5) * one)
        for blocks, expected in ((rounds // 2, True), (rounds // 2 + 1, False)):
            results = self.results(4.0, total_seconds=seconds / (blocks + 0.5) / MARGIN / 3)
            found = plan(results, seconds=seconds)
            assert found.blocks(self.keys) == blocks
            assert (found.turns(self.keys, 8 * GIB) is not None) == expected

    def test_all_must_fit_into_memory_together(self) -> None:
        results = self.results(peak_memory_bytes=2 * GIB)
        assert plan(results, seconds=1e6).turns(self.keys, int(MARGIN * 6 * GIB) + 1) is not None
        assert plan(results, seconds=1e6).turns(self.keys, int(MARGIN * 6 * GIB) - 1) is None
        unknown = self.results(peak_memory_bytes=None)
        assert plan(unknown, seconds=1e6).turns(self.keys, 8 * GIB) is None

    def test_the_highest_peak_of_a_configuration_counts(self) -> None:
        results = [*self.results(peak_memory_bytes=GIB), trial_of(3, B, peak_memory_bytes=7 * GIB)]
        assert plan(results[:3], seconds=1e6).turns(self.keys, 8 * GIB) is not None
        assert plan(results, seconds=1e6).turns(self.keys, 8 * GIB) is None

    def test_sessions_that_ran_in_turn_tell_nothing_of_whole_ones(self) -> None:
        results = self.results(total_seconds=200.0)
        sliced = trial_of(3, B, slices=(1.0, 1.0), total_seconds=9.0, startup_seconds=99.0, peak_memory_bytes=9 * GIB)
        before, after = plan(results, seconds=2000.0), plan([*results, sliced], seconds=2000.0)
        assert after.session_seconds(B_KEY) == before.session_seconds(B_KEY) == pytest.approx(MARGIN * 200)
        expected = before.turns(self.keys, 8 * GIB)
        assert expected is not None
        assert after.turns(self.keys, 8 * GIB) == expected

    def test_a_cycle_must_fit_into_a_slice(self) -> None:
        assert plan(self.results(MAX_SLICE_SECONDS), seconds=1e6).turns(self.keys, 8 * GIB) is not None
        assert plan(self.results(MAX_SLICE_SECONDS + 0.01), seconds=1e6).turns(self.keys, 8 * GIB) is None
        assert plan(self.results(cycles=None), seconds=1e6).turns(self.keys, 8 * GIB) is None

    @pytest.mark.parametrize(
        ("cycle", "count"), [(0.1, 30), (1.0, 3), (4.0, 3), (6.0, 2), (MAX_SLICE_SECONDS, 1), (0.7, 5)]
    )
    def test_slices_are_neither_short_nor_long(self, cycle: float, count: int) -> None:
        found = plan(self.results(cycle), seconds=1e6).turns(self.keys, 8 * GIB)
        assert found is not None
        assert found.slice_cycles == (count,) * 3
        assert MIN_SLICE_SECONDS - 1e-9 <= count * cycle <= MAX_SLICE_SECONDS

    def test_every_contender_was_measured_and_has_a_trial_left(self) -> None:
        results = self.results()
        assert plan(results[:2], seconds=1e6).turns(self.keys, 8 * GIB) is None
        assert plan(results, seconds=1e6, trials=5).turns(self.keys, 8 * GIB) is None
        assert plan(results, seconds=1e6, trials=6).turns(self.keys, 8 * GIB) is not None


class TestDeadline:
    def test_a_deadline_bounds_what_is_left(self) -> None:
        budget = Budget(1200.0)
        assert Plan(budget, 100.0, [], OWN_KEY, 300.0).remaining_seconds == 300.0
        assert Plan(budget, 1000.0, [], OWN_KEY, 300.0).remaining_seconds == 200.0
        assert Plan(budget, 0.0, [], OWN_KEY, -5.0).remaining_seconds == 0.0

    def test_it_leaves_time_for_the_confirmation(self) -> None:
        results = [BASELINE, SEARCHED]
        assert Plan(Budget(36000.0), 0.0, results, OWN_KEY, 36000.0).search_ends_because([A_KEY]) is None
        assert Plan(Budget(36000.0), 0.0, results, OWN_KEY, 400.0).search_ends_because([A_KEY]) is not None

    def test_what_ends_the_search_is_named(self) -> None:
        results = [BASELINE, SEARCHED]
        assert Plan(Budget(1200.0), 1200.0, results, OWN_KEY).search_ends_because([A_KEY]) == "budget"
        assert Plan(Budget(1e6, 2), 0.0, results, OWN_KEY).search_ends_because([A_KEY]) == "limit on trials"
