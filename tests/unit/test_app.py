"""The use cases' own decisions: budget, outcome, conclusion, tuned config, and the files they write."""

from __future__ import annotations

import json
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from sweeper.app.apply import plan_apply, write_files
from sweeper.app.budget import LEADERS, MARGIN, MAX_BLOCKS, Plan
from sweeper.app.conclude import FROM_CONFIRMATION, FROM_SESSION, Facts, conclude
from sweeper.app.init import write_study_file
from sweeper.app.judge import judge
from sweeper.app.outputs import read_results, save_outputs, save_results, write_atomically
from sweeper.app.prepare import Overrides, load, open_folder
from sweeper.app.render import render, write_report
from sweeper.app.stop import StopSignal
from sweeper.app.tuned import tuned_text
from sweeper.compare.confirm import MIN_BLOCKS
from sweeper.errors import ExitCode, Interrupted, InvalidInput, NothingFeasible, NotReady
from sweeper.measure.cycles import Cutting
from sweeper.model.folder import StudyFolder
from sweeper.model.measurement import NoteKind, PerThousandSteps, Sample
from sweeper.model.session import SessionEnd, SessionRecord
from sweeper.model.study import StudyResult, Verdict
from sweeper.model.trial import Outcome, Purpose, TrialResult, configuration_key
from sweeper.session.memory import RSS
from sweeper.study_file import Budget, MemoryCap, read_study
from sweeper.trainer_config import put_params
from tests.unit.builders import (
    GIB,
    PPO,
    STUDY_HEAD,
    config_of,
    params_of,
    plan_of,
    prepared_of,
    record_of,
    sample,
    session_of,
    trial_of,
)
from tests.unit.results import full_result, info_of

OWN = params_of(1)
OWN_KEY = configuration_key(OWN)
A, B, C = params_of(2), params_of(4), params_of(4, 4)
FACTS = Facts("2026-01-01", 100.0, 8 * GIB, "budget")


class TestBudget:
    def plan(
        self, results: Sequence[TrialResult], spent: float = 0.0, seconds: float = 1200.0, trials: Any = None
    ) -> Plan:
        return Plan(Budget(seconds, trials), spent, results, OWN_KEY)

    baseline = trial_of(0, OWN, purpose=Purpose.BASELINE, total_seconds=40.0)
    searched = trial_of(1, A, total_seconds=60.0)

    def test_what_is_left(self) -> None:
        assert self.plan([], spent=200.0).remaining_seconds == 1000.0
        assert self.plan([], spent=2000.0).remaining_seconds == 0.0
        assert self.plan([self.baseline], trials=5).remaining_trials == 4
        assert self.plan([self.baseline], trials=1).remaining_trials == 0
        assert self.plan([self.baseline]).remaining_trials == float("inf")

    def test_a_session_takes_as_long_as_its_own_did(self) -> None:
        plan = self.plan([self.baseline, self.searched])
        assert plan.session_seconds(self.searched.key) == pytest.approx(MARGIN * 60)
        assert plan.session_seconds(OWN_KEY) == pytest.approx(MARGIN * 40)
        assert plan.session_seconds("unknown") == pytest.approx(MARGIN * 60)
        assert self.plan([]).session_seconds() == 0.0

    def test_failed_sessions_say_nothing_about_length(self) -> None:
        failed = trial_of(2, B, outcome=Outcome.TIMEOUT, total_seconds=900.0)
        assert self.plan([self.baseline, failed]).session_seconds() == pytest.approx(MARGIN * 40)

    def test_the_reserve_is_two_blocks_of_three(self) -> None:
        plan = self.plan([self.baseline, self.searched])
        assert plan.confirmation_seconds([self.searched.key]) == pytest.approx(2 * MARGIN * (40 + 60 + 60))
        assert plan.confirmation_seconds([]) == pytest.approx(2 * MARGIN * (40 + 60 + 60))

    def test_room_for_search_keeps_the_reserve(self) -> None:
        results = [self.baseline, self.searched]
        needed = MARGIN * 60 + 2 * MARGIN * 160
        assert self.plan(results, seconds=needed + 0.1).has_room_for_search([self.searched.key])
        assert not self.plan(results, seconds=needed - 0.1).has_room_for_search([self.searched.key])

    def test_the_first_search_needs_no_reserve(self) -> None:
        assert self.plan([self.baseline], seconds=MARGIN * 40 + 0.1).has_room_for_search([])
        assert not self.plan([self.baseline], seconds=MARGIN * 40 - 0.1).has_room_for_search([])

    def test_trials_are_reserved_where_there_are_enough(self) -> None:
        many = [self.baseline] + [trial_of(number, params_of(number + 1)) for number in range(1, 4)]
        reserve = MIN_BLOCKS * (1 + LEADERS)
        assert self.plan(many, seconds=1e6, trials=len(many) + reserve + 1).has_room_for_search([])
        assert not self.plan(many, seconds=1e6, trials=len(many) + reserve).has_room_for_search([])
        assert self.plan(many[:2], seconds=1e6, trials=3).has_room_for_search([])
        assert not self.plan(many[:3], seconds=1e6, trials=3).has_room_for_search([])

    def test_blocks(self) -> None:
        keys = [OWN_KEY, self.searched.key]
        results = [self.baseline, self.searched]
        block = MARGIN * 100
        assert self.plan(results, seconds=2.5 * block).blocks(keys) == 2
        assert self.plan(results, seconds=0.5 * block).blocks(keys) == 0
        assert self.plan(results, seconds=100 * block).blocks(keys) == MAX_BLOCKS
        assert self.plan(results, seconds=100 * block, trials=8).blocks(keys) == 3
        assert self.plan(results, seconds=100 * block, trials=2).blocks(keys) == 0


