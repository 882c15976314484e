"""The log of a run, in its study's folder: for who looks into what went wrong, a line a record."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sweeper.outside import one_line


@contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """What is logged meanwhile is appended to `path`."""
    handler = _LogFile(path, encoding="utf-8")
    handler.setFormatter(_Plain("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("sweeper")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()


class _Plain(logging.Formatter):
    """A record a line, whatever others put into its words."""

    def format(self, record: logging.LogRecord) -> str:
        return one_line(super().format(record))


class _LogFile(logging.FileHandler):
    """A full disk is told by whoever cannot go on, not by every line of the log."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 logging's own name
        pass

    def close(self) -> None:
        with suppress(OSError):
            super().close()
