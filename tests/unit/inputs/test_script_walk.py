"""A script is gone through as its shell would run it."""

from __future__ import annotations

import pytest

from sweeper.inputs.command_line import TrainingCommand, read_command
from tests.helpers.commands import CAR, RUN, C, said


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
    ("name", "script", "num_envs"),
    [
        ("call.bat", f"set CMD={RUN} --num-envs 5\r\necho %CMD%\r\ncall %CMD%\r\n", 5),
        ("start.bat", f'start "mlagents-learn" cmd /c "activate x & {RUN} --num-envs=2 & pause"', 2),
        ("where.bat", f"where mlagents-learn >nul 2>nul\r\ntitle my mlagents-learn a.yaml\r\n{RUN} --num-envs=2", 2),
        ("started.bat", f'@start "a title" /wait {RUN} --num-envs=2', 2),
        ("eval.sh", f'N=4\nCOMMAND="{RUN} --num-envs $N"\neval $COMMAND', 4),
        ("bash.sh", f"bash -lc '{RUN} --num-envs=4' > log &", 4),
        ("asked.sh", f"if ! command -v mlagents-learn &> /dev/null; then exit 1; fi\n{RUN} --num-envs=2; echo done", 2),
        ("which.sh", f'L=$(which mlagents-learn)\n"$L" {C} --env=B --num-envs=2', 2),
        ("folder.sh", f'cd "$(cd "$(dirname "${{BASH_SOURCE[0]}}")" && pwd)"\n{RUN} --num-envs=2|tee x', 2),
        ("asks.ps1", f"if (-not (Get-Command mlagents-learn -ErrorAction Stop)) {{ throw }}\n{RUN} --num-envs=2", 2),
    ],
)  # fmt: skip
def test_a_script_says_what_its_shell_would_run(tmp_path, name, script, num_envs):
    found = said(tmp_path, name, script)
    assert (found.learner, found.config, found.env_path) == ("mlagents-learn", C, "B")
    assert found.baseline["num_envs"] == num_envs


@pytest.mark.parametrize("text", [f"@{RUN}", f"@call {RUN}", f"@start /b {RUN}", f"@echo off\n@{RUN}"])
def test_cmd_does_not_print_what_follows_an_at_sign(text):
    assert read_command(text)[0] == TrainingCommand("mlagents-learn", C, "B")


def test_a_command_that_goes_to_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_command("cd Training && mlagents-learn Car.yaml")[1] == tmp_path / "Training"