class TestJudge:
    good = session_of([(2048, 2.0)] * 10)

    def judge(self, record: SessionRecord, required: PerThousandSteps | None = None, **fields: Any) -> TrialResult:
        return judge(plan_of(), record, Purpose.SEARCH, "2026", Cutting(), 0.025, 8 * GIB, required, **fields)

    @pytest.mark.parametrize(
        ("end", "outcome"),
        [
            (SessionEnd.MEASURED, Outcome.OK),
            (SessionEnd.OVER_MEMORY, Outcome.OVER_MEMORY),
            (SessionEnd.EXITED, Outcome.CRASHED),
            (SessionEnd.NOT_CONNECTED, Outcome.TIMEOUT),
            (SessionEnd.NO_STEPS, Outcome.NO_STEPS),
            (SessionEnd.NO_PROBE, Outcome.CRASHED),
            (SessionEnd.STALLED, Outcome.TIMEOUT),
            (SessionEnd.TOO_SLOW, Outcome.TIMEOUT),
            (SessionEnd.INTERRUPTED, Outcome.INTERRUPTED),
        ],
    )
    def test_every_end_has_its_outcome(self, end: SessionEnd, outcome: Outcome) -> None:
        result = self.judge(record_of(end, self.good, ["line"] * 30))
        assert result.outcome is outcome
        if outcome is Outcome.OK:
            assert (result.steps_per_second, result.interval, result.message) == (1024.0, (1024.0, 1024.0), None)
            assert result.log_tail == ()
        else:
            assert (result.steps_per_second, result.interval) == (None, None)
            assert result.message
            assert len(result.log_tail) == 12

    def test_what_is_kept(self) -> None:
        result = self.judge(record_of(SessionEnd.MEASURED, self.good, exit_code=1), block=3)
        assert (result.number, result.params, result.seed, result.block) == (3, params_of(), 11, 3)
        assert (result.total_seconds, result.startup_seconds, result.warmup_seconds) == (45.0, 10.0, 4.0)
        assert (result.peak_memory_bytes, result.memory_source) == (GIB, "pss")
        assert (result.cycles, result.command, result.started_at) == (8, ("mlagents-learn", "config.yaml"), "2026")

    def test_the_learning_guard(self) -> None:
        record = record_of(SessionEnd.MEASURED, self.good)
        policy = 1000 / 2048
        assert self.judge(record, PerThousandSteps(None, 0.99 * policy)).outcome is Outcome.OK
        refused = self.judge(record, PerThousandSteps(None, 1.01 * policy))
        assert refused.outcome is Outcome.TOO_FEW_UPDATES
        assert refused.steps_per_second == 1024.0
        assert refused.message == "0.49 policy updates per 1,000 steps; at least 0.49 are required"

    def test_no_update_at_all_is_the_guards_business(self) -> None:
        samples = [sample(100.0 + second, 500 * second, 0, "tick") for second in range(1, 20)]
        result = self.judge(record_of(SessionEnd.TOO_SLOW, samples))
        assert (result.outcome, result.message) == (Outcome.TOO_FEW_UPDATES, "no policy update within 9,500 steps")

    def test_over_memory_says_how_much(self) -> None:
        result = self.judge(record_of(SessionEnd.OVER_MEMORY, self.good, peak_memory_bytes=9 * GIB))
        assert result.message == "9.0 GiB in use, above the cap of 8.0 GiB; stopped at once"
        assert result.warnings == ()
        bound = self.judge(record_of(SessionEnd.OVER_MEMORY, memory_source=RSS, peak_memory_bytes=9 * GIB))
        assert [note.kind for note in bound.warnings] == [NoteKind.MEMORY_UPPER_BOUND]

    def test_a_crash_quotes_the_exception(self) -> None:
        log = ["[INFO] Connected", "Traceback (most recent call last):", "ValueError: bad shape", "more"]
        result = self.judge(record_of(SessionEnd.EXITED, self.good, log))
        assert result.message == "the learner ended by itself after 20,480 steps: ValueError: bad shape"
        result = self.judge(record_of(SessionEnd.EXITED, (), ["last words"]))
        assert result.message == "the learner ended by itself after 0 steps: last words"
        assert str(self.judge(record_of(SessionEnd.EXITED)).message).endswith("it printed nothing")

    def test_measured_without_cycles_is_not_believed(self) -> None:
        samples: list[Sample] = self.good[:4]
        assert self.judge(record_of(SessionEnd.MEASURED, samples)).outcome is Outcome.CRASHED


