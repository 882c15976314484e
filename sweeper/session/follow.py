"""Reading what grows: the probe's samples and the learner's log."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sweeper.model.measurement import BehaviorCount, Sample

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_TAIL_BYTES = 64 * 1024


class SampleFile:
    """Reads new samples as they are written; a torn last line waits until it is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = b""

    def new(self) -> list[Sample]:
        """Samples written since the last call, in order."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                block = file.read()
        except FileNotFoundError:
            return []
        self._offset += len(block)
        *lines, self._rest = (self._rest + block).split(b"\n")
        return list(_parsed(lines))


def _parsed(lines: list[bytes]) -> Iterator[Sample]:
    for line in lines:
        try:
            yield _sample(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            continue  # not ours: the learner's children may write what they like


def _sample(data: dict[str, Any]) -> Sample:
    seconds = float(data["t"])
    if not math.isfinite(seconds):
        raise ValueError("not a time")
    return Sample(
        seconds=seconds,
        kind=str(data["kind"]),
        behaviors={name: BehaviorCount(*map(int, counts)) for name, counts in data.get("behaviors", {}).items()},
        timers={name: (float(total), int(count)) for name, (total, count) in (data.get("timers") or {}).items()},
        updated=data.get("updated"),
    )


def log_tail(path: Path, lines: int) -> tuple[str, ...]:
    """The last lines of a log, without control sequences; empty where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ()
    kept = [_CONTROL.sub("", line).rstrip()[:500] for line in text.splitlines()]
    return tuple([line for line in kept if line][-lines:])
