"""How an exception ends the program: its exit code, and what is said of it in one line."""

from __future__ import annotations

import errno

from typer.exceptions import TyperException

from sweeper.errors import ExitCode, Interrupted, SweeperError

MACHINES = {
    getattr(errno, "EDQUOT", errno.ENOSPC): "your quota there is used up: remove what you can",
    errno.ENOSPC: "free some space there",
    errno.EIO: "look for errors of the disk in the system's log",
    errno.EROFS: "choose a place that can be written",
    errno.EACCES: "mend its rights, or name another place",
    errno.ENAMETOOLONG: "name a shorter one",
    errno.EMFILE: "raise the limit on open files: `ulimit -n`",
    errno.ENFILE: "end other programs first",
    errno.ENOMEM: "end other programs first",
    errno.EAGAIN: "raise the limit on processes (`ulimit -u`), or end other programs first",
}
"""What the machine refuses to any program, and is no bug of this one; with its mend."""


def is_closed(error: BaseException) -> bool:
    """Whether whoever read us is gone: a terminal that hung up answers as a disk that fails, and names no file."""
    return isinstance(error, OSError) and error.errno in (errno.EPIPE, errno.EIO) and error.filename is None


def code_of(error: BaseException) -> ExitCode:
    """The exit code of a program that `error` ends."""
    if isinstance(error, TyperException):
        return ExitCode.INVALID_INPUT
    if isinstance(error, (SweeperError, Interrupted)):
        return error.exit_code
    if isinstance(error, OSError) and error.errno in MACHINES:
        return ExitCode.NOT_READY
    return ExitCode.INTERNAL


def message_of(error: BaseException) -> str:
    """What is wrong, in a line, with the option that it is about."""
    if isinstance(error, TyperException):
        return error.format_message()
    if isinstance(error, OSError) and error.errno in MACHINES:
        return f"cannot go on: {error.strerror} ({error.filename or 'where this is printed'})"
    if code_of(error) is ExitCode.INTERNAL:
        return f"internal error: {type(error).__name__}: {error}"
    return str(error)
