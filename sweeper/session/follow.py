"""Reading what grows: the probe's samples and the learner's log."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sweeper.model.measurement import BehaviorCount, Sample

_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
"""Colours, movements of the cursor, titles of windows."""
_LOST = re.compile(r"Worker (\d{1,4}) exceeded the allowed number of restarts")
"""mlagents 1.1.0, SubprocessEnvManager."""
_TAIL_BYTES = 64 * 1024
_MOST = 2.0**50
"""Seconds or counts; exact as a float, and no training gets there."""
_MOST_BYTES = 16 * 1024**2
"""At once; the rest is read next time."""
_LONGEST_SAMPLE = 256 * 1024
_OTHER_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class LineFile:
    """Reads the whole lines of a file as it grows; a torn last line waits until it is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = b""

    def new(self) -> list[bytes]:
        """Lines written since the last call, in order."""
        try:
            if not self._path.is_file():  # a pipe would make us wait for ever
                return []
            with self._path.open("rb") as file:
                file.seek(self._offset)
                block = file.read(_MOST_BYTES)
        except OSError:
            return []
        self._offset += len(block)
        *lines, rest = (self._rest + block).split(b"\n")
        self._rest = rest if len(rest) <= _MOST_BYTES else b""  # no line of ours or the learner's is that long
        return lines


class SampleFile:
    """Reads new samples of our probe."""

    def __init__(self, path: Path) -> None:
        self._lines = LineFile(path)
        self.learner_pid: int | None = None
        """The process that the probe is in, once it said hello."""

    def new(self) -> list[Sample]:
        """Samples written since the last call, in order."""
        return list(self._parsed(self._lines.new()))

    def _parsed(self, lines: list[bytes]) -> Iterator[Sample]:
        for line in lines:
            if len(line) > _LONGEST_SAMPLE:
                continue
            try:
                data = json.loads(line)
                sample = _sample(data)
                if sample.kind == "hello" and self.learner_pid is None and "pid" in data:
                    self.learner_pid = int(_number(data["pid"]))
                yield sample
            except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
                continue  # not ours: the learner's children may write what they like


def _sample(data: dict[str, Any]) -> Sample:
    kind, updated = data["kind"], data.get("updated")
    if not isinstance(kind, str) or not isinstance(updated, (str, type(None))):
        raise TypeError("not a word")
    return Sample(
        seconds=_number(data["t"]),
        kind=kind,
        behaviors={
            name: BehaviorCount(*(int(_number(count)) for count in counts))
            for name, counts in data.get("behaviors", {}).items()
        },
        timers={
            name: (_number(total), int(_number(count))) for name, (total, count) in (data.get("timers") or {}).items()
        },
        updated=updated,
        update_seconds={int(size): _number(seconds) for size, seconds in data.get("update_seconds", {}).items()},
    )


def _number(value: Any) -> float:
    number = float(value)
    if not 0 <= number < _MOST:
        raise ValueError("not a clock or a counter")
    return number


def log_tail(path: Path, lines: int) -> tuple[str, ...]:
    """The last lines of a log, without control sequences; empty where there is none."""
    text = _tail(path)
    kept = [_OTHER_CONTROL.sub("", _CONTROL.sub("", line)).rstrip()[:500] for line in text.splitlines()]
    return tuple([line for line in kept if line][-lines:])


def player_that_ended(learner_log: Sequence[str], players: int) -> int | None:
    """The number of the player that the learner says it lost; None where it does not say and there are several."""
    for line in reversed(learner_log):
        if match := _LOST.search(line):
            return int(match.group(1))
    return 0 if players == 1 else None


def console_shows(path: Path, words: str) -> bool:
    """Whether a log says `words` in its last 64 KiB: after it connected, a learner prints dozens of settings."""
    return words in _tail(path)


def _tail(path: Path) -> str:
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
