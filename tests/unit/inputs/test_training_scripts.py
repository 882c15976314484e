"""Where training commands stand: on a line, or in a script."""

from __future__ import annotations

import pytest

from sweeper.errors import InvalidInput
from sweeper.inputs.command_line import TrainingCommand, read_command
from tests.helpers.commands import RUN, C, said


@pytest.mark.parametrize(
    ("name", "script", "num_envs"),
    [
        ("wide.ps1", f"{RUN} --num-envs=2".encode("utf-16"), 2),
    ],
)  # fmt: skip
def test_powershell_writes_utf_16(tmp_path, name, script, num_envs):
    found = said(tmp_path, name, script)
    assert (found.learner, found.config, found.env_path) == ("mlagents-learn", C, "B")
    assert found.baseline["num_envs"] == num_envs


def test_a_script_that_is_not_there_is_named():
    with pytest.raises(InvalidInput, match="No such file"):
        read_command("gone.bat")


@pytest.mark.parametrize("text", [f"!mlagents-learn {C}", f"$ mlagents-learn {C}", f"> mlagents-learn {C}"])
def test_what_notebooks_and_prompts_put_in_front_is_passed_over(text):
    assert read_command(text)[0] == TrainingCommand("mlagents-learn", C)


@pytest.mark.parametrize(
    "unit", ["<<A\n", "$(", "'", "(", "A=xx\nA+=$A$A\n", "eval ", "if ", "<#", '@"\n', "set A=%A%%A%\n"]
)
@pytest.mark.parametrize("suffix", [".sh", ".bat", ".ps1"])
def test_odd_scripts_are_refused_and_end(tmp_path, unit, suffix):
    (tmp_path / f"odd{suffix}").write_text(unit * (4000 // len(unit)))
    with pytest.raises(InvalidInput, match="no mlagents-learn in it"):
        read_command(str(tmp_path / f"odd{suffix}"))
    (tmp_path / f"large{suffix}").write_text(unit * 70000)
    with pytest.raises(InvalidInput, match="larger than 64 KiB"):
        read_command(str(tmp_path / f"large{suffix}"))


def test_a_file_that_is_no_script_is_named(tmp_path):
    (tmp_path / "Makefile").write_text(f"train:\n\t{RUN}\n")
    with pytest.raises(InvalidInput, match="its name does not say which shell reads it"):
        read_command(str(tmp_path / "Makefile"))
