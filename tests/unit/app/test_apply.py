"""From a study's answer to files, and back."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from sweeper.app.apply import plan_apply, undo, write_files
from sweeper.app.outputs import save_results
from sweeper.errors import InvalidInput, NotComparable, NothingFeasible
from sweeper.inputs.flat import measured_settings
from sweeper.model.folder import StudyFolder
from sweeper.model.study import Baseline
from sweeper.model.trial import ParamValue
from tests.helpers.builders import PPO, config_of, params_of
from tests.helpers.results import full_result, info_of

BEFORE = ["train_car_before.sh", "train_car_before.bat", "train_car_before.ps1"]
NAMES = ["car_tuned.yaml", "train_car_tuned.sh", "train_car_tuned.bat", "train_car_tuned.ps1", *BEFORE]


class TestApply:
    def plan_folder(self, tmp_path: Path, study: dict[str, Any] | None = None, **fields: Any) -> Path:
        (tmp_path / "car.yaml").write_text(PPO)
        folder = tmp_path / "study"
        folder.mkdir(exist_ok=True)
        info = info_of(
            trainer_config=str(tmp_path / "car.yaml"), trainer_settings=measured_settings(config_of()), **(study or {})
        )
        save_results(StudyFolder(folder), full_result(study=info, **fields))
        return folder

    def test_files_and_diff(self, tmp_path: Path) -> None:
        plan = plan_apply(self.plan_folder(tmp_path), None)
        assert [path.name for path in plan.files] == NAMES
        assert "-      batch_size: 128\n+      batch_size: 256\n" in plan.diff
        tuned, script, batch, powershell, before, *_ = plan.files.values()
        assert yaml.safe_load(tuned)["behaviors"]["Car"]["hyperparameters"]["batch_size"] == 256
        assert script == f"#!/bin/sh\nexec mlagents-learn {tmp_path}/car_tuned.yaml '--env=/b/my build' \"$@\"\n"
        assert f'mlagents-learn {tmp_path}/car_tuned.yaml "--env=/b/my build" %*\r\n' in batch
        assert f"& 'mlagents-learn' '{tmp_path}/car_tuned.yaml' '\"--env=/b/my build\"' @args\r\n" in powershell
        assert f"exec mlagents-learn {tmp_path}/car.yaml '--env=/b/my build' --num-envs=1 " in before
        assert (tmp_path / "car.yaml").read_text() == PPO

    def test_what_the_trainer_config_does_not_say_has_no_script_of_its_own(self, tmp_path: Path) -> None:
        own = Baseline(0, True, params_of(1, batch=64), 1000.0, command=("mlagents-learn", "car.yaml"))
        for baseline in (own, None, replace(own, params=params_of(1), command=())):
            plan = plan_apply(self.plan_folder(tmp_path, baseline=baseline), None)
            assert [path.name for path in plan.files] == NAMES[:4]

    def test_writing_twice_is_fine_but_nothing_else_is_overwritten(self, tmp_path: Path) -> None:
        plan = plan_apply(self.plan_folder(tmp_path), tmp_path / "out")
        assert write_files(plan) == list(plan.files)
        assert write_files(plan) == []
        assert (tmp_path / "out" / "train_car_tuned.sh").stat().st_mode & 0o111
        (tmp_path / "out" / "train_car_tuned.bat").write_text("mine")
        (tmp_path / "out" / "car_tuned.yaml").unlink()
        with pytest.raises(InvalidInput, match="nothing was overwritten"):
            write_files(plan)
        assert not (tmp_path / "out" / "car_tuned.yaml").exists()

    def test_a_target_that_cannot_be_written_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        with pytest.raises(InvalidInput, match=r"cannot write .*/file/car_tuned\.applied\.json: "):
            write_files(plan_apply(self.plan_folder(tmp_path), tmp_path / "file"))
        (tmp_path / "out" / "car_tuned.yaml").mkdir(parents=True)
        with pytest.raises(InvalidInput, match=r"cannot write .*/out/car_tuned\.yaml: this is a folder"):
            write_files(plan_apply(self.plan_folder(tmp_path), tmp_path / "out"))

    def test_nothing_to_apply(self, tmp_path: Path) -> None:
        with pytest.raises(NothingFeasible, match="no best configuration"):
            plan_apply(self.plan_folder(tmp_path, best=None), None)

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("buffer_size: 2048", "buffer_size: 10000", "hyperparameters.buffer_size was 2048, is now 10000"),
            ("batch_size: 128", "batch_size: 64", "hyperparameters.batch_size was 128, is now 64"),
            ("      batch_size: 128\n", "", "hyperparameters.batch_size is gone"),
            ("  Car:", "  Bus:", "behaviors.Bus.hyperparameters.batch_size is new"),
            ("behaviors:", "env_settings: {num_envs: 2}\nbehaviors:", "env_settings.num_envs is new"),
            ("behaviors:", "torch_settings: {device: cpu}\nbehaviors:", "torch_settings.device is new"),
        ],
    )
    def test_a_config_that_was_not_measured_is_refused(self, tmp_path: Path, old: str, new: str, said: str) -> None:
        own = Baseline(0, False, params_of(1), 1000.0, command=("mlagents-learn", "car.yaml"))
        folder = self.plan_folder(tmp_path, study={"env_path": "/b/car"}, baseline=own)
        text = PPO.replace(old, new)
        (tmp_path / "car.yaml").write_text(text)
        with pytest.raises(NotComparable) as caught:
            plan_apply(folder, None)
        assert said in str(caught.value) and "\n" not in str(caught.value)
        assert "sweeper run /somewhere/study.yaml" in str(caught.value.hint)

    def test_what_no_trial_follows_may_be_edited(self, tmp_path: Path) -> None:
        folder = self.plan_folder(tmp_path)
        launch = "checkpoint_settings: {run_id: a}\nenv_settings: {seed: 3, num_envs: 4}\n"
        more = f"    max_steps: 5\n    summary_freq: 7\n{launch}"
        (tmp_path / "car.yaml").write_text(f"# mine\n{PPO}{more}".replace("2048", "2048.0"))
        assert plan_apply(folder, None).files

    def test_results_of_earlier_versions_are_not_compared(self, tmp_path: Path) -> None:
        folder = self.plan_folder(tmp_path)
        save_results(StudyFolder(folder), full_result(study=info_of(trainer_config=str(tmp_path / "car.yaml"))))
        (tmp_path / "car.yaml").write_text(PPO.replace("2048", "4096"))
        assert plan_apply(folder, None).files

    @pytest.mark.parametrize(
        ("params", "said"),
        [
            ({"batch_size": "big"}, "best.params: hyperparameters.batch_size: expected a number, not 'big'"),
            ({"batch_size": 4096}, "best.params: batch_size 4096 is above buffer_size 2048"),
            ({"batch_size": -1}, "best.params: hyperparameters.batch_size: must be at least 1, not -1"),
            ({"nonsense": 3}, "best.params.nonsense: unknown knob"),
            ({"hyperparameters.bufer_size": 3}, "hyperparameters.bufer_size: unknown hyperparameter (did you mean"),
            ({"max_steps": 3}, "best.params.max_steps: this setting is out of a trial's hands"),
            ({"num_envs": 0}, "best.params: num_envs must be a whole number from 1, not 0"),
            ({"threaded": "yes"}, "best.params: threaded must be true or false"),
            ({"hyperparameters.x": "a\nb"}, "best.params.hyperparameters.x: expected a word"),
        ],
    )
    def test_an_answer_that_no_study_gives_is_refused(
        self, tmp_path: Path, params: dict[str, ParamValue], said: str
    ) -> None:
        best = full_result().best
        assert best is not None
        folder = self.plan_folder(tmp_path, best=replace(best, params={**best.params, **params}))
        with pytest.raises(InvalidInput) as caught:
            plan_apply(folder, None)
        assert str(caught.value).startswith(f"{folder / 'results.json'}: best.params")
        assert said in str(caught.value)

    def test_a_config_that_is_gone_says_how_to_go_on(self, tmp_path: Path) -> None:
        folder = self.plan_folder(tmp_path)
        (tmp_path / "car.yaml").unlink()
        with pytest.raises(InvalidInput, match=r"car\.yaml: the trainer config that this study measured") as caught:
            plan_apply(folder, None)
        assert "sweeper run" in str(caught.value.hint)

    def test_a_later_answer_replaces_what_was_applied_before(self, tmp_path: Path) -> None:
        folder = self.plan_folder(tmp_path)
        write_files(plan_apply(folder, None))
        plan = plan_apply(folder, None)
        tuned = tmp_path / "car_tuned.yaml"
        other = {**plan.files, tuned: plan.files[tuned].replace("256", "512")}
        plan = type(plan)(other, plan.diff, plan.next_command, plan.record)
        assert write_files(plan) == [tuned]
        assert undo(folder, None) == [f"Restored {tuned}."]
        assert "batch_size: 256" in tuned.read_text()

    def test_a_link_to_nothing_is_not_replaced(self, tmp_path: Path) -> None:
        folder, link = self.plan_folder(tmp_path), tmp_path / "car_tuned.yaml"
        link.symlink_to("gone.yaml")
        with pytest.raises(InvalidInput, match=r"car_tuned\.yaml is a link to gone\.yaml, which is not there"):
            write_files(plan_apply(folder, None))
        assert link.is_symlink() and not (tmp_path / "train_car_tuned.sh").exists()

    def test_undo_leaves_what_was_there(self, tmp_path: Path) -> None:
        folder, out = self.plan_folder(tmp_path), tmp_path / "new" / "out"
        before = sorted(tmp_path.rglob("*"))
        write_files(plan_apply(folder, out))
        lines = undo(folder, out)
        assert lines[: len(NAMES)] == [f"Removed {out / name}." for name in NAMES]
        assert sorted(tmp_path.rglob("*")) == before
        with pytest.raises(InvalidInput, match="nothing was applied in "):
            undo(folder, out)

    def test_undo_takes_nothing_back_that_people_changed(self, tmp_path: Path) -> None:
        folder = self.plan_folder(tmp_path)
        write_files(plan_apply(folder, None))
        (tmp_path / "car_tuned.yaml").write_text("mine")
        with pytest.raises(InvalidInput, match=r"car_tuned\.yaml was changed since it was applied; nothing was taken"):
            undo(folder, None)
        assert all((tmp_path / name).exists() for name in NAMES)

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "sweeper.applied", "version": 1, "steps": 3}'])
    def test_a_record_that_is_none_is_refused(self, tmp_path: Path, text: str) -> None:
        plan = plan_apply(self.plan_folder(tmp_path), None)
        plan.record.write_text(text)
        with pytest.raises(InvalidInput, match="record"):
            write_files(plan)
        assert not any((tmp_path / name).exists() for name in NAMES)

    def test_the_script_gives_the_learner_what_it_was_given(self, tmp_path: Path) -> None:
        plan = plan_apply(self.plan_folder(tmp_path), tmp_path / "it's out")
        write_files(plan)
        learner = tmp_path / "mlagents-learn"
        learner.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
        learner.chmod(0o755)
        script = tmp_path / "it's out" / "train_car_tuned.sh"
        said = subprocess.run(
            ["sh", script, "--seed=3"],
            env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert said.stdout.splitlines() == [
            str(tmp_path / "it's out" / "car_tuned.yaml"),
            "--env=/b/my build",
            "--seed=3",
        ]

    def test_the_next_command_is_one_for_the_shell_that_people_have(self, tmp_path: Path) -> None:
        folder = self.plan_folder(tmp_path)
        assert plan_apply(folder, None, "posix").next_command == f"sh {tmp_path}/train_car_tuned.sh"
        assert plan_apply(folder, None, "nt").next_command.endswith("train_car_tuned.bat")