def confirmations(first: int, rates: Sequence[tuple[Any, float]], **fields: Any) -> list[TrialResult]:
    """Blocks: `rates` in order, a block each time the first configuration comes round again."""
    found, block = [], -1
    for number, (params, rate) in enumerate(rates):
        block += params == rates[0][0]
        found.append(trial_of(first + number, params, rate, Purpose.CONFIRM, block=block, **fields))
    return found


class TestConclude:
    def conclude(self, trials: Sequence[TrialResult], reason: str | None = "budget") -> StudyResult:
        return conclude(prepared_of(), trials, Facts("2026-01-01", 100.0, 8 * GIB, reason))

    own = trial_of(0, OWN, 1000.0, Purpose.BASELINE, interval=(990.0, 1010.0))
    first = trial_of(1, A, 1500.0, interval=(1400.0, 1600.0), peak_memory_bytes=2 * GIB)
    second = trial_of(2, B, 2000.0, interval=(1900.0, 2100.0), peak_memory_bytes=3 * GIB)

    def test_nothing_yet(self) -> None:
        result = self.conclude([], None)
        assert (result.best, result.verdict, result.baseline, result.trials) == (None, None, None, ())

    def test_better(self) -> None:
        blocks = confirmations(3, [(OWN, 1000.0), (B, 2010.0), (A, 1510.0), (OWN, 1020.0), (B, 1990.0), (A, 1490.0)])
        result = self.conclude([self.own, self.first, self.second, *blocks])
        best = result.best
        assert best is not None
        assert (result.verdict, best.verdict, best.params) == (Verdict.BETTER, Verdict.BETTER, B)
        assert best.steps_per_second == pytest.approx((2010 * 1990) ** 0.5)
        assert best.interval_from == FROM_CONFIRMATION
        assert best.speedup is not None
        assert best.speedup.estimate == pytest.approx((2010 * 1990 / (1000 * 1020)) ** 0.5)
        assert best.speedup.interval is not None
        assert 1 < best.speedup.interval[0] < best.speedup.estimate < best.speedup.interval[1]
        assert (best.trial, best.tied_with, best.peak_memory_bytes) == (7, (), 3 * GIB)
        assert best.command == (
            "mlagents-learn", "/somewhere/reports/racer/best.yaml", "--run-id=racer",
            "--env=/somewhere/build.x86_64", "--num-envs=4", "--num-areas=1",
        )  # fmt: skip
        assert result.baseline is not None
        assert (result.baseline.trial, result.baseline.stated) == (0, True)
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
            trial_of(7, A, 1990.0, Purpose.CONFIRM, block=0, peak_memory_bytes=None),
            trial_of(8, A, 2030.0, Purpose.CONFIRM, block=1, peak_memory_bytes=None),
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

    def test_keep_yours_where_nothing_was_seen_to_be_faster(self) -> None:
        best = self.conclude([self.own, trial_of(1, A, 500.0)]).best
        assert best is not None
        assert (best.verdict, best.params) == (Verdict.KEEP_YOURS, OWN)
        assert (best.interval, best.interval_from) == ((990.0, 1010.0), FROM_SESSION)

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
        broke = trial_of(9, B, purpose=Purpose.CONFIRM, outcome=Outcome.OVER_MEMORY, block=1)
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
        assert NoteKind.AREAS_INERT in [note.kind for note in self.conclude([own, other]).warnings]


