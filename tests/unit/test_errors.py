"""Hints are of the fault's own kind."""

from __future__ import annotations

import errno
import os

import pytest

from sweeper.errors import ExitCode, cannot_write


@pytest.mark.parametrize(
    ("number", "words", "hint"),
    [
        (errno.ENOSPC, "no space is left on its disk", "free some there, then run the same command again"),
        (errno.EDQUOT, "your quota on its disk is used up", "remove what you can"),
        (errno.EACCES, "Permission denied", None),
        (errno.EROFS, "Read-only file system", None),
    ],
)
def test_what_cannot_be_written(number: int, words: str, hint: str | None) -> None:
    found = cannot_write("here/results.json", OSError(number, os.strerror(number)))
    assert str(found) == f"cannot write here/results.json: {words}"
    assert (found.hint is None) == (hint is None) and (hint or "") in (found.hint or "")
    assert found.exit_code is ExitCode.NOT_READY
