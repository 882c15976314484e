"""What the learner prints, as samples: the fallback where our probe cannot be loaded into it."""

from __future__ import annotations

import re
import time
from pathlib import Path

from sweeper.model.measurement import BehaviorCount, Sample
from sweeper.session.follow import LineFile

_SUMMARY = re.compile(rb"\[INFO\] ([^\r\n]{1,200})\. Step: (\d{1,15})\. Time Elapsed: (\d{1,9}(?:\.\d{1,9})?) s\.")
"""ConsoleWriter of mlagents 1.1.0 (stats.py). A line is printed as soon as a trajectory passes a multiple of
summary_freq, and names that multiple."""
_LONGEST_LINE = 2_000


class ConsoleFile:
    """Reads summaries as they are printed."""

    def __init__(self, path: Path) -> None:
        self._lines = LineFile(path)
        self._counts: dict[str, BehaviorCount] = {}
        self._zero: float | None = None

    def new(self) -> list[Sample]:
        """Samples of kind `summary` since the last call, in order; times are the learner's, put on our clock."""
        found = []
        for line in self._lines.new():
            if len(line) > _LONGEST_LINE or (match := _SUMMARY.match(line)) is None:
                continue
            elapsed = float(match[3])
            if self._zero is None:
                self._zero = time.monotonic() - elapsed
            name = match[1].decode("utf-8", "replace").split("?")[0]
            self._counts[name] = BehaviorCount(steps=int(match[2]))
            found.append(Sample(self._zero + elapsed, "summary", dict(self._counts), updated=name))
        return found