COMMENTED = """\
# My car.
behaviors:
  Car:  # the only one
    trainer_type: ppo
    hyperparameters:
      batch_size: 128     # small
      buffer_size: 2048
      learning_rate: 3.0e-4
      beta: 5e-3
    network_settings: {normalize: true, hidden_units: 64}
    max_steps: 5e5
    # threaded is slower here
    time_horizon: 64

env_settings:
  num_envs: 2  # today
"""


class TestTuned:
    def test_only_the_tuned_lines_change(self) -> None:
        before = COMMENTED.splitlines()
        after = tuned_text(config_of(COMMENTED), {**params_of(8, 4, 512), "threaded": None}).splitlines()
        assert [(old, new) for old, new in zip(before, after) if old != new] == [
            ("      batch_size: 128     # small", "      batch_size: 512     # small"),
            ("  num_envs: 2  # today", "  num_envs: 8  # today"),
        ]
        assert len(before) == len(after)

    def test_it_says_what_was_asked_for(self) -> None:
        params = {**params_of(8, 4, 512, True), "hyperparameters.buffer_size": 4096}
        data = yaml.safe_load(tuned_text(config_of(COMMENTED), params))
        expected = config_of(COMMENTED).data
        put_params(expected, params)
        expected["env_settings"]["num_envs"] = 8
        assert data == expected
        assert data["behaviors"]["Car"]["threaded"] is True

    def test_nothing_to_tune_changes_nothing(self) -> None:
        text = PPO + "    threaded: false\n"
        assert tuned_text(config_of(text), params_of()) == text

    def test_lists_keep_their_shape(self) -> None:
        text = PPO + "environment_parameters:\n  wall:\n    curriculum:\n      - name: A\n        value: 1.0\n"
        assert "    curriculum:\n      - name: A\n        value: 1.0\n" in tuned_text(config_of(text), params_of())

    def test_lists_at_the_keys_column_keep_their_shape(self) -> None:
        text = PPO + "environment_parameters:\n  wall:\n    curriculum:\n    - name: A\n      value: 1.0\n"
        assert "    curriculum:\n    - name: A\n      value: 1.0\n" in tuned_text(config_of(text), params_of())


