"""What other programs did to the machine while a session ran."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LoadSample:
    """Counters at one instant, each since the session's start, in seconds.

    Attributes:
        seconds: the machine's monotonic clock.
        own_cpu_seconds: CPU time of the trial's process tree.
        others_cpu_seconds: CPU time that all other processes burnt on the cores we may use, ourselves left out.
        steal_seconds: CPU time that the hypervisor gave to other machines; 0 where there is none.
        memory_stall_seconds: wall time in which some process waited for memory (Linux PSI); None where untold.
        gpu_others_percent: the GPUs' use by processes outside the tree since the last sample; None without a GPU.
        gpu_memory_bytes: GPU memory that the tree holds at this instant; None where untold.
        asleep_seconds: how long the machine slept, which the monotonic clock does not count everywhere.
    """

    seconds: float
    own_cpu_seconds: float
    others_cpu_seconds: float
    steal_seconds: float = 0.0
    memory_stall_seconds: float | None = None
    gpu_others_percent: float | None = None
    gpu_memory_bytes: int | None = None
    asleep_seconds: float = 0.0


@dataclass(frozen=True)
class BusyProcess:
    """A process outside the trial's tree, and how many cores it kept busy while the session ran."""

    name: str
    cores: float


@dataclass(frozen=True)
class Contention:
    """Other people's load over a trial's measured window. Percentages of the cores we may use.

    `waited_seconds`: how long the trial waited for a quiet machine before it started. `busiest`: the processes outside
    the trial that burnt most, over the whole session.
    """

    others_percent: float
    steal_percent: float
    memory_stall_percent: float | None
    gpu_others_percent: float | None
    waited_seconds: float
    busiest: tuple[BusyProcess, ...] = ()
