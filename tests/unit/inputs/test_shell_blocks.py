"""Blocks and conditions of a script: whether a command in them runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sweeper.errors import InvalidInput
from sweeper.inputs.shell_blocks import Blocks
from sweeper.inputs.shell_state import State
from sweeper.shells import Shell
from tests.helpers.commands import RUN, C, said


@pytest.mark.parametrize(
    ("name", "script", "num_envs"),
    [
        ("if.bat", f"if errorlevel 1 (\r\necho no mlagents-learn here\r\n)\r\n({RUN} --num-envs=2)", 2),
        ("missing.bat", f"if not exist B echo mlagents-learn a.yaml\r\nif exist B call {RUN} --num-envs=2", 2),
        ("quiet.bat", f"@set N=4\r\n@if exist B @{RUN} --num-envs=%N%", 4),
        ("called.bat", f"@ call {RUN} --num-envs=2", 2),
        ("face.bat", f"if errorlevel 1 (\n  echo Failed :(\n)\nset N=4\n{RUN} --num-envs=%N%", 4),
        ("away.sh", f"(cd Config && ls)\n{RUN} --num-envs=2", 2),
        ("param.ps1", f"param([string]$C = '{C}', [int]$N = 4)\nmlagents-learn $c --env=B --num-envs=$N", 4),
    ],
)  # fmt: skip
def test_a_command_in_a_block_is_read(tmp_path, name, script, num_envs):
    found = said(tmp_path, name, script)
    assert (found.learner, found.config, found.env_path) == ("mlagents-learn", C, "B")
    assert found.baseline["num_envs"] == num_envs


@pytest.mark.parametrize(
    ("name", "script", "told"),
    [
        ("if.bat", f'set N=4\nif "%B%"=="" set N=8\n{RUN} --num-envs=%N%', "--num-envs is '%N%'"),
        ("many.bat", f'if "%1"=="" (set N=4) else if "%1"==a (set N=5) else (set N=6)\n{RUN} --num-envs %N%', "'%N%'"),
        ("talk.bat", f'set N=2\nif "%1"=="" echo (set N=4)\n{RUN} --num-envs=%N%', "--num-envs is '%N%'"),
        ("sub.bat", f'call :t 4\nexit /b\n:t\nset N=%1\nif "%N%"=="" set N=2\n{RUN} --num-envs=%N%', "is '%N%'"),
        ("nest.bat", f'if exist B (\nif "%1"=="" set N=4\n)\n{RUN} --num-envs=%N%', "--num-envs is '%N%'"),
        ("else.bat", f'if exist B (set N=4) else (set N=%1)\n{RUN} --num-envs=%N%', "--num-envs is '%N%'"),
        ("given.bat", f'set N=%1\nif not "%N%"=="" set N=4\n{RUN} --num-envs=%N%', "--num-envs is '%1'"),
        ("open.bat", f'set N=%1\nif "%N%"=="" set N=%2\n{RUN} --num-envs=%N%', "--num-envs is '%2'"),
        ("back.bat", f':a\nset N=%1\nif "%N%"=="" set N=4\n{RUN} --num-envs=%N%\ngoto a', "--num-envs is '%N%'"),
        ("each.bat", f"for %%n in (1 2) do {RUN} --num-envs=%%n", "--num-envs is '%%n'"),
        ("each.sh", f"n=1\nfor n in 1 2; do\n{RUN} --num-envs=$n\ndone", "--num-envs is '$n'"),
        ("maybe.sh", f"N=4\n[ -n \"$B\" ] && N=8\n{RUN} --num-envs=$N", "--num-envs is '$N'"),
        ("block.sh", f"N=4\nif [ -n \"$B\" ]; then N=8; fi\n{RUN} --num-envs=$N", "--num-envs is '$N'"),
        ("function.sh", 'train() {\n  mlagents-learn "$1"\n}\ntrain a.yaml', "the trainer config is '$1'"),
        ("branch.sh", f"if [ -d x ]; then cd x; fi\n{RUN}", "changes its folder"),
        ("mode.bat", f"if exist x set MODE=--resume\n{RUN} %MODE%", "what '%MODE%' says"),
    ],
)  # fmt: skip
def test_what_depends_on_a_condition_only_a_run_can_tell(tmp_path, name, script, told):
    with pytest.raises(InvalidInput, match=re.escape(told)) as refused:
        said(tmp_path, name, script)
    assert "give the command itself: sweeper init --from" in str(refused.value.hint)


@pytest.mark.parametrize(
    "lines",
    [
        'set N=%1\nif "%N%"=="" set N=4',
        'set N=%~1\r\n@IF "%N%" == "" (\r\n  SET N=4\r\n)',
        "set N=%1\nif not defined N set N=4",
        'if "%~1"=="" (set N=4) else (set N=%~1)',
        "set N=4\nif not [%1]==[] set N=%1",
        'if not "%1"=="" (\nset N=%1\n) else (\nset "N=4"\n)',
        'set N=4\nif "%N%"=="" set N=8',
    ],
)
def test_in_a_batch_file_an_argument_has_its_default(tmp_path, lines):
    assert said(tmp_path, "train.bat", f"{lines}\n{RUN} --num-envs=%N%").baseline == {"num_envs": 4}


HERE = Path("/here")


@pytest.mark.parametrize(
    ("command", "shell", "expected"),
    [
        ("then time run it", Shell.POSIX, (["run", "it"], ";", None)),
        ("if exist B @call run", Shell.CMD, (["run"], "||", None)),
        ('@if "%1"=="" set N=4', Shell.CMD, (["set", "N=4"], "||", True)),
        ('if not "%1"=="" set N=4', Shell.CMD, (["set", "N=4"], "||", False)),
        ('if "%1"=="" if exist B set N=4', Shell.CMD, (["set", "N=4"], "||", None)),
        ("else", Shell.CMD, ([], ";", None)),
    ],
)
def test_what_stands_behind_keywords_is_the_command(command, shell, expected):
    assert Blocks(State(HERE, shell, HERE)).command_in(command.split(), ";", shell) == expected


@pytest.mark.parametrize(("shell", "folder"), [(Shell.POSIX, HERE), (Shell.CMD, None)])
def test_only_a_block_with_a_shell_of_its_own_leaves_the_folder_as_it_was(shell, folder):
    state = State(HERE, shell, HERE)
    blocks = Blocks(state)
    blocks.enter("(", [], shell)
    assert not blocks.is_sure("\n")
    state.folder = HERE / "there"
    blocks.enter(")", ["cd", "there"], shell)
    assert blocks.is_sure("\n")
    assert state.folder == folder
