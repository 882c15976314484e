"""What a study's trials say together."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from sweeper.model.findings import Finding, FindingKind, Value
from sweeper.model.load import BusyProcess, Contention
from sweeper.model.measurement import PerThousandSteps
from sweeper.model.study import IntervalFrom, StudyResult, Verdict, study_from_json, to_json
from sweeper.model.trial import Outcome, Purpose, Stage, TrialResult, configuration_key
from sweeper.study.answer import conclude
from sweeper.study.confirmation import WORTH_KNOWING
from tests.helpers.builders import GIB, params_of, prepared_of, trial_of

OWN = params_of(1)
BETWEEN, CONFIRMED, CONFIRMED_CHOICE, WITHIN = (
    IntervalFrom.BETWEEN, IntervalFrom.CONFIRMED, IntervalFrom.CONFIRMED_CHOICE, IntervalFrom.WITHIN,
)  # fmt: skip
A, B, C = params_of(2), params_of(4), params_of(4, 4)


def concluded(
    trials: Sequence[TrialResult], spent_seconds: float = 100.0, reason: str | None = "budget", cut_short: bool = False
) -> StudyResult:
    prepared = prepared_of()
    facts = prepared.facts("2026-01-01", spent_seconds, 8 * GIB, reason, cut_short)
    return conclude(facts, prepared.history(trials))


def confirmations(first: int, rates: Sequence[tuple[Any, float]], **fields: Any) -> list[TrialResult]:
    """Blocks: `rates` in order, a block each time the first configuration comes round again."""
    found, block = [], -1
    for number, (params, rate) in enumerate(rates):
        block += params == rates[0][0]
        found.append(trial_of(first + number, params, rate, Purpose.CONFIRM, round=block, **fields))
    return found


class TestConclude:
    def conclude(
        self, trials: Sequence[TrialResult], reason: str | None = "budget", cut_short: bool = False
    ) -> StudyResult:
        return concluded(trials, 100.0, reason, cut_short)

    own = trial_of(0, OWN, 1000.0, Purpose.BASELINE, interval=(990.0, 1010.0))
    first = trial_of(1, A, 1500.0, interval=(1400.0, 1600.0), peak_memory_bytes=2 * GIB)
    second = trial_of(2, B, 2000.0, interval=(1900.0, 2100.0), peak_memory_bytes=3 * GIB)

    def test_nothing_yet(self) -> None:
        result = self.conclude([], None)
        assert (result.best, result.verdict, result.baseline, result.trials) == (None, None, None, ())
        assert result.study.trainer_settings == {
            "behaviors.Car.trainer_type": "ppo",
            "behaviors.Car.hyperparameters.batch_size": 128,
            "behaviors.Car.hyperparameters.buffer_size": 2048,
        }

    def test_better(self) -> None:
        blocks = confirmations(3, [(OWN, 1000.0), (B, 2010.0), (A, 1510.0), (OWN, 1020.0), (B, 1990.0), (A, 1490.0)])
        result = self.conclude([self.own, self.first, self.second, *blocks])
        best = result.best
        assert best is not None
        assert (result.verdict, best.verdict, best.params) == (Verdict.BETTER, Verdict.BETTER, B)
        assert best.steps_per_second == pytest.approx((2010 * 1990) ** 0.5, rel=0.01)
        assert best.interval_from is CONFIRMED
        assert best.speedup is not None
        assert best.speedup.estimate == pytest.approx((2010 * 1990 / (1000 * 1020)) ** 0.5, rel=0.02)
        assert best.speedup.interval is not None
        assert 1 < best.speedup.interval[0] < best.speedup.estimate < best.speedup.interval[1]
        assert (best.trial, best.tied_with, best.peak_memory_bytes) == (7, (), 3 * GIB)
        assert best.command == (
            "mlagents-learn", "/somewhere/reports/racer/best.yaml", "--run-id=racer",
            "--env=/somewhere/build.x86_64", "--num-envs=4", "--num-areas=1",
        )  # fmt: skip
        assert result.baseline is not None
        assert (result.baseline.trial, result.baseline.stated) == (0, True)
        assert "--run-id=racer_before" in result.baseline.command
        assert result.noise.between_percent is not None

    def test_of_two_that_tie_the_one_with_least_memory(self) -> None:
        blocks = confirmations(3, [(OWN, 1000.0), (B, 2000.0), (A, 1990.0), (OWN, 1010.0), (B, 2010.0), (A, 2030.0)])
        best = self.conclude([self.own, self.first, self.second, *blocks]).best
        assert best is not None
        assert (best.verdict, best.params, best.tied_with) == (Verdict.BETTER, A, (B,))

    def test_unknown_memory_does_not_win_a_tie(self) -> None:
        first = trial_of(1, A, 1500.0, peak_memory_bytes=None)
        blocks = [
            *confirmations(3, [(OWN, 1000.0), (B, 2020.0), (OWN, 1010.0), (B, 2010.0)], peak_memory_bytes=3 * GIB),
            trial_of(7, A, 1990.0, Purpose.CONFIRM, round=0, peak_memory_bytes=None),
            trial_of(8, A, 2030.0, Purpose.CONFIRM, round=1, peak_memory_bytes=None),
        ]
        best = self.conclude([self.own, first, self.second, *blocks]).best
        assert best is not None
        assert best.params == B

    def test_keep_yours_where_the_difference_is_noise(self) -> None:
        blocks = confirmations(3, [(OWN, 1000.0), (B, 1100.0), (A, 900.0), (OWN, 1050.0), (B, 980.0), (A, 1100.0)])
        best = self.conclude([self.own, self.first, self.second, *blocks]).best
        assert best is not None
        assert (best.verdict, best.params, best.speedup) == (Verdict.KEEP_YOURS, OWN, None)
        assert set(map(str, best.tied_with)) == {str(A), str(B)}
        speedups = {
            item.key: item.speedup
            for item in self.conclude([self.own, self.first, self.second, *blocks]).configurations
        }
        closest = speedups[configuration_key(B)]
        assert closest is not None
        assert closest.estimate == pytest.approx(1.02, abs=0.02)

    def test_keep_yours_where_nothing_was_seen_to_be_faster(self) -> None:
        best = self.conclude([self.own, trial_of(1, A, 500.0)]).best
        assert best is not None
        assert (best.verdict, best.params) == (Verdict.KEEP_YOURS, OWN)
        assert (best.interval, best.interval_from) == ((990.0, 1010.0), WITHIN)

    def test_unconfirmed(self) -> None:
        best = self.conclude([self.own, self.first]).best
        assert best is not None
        assert (best.verdict, best.params) == (Verdict.UNCONFIRMED, A)
        assert best.speedup is not None
        assert (best.speedup.estimate, best.speedup.interval) == (pytest.approx(1.5), None)

    def test_one_block_confirms_nothing(self) -> None:
        blocks = confirmations(2, [(OWN, 1000.0), (A, 1500.0)])
        assert self.conclude([self.own, self.first, *blocks]).verdict is Verdict.UNCONFIRMED

    def test_only_the_baseline(self) -> None:
        best = self.conclude([self.own]).best
        assert best is not None
        assert (best.verdict, best.params) == (Verdict.UNCONFIRMED, OWN)

    def test_none_feasible(self) -> None:
        failed = [trial_of(0, OWN, purpose=Purpose.BASELINE, outcome=Outcome.OVER_MEMORY)]
        assert self.conclude(failed).verdict is Verdict.NONE_FEASIBLE
        assert self.conclude(failed, None).verdict is None
        assert self.conclude(failed, "too slow", cut_short=True).verdict is None
        assert self.conclude(failed).best is None

    def test_a_baseline_over_the_cap_leaves_no_speedup(self) -> None:
        own = trial_of(0, OWN, purpose=Purpose.BASELINE, outcome=Outcome.OVER_MEMORY)
        result = self.conclude([own, self.first])
        assert result.best is not None
        assert (result.best.verdict, result.best.speedup) == (Verdict.UNCONFIRMED, None)
        assert result.baseline is not None
        assert result.baseline.steps_per_second is None

    def test_a_confirmed_configuration_that_later_broke_the_cap_is_out(self) -> None:
        blocks = confirmations(3, [(OWN, 1000.0), (A, 1500.0), (OWN, 1010.0), (A, 1510.0)])
        broke = trial_of(9, B, purpose=Purpose.CONFIRM, outcome=Outcome.OVER_MEMORY, round=1)
        best = self.conclude([self.own, self.first, self.second, *blocks, broke]).best
        assert best is not None
        assert (best.verdict, best.params) == (Verdict.BETTER, A)

    def test_a_lucky_search_trial_does_not_undo_the_confirmation(self) -> None:
        lucky = trial_of(3, C, 1900.0)
        blocks = confirmations(4, [(OWN, 1000.0), (B, 1800.0), (A, 1960.0), (OWN, 1010.0), (B, 1810.0), (A, 1950.0)])
        first = trial_of(1, A, 1950.0, peak_memory_bytes=2 * GIB)
        best = self.conclude([self.own, first, self.second, lucky, *blocks]).best
        assert best is not None
        assert (best.verdict, best.params) == (Verdict.BETTER, A)

    def test_the_fastest_that_learns_as_much(self) -> None:
        eager = trial_of(1, A, 1500.0, updates_per_1000_steps=PerThousandSteps(20.0, 0.5))
        lazy = trial_of(2, B, 2000.0, updates_per_1000_steps=PerThousandSteps(5.0, 0.5))
        found = self.conclude([self.own, eager, lazy]).best_with_no_fewer_updates
        assert found is not None
        assert (found.params, found.steps_per_second) == (A, pytest.approx(1500.0))
        assert found.speedup is not None
        assert found.speedup.estimate == pytest.approx(1.5)

    def test_inert_areas_are_said(self) -> None:
        own = trial_of(0, OWN, 1000.0, Purpose.BASELINE, agents=8.0)
        other = trial_of(1, params_of(1, 4), 1000.0, agents=8.0)
        assert FindingKind.AREAS_INERT in [note.kind for note in self.conclude([own, other]).warnings]


class TestTheClaim:
    """Rivals: B was the fastest before the confirmation, A the second."""

    own = trial_of(0, OWN, 1000.0, Purpose.BASELINE)
    first = trial_of(1, A, 1500.0, peak_memory_bytes=2 * GIB)
    second = trial_of(2, B, 2000.0, peak_memory_bytes=3 * GIB)

    def best(self, *blocks: tuple[float, float, float], **fields: Any) -> Any:
        """`blocks` of the rates of OWN, B and A."""
        rates = [pair for block in blocks for pair in zip((OWN, B, A), block)]
        trials = [self.own, self.first, self.second, *confirmations(3, rates, **fields)]
        found = concluded(trials).best
        assert found is not None
        return found

    def test_chosen_before_it_is_confirmed(self) -> None:
        best = self.best((1000.0, 2010.0, 1510.0), (1020.0, 1990.0, 1490.0))
        assert (best.params, best.verdict, best.interval_from) == (B, Verdict.BETTER, CONFIRMED)

    def test_memory_may_choose_without_a_word(self) -> None:
        best = self.best((1000.0, 2000.0, 1990.0), (1010.0, 2010.0, 2030.0))
        assert (best.params, best.tied_with, best.interval_from) == (A, (B,), CONFIRMED)

    @pytest.mark.parametrize(("factor", "params"), [(1.099, A), (1.101, B)])
    def test_memory_does_not_choose_what_looks_much_slower(self, factor: float, params: Any) -> None:
        best = self.best((1000.0, 3000.0 * factor * 1.2, 3000.0), (1000.0, 3000.0 * factor / 1.2, 3000.0))
        source = CONFIRMED if params == A else CONFIRMED_CHOICE
        assert (best.params, best.verdict, best.interval_from) == (params, Verdict.BETTER, source)
        assert best.tied_with == (B if params == A else A,)

    def test_the_confirmation_chose_where_another_is_faster_still(self) -> None:
        best = self.best((1000.0, 1500.0, 1990.0), (1010.0, 1510.0, 2030.0), peak_memory_bytes=4 * GIB)
        assert (best.params, best.tied_with, best.interval_from) == (A, (), CONFIRMED_CHOICE)
        assert best.speedup.estimate == pytest.approx((1990 * 2030 / (1000 * 1010)) ** 0.5, rel=0.01)

    def test_the_confirmation_chose_where_the_first_was_not_shown_to_be_faster(self) -> None:
        best = self.best((1000.0, 1002.0, 1400.0), (1010.0, 1008.0, 1420.0))
        assert (best.params, best.tied_with, best.interval_from) == (A, (), CONFIRMED_CHOICE)

    def test_what_looks_much_faster_and_scatters_is_left_open(self) -> None:
        """B and A: three and half as fast in one round, the other way round in the other."""
        best = self.best((1000.0, 3100.0, 500.0), (1000.0, 500.0, 3000.0))
        assert (best.params, best.verdict, best.interval_from) == (B, Verdict.UNCONFIRMED, CONFIRMED)
        assert best.speedup.estimate == pytest.approx((3.1 * 0.5) ** 0.5, rel=0.01)
        assert best.speedup.interval[0] < 1 < best.speedup.interval[1]
        assert best.tied_with == (A,)

    def test_of_those_left_open_the_fastest(self) -> None:
        best = self.best((1000.0, 500.0, 3100.0), (1000.0, 3000.0, 500.0))
        assert (best.params, best.verdict, best.interval_from) == (A, Verdict.UNCONFIRMED, CONFIRMED_CHOICE)
        assert best.tied_with == (B,)

    def test_bounds_of_what_is_unknown_can_be_read_again(self) -> None:
        rates = [(OWN, 1e-9), (B, 1e12), (OWN, 1e12), (B, 1e-9)]
        result = concluded([self.own, self.second, *confirmations(3, rates)])
        assert result.best is not None
        assert study_from_json(json.dumps(to_json(result))) == result

    @pytest.mark.parametrize(("factor", "verdict"), [(1.099, Verdict.KEEP_YOURS), (1.101, Verdict.UNCONFIRMED)])
    def test_less_than_what_is_worth_knowing_is_a_tie(self, factor: float, verdict: Verdict) -> None:
        assert WORTH_KNOWING == 1.1
        best = self.best((1000.0, 1000.0 * factor * 1.1, 900.0), (1000.0, 1000.0 * factor / 1.1, 1100.0))
        assert best.verdict is verdict

    def test_nothing_is_open_where_another_was_shown_to_be_faster(self) -> None:
        best = self.best((1000.0, 1090.0, 3000.0), (1000.0, 1110.0, 3010.0), (1000.0, 1100.0, 3000.0))
        assert (best.params, best.verdict, best.tied_with) == (A, Verdict.BETTER, ())

    def test_one_round_shows_only_what_is_plain(self) -> None:
        assert self.best((1000.0, 1510.0, 1410.0)).verdict is Verdict.UNCONFIRMED
        assert self.best((1000.0, 5010.0, 4510.0)).verdict is Verdict.BETTER

    def test_incomplete_rounds_and_earlier_sessions_are_evidence(self) -> None:
        """One disturbed session of six: five readings of 2,094 to 2,551 against three of 391 to 402 steps/s."""
        void = Outcome.DISTURBED
        trials = [
            trial_of(0, OWN, 391.0, Purpose.BASELINE),
            trial_of(1, A, 2094.0),
            trial_of(2, B, 2551.0),
            *confirmations(3, [(OWN, 402.0), (B, 2300.0), (A, 2200.0)]),
            trial_of(6, OWN, purpose=Purpose.CONFIRM, outcome=void, round=1),
            trial_of(7, B, 2400.0, Purpose.CONFIRM, round=1),
            trial_of(8, A, 2150.0, Purpose.CONFIRM, round=1),
        ]
        best = concluded(trials).best
        assert best is not None
        assert best.verdict is Verdict.BETTER
        assert best.speedup is not None
        assert best.speedup.estimate == pytest.approx(5.8, rel=0.1)

    def test_sessions_in_turn_are_read_by_their_slices(self) -> None:
        trials = [
            self.own, self.first, self.second,
            trial_of(3, OWN, 1000.0, Purpose.CONFIRM, round=0, slices=(1000.0, 905.0, 1098.0)),
            trial_of(4, B, 2000.0, Purpose.CONFIRM, round=0, slices=(2010.0, 1795.0, 2210.0)),
            trial_of(5, A, 1500.0, Purpose.CONFIRM, round=0, slices=(1490.0, 1360.0, 1645.0)),
        ]  # fmt: skip
        result = concluded(trials)
        assert result.best is not None
        assert (result.verdict, result.best.params, result.best.trial) == (Verdict.BETTER, B, 4)
        assert result.best.steps_per_second == pytest.approx((2010 * 1795 * 2210) ** (1 / 3), rel=0.01)
        assert result.best.speedup is not None
        assert result.best.speedup.estimate == pytest.approx(
            (2010 * 1795 * 2210 / (1000 * 905 * 1098)) ** (1 / 3), rel=0.01
        )


class TestIntervals:
    def test_repeats_tell_how_much_sessions_differ(self) -> None:
        trials = [
            trial_of(0, OWN, 1000.0, Purpose.BASELINE, relative_standard_error=0.01),
            trial_of(1, A, 1500.0, relative_standard_error=0.01, interval=(1499.0, 1501.0)),
            trial_of(2, OWN, 1100.0, Purpose.ANCHOR, relative_standard_error=0.01),
        ]
        result = concluded(trials)
        assert result.best is not None
        assert result.baseline is not None
        assert (result.best.interval_from, result.baseline.interval_from) == (BETWEEN, BETWEEN)
        low, high = result.best.interval or (0.0, 0.0)
        assert low < 1400 < 1600 < high
        assert result.baseline.steps_per_second == pytest.approx((1000 * 1100) ** 0.5)
        assert result.noise.sessions == 2

    def test_one_session_knows_its_own_error_only(self) -> None:
        result = concluded([trial_of(0, OWN, 1000.0, Purpose.BASELINE, interval=(990.0, 1010.0))])
        assert result.baseline is not None
        assert (result.baseline.interval, result.baseline.interval_from) == ((990.0, 1010.0), WITHIN)


class TestPooled:
    def test_fastest_first_with_what_did_not_count(self) -> None:
        void = Outcome.DISTURBED
        result = concluded(
            [
                trial_of(0, OWN, purpose=Purpose.BASELINE, outcome=void),
                trial_of(1, OWN, 1000.0, Purpose.BASELINE),
                trial_of(2, A, outcome=Outcome.CRASHED),
                trial_of(3, B, 2000.0),
                trial_of(4, B, outcome=void, purpose=Purpose.CONFIRM),
                trial_of(5, B, outcome=void, purpose=Purpose.CONFIRM),
                trial_of(6, OWN, 1000.0, Purpose.ANCHOR),
                trial_of(7, C, 9000.0, outcome=Outcome.TOO_FEW_UPDATES),
            ]
        )
        found = [
            (item.params, item.steps_per_second and round(item.steps_per_second), item.sessions, item.disturbed)
            for item in result.configurations
        ]
        assert found == [(B, 2000, 1, 2), (OWN, 1000, 2, 1), (A, None, 0, 0), (C, None, 0, 0)]
        assert [item.feasible for item in result.configurations] == [True, True, False, False]
        assert [item.rates for item in result.configurations] == [(2000.0,), (1000.0, 1000.0), (), ()]
        assert [item.peak_memory_bytes for item in result.configurations] == [GIB] * 4
        assert result.configurations[0].updates_per_1000_steps == PerThousandSteps(20.0, 0.5)
        assert [item.interval_from for item in result.configurations] == [BETWEEN, BETWEEN, None, None]

    def test_what_never_counted_is_listed_too(self) -> None:
        never = [trial_of(at, A, outcome=Outcome.DISTURBED) for at in (1, 2)]
        cut = trial_of(3, B, outcome=Outcome.INTERRUPTED)
        found = concluded([trial_of(0, OWN, 1000.0, Purpose.BASELINE), *never, cut]).configurations
        assert [(item.params, item.sessions, item.disturbed) for item in found] == [(OWN, 1, 0), (A, 0, 2), (B, 0, 0)]
        assert [item.steps_per_second for item in found[1:]] == [None, None]
        assert [item.interval for item in found[1:]] == [None, None]


class TestNotes:
    own = trial_of(0, OWN, 1000.0, Purpose.BASELINE)

    @staticmethod
    def busy(number: int, *names: str, purpose: Purpose = Purpose.SEARCH) -> TrialResult:
        busiest = tuple(BusyProcess(name, 1.0 + at) for at, name in enumerate(reversed(names)))
        load = Contention(40.0, 0.0, None, None, 0.0, busiest)
        params = OWN if purpose is Purpose.BASELINE else A
        return trial_of(number, params, purpose=purpose, outcome=Outcome.DISTURBED, contention=load)

    def values(
        self, trials: Sequence[TrialResult], kind: FindingKind = FindingKind.MACHINE_BUSY
    ) -> Mapping[str, Value] | None:
        (*found,) = (note.values for note in concluded(trials).warnings if note.kind is kind)
        assert len(found) <= 1
        return found[0] if found else None

    def test_sessions_that_do_not_count_and_who_was_busy(self) -> None:
        found = self.values(
            [self.own, self.busy(1, "cc1plus", "dd"), self.busy(2, "cc1plus", "slack", "backup", "top")]
        )
        # cc1plus 2 + 4 cores, slack 3, backup 2, dd and top 1 each
        assert found == {
            "never_quiet": False,
            "marked_sessions": 0,
            "disturbed_sessions": 2,
            "sessions": 3,
            "busiest": ("cc1plus", "slack", "backup"),
        }

    def test_a_machine_that_is_never_quiet(self) -> None:
        busy = [self.busy(at, "stress", purpose=Purpose.BASELINE) for at in range(3)]
        marked = (Finding(FindingKind.MACHINE_BUSY),)
        found = self.values([*busy, trial_of(3, OWN, 1000.0, Purpose.BASELINE, warnings=marked)])
        assert found is not None
        assert (found["never_quiet"], found["marked_sessions"], found["busiest"]) == (True, 1, ("stress",))

    def test_a_machine_that_got_quiet_after_all(self) -> None:
        busy = [self.busy(at, "stress", purpose=Purpose.BASELINE) for at in range(3)]
        found = self.values([*busy, trial_of(3, OWN, 1000.0, Purpose.BASELINE)])
        assert found is not None
        assert (found["never_quiet"], found["disturbed_sessions"], found["sessions"]) == (False, 3, 4)

    def test_a_machine_that_changed_its_own_speed(self) -> None:
        changed, busy = (Finding(kind) for kind in (FindingKind.MACHINE_UNSTEADY, FindingKind.MACHINE_BUSY))
        trials = [
            self.own,
            trial_of(1, A, 1500.0, warnings=(changed,)),
            trial_of(2, A, 1500.0, warnings=(changed, busy)),  # others explain it
            trial_of(3, A, outcome=Outcome.DISTURBED, warnings=(changed,)),  # does not count
        ]
        found = self.values(trials, FindingKind.MACHINE_UNSTEADY)
        assert found == {"unsteady_sessions": 1, "sessions": 3, "change_percent": 25.0}
        assert self.values(trials[::2], FindingKind.MACHINE_UNSTEADY) is None

    def test_slices_that_do_not_count(self) -> None:
        lost = (Finding(FindingKind.SLICES_DISTURBED),)
        load = Contention(5.0, 0.0, None, None, 0.0, (BusyProcess("stress", 0.9),))
        rates: Sequence[tuple[float | None, ...]] = [(900.0, None, 950.0, None), (1800.0, None, 1900.0, 2000.0)]
        trials = [
            trial_of(at + 1, params, 1000.0, Purpose.CONFIRM, round=0, slices=rate, warnings=lost, contention=load)
            for at, (params, rate) in enumerate(zip((OWN, A), rates))
        ]
        calm = trial_of(3, A, 1000.0, Purpose.CONFIRM, round=1, slices=(900.0, 950.0, 900.0))
        found = self.values([self.own, *trials, calm], FindingKind.SLICES_DISTURBED)
        assert found == {"lost_slices": 2, "slices": 7, "busiest": ("stress",)}
        assert self.values([self.own, *trials]) is None

    def test_nothing_to_say(self) -> None:
        assert self.values([self.own]) is None
        assert concluded([self.own]).warnings == ()

    @pytest.mark.parametrize(
        ("rates", "signs"),
        [
            ((1000.0, 900.0, 800.0, 700.0, 600.0), [-1]),
            ((600.0, 700.0, 800.0, 900.0, 1000.0), [1]),
            ((1000.0, 1010.0, 995.0, 1005.0, 1000.0), []),
            ((1000.0, 900.0, 800.0), []),
        ],
    )
    def test_drift_only_where_it_is_shown(self, rates: Sequence[float], signs: list[int]) -> None:
        trials = [
            trial_of(at, OWN, rate, Purpose.ANCHOR if at else Purpose.BASELINE, started_at=f"2026-01-01T0{at}:00:00")
            for at, rate in enumerate(rates)
        ]
        found = concluded(trials, spent_seconds=3600.0 * len(rates))
        slopes = [note.values["percent_per_hour"] for note in found.warnings if note.kind is FindingKind.DRIFT]
        assert slopes == [found.noise.drift_percent_per_hour for _ in signs]
        assert [math.copysign(1, slope) for slope in slopes if isinstance(slope, float)] == signs

    def test_a_drift_smaller_than_what_sessions_differ_anyway(self) -> None:
        """Shown, at 1 % an hour, but not worth a word beside 20 % between sessions of another configuration."""
        own = [
            trial_of(at, OWN, 1000.0 * 0.99**at, Purpose.ANCHOR, started_at=f"2026-01-01T0{at}:00:00")
            for at in range(6)
        ]
        others = [trial_of(6 + at, A, rate) for at, rate in enumerate((1000.0, 1500.0, 900.0))]
        found = concluded([*own, *others], spent_seconds=3600.0)
        assert found.noise.drift_interval is not None
        assert found.noise.drift_interval[1] < 0
        assert FindingKind.DRIFT not in [note.kind for note in found.warnings]
        alone = concluded(own, spent_seconds=6 * 3600.0)
        assert FindingKind.DRIFT in [note.kind for note in alone.warnings]


class TestOwnSettingsThatBreakTheCap:
    own = trial_of(0, OWN, purpose=Purpose.BASELINE, outcome=Outcome.OVER_MEMORY, peak_memory_bytes=9 * GIB)
    small = trial_of(1, C, 1000.0, stage=Stage.PILOT)

    def test_the_smallest_that_fits_is_what_others_are_held_against(self) -> None:
        rounds = confirmations(3, [(C, 1000.0), (B, 2000.0), (C, 1010.0), (B, 2020.0)])
        result = concluded([self.own, self.small, trial_of(2, B, 2000.0), *rounds])
        assert result.reference == dict(C)
        assert result.best is not None
        assert (result.verdict, result.best.params) == (Verdict.BETTER, B)
        assert result.best.speedup is not None
        assert result.best.speedup.estimate == pytest.approx(2.0, rel=0.02)

    def test_it_is_recommended_where_nothing_looks_faster(self) -> None:
        result = concluded([self.own, self.small, trial_of(2, B, 900.0)])
        assert result.best is not None
        assert (result.verdict, result.best.params, result.best.speedup) == (Verdict.KEEP_YOURS, C, None)
