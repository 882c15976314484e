"""Training commands as people have them, and the studies that they become."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeper.app.init import write_study_from
from sweeper.app.prepare import Overrides, load
from sweeper.errors import InvalidInput
from sweeper.inputs.command_line import TrainingCommand, read_command
from sweeper.inputs.study_file import read_study
from tests.helpers.builders import PPO

GUIDE = (
    r"mlagents-learn Config\Car_ppo.yaml --run-id=car_v0 --force --num-envs=4 --env-path=..\Builds\AutonomousRacer.exe"
)
CAR = TrainingCommand("mlagents-learn", "Config/Car_ppo.yaml", "../Builds/AutonomousRacer.exe", {"num_envs": 4})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GUIDE, CAR),
        (GUIDE.replace("=", " "), CAR),
        ("mlagents-learn car.yaml", TrainingCommand("mlagents-learn", "car.yaml")),
        (
            "mlagents-learn 'my car.yaml' --env '/opt/My Game/Game' --num-areas 8 --time-scale 20 --no-graphics",
            TrainingCommand(
                "mlagents-learn", "my car.yaml", "/opt/My Game/Game", {"num_areas": 8},
                {"time_scale": 20.0, "no_graphics": True},
            ),
        ),
        (
            "python -m mlagents.trainers.learn car.yaml --torch-device cuda --initialize-from old --env-args --level 3",
            TrainingCommand(
                "mlagents-learn", "car.yaml", env_args=("--level", "3"), initialize_from="old",
                left_out=("--torch-device",),
            ),
        ),
        (r"C:\venv\Scripts\mlagents-learn.exe a.yaml", TrainingCommand("C:/venv/Scripts/mlagents-learn.exe", "a.yaml")),
    ],
)  # fmt: skip
def test_a_command_is_read_in_either_spelling(text, expected):
    assert read_command(text)[0] == expected


@pytest.mark.parametrize(
    ("name", "script"),
    [
        (
            "train_model_parallel.bat",
            "@echo off\r\nREM mlagents-learn old.yaml\r\nset ENVS=4\r\ncall venv\\Scripts\\activate\r\n"
            "cd /d ..\\work\r\n"
            "mlagents-learn Config\\Car_ppo.yaml --run-id=car_v0 --force ^\r\n    --num-envs=%ENVS% ^\r\n"
            "    --env-path=..\\Builds\\AutonomousRacer.exe\r\npause\r\n",
        ),
        (
            "train.sh",
            "#!/bin/sh\nENVS=4\ncd ../work\n# mlagents-learn old.yaml\necho mlagents-learn starts\n"
            'mlagents-learn Config/Car_ppo.yaml --num-envs="$ENVS" \\\n  --env=../Builds/AutonomousRacer.exe\n',
        ),
        (
            "train.ps1",
            "$ENVS = 4\nSet-Location ../work\nmlagents-learn Config\\Car_ppo.yaml --num-envs=$ENVS `\n"
            "  --env=..\\Builds\\AutonomousRacer.exe\n",
        ),
    ],
)
def test_a_script_is_read_with_its_variables_and_where_it_goes(tmp_path, name, script):
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / name).write_bytes(script.encode())
    found, place = read_command(str(folder / name))
    assert (found.config, found.env_path, dict(found.baseline)) == (CAR.config, CAR.env_path, {"num_envs": 4})
    assert place.resolve() == (tmp_path / "work").resolve()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tensorboard --logdir results", "no mlagents-learn"),
        ("mlagents-learn --env=Build", "names no trainer config"),
        ("mlagents-learn car.yaml --num-envs=many", "takes a number, not 'many'"),
        ("mlagents-learn 'car.yaml", "a quote in it has no end"),
        ("gone.bat", "No such file"),
    ],
)
def test_what_is_no_command_is_refused_in_a_line(text, said):
    with pytest.raises(InvalidInput, match=said):
        read_command(text)


def test_its_study_has_the_command_as_the_baseline_and_can_be_read(tmp_path, monkeypatch):
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
