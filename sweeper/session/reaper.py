"""Makes a learner the parent of what its players leave behind, then becomes it (Linux).

A build may start helpers that detach themselves, and drop the mark that they inherited. When their parent ends they
fall to the first process above them that asked for orphans: to the learner, so that they stay in its tree.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence

PR_SET_CHILD_SUBREAPER = 36
"""linux/prctl.h; lost by a fork, kept by an exec."""


def adopting(command: Sequence[str]) -> list[str]:
    """`command`, with its orphans falling to itself; its process id stays that of what is started."""
    return [sys.executable, "-IS", __file__, *command] if sys.platform == "linux" else list(command)


def become(command: Sequence[str]) -> None:
    """Ask for orphans, and run `command` in our place."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        os.execvp(command[0], list(command))
    except OSError as error:
        sys.exit(f"cannot start {command[0]}: {error.strerror or error}")


if __name__ == "__main__":
    become(sys.argv[1:])
