"""Training commands as people have them, and what is read in their words."""

from __future__ import annotations

import re

import pytest

from sweeper.errors import InvalidInput
from sweeper.inputs.command_line import TrainingCommand, read_command
from tests.helpers.commands import CAR, GUIDE, C, said


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
                torch_device="cuda",
            ),
        ),
        (r"C:\venv\Scripts\mlagents-learn.exe a.yaml", TrainingCommand("C:/venv/Scripts/mlagents-learn.exe", "a.yaml")),
    ],
)  # fmt: skip
def test_a_command_is_read_in_either_spelling(text, expected):
    assert read_command(text)[0] == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tensorboard --logdir results", "no mlagents-learn"),
        ("mlagents-learn --env=Build", "names no trainer config"),
        ("mlagents-learn car.yaml --num-envs=many", "takes a number, not 'many'"),
        ("mlagents-learn 'car.yaml", "a quote in it has no end"),
    ],
)
def test_what_is_no_command_is_refused_in_a_line(text, said):
    with pytest.raises(InvalidInput, match=said):
        read_command(text)


@pytest.mark.parametrize(("name", "sign"), [("a.sh", "\\"), ("a.ps1", "`")])
def test_a_sign_with_a_blank_behind_it_in_a_script_is_named(tmp_path, name, sign):
    with pytest.raises(InvalidInput, match=re.escape(f"as of a {sign} with a blank behind it")) as refused:
        said(tmp_path, name, f"mlagents-learn {C} {sign} --env=B")
    assert f"{sign} stands at the end of a line" in str(refused.value.hint)
    assert said(tmp_path, "a.bat", f"mlagents-learn {C} ^ --env=B ^ ").env_path == "B"


def test_words_are_shown_as_they_are_written():
    with pytest.raises(InvalidInput, match=re.escape(r"what 'Config\b.yaml' is")):
        read_command(r"mlagents-learn a.yaml Config\b.yaml")
    with pytest.raises(InvalidInput, match=re.escape(r"learn: 'tmux new -d mlagents-learn.exe Config\a.yaml'")):
        read_command(r'tmux new -d "mlagents-learn.exe Config\a.yaml"')


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("--env-args --x 1 > log.txt 2>&1", {"env_args": ("--x", "1")}),
        ("--env-args --x '1;2' | tee log", {"env_args": ("--x", "1;2")}),
        ("--time-s 20 2>err.txt&", {"engine": {"time_scale": 20.0}}),
        ("--no-graphics-monitor --train --worker-id=3", {"left_out": ("--no-graphics-monitor", "--worker-id")}),
        ("--plugin-flag 7", {"left_out": ("--plugin-flag",)}),
        ('$MORE "$@"', {"open": ("$MORE", "$@")}),
        (
            "--results-dir=runs --initialize-from old",
            {"results_dir": "runs", "initialize_from": "old", "decided": ("--results-dir",)},
        ),
        ("--base-port 6000 --seed 3", {"decided": ("--base-port", "--seed")}),
        ("--torch-device=cuda:0", {"torch_device": "cuda:0"}),
        ("--torch-device $GPU", {"left_out": ("--torch-device",)}),
        ("; mlagents-learn other.yaml", {"commands": 2}),
    ],
)
def test_what_follows_the_trainer_config(rest, expected):
    assert read_command(f"mlagents-learn a.yaml {rest}")[0] == TrainingCommand("mlagents-learn", "a.yaml", **expected)


@pytest.mark.parametrize(
    ("text", "told", "hint"),
    [
        ("mlagents-learn a.yaml \u2013num-envs 4", "typographic dash or quote", "type - and"),
        ("mlagents-learn a.yaml --env=\u201cB\u201d", "typographic dash or quote", "type - and"),
        ("mlagents-learn a.yaml --time_scale 5", "the learner has no --time_scale", "write --time-scale"),
        ("mlagents-learn a.yaml --n 3", "--n may be --no-graphics", "write it out"),
        ("mlagents-learn a.yaml --num-envs", "--num-envs has no value", "leave it out"),
        ("mlagents-learn a.yaml --env= --num-envs 2", "--env has no value", "leave it out"),
        ("mlagents-learn a.yaml --num-envs 0", "a number above 0, not '0'", ""),
        ("mlagents-learn a.yaml --num-envs -3", "a number above 0, not '-3'", ""),
        ("mlagents-learn a.yaml --time-scale nan", "a number above 0, not 'nan'", ""),
        ("mlagents-learn a.yaml b.yaml", "what 'b.yaml' is", "give the command itself"),
        ("mlagents-learn --plugin a.yaml", "'a.yaml' is its value or the trainer config", "put the trainer config"),
    ],
)  # fmt: skip
def test_what_the_learner_would_refuse_is_refused(text, told, hint):
    with pytest.raises(InvalidInput, match=re.escape(told)) as refused:
        read_command(text)
    assert hint in (refused.value.hint or "")
