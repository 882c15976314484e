"""Finals, slices in turn, whole sessions in blocks; sessions are scripted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from sweeper.app.confirmation import _order
from sweeper.app.stop import StopSignal
from sweeper.compare.confirm import MIN_BLOCKS, block_rates
from sweeper.compare.noise import SLICED
from sweeper.errors import Interrupted
from sweeper.model.session import SessionEnd
from sweeper.model.study import Verdict
from sweeper.model.trial import Outcome, Params, Purpose, TrialResult, configuration_key
from sweeper.study.allowance import LEADERS, MAX_BLOCKS, MAX_ROUNDS, MIN_ROUNDS
from tests.helpers.builders import GIB, params_of
from tests.helpers.scripted import (
    BUSY,
    QUIET,
    Scripted,
    is_disturbed,
    scripted,
    speed_of,
)

pytestmark = pytest.mark.usefixtures("scripted_world", "quick_search")

SEARCH, CONFIRM = Purpose.SEARCH, Purpose.CONFIRM
BEST, SECOND = params_of(4, 4, 256), params_of(4, 4, 128)
LARGE = 4 * GIB
"""Three of them do not fit under the cap of 8 GiB together."""


WIDE = (
    "env_path: build.x86_64\nbaseline: {num_envs: 1}\n"
    "space: {num_envs: [1, 2, 3, 4, 5, 6, 7, 8], num_areas: [1, 2, 4, 8], batch_size: [64, 128, 256]}\n"
)
"""More than there is time for."""


def blocks_of(study: Scripted) -> dict[int, list[TrialResult]]:
    found = defaultdict(list)
    for trial in study.of(CONFIRM):
        assert trial.block is not None
        found[trial.block].append(trial)
    return dict(found)


def first_confirmation(seconds: float, **runner: Any) -> int:
    """The number of the first session of the confirmation in such a study."""
    study = scripted(seconds, **runner)
    study.run()
    return next(trial.number for trial in study.of(CONFIRM))


def interrupted(seconds: float, at: int, **runner: Any) -> Scripted:
    """A study that was stopped in its session `at` and may go on."""
    study = scripted(seconds, **runner)
    study.runner.end = lambda index: SessionEnd.INTERRUPTED if index == at else SessionEnd.MEASURED
    study.runner.on_session = lambda index: study.stop.ask() if index == at else None
    with pytest.raises(Interrupted):
        study.run()
    study.stop, study.runner.on_session = StopSignal(), lambda index: None
    return study


class TestOrders:
    def test_every_other_is_the_reverse(self) -> None:
        orders = [_order(3, number) for number in range(40)]
        assert all(sorted(order) == [0, 1, 2] for order in orders)
        assert all(first[::-1] == second for first, second in zip(orders[::2], orders[1::2]))
        assert len({tuple(order) for order in orders[::2]}) > 3

    def test_a_number_is_an_order(self) -> None:
        assert [_order(9, number) for number in range(6)] == [_order(9, number) for number in range(6)]
        assert _order(9, 0) != _order(9, 2)

    def test_nobody_is_always_first(self) -> None:
        firsts = Counter(_order(3, number)[0] for number in range(400))
        assert all(100 < firsts[index] < 170 for index in range(3))


class TestFinals:
    @staticmethod
    def finals(study: Scripted) -> list[TrialResult]:
        return [trial for trial in study.of(SEARCH) if trial.block is not None]

    @pytest.mark.parametrize(
        ("seconds", "counts"),
        [(500.0, []), (850.0, [4]), (2200.0, [8, 4])],
    )
    def test_as_many_as_there_is_time_for(self, seconds: float, counts: list[int]) -> None:
        study = scripted(seconds, study=WIDE)
        assert study.run() == "budget"
        found = self.finals(study)
        assert [len([trial for trial in found if trial.block == block]) for block in range(len(counts))] == counts
        assert len(found) == sum(counts)
        searched = sorted(trial.steps_per_second or 0.0 for trial in study.of(SEARCH) if trial.block is None)
        for block, count in enumerate(counts):
            rates = [trial.steps_per_second or 0.0 for trial in found if trial.block == block]
            assert sorted(rates) == pytest.approx(searched[-count:])
        assert study.of(CONFIRM)
        assert all(trial.number < confirm.number for trial in found for confirm in study.of(CONFIRM))

    def test_they_choose(self) -> None:
        """In the search the second best was lucky by far; once more, it was not."""
        study = scripted(2000.0)
        lucky = params_of(2, 4, 256)

        def jitter(index: int) -> float:
            params = [dict(session.plan.params) for session in study.runner.sessions]
            return 1.6 if params[-1] == lucky and params.count(lucky) == 1 else 1.0

        study.runner.jitter = jitter
        study.run()
        searched = max(
            (trial for trial in study.of(SEARCH) if trial.block is None), key=lambda trial: trial.steps_per_second or 0
        )
        assert searched.params == lucky
        assert lucky not in [trial.params for trial in study.of(CONFIRM)]

    def test_blocks_after_them_have_numbers_of_their_own(self) -> None:
        study = scripted(2000.0, peak_bytes=LARGE)
        study.run()
        assert {trial.block for trial in self.finals(study)} == {0, 1}
        assert min(blocks_of(study)) == 2


class TestSlices:
    def study(self, **runner: Any) -> Scripted:
        study = scripted(1200.0, **runner)
        study.run()
        return study

    def test_all_contenders_alive_together(self) -> None:
        study = self.study()
        ((contenders, orders, seconds),) = study.runner.in_turn
        assert [dict(contender.plan.params) for contender in contenders] == [params_of(), BEST, SECOND]
        assert len({contender.plan.seed for contender in contenders}) == 3
        assert {contender.warmup_cycles for contender in contenders} == {1}
        assert all(contender.slice_cycles >= 1 for contender in contenders)
        assert MIN_ROUNDS <= len(orders) <= MAX_ROUNDS
        assert 0 < seconds <= 1200.0
        assert len(study.of(CONFIRM)) == 3
        assert {trial.block for trial in study.of(CONFIRM)} == {2}
        assert all(len(trial.slices) == len(orders) for trial in study.of(CONFIRM))

    def test_their_answer(self) -> None:
        result = self.study().conclusion()
        assert result.best is not None
        assert (result.verdict, result.best.params, result.best.interval_from) == (Verdict.BETTER, BEST, SLICED)
        assert result.best.speedup is not None
        assert result.best.speedup.estimate == pytest.approx(speed_of(BEST) / 1000.0)

    def test_whole_sessions_where_they_do_not_fit_into_memory(self) -> None:
        study = self.study(peak_bytes=LARGE)
        assert study.runner.in_turn == []
        assert len(study.of(CONFIRM)) >= MIN_BLOCKS * (1 + LEADERS)
        assert not any(trial.slices for trial in study.of(CONFIRM))

    def test_whole_sessions_where_cycles_are_long(self) -> None:
        study = scripted(20_000.0, speed=lambda params: speed_of(params) / 20)
        study.run()
        assert study.runner.in_turn == []
        assert len(study.of(CONFIRM)) >= MIN_BLOCKS * (1 + LEADERS)

    def test_whole_sessions_after_turns_broke(self) -> None:
        study = self.study(turns_end=SessionEnd.TURNS_BROKEN)
        assert len(study.runner.in_turn) == 1
        broken, whole = study.of(CONFIRM)[:3], study.of(CONFIRM)[3:]
        assert {trial.outcome for trial in broken} == {Outcome.INTERRUPTED}
        assert {trial.message for trial in broken} == {"running in turn with others did not work"}
        assert len(whole) >= MIN_BLOCKS * (1 + LEADERS)
        assert min(trial.block or 0 for trial in whole) > max(trial.block or 0 for trial in broken)
        assert study.conclusion().verdict is Verdict.BETTER

    def test_broken_turns_are_not_tried_again_in_this_study(self) -> None:
        study = interrupted(2000.0, first_confirmation(2000.0), turns_end=SessionEnd.TURNS_BROKEN)
        # Turns broke, and the first whole session after them was interrupted.
        assert len(study.runner.in_turn) == 1
        study.run()
        assert len(study.runner.in_turn) == 1
        assert study.conclusion().verdict is Verdict.BETTER

    def test_whole_sessions_after_others_were_busy_meanwhile(self) -> None:
        study = scripted(2000.0, turns_load=BUSY)
        study.run()
        assert [is_disturbed(trial) for trial in study.of(CONFIRM)][:4] == [True, True, True, False]
        assert study.conclusion().verdict is Verdict.BETTER


class TestWholeSessions:
    def test_blocks_of_one_session_each(self) -> None:
        study = scripted(2000.0, peak_bytes=LARGE)
        study.run()
        found = blocks_of(study)
        assert len(found) == MAX_BLOCKS
        assert all(Counter(t.key for t in block) == Counter(t.key for t in found[2]) for block in found.values())
        assert all(len(block) == 3 for block in found.values())
        orders = [[trial.key for trial in block] for block in found.values()]
        assert all(first[::-1] == second for first, second in zip(orders[::2], orders[1::2]))

    def test_no_confirmation_where_there_is_no_time_for_two(self) -> None:
        study = scripted(120.0)
        study.run()
        assert study.of(CONFIRM) == []
        assert study.conclusion().verdict is Verdict.UNCONFIRMED

    def test_a_disturbed_session_spoils_its_block_and_another_is_run(self) -> None:
        runner = {"peak_bytes": LARGE}
        seconds = 2000.0
        spoilt = first_confirmation(seconds, **runner) + 4
        study = scripted(seconds, load=lambda index: BUSY if index == spoilt else QUIET, **runner)
        study.run()
        found = blocks_of(study)
        assert [number for number, block in found.items() if any(map(is_disturbed, block))] == [3]
        assert len(found) == MAX_BLOCKS + 1
        keys = sorted({trial.key for trial in study.of(CONFIRM)})
        assert len(block_rates(study.results, keys)) == MAX_BLOCKS
        assert {trial.block for trial in study.of(CONFIRM)} == set(range(2, MAX_BLOCKS + 3))

    def test_not_when_the_time_is_over(self) -> None:
        seconds, runner = 700.0, {"peak_bytes": LARGE}
        study = scripted(seconds, **runner)
        study.run()
        planned = len(blocks_of(study))
        assert MIN_BLOCKS <= planned < MAX_BLOCKS
        spoilt = first_confirmation(seconds, **runner) + 4
        again = scripted(seconds, load=lambda index: BUSY if index == spoilt else QUIET, **runner)
        again.run()
        assert planned <= len(blocks_of(again)) <= planned + 1
        assert again.store.spent_seconds <= seconds

    def test_a_machine_that_stays_busy_does_not_keep_us_for_ever(self) -> None:
        first = first_confirmation(2000.0, peak_bytes=LARGE)
        study = scripted(2000.0, peak_bytes=LARGE, load=lambda index: BUSY if index >= first else QUIET)
        study.run()
        assert all(map(is_disturbed, study.of(CONFIRM)))
        assert study.store.spent_seconds <= 2000.0
        assert study.conclusion().verdict is Verdict.UNCONFIRMED

    def test_one_that_breaks_the_cap_now_drops_out(self) -> None:
        first = first_confirmation(2000.0, peak_bytes=LARGE)
        study = scripted(2000.0, peak_bytes=LARGE)

        def end(index: int) -> SessionEnd:
            is_best = dict(study.runner.sessions[-1].plan.params) == BEST
            return SessionEnd.OVER_MEMORY if is_best and index >= first + 6 else SessionEnd.MEASURED

        study.runner.end = end
        study.run()
        broke = [trial for trial in study.of(CONFIRM) if trial.outcome is Outcome.OVER_MEMORY]
        assert [trial.params for trial in broke] == [BEST]
        later = {
            trial.block: Counter(trial.key for trial in block) for block in blocks_of(study).values() for trial in block
        }
        assert all(len(later[number or 0]) == 2 for number in later if (number or 0) > (broke[0].block or 0))
        keys = [configuration_key(params) for params in (params_of(), SECOND)]
        assert len(block_rates(study.results, keys)) == MAX_BLOCKS
        result = study.conclusion()
        assert result.best is not None
        assert (result.verdict, result.best.params) == (Verdict.BETTER, SECOND)

    def test_drift_between_blocks_costs_nothing(self) -> None:
        first = first_confirmation(2000.0, peak_bytes=LARGE)
        study = scripted(2000.0, peak_bytes=LARGE)
        study.runner.jitter = lambda index: 0.9 ** (max(0, index - first) // 3)
        study.run()
        best = study.conclusion().best
        assert best is not None
        assert best.speedup is not None
        assert best.speedup.interval == pytest.approx((speed_of(BEST) / 1000.0,) * 2)


class TestResumed:
    seconds = 2000.0

    def whole(self, after: int) -> Scripted:
        """Stopped in the session that is `after` so many others of the confirmation in whole sessions."""
        at = first_confirmation(self.seconds, peak_bytes=LARGE) + after
        return interrupted(self.seconds, at, peak_bytes=LARGE)

    def check(self, study: Scripted, contenders: Sequence[Params] = (params_of(), BEST, SECOND)) -> None:
        before = len(study.results)
        searched = len(study.of(SEARCH))
        study.run()
        assert len(study.of(SEARCH)) == searched
        assert len(study.results) >= before
        found = {trial.key: trial.params for trial in study.of(CONFIRM)}
        assert sorted(map(str, found.values())) == sorted(map(str, contenders))
        assert len(block_rates(study.results, list(found))) >= MIN_BLOCKS
        result = study.conclusion()
        assert result.best is not None
        assert (result.verdict, result.best.params) == (Verdict.BETTER, BEST)
        assert study.store.spent_seconds <= self.seconds

    @pytest.mark.parametrize("after", [2, 5, 9])
    def test_with_the_same_contenders(self, after: int) -> None:
        study = self.whole(after)
        assert study.results[-1].outcome is Outcome.INTERRUPTED
        self.check(study)

    def test_interrupted_before_all_had_their_turn(self) -> None:
        self.check(self.whole(0))

    def test_the_block_that_was_cut_off_does_not_count(self) -> None:
        study = self.whole(4)
        (first, second), keys = blocks_of(study), sorted({trial.key for trial in study.of(CONFIRM)})
        study.run()
        assert len(block_rates(study.results, keys)) == len(blocks_of(study)) - 1
        assert all(later.number > earlier.number for earlier, later in pairwise(study.of(CONFIRM)))
        assert max(trial.block or 0 for trial in study.of(CONFIRM)) > second > first

    def test_in_turn_from_the_start(self) -> None:
        study = scripted(self.seconds, turns_end=SessionEnd.INTERRUPTED)
        study.runner.on_turns = study.stop.ask
        with pytest.raises(Interrupted):
            study.run()
        assert [trial.outcome for trial in study.of(CONFIRM)] == [Outcome.INTERRUPTED] * 3
        study.stop, study.runner.on_turns = StopSignal(), lambda: None
        study.runner.turns_end = SessionEnd.MEASURED
        self.check(study)
        assert len(study.runner.in_turn) == 2
