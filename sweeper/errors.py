"""Everything that can go wrong for a reason the user can mend.

    SweeperError
    ├── InvalidInput            2   a command line, study file or trainer config that is wrong
    ├── NotReady                3   learner, build, port, lock or disk is not as it must be
    │   └── NobodyPlayed        3   nobody pressed Play in the Unity Editor; the same command goes on
    ├── NothingFeasible         4   the study ended and no configuration is feasible
    ├── Inconclusive            6   too noisy, too contended or too short to say
    └── NotComparable           7   another study, machine, build, trainer config or space
    Interrupted(BaseException)  130 or 143

A regression (5) and a candidate that does not run (8) are verdicts of a check, not errors.

Each error carries its exit code and, where one is known, a hint: what to try next.
"""

from __future__ import annotations

import errno
from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    """What the process tells its caller; the one place where the numbers are decided."""

    OK = 0
    INTERNAL = 1
    INVALID_INPUT = 2
    NOT_READY = 3
    NOTHING_FEASIBLE = 4
    REGRESSION = 5
    INCONCLUSIVE = 6
    NOT_COMPARABLE = 7
    CANDIDATE_FAILS = 8
    INTERRUPTED = 130
    TERMINATED = 143


class SweeperError(Exception):
    """A failure with one clear line for the user, and a hint where there is one."""

    exit_code = ExitCode.INTERNAL

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class InvalidInput(SweeperError):
    """The user's own input is wrong."""

    exit_code = ExitCode.INVALID_INPUT


class NotReady(SweeperError):
    """The environment lacks something that a study needs."""

    exit_code = ExitCode.NOT_READY


class NobodyPlayed(NotReady):
    """The Unity Editor was waited for in vain."""


def cannot_write(path: Path | str, error: OSError) -> NotReady:
    """What `error` is about, and the hint for that: a disk without space is another matter than a quota."""
    if error.errno == errno.ENOSPC:
        return NotReady(f"cannot write {path}: no space is left on its disk", f"free some there, {_AGAIN}")
    if error.errno == getattr(errno, "EDQUOT", None):
        return NotReady(f"cannot write {path}: your quota on its disk is used up", f"remove what you can, {_AGAIN}")
    return NotReady(f"cannot write {path}: {error.strerror or error}")


_AGAIN = "then run the same command again: it resumes"


class NothingFeasible(SweeperError):
    """Every configuration that was tried broke a constraint or failed."""

    exit_code = ExitCode.NOTHING_FEASIBLE


class Inconclusive(SweeperError):
    """What was measured does not carry an answer."""

    exit_code = ExitCode.INCONCLUSIVE


class NotComparable(SweeperError):
    """What is there and what was asked for must not be mixed."""

    exit_code = ExitCode.NOT_COMPARABLE


class Interrupted(BaseException):
    """The user or the system asked us to stop; not an Exception, so that nothing swallows it."""

    def __init__(self, exit_code: ExitCode = ExitCode.INTERRUPTED) -> None:
        super().__init__(exit_code.name.lower())
        self.exit_code = exit_code


class InterruptedNow(Interrupted):
    """Asked once more: end the processes, and nothing else."""
