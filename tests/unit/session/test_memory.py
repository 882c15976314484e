"""The memory meter on made-up processes: what counts as a peak, and from when on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sweeper.session.memory import EXACT_SECONDS, MemoryMeter

CAP = 10_000


class Process:
    """`shared` of its pages count in part where another process has them too."""

    def __init__(self, rss: int) -> None:
        self.rss, self.shared = rss, 0
        self.exact_readings = 0

    def memory_info(self) -> Any:
        return SimpleNamespace(rss=self.rss)

    def memory_full_info(self) -> Any:
        self.exact_readings += 1
        return SimpleNamespace(pss=self.rss - self.shared // 2, swap=0)


@pytest.fixture
def meter() -> MemoryMeter:
    return MemoryMeter(CAP, clock=lambda: 0.0)


def read(meter: MemoryMeter, process: Process) -> int:
    return meter.read([process])  # type: ignore[list-item]


def test_a_peak_that_begins_again_is_that_of_what_is_shared_now(meter: MemoryMeter) -> None:
    process = Process(1000)
    assert read(meter, process) == 1000
    process.shared = 400
    read(meter, process)
    meter.begin_again()
    assert read(meter, process) == 800
    assert (meter.peak_bytes, meter.recent_peak_bytes) == (1000, 800)


def test_growth_beyond_a_peak_that_began_again_is_read_exactly(meter: MemoryMeter) -> None:
    process = Process(1000)
    read(meter, process)
    process.shared = 400
    meter.begin_again()
    read(meter, process)
    before, process.rss = process.exact_readings, 1100
    read(meter, process)
    assert process.exact_readings == before + 1
    assert (meter.peak_bytes, meter.recent_peak_bytes) == (1000, 900)


def test_without_growth_exact_readings_are_seldom() -> None:
    clock, process = SimpleNamespace(now=0.0), Process(1000)
    meter = MemoryMeter(CAP, clock=lambda: clock.now)
    for clock.now in (0.0, 0.5 * EXACT_SECONDS, EXACT_SECONDS):
        read(meter, process)
    assert process.exact_readings == 2
