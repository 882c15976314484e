"""A first study file: about what is found nearby, and valid whatever that is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from sweeper.app.init import write_study
from sweeper.app.nearby import look_around
from sweeper.app.prepare import Overrides, load
from sweeper.errors import InvalidInput
from sweeper.inputs.study_file import read_study
from sweeper.inputs.study_limits import Budget, MemoryCap
from sweeper.racer import TRAINER_CONFIG
from tests.helpers.builders import PPO
from tests.helpers.projects import build, config, is_valid

pytestmark = pytest.mark.usefixtures("unasked")


class TestNothingNearby:
    def test_a_demo_that_runs(self, tmp_path: Path) -> None:
        written = write_study(tmp_path / "my study.yaml")
        assert {file.name for file in written.files} == {"my study.yaml", "Car_ppo.yaml"}
        spec = read_study(written.study).spec
        assert (spec.name, spec.trainer_config, spec.env_path) == ("my-study", "Car_ppo.yaml", "demo:racer")
        assert (spec.budget, spec.memory_cap) == (Budget(1200.0), MemoryCap(share=0.8))
        assert is_valid(written.study)

    def test_its_trainer_config_is_that_of_the_examples(self) -> None:
        example = Path(__file__).parents[3] / "studies" / "Car_ppo.yaml"
        assert TRAINER_CONFIG.read_bytes() == example.read_bytes()

    def test_a_second_study_in_the_same_folder(self, tmp_path: Path) -> None:
        write_study(tmp_path)
        written = write_study(tmp_path / "other.yaml", demo=True)
        assert written.files == (tmp_path / "other.yaml",)
        assert is_valid(written.study)

    def test_anothers_file_is_not_overwritten(self, tmp_path: Path) -> None:
        (tmp_path / "Car_ppo.yaml").write_text("precious: true")
        with pytest.raises(InvalidInput, match=r"Car_ppo\.yaml exists; nothing was overwritten"):
            write_study(tmp_path, demo=True)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["Car_ppo.yaml"]

    @pytest.mark.parametrize("name", ["étude.yaml", "_x.yaml", "2024.yaml", "on.yaml", "x" * 90 + ".yaml"])
    def test_odd_names_give_a_valid_study(self, tmp_path: Path, name: str) -> None:
        assert is_valid(write_study(tmp_path / name).study)


class TestNearby:
    def test_a_config_and_a_build(self, tmp_path: Path) -> None:
        config(tmp_path / "config" / 'car: it\'s "mine".yaml')
        build(tmp_path / "Builds" / "My Racer.x86_64")
        study = write_study(tmp_path).study
        spec = read_study(study).spec
        assert (spec.trainer_config, spec.env_path) == ('config/car: it\'s "mine".yaml', "Builds/My Racer.x86_64")
        assert is_valid(study)

    def test_of_several_the_nearest_and_the_newest(self, tmp_path: Path) -> None:
        config(tmp_path / "a" / "deep.yaml")
        config(tmp_path / "near.yaml")
        build(tmp_path / "old.x86_64", age=100)
        build(tmp_path / "new.x86_64")
        written = write_study(tmp_path)
        spec = read_study(written.study).spec
        assert (spec.trainer_config, spec.env_path) == ("near.yaml", "new.x86_64")
        text = written.study.read_text()
        assert "# trainer_config: a/deep.yaml" in text
        assert "# env_path: old.x86_64" in text
        assert any("1 more is named beside it" in sentence for sentence in written.told)
        assert is_valid(written.study)

    def test_what_a_study_made_is_not_what_to_tune(self, tmp_path: Path) -> None:
        config(tmp_path / "kept" / "best.yaml")
        assert look_around(tmp_path).configs == (tmp_path / "kept" / "best.yaml",)
        (tmp_path / "kept" / "trials").mkdir()
        (tmp_path / "kept" / "results.json").write_text("{}")
        assert look_around(tmp_path).configs == ()

    def test_what_may_not_be_looked_at_is_passed_by(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        config(tmp_path / "car.yaml")
        (tmp_path / "secret").mkdir()
        allowed = os.stat

        def stat(path: Any, *args: Any, **options: Any) -> os.stat_result:
            if "secret" in os.fspath(path):
                raise PermissionError(13, "Permission denied", str(path))
            return allowed(path, *args, **options)

        monkeypatch.setattr(os, "stat", stat)
        assert look_around(tmp_path).configs == (tmp_path / "car.yaml",)

    def test_without_a_build_the_editor(self, tmp_path: Path) -> None:
        config(tmp_path / "car.yaml")
        written = write_study(tmp_path)
        assert read_study(written.study).spec.env_path is None
        assert any("Editor" in sentence for sentence in written.told)
        assert is_valid(written.study)

    def test_a_build_that_the_config_names_is_left_to_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "car.yaml").write_text(PPO + "env_settings: {env_path: Old, num_envs: 2}\n")
        build(tmp_path / "Old.x86_64", age=100)
        build(tmp_path / "New.x86_64")
        written = write_study(tmp_path)
        assert "Build: Old, which the trainer config names." in written.told
        assert "# env_path: New.x86_64" in written.study.read_text()
        study, _ = load(written.study, Overrides())
        assert study.spec.env_path == str(tmp_path / "Old")
        (tmp_path / "Old.x86_64").unlink()
        assert read_study(write_study(tmp_path / "again.yaml").study).spec.env_path == "New.x86_64"
        (tmp_path / "New.x86_64").unlink()
        assert any("not there, Old" in sentence for sentence in write_study(tmp_path / "third.yaml").told)

    def test_the_demo_all_the_same(self, tmp_path: Path) -> None:
        config(tmp_path / "mine.yaml")
        assert read_study(write_study(tmp_path, demo=True).study).spec.env_path == "demo:racer"

    def test_what_is_no_config_of_ours_to_read(self, tmp_path: Path) -> None:
        (tmp_path / "broken.yaml").write_text("behaviors: {Car: [\n")
        (tmp_path / "other.yaml").write_text("services: {web: {image: x}}\n")
        (tmp_path / "refused.yaml").write_text(
            "behaviors: {Car: {trainer_type: ppo, hyperparameters: {batch_size: x}}}\n"
        )
        for skipped in ("reports", ".git", "venv/lib"):
            config(tmp_path / skipped / "car.yaml")
        (tmp_path / "venv" / "pyvenv.cfg").write_text("")
        written = write_study(tmp_path)
        assert read_study(written.study).spec.env_path == "demo:racer"
        assert is_valid(written.study)

    @pytest.mark.parametrize(
        ("platform", "name"),
        [("linux", "Game.x86_64"), ("linux", "Game"), ("win32", "Game.exe"), ("darwin", "Game.app")],
    )
    def test_builds_of_every_platform(self, tmp_path: Path, platform: str, name: str) -> None:
        for other in ("Game.x86_64", "Game", "Game.exe"):
            (tmp_path / other).write_text("")
        (tmp_path / "Game.app").mkdir()
        (tmp_path / "Game_Data").mkdir()
        (tmp_path / "tool.exe").write_text("no data beside it")
        found = [path.name for path in look_around(tmp_path, platform).builds]
        assert name in found
        assert set(found) <= ({"Game.x86_64", "Game"} if platform == "linux" else {name})


class TestRefused:
    def test_an_existing_file(self, tmp_path: Path) -> None:
        path = tmp_path / "study.yaml"
        path.write_text("precious")
        with pytest.raises(InvalidInput, match="exists; nothing was overwritten"):
            write_study(path)
        assert path.read_text() == "precious"
        assert sorted(tmp_path.iterdir()) == [path]

    def test_no_such_folder(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput, match="no such folder"):
            write_study(tmp_path / "nowhere" / "study.yaml")
