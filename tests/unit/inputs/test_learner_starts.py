"""The commands that start the learner, and what stands around them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sweeper.errors import InvalidInput
from sweeper.inputs.command_line import read_command
from sweeper.inputs.learner_starts import Starts
from sweeper.inputs.shell_state import State
from sweeper.shells import Shell
from tests.helpers.commands import RUN, C, said


@pytest.mark.parametrize(
    ("name", "script", "num_envs"),
    [
        ("module.sh", f"python3 -m mlagents.trainers.learn {C} --env=B --num-envs=2", 2),
    ],
)  # fmt: skip
def test_a_module_of_python_is_the_learner(tmp_path, name, script, num_envs):
    found = said(tmp_path, name, script)
    assert (found.learner, found.config, found.env_path) == ("mlagents-learn", C, "B")
    assert found.baseline["num_envs"] == num_envs


@pytest.mark.parametrize(
    ("name", "script", "told"),
    [
        ("tmux.sh", f"tmux new -d '{RUN}'", "cannot read how this starts mlagents-learn"),
        ("job.ps1", f"Start-Process mlagents-learn -ArgumentList '{C}'", "cannot read how this starts"),
        ("alias.sh", f"alias ml='{RUN}'\nml", "is named, but no line starts it"),
        ("help.sh", "mlagents-learn --help", "is named, but no line starts it"),
        ("empty.sh", "echo hello", "no mlagents-learn in it"),
    ],
)  # fmt: skip
def test_where_none_can_be_read_that_is_said(tmp_path, name, script, told):
    with pytest.raises(InvalidInput, match=re.escape(told)) as refused:
        said(tmp_path, name, script)
    assert "give the command itself: sweeper init --from" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("text", "learner", "around"),
    [
        (f".venv/bin/python -u -m mlagents.trainers.learn {C}", ".venv/bin/mlagents-learn", ()),
        (rf"venv\Scripts\python.exe -m mlagents.trainers.learn {C}", "venv/Scripts/mlagents-learn.exe", ()),
        (rf"C:\envs\x\python.exe -m mlagents.trainers.learn {C}", "C:/envs/x/Scripts/mlagents-learn.exe", ()),
        (f"py -3.10 -m mlagents.trainers.learn {C}", "mlagents-learn", ("py -3.10",)),
        (f"python ../x/mlagents-learn {C}", "../x/mlagents-learn", ()),
        (f"conda run -n ml mlagents-learn {C}", "mlagents-learn", ("conda run -n ml",)),
        (f"A=1 B=2 xvfb-run -a mlagents-learn {C}", "mlagents-learn", ("A=1", "B=2", "xvfb-run -a")),
        (f"export CUDA_VISIBLE_DEVICES=1; mlagents-learn {C}", "mlagents-learn", ("CUDA_VISIBLE_DEVICES=1",)),
        (f"$env:CUDA_VISIBLE_DEVICES=1; mlagents-learn {C}", "mlagents-learn", ("CUDA_VISIBLE_DEVICES=1",)),
        (f"export PATH=venv/bin:$PATH; mlagents-learn {C}", "mlagents-learn", ("PATH=venv/bin:$PATH",)),
        (f"conda activate ml && mlagents-learn {C}", "mlagents-learn", ("conda activate ml",)),
        (f"source gone/bin/activate; mlagents-learn {C}", "mlagents-learn", ("gone/bin/activate",)),
        (f"exec nohup mlagents-learn {C} &", "mlagents-learn", ("nohup",)),
    ],
)
def test_what_stands_before_the_learner_is_taken_or_named(text, learner, around):
    found = read_command(text)[0]
    assert (found.learner, found.around) == (learner, around)


def test_an_activated_environment_gives_its_learner(tmp_path):
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "mlagents-learn").touch()
    found = said(tmp_path, "train.sh", f". venv/bin/activate\n{RUN}")
    assert (found.learner, found.around) == ((tmp_path / "venv/bin/mlagents-learn").as_posix(), ())
    assert said(tmp_path, "left.sh", f". venv/bin/activate\ndeactivate\n{RUN}").learner == "mlagents-learn"


def test_of_several_the_first_is_given_and_all_are_counted():
    starts = Starts(State(Path(), Shell.POSIX, None))
    starts.cannot_read("tmux new -d 'mlagents-learn a.yaml'")
    starts.cannot_read("make all")
    with starts.wrapped(["nohup"]):
        starts.add(["mlagents-learn", "b.yaml"], 0, Shell.POSIX)
    starts.add(["mlagents-learn", "c.yaml"], 0, Shell.POSIX)
    first, count, where = starts.first("train.sh", "")
    assert (first.words, first.before, count, where) == (("mlagents-learn", "b.yaml"), ("nohup",), 3, "train.sh")
    assert starts.found[1].before == ()
