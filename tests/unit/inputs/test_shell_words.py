"""What three shells make of quotes, comments and the ends of lines."""

from __future__ import annotations

import pytest

from sweeper.errors import InvalidInput
from sweeper.inputs.command_line import TrainingCommand, read_command
from sweeper.inputs.shell_words import without_lost_ends
from tests.helpers.commands import RUN, C, said


@pytest.mark.parametrize(
    ("name", "script", "num_envs"),
    [
        ("here.sh", f"cat <<EOF\nmlagents-learn other.yaml\nEOF\n{RUN} --num-envs=2", 2),
        ("note.ps1", f"<# mlagents-learn old.yaml #>\nWrite-Host \"mlagents-learn\"\n{RUN} `\n  --num-envs=2", 2),
    ],
)  # fmt: skip
def test_comments_and_texts_for_others_are_no_commands(tmp_path, name, script, num_envs):
    found = said(tmp_path, name, script)
    assert (found.learner, found.config, found.env_path) == ("mlagents-learn", C, "B")
    assert found.baseline["num_envs"] == num_envs


@pytest.mark.parametrize(
    "text",
    [
        r"mlagents-learn Config\Car_ppo.yaml ^ --env-path=..\B ^ --num-envs=4",
        r"mlagents-learn Config\Car_ppo.yaml `  --env-path=..\B ` --num-envs=4",
        r"mlagents-learn Config/Car_ppo.yaml \ --env-path=../B \   --num-envs=4",
        r'mlagents-learn ^ "Config\Car_ppo.yaml" --env "..\B" --num-envs=4',
    ],
)
def test_lines_that_were_joined_as_it_was_pasted_are_read(text):
    assert read_command(text)[0] == TrainingCommand("mlagents-learn", C, "../B", {"num_envs": 4})


def test_a_sign_between_quotes_or_after_a_move_is_no_lost_line_end():
    assert read_command(f"{RUN} --env-args 'a ^ b' \"c \\ d\"")[0].env_args == ("a ^ b", r"c \ d")
    assert without_lost_ends(r"cd \ && dir a\ \ b") == r"cd \ && dir a\ \ b"
    with pytest.raises(InvalidInput, match=r"'mlagents-learn Car\.yaml \^'; the line after \^ is missing"):
        read_command("mlagents-learn Car.yaml ^")
