"""Command lines and launch scripts for the shells that people have, quoted so that the learner gets what was meant.

Two readers stand between a line and a program on Windows: the shell, and the program itself, which takes its one
command line apart (`CommandLineToArgvW`, which Python and the C runtime follow).
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from enum import Enum

TAKES_THE_REST = "--env-args"
"""The learner's flag that takes all that follows; what is added to a command goes before it."""
_PLAIN = re.compile(r"[A-Za-z0-9_./:\\=+-]+")
_PLAIN_PROGRAM = re.compile(r"[A-Za-z0-9_.:\\-]+")
"""For cmd, where a slash or an equals sign ends a program's name."""
_SAME_IN_BOTH = re.compile(r"[\w./:\\=+ ()~#@,;{}\[\]-]+")
"""Within double quotes, cmd and PowerShell read these alike."""
_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")
"""What PowerShell takes for a single quote."""
_CMD_SPECIAL = re.compile(r'([()!^"<>&|])')


class Shell(Enum):
    """What reads a command line."""

    POSIX = "sh"
    CMD = "cmd"
    POWERSHELL = "powershell"


def native_shell(os_name: str = os.name) -> Shell:
    """Into which shell people paste a command here; `os_name` as in `os.name`."""
    return Shell.POWERSHELL if os_name == "nt" else Shell.POSIX


def command_line(command: Sequence[str], shell: Shell) -> str:
    """A command to paste into an interactive `shell`.

    In cmd a `%name%` that is set is replaced even between quotes, and nothing prevents it; scripts have no such limit.
    """
    if shell is Shell.POSIX:
        return shlex.join(command)
    if shell is Shell.CMD:
        return " ".join(_cmd_words(command))
    line = " ".join(_powershell_typed(argument) for argument in command)
    return line if _PLAIN.fullmatch(command[0]) else f"& {line}"  # a quoted word alone is text, not a command


def script(command: Sequence[str], shell: Shell) -> str:
    """A script that runs `command`; what it is given itself goes before `--env-args`.

    For `cmd` in UTF-8 without a byte order mark, which would be its first command; for PowerShell with one, without
    which Windows PowerShell 5.1 reads the local code page.
    """
    at = command.index(TAKES_THE_REST) if TAKES_THE_REST in command else len(command)
    before, after = command[:at], command[at:]
    return _SCRIPTS[shell](before, after)


def _sh_script(before: Sequence[str], after: Sequence[str]) -> str:
    return "#!/bin/sh\nexec " + " ".join([shlex.join(before), '"$@"', *map(shlex.quote, after)]) + "\n"


def _cmd_script(before: Sequence[str], after: Sequence[str]) -> str:
    # A percent sign is read before all else, in quotes too, and doubled it stands for itself.
    words = [word.replace("%", "%%") for word in _cmd_words([*before, *after])]
    line = " ".join([*words[: len(before)], "%*", *words[len(before) :]])
    lines = ["@echo off", "rem This file is in UTF-8.", "setlocal DisableDelayedExpansion", "chcp 65001 >nul", line]
    return "".join(line + "\r\n" for line in lines)


def _powershell_script(before: Sequence[str], after: Sequence[str]) -> str:
    # Versions differ in how they pass quotes on; this way of 5.1 all of them know, and the words are made for it.
    legacy = "$PSNativeCommandArgumentPassing = 'Legacy'"
    program, *rest = before
    words = [_powershell_literal(program), *map(_powershell_word, rest), "@args", *map(_powershell_word, after)]
    lines = [legacy, "& " + " ".join(words), "exit $LASTEXITCODE"]
    return "\ufeff" + "".join(line + "\r\n" for line in lines)


_SCRIPTS = {Shell.POSIX: _sh_script, Shell.CMD: _cmd_script, Shell.POWERSHELL: _powershell_script}


def _argv_quoted(argument: str) -> str:
    """In double quotes, as `CommandLineToArgvW` takes them apart: backslashes count only before a quote."""
    return '"' + re.sub(r'(\\*)"', r'\1\1\\"', re.sub(r"(\\+)$", r"\1\1", argument)) + '"'


def _cmd_words(command: Sequence[str]) -> list[str]:
    program, *arguments = command
    first = program if _PLAIN_PROGRAM.fullmatch(program) else _argv_quoted(program)
    return [first, *map(_cmd_argument, arguments)]


def _cmd_argument(argument: str) -> str:
    if _PLAIN.fullmatch(argument):
        return argument
    quoted = _argv_quoted(argument)
    # cmd knows no quote within quotes: where there is one, none counts, and all that is special is escaped.
    return _CMD_SPECIAL.sub(r"^\1", quoted) if '"' in argument else quoted


def _powershell_literal(argument: str) -> str:
    return "'" + _QUOTES.sub(lambda quote: quote[0] * 2, argument) + "'"


def _powershell_word(argument: str) -> str:
    """As Windows PowerShell hands it on: with blanks in quotes of its own, which it then leaves alone."""
    needs_quotes = not argument or '"' in argument or any(character.isspace() for character in argument)
    return _powershell_literal(_argv_quoted(argument) if needs_quotes else argument)


def _powershell_typed(argument: str) -> str:
    is_split = re.match("-[^-]", argument)  # at a dot or a colon, as a parameter of PowerShell's own
    if _PLAIN.fullmatch(argument) and not is_split:
        return argument
    # In double quotes where they mean the same to cmd, into which it may be pasted instead.
    is_same = _SAME_IN_BOTH.fullmatch(argument) and not argument.endswith("\\")
    return f'"{argument}"' if is_same else _powershell_literal(argument)
