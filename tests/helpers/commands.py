"""Training commands as people have them, and what is read in scripts that hold them."""

from __future__ import annotations

from pathlib import Path

from sweeper.inputs.command_line import TrainingCommand, read_command

GUIDE = (
    r"mlagents-learn Config\Car_ppo.yaml --run-id=car_v0 --force --num-envs=4 --env-path=..\Builds\AutonomousRacer.exe"
)
CAR = TrainingCommand(
    "mlagents-learn", "Config/Car_ppo.yaml", "../Builds/AutonomousRacer.exe", {"num_envs": 4},
    decided=("--run-id", "--force"),
)  # fmt: skip
C = "Config/Car_ppo.yaml"
RUN = f"mlagents-learn {C} --env=B"


def said(folder: Path, name: str, script: str | bytes) -> TrainingCommand:
    """The training command of a script that runs where it lies."""
    (folder / name).write_bytes(script if isinstance(script, bytes) else script.encode())
    found, place = read_command(str(folder / name))
    assert place == folder
    return found