class TestFiles:
    def test_results_round_trip(self, tmp_path: Path) -> None:
        folder = StudyFolder(tmp_path)
        save_results(folder, full_result())
        assert read_results(folder) == full_result()

    @pytest.mark.parametrize("text", ["{", "[]", "{}", '{"format": "sweeper.results", "version": 99}'])
    def test_broken_results_are_the_users_input(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "results.json").write_text(text)
        with pytest.raises(InvalidInput, match=r"results\.json: "):
            read_results(StudyFolder(tmp_path))

    def test_no_results(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput, match=r"no results\.json here"):
            read_results(StudyFolder(tmp_path))

    def test_all_outputs(self, tmp_path: Path) -> None:
        prepared = prepared_of(root=tmp_path)
        save_outputs(prepared, full_result())
        assert sorted(path.name for path in tmp_path.iterdir()) == ["best.yaml", "report.html", "results.json"]
        assert (
            yaml.safe_load((tmp_path / "best.yaml").read_text())["behaviors"]["Car"]["hyperparameters"]["batch_size"]
            == 256
        )

    def test_writing_is_atomic_and_leaves_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "a.txt"
        write_atomically(path, "one")
        write_atomically(path, "zwö")
        assert path.read_text(encoding="utf-8") == "zwö"
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        with pytest.raises(NotReady, match="cannot write"):
            write_atomically(tmp_path / "nowhere" / "a.txt", "x")
        (tmp_path / "folder").mkdir()
        with pytest.raises(NotReady, match="cannot write"):
            write_atomically(tmp_path / "folder", "x")
        assert sorted(item.name for item in tmp_path.iterdir()) == ["a.txt", "folder"]

    def test_reports_overwrite_only_their_own(self, tmp_path: Path) -> None:
        save_results(StudyFolder(tmp_path), full_result())
        assert write_report(tmp_path, None, "html", None) == tmp_path / "report.html"
        assert write_report(tmp_path, None, "html", None) == tmp_path / "report.html"
        mine = tmp_path / "mine.md"
        mine.write_text("precious")
        with pytest.raises(InvalidInput, match="nothing was overwritten"):
            write_report(tmp_path, None, "md", mine)
        assert mine.read_text() == "precious"

    @pytest.mark.parametrize(
        ("kind", "start"), [("html", "<!DOCTYPE html>"), ("md", "## sweeper"), ("json", "{"), ("csv", "number,")]
    )
    def test_every_format(self, tmp_path: Path, kind: str, start: str) -> None:
        save_results(StudyFolder(tmp_path), full_result())
        assert render(tmp_path, None, kind).startswith(start)

    def test_two_studies(self, tmp_path: Path) -> None:
        save_results(StudyFolder(tmp_path), full_result())
        assert render(tmp_path, tmp_path, "md").startswith("## racer and racer")

    def test_a_study_folder_is_made_or_refused(self, tmp_path: Path) -> None:
        folder = StudyFolder(tmp_path / "r" / "x")
        assert open_folder(folder, fresh=False) is None
        assert folder.trials.is_dir()
        (folder.root / "precious").write_text("x")
        with pytest.raises(InvalidInput, match="is not empty and holds no study"):
            open_folder(folder, fresh=False)
        moved = open_folder(folder, fresh=True)
        assert moved == tmp_path / "r" / "x.old-1"
        assert (moved / "precious").read_text() == "x"
        assert open_folder(folder, fresh=True) == tmp_path / "r" / "x.old-2"
        (tmp_path / "file").write_text("x")
        with pytest.raises(InvalidInput, match="is a file, not a study folder"):
            open_folder(StudyFolder(tmp_path / "file"), fresh=False)

    def test_a_folder_that_a_killed_run_left_can_be_used(self, tmp_path: Path) -> None:
        folder = StudyFolder(tmp_path / "x")
        open_folder(folder, fresh=False)
        assert open_folder(folder, fresh=False) is None


class TestApply:
    def plan_folder(self, tmp_path: Path, **fields: Any) -> Path:
        (tmp_path / "car.yaml").write_text(PPO)
        folder = tmp_path / "study"
        folder.mkdir(exist_ok=True)
        save_results(
            StudyFolder(folder), full_result(study=info_of(trainer_config=str(tmp_path / "car.yaml")), **fields)
        )
        return folder

    def test_files_and_diff(self, tmp_path: Path) -> None:
        plan = plan_apply(self.plan_folder(tmp_path), None)
        assert [path.name for path in plan.files] == ["car_tuned.yaml", "train_car_tuned.sh", "train_car_tuned.bat"]
        assert "-      batch_size: 128\n+      batch_size: 256\n" in plan.diff
        tuned, script, batch = plan.files.values()
        assert yaml.safe_load(tuned)["behaviors"]["Car"]["hyperparameters"]["batch_size"] == 256
        assert script == f"#!/bin/sh\nexec mlagents-learn {tmp_path}/car_tuned.yaml '--env=/b/my build' \"$@\"\n"
        assert batch == f'@echo off\r\nmlagents-learn {tmp_path}/car_tuned.yaml "--env=/b/my build" %*\r\n'
        assert (tmp_path / "car.yaml").read_text() == PPO

    def test_writing_twice_is_fine_but_nothing_else_is_overwritten(self, tmp_path: Path) -> None:
        plan = plan_apply(self.plan_folder(tmp_path), tmp_path / "out")
        assert write_files(plan) == list(plan.files)
        write_files(plan)
        assert (tmp_path / "out" / "train_car_tuned.sh").stat().st_mode & 0o111
        (tmp_path / "out" / "train_car_tuned.bat").write_text("mine")
        (tmp_path / "out" / "car_tuned.yaml").unlink()
        with pytest.raises(InvalidInput, match="nothing was overwritten"):
            write_files(plan)
        assert not (tmp_path / "out" / "car_tuned.yaml").exists()

    def test_nothing_to_apply(self, tmp_path: Path) -> None:
        with pytest.raises(NothingFeasible, match="no best configuration"):
            plan_apply(self.plan_folder(tmp_path, best=None), None)


