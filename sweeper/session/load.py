"""Other people's load: the CPU time that processes outside the trial burn while a session runs.

A sample costs a few small reads. All processes are looked at twice only, when the session starts and when it ends.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from sweeper.model.load import BusyProcess, LoadSample, Part
from sweeper.session.gpu import Gpus

CGROUP = Path("/sys/fs/cgroup")
BUSY_CORES = 0.05
"""What burns less is no disturbance that anyone could act upon."""
NAME_CHARACTERS = 15 if sys.platform == "linux" else 60
"""Linux keeps 15 (TASK_COMM_LEN); psutil takes the rest from the command line, which may hold secrets."""
_BUSY_TIMES = ("user", "nice", "system", "irq", "softirq")
"""Guests are in `user` and `nice` already; Windows counts interrupts in `system`."""


@dataclass(frozen=True)
class CpuReading:
    """CPU seconds on the cores we may use, counted from any fixed instant: burnt, and given to other machines."""

    busy_seconds: float
    steal_seconds: float = 0.0
    core_seconds: tuple[float, ...] = ()
    """Burnt, by core; empty in a container with a quota, which has a share of all of them."""


@dataclass(frozen=True)
class Burner:
    """A process in a scan, with its CPU seconds since it was born (user and system, children left out)."""

    pid: int
    name: str
    cpu_seconds: float


_NO_PARTS: Mapping[psutil.Process, Part] = {}
Scan = Mapping[Hashable, Burner]
"""Processes by identity. psutil's `Process` is one: equal for equal pid and start, also when the clock is set."""


class CpuCounters:
    """Reads the CPU time burnt on the cores we may use.

    Under a container's CPU quota the host's other cores are nobody's disturbance to us, so there the container's own
    use counts. Which of both is decided once: one must never be subtracted from the other.
    """

    def __init__(self, cores: Iterable[int] | None = None, cgroup: Path = CGROUP) -> None:
        everything = range(len(psutil.cpu_times(percpu=True)))
        self._cores = set(everything).intersection(_allowed_cores() if cores is None else cores) or set(everything)
        self._cgroup = cgroup
        self._container = container_cpu(cgroup)
        if self._container is not None and self._container[0] >= len(self._cores):
            self._container = None

    def __call__(self) -> CpuReading:
        """Read them now."""
        times = [core for number, core in enumerate(psutil.cpu_times(percpu=True)) if number in self._cores]
        steal = sum(float(getattr(core, "steal", 0.0)) for core in times)
        if self._container is None:
            burnt = tuple(sum(float(getattr(core, name, 0.0)) for name in _BUSY_TIMES) for core in times)
            return CpuReading(sum(burnt), steal, burnt)
        self._container = container_cpu(self._cgroup) or self._container
        quota_cores, used_seconds = self._container
        return CpuReading(used_seconds, steal * min(1.0, quota_cores / len(self._cores)))


def container_cpu(cgroup: Path = CGROUP) -> tuple[float, float] | None:
    """Cores that our container may use, and CPU seconds it used; None without a quota (cgroup v2 cpu.max, else v1)."""
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
        used = dict(line.split() for line in (cgroup / "cpu.stat").read_text().splitlines())["usage_usec"]
        return None if quota == "max" else (int(quota) / int(period), int(used) / 1e6)
    except (OSError, ValueError, KeyError, ZeroDivisionError):
        pass
    try:
        names = ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us", "cpuacct/cpuacct.usage")
        quota_us, period_us, used_ns = (int((cgroup / name).read_text()) for name in names)
        return (quota_us / period_us, used_ns / 1e9) if quota_us > 0 else None
    except (OSError, ValueError, ZeroDivisionError):
        return None


def memory_stall_seconds(path: Path = Path("/proc/pressure/memory")) -> float | None:
    """Wall time in which some process waited for memory, since boot; None where the kernel does not tell (PSI)."""
    try:
        some = next(line for line in path.read_text().splitlines() if line.startswith("some "))
        return int(some.rpartition("total=")[2]) / 1e6
    except (OSError, ValueError, StopIteration):
        return None


def asleep_seconds() -> float:
    """How long the machine has slept since boot without our clock's counting it; 0 where it counts (Windows)."""
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
    if sys.platform == "darwin":  # there CLOCK_MONOTONIC goes on, and Python's own clock stands still
        return time.clock_gettime(time.CLOCK_MONOTONIC) - time.monotonic()
    return 0.0


def scan_processes() -> Scan:
    """All processes whose CPU time we may read. Some 50 µs for each."""
    found: dict[Hashable, Burner] = {}
    for pid in psutil.pids():
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                found[process] = Burner(pid, process.name()[:NAME_CHARACTERS], _cpu_seconds(process))
        except (psutil.Error, OSError):
            continue
    return found


