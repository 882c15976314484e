"""How often memory is looked at: seldom while the cap is far, faster as the tree grows towards it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sweeper.model.load import LoadSample
from sweeper.model.session import SessionEnd
from sweeper.session import disk
from sweeper.session import session as session_module
from sweeper.session.memory import MemoryRules
from sweeper.session.session import MIN_READING_SECONDS, READING_SECONDS, Readings
from tests.helpers.builders import plan_of

MIB = 1024**2


class Scripted:
    """A session whose use of memory is set from outside, on a clock that is, too."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cap_mib: int = 1000, gpu: int | None = None) -> None:
        self.now, self.used, self.killed, self.samples = 50.0, 0, False, 0
        monkeypatch.setattr(session_module.time, "monotonic", lambda: self.now)
        self.free, self.bounded = 200 * MIB, 0
        self.plan = plan_of()
        self.logs = SimpleNamespace(bound=self._bound)
        monkeypatch.setattr(disk, "free_bytes", lambda folder: self.free)
        monitor: Any = SimpleNamespace(start=lambda: None, read=self._sample)
        self._gpu = gpu
        self.readings = Readings(monitor, MemoryRules(cap_mib * MIB, 10, lambda: 11, gpu_cap_bytes=500))

    def _sample(self, processes: object, parts: object) -> LoadSample:
        self.samples += 1
        return LoadSample(self.now, 0.0, 0.0, gpu_memory_bytes=self._gpu)

    def _bound(self) -> None:
        self.bounded += 1

    def processes(self) -> list[Any]:
        return []

    def parts(self, processes: list[Any]) -> dict[Any, Any]:
        return {}

    def read_memory(self, processes: list[Any]) -> int:
        return self.used

    def was_killed_at_cap(self) -> bool:
        return self.killed

    def read(self, mib: float, after: float = 0.5) -> SessionEnd | None:
        self.now += after
        self.used = int(mib * MIB)
        assert self.readings.are_due(self.now)
        return self.readings.read([self])  # type: ignore[list-item]

    def next_in(self) -> float:
        return self.readings.seconds_to_next(self.now)


def test_seldom_while_nothing_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = Scripted(monkeypatch)
    for _ in range(3):
        assert tree.read(900) is None
    assert tree.next_in() == pytest.approx(READING_SECONDS)
    assert not tree.readings.are_due(tree.now + 0.1)


def test_faster_the_nearer(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 200 MiB/s, with 400, 300 and 200 MiB left: four looks before each would be gone."""
    tree = Scripted(monkeypatch)
    tree.read(500)
    waits = []
    for mib in (600, 700, 800, 900):
        assert tree.read(mib) is None
        waits.append(tree.next_in())
    assert waits == [pytest.approx(seconds) for seconds in (0.5, 0.375, 0.25, 0.125)]
    tree.read(999, after=0.125)
    assert tree.next_in() == pytest.approx(MIN_READING_SECONDS)


def test_load_is_not_read_faster_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = Scripted(monkeypatch)
    tree.read(500)
    tree.read(980)
    before = tree.samples
    for mib in (985, 990, 995):
        tree.read(mib, after=0.02)
    assert tree.samples == before


def test_what_is_broken_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = Scripted(monkeypatch)
    assert tree.read(1001) is SessionEnd.OVER_MEMORY
    tree.killed = True
    assert tree.read(500) is SessionEnd.OVER_MEMORY
    tree.killed = False
    assert tree.read(500) is None
    tree.free = 99 * MIB
    assert tree.read(500) is SessionEnd.DISK_SHORT
    assert tree.bounded == 4
    assert Scripted(monkeypatch, gpu=501).read(1) is SessionEnd.OVER_GPU_MEMORY
    assert Scripted(monkeypatch, gpu=500).read(1) is None