class TestInit:
    def test_what_it_writes_is_a_study(self, tmp_path: Path) -> None:
        path = tmp_path / "my study.yaml"
        write_study_file(path)
        spec = read_study(path).spec
        assert (spec.name, spec.trainer_config, spec.env_path) == ("my-study", "Car_ppo.yaml", "demo:racer")
        assert (spec.budget, spec.memory_cap) == (Budget(1200.0), MemoryCap(share=0.8))

    def test_it_refuses_to_overwrite(self, tmp_path: Path) -> None:
        path = tmp_path / "study.yaml"
        path.write_text("precious")
        with pytest.raises(InvalidInput, match="exists; nothing was overwritten"):
            write_study_file(path)
        assert path.read_text() == "precious"

    def test_no_such_folder(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput, match="no such folder"):
            write_study_file(tmp_path / "nowhere" / "study.yaml")

    @pytest.mark.parametrize("name", ["étude.yaml", "_x.yaml", "2024.yaml", "on.yaml", "x" * 90 + ".yaml"])
    def test_odd_names_give_a_valid_study(self, tmp_path: Path, name: str) -> None:
        write_study_file(tmp_path / name)
        read_study(tmp_path / name)


class TestLoad:
    def test_the_command_line_has_the_last_word(self, tmp_path: Path) -> None:
        (tmp_path / "car.yaml").write_text(PPO)
        path = tmp_path / "study.yaml"
        path.write_text(STUDY_HEAD + "budget: {time: 1h, trials: 9}\n")
        study, config = load(path, Overrides())
        assert (study.spec.budget, study.spec.memory_cap) == (Budget(3600.0, 9), MemoryCap(share=0.8))
        assert config.behaviors[0].name == "Car"
        study, _ = load(path, Overrides(budget_seconds=60.0, trials=3, memory_cap=MemoryCap(bytes=5)))
        assert (study.spec.budget, study.spec.memory_cap) == (Budget(60.0, 3), MemoryCap(bytes=5))

    def test_a_run_to_start_from_must_exist(self, tmp_path: Path) -> None:
        (tmp_path / "car.yaml").write_text(PPO)
        (tmp_path / "study.yaml").write_text(STUDY_HEAD + "initialize_from: runs/old\n")
        with pytest.raises(InvalidInput, match=r"study\.yaml:4: initialize_from: no trained run at "):
            load(tmp_path / "study.yaml", Overrides())


class TestIdentity:
    def test_it_is_json_and_names_what_matters(self) -> None:
        prepared = prepared_of("space: {num_areas: [1, 2]}\nmemory_cap: 50%\n")
        identity = prepared.identity()
        assert json.loads(json.dumps(identity)) == identity
        assert identity["space"] == {"num_areas": [1, 2]}
        assert (identity["memory cap"], identity["machine"], identity["build"]) == ("50%", "m1", None)
        assert prepared.knob_values()["num_areas"] == (1, 2, 1)

    def test_other_shares_are_other_studies(self) -> None:
        shares = [
            prepared_of(f"space: {{num_areas: [1, 2]}}\nmemory_cap: {cap}\n").memory_cap_as_asked
            for cap in ("12%", "12.4%")
        ]
        assert shares[0] != shares[1]


def test_being_asked_to_stop() -> None:
    stop = StopSignal()
    stop.check()
    assert not stop.asked()
    stop.ask(ExitCode.TERMINATED)
    stop.ask(ExitCode.INTERRUPTED)
    assert stop.asked()
    with pytest.raises(Interrupted) as caught:
        stop.check()
    assert caught.value.exit_code is ExitCode.TERMINATED
