"""A first study file about a training command: its settings are the baseline, and what it leaves out is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeper.app.init_from import write_study_from
from sweeper.app.prepare import Overrides, load
from sweeper.errors import InvalidInput
from sweeper.inputs.study_file import read_study
from tests.helpers.builders import PPO
from tests.helpers.commands import GUIDE
from tests.helpers.projects import build, config, is_valid

pytestmark = pytest.mark.usefixtures("unasked")


def test_its_trained_run_lies_where_it_keeps_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config(tmp_path / "car.yaml")
    command = "mlagents-learn car.yaml --initialize-from=old"
    for name, text in (("a", command), ("b", f"{command} --results-dir=Training/results")):
        (tmp_path / f"{name}.sh").write_text(text)
    (tmp_path / "own.yaml").write_text(PPO + "checkpoint_settings: {results_dir: kept}\n")
    found = [
        read_study(write_study_from(tmp_path / f"s{number}.yaml", asked).study).spec.initialize_from
        for number, asked in enumerate(("a.sh", "b.sh", command.replace("car", "own")))
    ]
    assert found == ["results/old", "Training/results/old", "kept/old"]


def test_its_python_names_the_learner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config(tmp_path / "car.yaml")
    command = "venv/bin/python -m mlagents.trainers.learn car.yaml"
    written = write_study_from(Path("gone.yaml"), command)
    assert "Learner: venv/bin/mlagents-learn, which is not there: name yours in learner." in written.told
    build(tmp_path / "venv" / "bin" / "mlagents-learn")
    written = write_study_from(Path("there.yaml"), command)
    assert "Learner: venv/bin/mlagents-learn." in written.told
    assert read_study(written.study).spec.learner == "venv/bin/mlagents-learn"


@pytest.mark.parametrize("name", ["No", "on", "null", "Build", "1e3"])
def test_a_name_that_yaml_would_read_as_something_else_stays_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    config(tmp_path / "car.yaml")
    written = write_study_from(Path("study.yaml"), f"mlagents-learn car.yaml --env={name}")
    assert read_study(written.study).spec.env_path == name


def test_paths_are_told_as_the_study_file_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config(tmp_path / "Config" / "car.yaml")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "train.bat").write_text(r"..\venv\Scripts\mlagents-learn ..\Config\car.yaml --env=..\B")
    written = write_study_from(Path("study.yaml"), "scripts/train.bat")
    spec = read_study(written.study).spec
    assert (spec.trainer_config, spec.learner) == ("Config/car.yaml", "venv/Scripts/mlagents-learn")
    assert written.told[0].startswith("Trainer config: Config/car.yaml. ")
    assert written.told[1].startswith("Learner: venv/Scripts/mlagents-learn, which is not there")


@pytest.mark.parametrize(
    "start",
    [
        "docker run --rm -v $PWD:/work image mlagents-learn",
        "sudo podman exec box mlagents-learn",
        "docker compose run trainer bash -c 'mlagents-learn",
    ],
)
def test_a_container_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: str) -> None:
    monkeypatch.chdir(tmp_path)
    end = "'" if "'" in start else ""
    with pytest.raises(InvalidInput, match=r"is not there: /work/Car\.yaml; .* inside a container, and") as refused:
        write_study_from(Path("study.yaml"), f"{start} /work/Car.yaml --env=/work/B{end}")
    assert "install sweeper in there" in str(refused.value.hint)
    config(tmp_path / "car.yaml")
    (told,) = write_study_from(Path("study.yaml"), f"{start} car.yaml --env=B{end}").told[1:]
    assert "inside a container, and its paths are the container's: install sweeper in there" in told


def test_what_it_leaves_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config(tmp_path / "car.yaml")
    (tmp_path / "train.sh").write_text(
        "CUDA_VISIBLE_DEVICES=1 conda run -n ml mlagents-learn car.yaml --num-envs=4 --resume $MORE\n"
        "mlagents-learn car.yaml --env=Build\n"
    )
    written = write_study_from(Path("study.yaml"), "train.sh")
    told = "\n".join(written.told)
    for said in (
        "the Editor is one environment: num_envs 4.",
        "a study has no place for it: --resume.",
        "around the learner: CUDA_VISIBLE_DEVICES=1; conda run -n ml.",
        "knows what it says: $MORE.",
        "started in 2 places; this study is about the first",
    ):
        assert said in told
    assert read_study(written.study).spec.baseline == {"num_envs": 1, "num_areas": 1}
    assert is_valid(written.study)


def test_what_sweeper_decides_itself_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config(tmp_path / "car.yaml")
    command = "mlagents-learn car.yaml --env=B --seed 3 --base-port 6000 --results-dir=runs"
    itself = "because sweeper chooses runs, ports, seeds, folders and time limits itself: --seed, --base-port, "
    told = write_study_from(Path("a.yaml"), command).told
    assert told[1:] == (f"Left out, {itself}--results-dir.",)
    told = write_study_from(Path("b.yaml"), f"{command} --resume").told
    assert told[1:] == (f"Left out, because a study has no place for it: --resume; {itself}--results-dir.",)
    assert len(write_study_from(Path("c.yaml"), "mlagents-learn car.yaml --env=B --train").told) == 1


def test_a_device_goes_into_the_trainer_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config(tmp_path / "car.yaml")
    command = "mlagents-learn car.yaml --env=B --torch-device=cuda:0"
    (told,) = write_study_from(Path("a.yaml"), command).told[1:]
    assert "--torch-device cuda:0, which changes every speed. It goes into the trainer config, as" in told
    assert '`torch_settings: {device: "cuda:0"}`; without it the learner chooses itself.' in told
    (tmp_path / "own.yaml").write_text(PPO + 'torch_settings: {device: "cuda:0"}\n')
    assert len(write_study_from(Path("b.yaml"), command.replace("car", "own")).told) == 1


@pytest.mark.parametrize("own", ["nonsense: 1\n", "env_settings: {env_path: Game, num_envs: 0}\n"])
def test_a_trainer_config_that_cannot_be_read_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "car.yaml").write_text(PPO + own)
    spec = read_study(write_study_from(Path("study.yaml"), "mlagents-learn car.yaml --initialize-from=old").study).spec
    assert (spec.env_path, spec.baseline) == (None, {"num_envs": 1, "num_areas": 1})
    assert spec.initialize_from == "results/old"


def test_its_study_has_the_command_as_the_baseline_and_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Config").mkdir()
    (tmp_path / "Config" / "Car_ppo.yaml").write_text(PPO)
    write_study_from(Path("study.yaml"), GUIDE + ' --no-graphics --env-args --track "two laps"')
    study, _ = load(tmp_path / "study.yaml", Overrides())
    assert study.spec.baseline == {"num_envs": 4, "num_areas": 1}
    assert study.resolve(str(study.spec.env_path)).resolve() == tmp_path.parent / "Builds" / "AutonomousRacer.exe"
    assert study.spec.env_args == ["--track", "two laps"]
    assert study.spec.engine.no_graphics is True
    (tmp_path / "Config" / "own.yaml").write_text(PPO + "env_settings: {env_path: Builds/Car, num_envs: 2}\n")
    written = write_study_from(Path("own.yaml"), "mlagents-learn Config/own.yaml --num-areas=4")
    assert "Build: Builds/Car, which the trainer config names." in written.told
    spec = read_study(written.study).spec
    assert (spec.env_path, spec.baseline) == ("Builds/Car", {"num_envs": 2, "num_areas": 4})
    with pytest.raises(InvalidInput, match="exists; nothing was overwritten"):
        write_study_from(Path("study.yaml"), GUIDE)
    with pytest.raises(InvalidInput, match="trainer config is not there"):
        write_study_from(Path("other.yaml"), "mlagents-learn gone.yaml")
