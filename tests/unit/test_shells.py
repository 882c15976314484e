"""Command lines and scripts: what is meant is what a program gets, by the rules of each shell and of Windows."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from sweeper.shells import Shell, command_line, native_shell, script

_WITH_QUOTES = ["it's", 'say "hi"', 'tail\\"', "`x`"]
_WITH_BLANKS = ["", "a b", "c:\\my dir\\", "ü ß"]
HARD = [*_WITH_QUOTES, *_WITH_BLANKS, "50%", "a&b|c", "$HOME", "--x=1.5", "^(a)!"]


def windows_argv(line: str) -> list[str]:
    """As `CommandLineToArgvW` takes a line apart, for lines without its doubled quotes."""
    words, word, quoted, started, slashes = [], "", False, False, 0
    for character in line:
        if character == "\\":
            slashes += 1
            continue
        if character == '"':
            word += "\\" * (slashes // 2)
            if slashes % 2:
                word += '"'
            else:
                quoted = not quoted
            started, slashes = True, 0
            continue
        if slashes:
            word, slashes, started = word + "\\" * slashes, 0, True
        if character == " " and not quoted:
            if started:
                words.append(word)
            word, started = "", False
            continue
        word, started = word + character, True
    word += "\\" * slashes
    return [*words, word] if started or slashes else words


def through_cmd(line: str, in_a_script: bool = False) -> str:
    """What cmd hands on: outside quotes `^` escapes; in a script `%%` is `%`."""
    if in_a_script:
        line = line.replace("%%", "%")
    handed, quoted, escaped = "", False, False
    for character in line:
        if escaped:
            handed, escaped = handed + character, False
        elif character == "^" and not quoted:
            escaped = True
        else:
            quoted = quoted != (character == '"')
            assert quoted or character not in "&|<>", f"cmd would act on {character} of {line}"
            handed += character
    return handed


class TestCommandLine:
    @pytest.mark.parametrize("argument", HARD)
    def test_posix(self, argument: str) -> None:
        assert shlex.split(command_line(["learn", argument], Shell.POSIX)) == ["learn", argument]

    @pytest.mark.parametrize("argument", HARD)
    def test_cmd(self, argument: str) -> None:
        line = command_line(["learn", argument, "last"], Shell.CMD)
        assert windows_argv(through_cmd(line)) == ["learn", argument, "last"]

    @pytest.mark.parametrize(
        ("command", "line"),
        [
            (["learn", "car.yaml", "--env=b"], "learn car.yaml --env=b"),
            (["my learn", "a b"], '& "my learn" "a b"'),
            (["learn", "$HOME"], "learn '$HOME'"),
            (["learn", "it's"], "learn 'it''s'"),
            (["learn", "-a.b"], 'learn "-a.b"'),
        ],
    )
    def test_powershell(self, command: list[str], line: str) -> None:
        assert command_line(command, Shell.POWERSHELL) == line

    def test_what_people_paste_into(self) -> None:
        assert (native_shell("nt"), native_shell("posix")) == (Shell.POWERSHELL, Shell.POSIX)


class TestScript:
    def test_sh_hands_on_every_word_and_takes_more_before_the_rest(self, tmp_path: Path) -> None:
        path = tmp_path / "run.sh"
        path.write_text(script(["printf", "%s\n", *HARD, "--env-args", "x y"], Shell.POSIX))
        said = subprocess.run(["sh", path, "more"], capture_output=True, text=True, check=True).stdout
        assert said == "".join(f"{word}\n" for word in [*HARD, "more", "--env-args", "x y"])

    @pytest.mark.parametrize("argument", HARD)
    def test_cmd(self, argument: str) -> None:
        text = script(["learn", argument, "--env-args", argument], Shell.CMD)
        line = text.split("\r\n")[-2]
        assert windows_argv(through_cmd(line, in_a_script=True)) == ["learn", argument, "%*", "--env-args", argument]

    @pytest.mark.parametrize("argument", HARD)
    def test_powershell(self, argument: str) -> None:
        text = script(["learn", argument], Shell.POWERSHELL)
        assert text.startswith("\ufeff")
        line = text.split("\r\n")[1]
        literal = line.removeprefix("& 'learn' '").removesuffix("' @args").replace("''", "'")
        # Handed on as it is where it holds no blank, else by sweeper's own quotes, which 5.1 leaves alone.
        assert windows_argv(f"learn {literal}") == ["learn", argument]
