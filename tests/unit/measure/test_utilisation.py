"""What a trial made of the machine, from the samples of its load."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweeper.measure.utilisation import utilisation
from sweeper.model.load import LoadSample, Part, Utilisation


def load_of(count: int, own: float) -> list[LoadSample]:
    """A sample a second, from 100 s on."""
    return [LoadSample(100.0 + index, own * index, 0.0) for index in range(count)]


def cores(load: list[LoadSample], window: tuple[float, float]) -> float | None:
    found = utilisation(load, window, 4, {}, 1)
    return found.cores if found else None


def test_cores_are_those_of_the_samples_inside() -> None:
    load = load_of(10, 1.5)
    assert cores(load, (102.0, 107.0)) == 1.5
    assert cores(load, (101.5, 103.9)) == 1.5


@pytest.mark.parametrize("window", [(102.1, 103.9), (200.0, 300.0)])
def test_too_few_samples_tell_nothing(window: tuple[float, float]) -> None:
    assert cores(load_of(10, 1.5), window) is None


def test_samples_without_time_between_them_tell_nothing() -> None:
    assert cores([], (0.0, 1.0)) is None
    assert cores([LoadSample(100.0, 0, 0), LoadSample(100.0, 1, 1)], (0.0, 500.0)) is None


def test_parts_cores_and_gpus() -> None:
    one = LoadSample(
        100.0,
        4.0,
        0.0,
        part_cpu_seconds={Part.LEARNER: 4.0},
        core_seconds=(50.0, 70.0),
        gpu_percent=90.0,
        gpu_others_percent=0.0,
        gpu_memory_bytes=100,
        gpu_others_memory_bytes=7,
    )
    two = replace(
        one,
        seconds=110.0,
        own_cpu_seconds=24.0,
        part_cpu_seconds={Part.LEARNER: 12.0, Part.PLAYERS: 12.0},
        core_seconds=(52.0, 80.5),
        gpu_percent=30.0,
        gpu_memory_bytes=300,
    )
    last = replace(two, seconds=120.0, own_cpu_seconds=44.0, gpu_percent=50.0, gpu_memory_bytes=200)
    memory = {Part.PLAYERS: 3000, Part.WORKERS: 900}
    found = utilisation([one, two], (99.0, 115.0), 4, memory, 3)
    assert found == Utilisation(
        cores=2.0,
        usable_cores=4.0,
        part_cores={Part.LEARNER: 0.8, Part.PLAYERS: 1.2},
        core_percent=(100.0, 20.0),
        part_memory_bytes=memory,
        players=3,
        gpu_percent=30.0,
        gpu_others_percent=0.0,
        gpu_memory_bytes=300,
        gpu_others_memory_bytes=7,
    )
    assert (found.player_memory_bytes, found.worker_memory_bytes) == (1000.0, 300.0)
    whole = utilisation([one, two, last], (99.0, 125.0), 4, {}, 3)
    assert whole is not None
    assert (whole.gpu_percent, whole.player_memory_bytes) == (40.0, None)
