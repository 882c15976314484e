"""What other programs did to the machine while a session ran."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Part(str, Enum):
    """Whose work it is in a trial's tree. A learner's worker process drives one player. Values: `results.json`."""

    LEARNER = "learner"
    WORKERS = "workers"
    PLAYERS = "players"


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
        gpu_percent: the GPUs' use by the tree, as `gpu_others_percent`.
        gpu_others_memory_bytes: GPU memory that processes outside the tree hold.
        part_cpu_seconds: `own_cpu_seconds` by part; empty where the parts are not known.
        core_seconds: CPU time burnt on each core that we may use, by anybody; empty where that is not told.
    """

    seconds: float
    own_cpu_seconds: float
    others_cpu_seconds: float
    steal_seconds: float = 0.0
    memory_stall_seconds: float | None = None
    gpu_others_percent: float | None = None
    gpu_memory_bytes: int | None = None
    asleep_seconds: float = 0.0
    gpu_percent: float | None = None
    gpu_others_memory_bytes: int | None = None
    part_cpu_seconds: Mapping[Part, float] = field(default_factory=dict)
    core_seconds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Utilisation:
    """What a trial made of the machine, on average over its measured window. Absent is None.

    Attributes:
        cores: kept busy by its process tree.
        usable_cores: how many it might have used.
        part_cores: `cores` by part of the tree; empty where the parts are not known.
        core_percent: use of each core, by anybody, busiest first.
        part_memory_bytes: the most of each part, at whatever time; shared pages once where memory is so counted. Empty
            where the parts are not known.
        players: how many players there were.
        gpu_percent: use of the busiest GPU by the trial; `gpu_others_percent` by others.
        gpu_memory_bytes: the most GPU memory that the trial held; `gpu_others_memory_bytes` that others did.
    """

    cores: float
    usable_cores: float | None = None
    part_cores: Mapping[Part, float] = field(default_factory=dict)
    core_percent: tuple[float, ...] = ()
    part_memory_bytes: Mapping[Part, int] = field(default_factory=dict)
    players: int | None = None
    gpu_percent: float | None = None
    gpu_others_percent: float | None = None
    gpu_memory_bytes: int | None = None
    gpu_others_memory_bytes: int | None = None

    @property
    def player_memory_bytes(self) -> float | None:
        """Of one player."""
        found = self.part_memory_bytes.get(Part.PLAYERS)
        return found / self.players if found and self.players else None

    @property
    def worker_memory_bytes(self) -> float | None:
        """Of one of the learner's worker processes, of which each drives one player."""
        found = self.part_memory_bytes.get(Part.WORKERS)
        return found / self.players if found and self.players else None


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
