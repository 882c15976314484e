"""Builds and files that a trainer config names."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeper.app.named_by_config import check_files, with_its_build, with_its_run
from sweeper.app.prepare import Overrides, load
from sweeper.errors import InvalidInput, NotReady
from sweeper.inputs.trainer_config import TrainerConfig, read_trainer_config
from sweeper.model.findings import FindingKind
from sweeper.plan.space import build_space
from tests.helpers.builders import PPO, STUDY_HEAD, study_of

BUILD = "env_path: b\n"
NAMED = PPO + "env_settings:\n  env_path: Builds/Car\n  num_envs: 2\n"
GAIL = PPO + "    reward_signals:\n      gail:\n        demo_path: Demos/Car.demo\n"
CLONING = PPO + "    behavioral_cloning:\n      demo_path: Demos\n"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which is not that of the config."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def config_in(folder: Path, text: str) -> TrainerConfig:
    folder.mkdir(exist_ok=True)
    (folder / "car.yaml").write_text(text)
    return read_trainer_config(folder / "car.yaml")


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


class TestBuild:
    def test_the_learner_looks_here_and_people_beside_the_config(self, tmp_path: Path, elsewhere: Path) -> None:
        config = config_in(tmp_path / "config", NAMED)
        touch(tmp_path / "config" / "Builds" / "Car.x86_64")
        assert with_its_build(study_of(""), config).spec.env_path == str(tmp_path / "config" / "Builds" / "Car")
        touch(elsewhere / "Builds" / "Car")
        assert with_its_build(study_of(""), config).spec.env_path == str(elsewhere / "Builds" / "Car")

    def test_the_study_has_the_last_word(self, tmp_path: Path, elsewhere: Path) -> None:
        config = config_in(tmp_path / "config", NAMED)
        touch(elsewhere / "Builds" / "Car")
        assert with_its_build(study_of("env_path: other\n"), config).spec.env_path == "other"
        assert not with_its_build(study_of("env_path: null\n"), config).has_build
        assert not with_its_build(study_of(""), config_in(tmp_path, PPO)).has_build

    def test_a_build_that_is_gone_is_told_with_both_mends(self, tmp_path: Path, elsewhere: Path) -> None:
        config = config_in(tmp_path / "config", NAMED)
        with pytest.raises(
            NotReady, match=r"car\.yaml:8: env_settings\.env_path: no build at .*/here/Builds/Car"
        ) as caught:
            with_its_build(study_of(""), config)
        assert "`env_path: null`" in str(caught.value.hint)

    def test_its_environments_count(self, tmp_path: Path, elsewhere: Path) -> None:
        config_in(tmp_path, NAMED)
        build = touch(elsewhere / "Builds" / "Car")
        (tmp_path / "study.yaml").write_text(STUDY_HEAD)
        study, config = load(tmp_path / "study.yaml", Overrides())
        assert (study.spec.env_path, config.value("num_envs")) == (str(build), 2)


class TestRun:
    STARTS = PPO + "checkpoint_settings: {initialize_from: old, results_dir: out}\n"

    def kinds(self, study: str, config: TrainerConfig) -> list[FindingKind]:
        found = with_its_run(study_of(BUILD + study), config)
        return [note.kind for note in build_space(found, config, 8, 2**33, True).notes]

    def test_one_that_is_there_is_taken(self, tmp_path: Path, elsewhere: Path) -> None:
        config = config_in(tmp_path, self.STARTS)
        assert FindingKind.RUN_NOT_FOUND in self.kinds("", config)
        (elsewhere / "out" / "old").mkdir(parents=True)
        assert with_its_run(study_of(BUILD), config).spec.initialize_from == str(elsewhere / "out" / "old")
        assert FindingKind.RUN_FROM_CONFIG in self.kinds("", config)

    def test_the_study_has_the_last_word(self, tmp_path: Path, elsewhere: Path) -> None:
        (elsewhere / "out" / "old").mkdir(parents=True)
        config = config_in(tmp_path, self.STARTS)
        said = "initialize_from: null\n"
        assert with_its_run(study_of(BUILD + said), config).spec.initialize_from is None
        assert not {FindingKind.RUN_NOT_FOUND, FindingKind.RUN_FROM_CONFIG} & set(self.kinds(said, config))


class TestFiles:
    @pytest.mark.parametrize("text", [GAIL, CLONING, GAIL.replace("Demos/", "Demos/../Demos/")])
    def test_a_demonstration_that_is_there(self, tmp_path: Path, elsewhere: Path, text: str) -> None:
        touch(elsewhere / "Demos" / "Car.demo")
        check_files(config_in(tmp_path, text), initializes=False)

    def test_one_that_is_not_is_told_with_where_it_is(self, tmp_path: Path, elsewhere: Path) -> None:
        config = config_in(tmp_path / "config", GAIL)
        with pytest.raises(InvalidInput) as caught:
            check_files(config, initializes=False)
        where = f"{tmp_path}/config/car.yaml:9: behaviors.Car.reward_signals.gail.demo_path: "
        assert str(caught.value) == f"{where}no .demo file, nor a folder with one, at {elsewhere}/Demos/Car.demo"
        found = touch(tmp_path / "config" / "Demos" / "Car.demo")
        with pytest.raises(InvalidInput) as caught:
            check_files(config, initializes=False)
        assert str(caught.value.hint).startswith(f"it is at {found}, but the learner looks from the folder that it is")

    def test_a_folder_without_one_or_another_file(self, tmp_path: Path, elsewhere: Path) -> None:
        touch(elsewhere / "Demos" / "Car.txt")
        with pytest.raises(InvalidInput, match=r":8: behaviors\.Car\.behavioral_cloning\.demo_path: no \.demo file"):
            check_files(config_in(tmp_path, CLONING), initializes=False)
        with pytest.raises(InvalidInput, match=r"no \.demo file"):
            check_files(config_in(tmp_path, GAIL.replace("Car.demo", "Car.txt")), initializes=False)

    def test_in_the_defaults(self, tmp_path: Path, elsewhere: Path) -> None:
        text = "default_settings:\n  behavioral_cloning:\n    demo_path: Demos\nbehaviors: {A: {}, B: {}}\n"
        with pytest.raises(InvalidInput, match=r":3: default_settings\.behavioral_cloning\.demo_path: no \.demo file"):
            check_files(config_in(tmp_path, text), initializes=False)

    def test_a_checkpoint(self, tmp_path: Path, elsewhere: Path) -> None:
        config = config_in(tmp_path, PPO + "    init_path: checkpoint.pt\n")
        check_files(config, initializes=True)
        with pytest.raises(
            InvalidInput, match=r":7: behaviors\.Car\.init_path: no \.pt file at .*/here/checkpoint\.pt"
        ):
            check_files(config, initializes=False)
        touch(elsewhere / "checkpoint.pt")
        check_files(config, initializes=False)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (f"{PPO}    behavioral_cloning: {{demo_path: null, strength: 0.0, steps: 0}}\n", "named 'None'"),
            (CLONING.replace("Demos", "5"), "named '5'"),
            (CLONING.replace("Demos", "'  '"), "named '  '"),
            (GAIL.replace("Demos/Car.demo", "~"), "named 'None'"),
            (GAIL.replace("Demos/Car.demo", "[a, b]"), "named "),
            (PPO + "    init_path: 7\n", "named '7'"),
        ],
    )
    def test_what_is_no_path(self, tmp_path: Path, elsewhere: Path, text: str, said: str) -> None:
        touch(elsewhere / "any.demo")
        with pytest.raises(InvalidInput, match=r"car\.yaml:\d+: behaviors\.Car\..*_path: expected the path") as caught:
            check_files(config_in(tmp_path, text), initializes=False)
        assert said in str(caught.value)
        assert "or remove" in str(caught.value.hint)

    def test_no_checkpoint_is_none(self, tmp_path: Path, elsewhere: Path) -> None:
        check_files(config_in(tmp_path, PPO + "    init_path: null\n"), initializes=False)

    def test_a_name_that_no_file_can_have(self, tmp_path: Path, elsewhere: Path) -> None:
        with pytest.raises(InvalidInput, match=r"no \.demo file") as caught:
            check_files(config_in(tmp_path, CLONING.replace("Demos", "x" * 5000)), initializes=False)
        assert len(str(caught.value)) < 1500
