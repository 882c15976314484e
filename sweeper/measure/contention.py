"""Other people's load over a measured window, and whether it voids the measurement.

Decided from counters alone, before anybody looks at the result, so excluding a session does not bias it. Limits: facts
on statistics, 8.5.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise

from sweeper.model.findings import Finding, FindingKind, Value
from sweeper.model.load import BusyProcess, Contention, LoadSample

MAX_OTHERS_PERCENT = 15.0
"""Of the usable cores, on average over the measured window."""
MAX_STEAL_PERCENT = 5.0
MAX_GPU_OTHERS_PERCENT = 15.0
"""No measurement stands behind this one; the same share as for the cores."""
TOLD_OTHERS_PERCENT = 5.0
"""Others' share that voids nothing and may still be why a session was too slow."""
TOLD_PROGRAMS = 3
"""Named of those that were busy."""


def contention(
    load: Sequence[LoadSample],
    window: tuple[float, float],
    usable_cores: int,
    waited_seconds: float = 0.0,
    busiest: Sequence[BusyProcess] = (),
) -> Contention | None:
    """Load between the samples that enclose `window`, monotonic seconds; None with fewer than two samples."""
    times = [sample.seconds for sample in load]
    if len(load) < 2:
        return None
    first = load[max(0, bisect_right(times, window[0]) - 1)]
    last = load[min(len(load) - 1, bisect_left(times, window[1]))]
    seconds = last.seconds - first.seconds
    if seconds <= 0:
        return None
    capacity = seconds * usable_cores / 100
    stalls = (first.memory_stall_seconds, last.memory_stall_seconds)
    gpu = [
        sample.gpu_others_percent
        for sample in load
        if sample.gpu_others_percent is not None and first.seconds < sample.seconds <= last.seconds
    ]
    return Contention(
        others_percent=(last.others_cpu_seconds - first.others_cpu_seconds) / capacity,
        steal_percent=(last.steal_seconds - first.steal_seconds) / capacity,
        memory_stall_percent=None if None in stalls else 100 * ((stalls[1] or 0.0) - (stalls[0] or 0.0)) / seconds,
        gpu_others_percent=sum(gpu) / len(gpu) if gpu else None,
        waited_seconds=waited_seconds,
        busiest=tuple(busiest),
    )


def longest_gap(load: Sequence[LoadSample]) -> float:
    """Seconds between the two neighbouring samples that are farthest apart, sleep counted; 0 with fewer than two."""
    times = [sample.seconds + sample.asleep_seconds for sample in load]
    return max((after - before for before, after in pairwise(times)), default=0.0)


def disturbance(found: Contention | None) -> Finding | None:
    """Why the measurement does not count; None where it does."""
    if found is None:
        return None
    if found.others_percent > MAX_OTHERS_PERCENT:
        return Finding(FindingKind.OTHERS_ON_CORES, _others(found))
    if found.steal_percent > MAX_STEAL_PERCENT:
        return Finding(FindingKind.CORES_STOLEN, {"steal_percent": found.steal_percent})
    if found.gpu_others_percent is not None and found.gpu_others_percent > MAX_GPU_OTHERS_PERCENT:
        return Finding(FindingKind.OTHERS_ON_GPU, {"gpu_others_percent": found.gpu_others_percent})
    return None


def others_share(found: Contention | None) -> dict[str, Value]:
    """Values of a finding on the share that others took meanwhile; none where that is hardly any."""
    return {} if found is None or found.others_percent < TOLD_OTHERS_PERCENT else _others(found)


def busiest_values(busiest: Sequence[BusyProcess]) -> dict[str, Value]:
    """Values of a finding on who burnt most."""
    most = busiest[:TOLD_PROGRAMS]
    names, cores = tuple(process.name for process in most), tuple(process.cores for process in most)
    return {"busiest": names, "busiest_cores": cores}


def _others(found: Contention) -> dict[str, Value]:
    return {"others_percent": found.others_percent, **busiest_values(found.busiest)}