class LoadMonitor:
    """Tells a trial's CPU time from everybody else's. Call `start` first; not thread-safe.

    All that a process burnt before it was first handed to `read` counts as the trial's. What a member burns between its
    last reading and its death counts as others': at most a sampling interval's worth.
    """

    def __init__(
        self,
        usable_cores: int,
        *,
        read_cpu: Callable[[], CpuReading] | None = None,
        read_tool: Callable[[], float] = time.process_time,
        read_stall: Callable[[], float | None] = memory_stall_seconds,
        scan: Callable[[], Scan] = scan_processes,
        read_asleep: Callable[[], float] = asleep_seconds,
        gpus: Gpus | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._usable_cores = usable_cores
        self._read_cpu = read_cpu or CpuCounters()
        self._read_tool, self._read_stall, self._scan, self._clock = read_tool, read_stall, scan, clock
        self._read_asleep = read_asleep
        self._gpus = gpus or Gpus()

    def start(self, processes: Iterable[psutil.Process] = ()) -> None:
        """Count from here. `processes`: members that live already; what they burnt before does not count."""
        self._first_scan = self._scan()
        self._own: dict[psutil.Process, float] = {}
        self._parts: dict[psutil.Process, Part] = {}
        self._own_before = self._update_own(processes)
        self._others_seconds = 0.0
        self._stall_before, self._tool_before = self._read_stall(), self._read_tool()
        self._asleep_before = self._read_asleep()
        self._cpu_before = self._read_cpu()
        self._started = self._clock()

    def read(self, processes: Iterable[psutil.Process], parts: Mapping[psutil.Process, Part] = _NO_PARTS) -> LoadSample:
        """One sample; `processes` are the living members of the trial's tree, `parts` says which of them are what."""
        own = self._update_own(processes) - self._own_before
        self._parts.update(parts)
        tool, stall = self._read_tool() - self._tool_before, self._read_stall()
        cpu, now = self._read_cpu(), self._clock()
        others = cpu.busy_seconds - self._cpu_before.busy_seconds - own - tool
        # Counters of 10 ms grain, read one after the other, may differ by less than before, or by more than can be.
        bounded = min(others, self._usable_cores * (now - self._started))
        self._others_seconds = max(self._others_seconds, bounded)
        gpus = self._gpus.look({process.pid for process in self._own})
        return LoadSample(
            seconds=now,
            own_cpu_seconds=own,
            others_cpu_seconds=self._others_seconds,
            steal_seconds=max(0.0, cpu.steal_seconds - self._cpu_before.steal_seconds),
            memory_stall_seconds=None if stall is None or self._stall_before is None else stall - self._stall_before,
            gpu_others_percent=gpus.others_percent,
            gpu_memory_bytes=gpus.own_bytes,
            asleep_seconds=self._read_asleep() - self._asleep_before,
            gpu_percent=gpus.own_percent,
            gpu_others_memory_bytes=gpus.others_bytes,
            part_cpu_seconds=self._part_seconds(),
            core_seconds=cpu.core_seconds,
        )

    def busiest(self, limit: int = 5) -> tuple[BusyProcess, ...]:
        """Processes outside the trial and this tool that burnt most since `start`; one that has ended is not seen."""
        scan, seconds = self._scan(), self._clock() - self._started
        if seconds <= 0:
            return ()
        found = []
        for identity, burner in scan.items():
            before = self._first_scan.get(identity)
            cores = (burner.cpu_seconds - (before.cpu_seconds if before else 0.0)) / seconds
            # Windows gives its idle time to a process of pid 0.
            if cores >= BUSY_CORES and identity not in self._own and burner.pid not in (0, os.getpid()):
                name = "".join(character for character in burner.name if character.isprintable())
                found.append(BusyProcess(name[:NAME_CHARACTERS], cores))
        return tuple(sorted(found, key=lambda process: -process.cores)[:limit])

    def _part_seconds(self) -> dict[Part, float]:
        found: dict[Part, float] = {}
        for process, part in self._parts.items():
            found[part] = found.get(part, 0.0) + self._own.get(process, 0.0)
        return found

    def _update_own(self, processes: Iterable[psutil.Process]) -> float:
        """CPU seconds of the tree, the last known ones for members that have died."""
        for process in processes:
            try:
                self._own[process] = max(self._own.get(process, 0.0), _cpu_seconds(process))
            except (psutil.Error, OSError):
                self._own.setdefault(process, 0.0)
        return sum(self._own.values())


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _allowed_cores() -> Iterable[int]:
    try:
        return psutil.Process().cpu_affinity()
    except (AttributeError, psutil.Error):  # macOS has no affinity
        return range(os.cpu_count() or 1)
