"""Other people's load: counters, cgroup files, NVML and clocks are substituted; a few tests watch real processes."""

# ruff: noqa: N802 (NVML's names)

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from sweeper.model.load import BusyProcess, LoadSample, Part
from sweeper.session import load as load_module
from sweeper.session.gpu import GpuLook, Gpus
from sweeper.session.load import (
    NAME_CHARACTERS,
    Burner,
    CpuCounters,
    CpuReading,
    LoadMonitor,
    container_cpu,
    memory_stall_seconds,
    scan_processes,
)
from sweeper.session.quiet import Quiet, wait_for_quiet


class FakeProcess:
    def __init__(self, pid: int, cpu_seconds: float = 0.0) -> None:
        self.pid = pid
        self.cpu_seconds = cpu_seconds
        self.failure: Exception | None = None

    def cpu_times(self) -> SimpleNamespace:
        if self.failure is not None:
            raise self.failure
        return SimpleNamespace(
            user=self.cpu_seconds * 0.75, system=self.cpu_seconds * 0.25, children_user=99.0, children_system=99.0
        )


def burnt(counters: CpuCounters) -> tuple[float, float]:
    """By all cores together, and given to other machines."""
    reading = counters()
    return reading.busy_seconds, reading.steal_seconds


class FakeGpus(Gpus):
    def __init__(self) -> None:
        self.asked: list[set[int]] = []

    def look(self, tree_pids: Iterable[int]) -> GpuLook:
        self.asked.append(set(tree_pids))
        return GpuLook(25.0, 12.5, 4096, 1024)


class Bench:
    """A monitor on a machine whose counters the test turns."""

    def __init__(self, usable_cores: int = 4) -> None:
        self.now, self.busy, self.steal, self.tool = 1000.0, 500.0, 7.0, 3.0
        self.stall: float | None = 2.0
        self.asleep = 100.0
        self.processes: dict[Any, Burner] = {}
        self.scans = 0
        self.gpus = FakeGpus()
        self.monitor = LoadMonitor(
            usable_cores,
            read_cpu=lambda: CpuReading(self.busy, self.steal),
            read_tool=lambda: self.tool,
            read_stall=lambda: self.stall,
            read_asleep=lambda: self.asleep,
            scan=self.scan,
            gpus=self.gpus,
            clock=lambda: self.now,
        )

    def scan(self) -> dict[Any, Burner]:
        self.scans += 1
        return dict(self.processes)

    def read(self, *processes: Any) -> LoadSample:
        return self.monitor.read(processes)


class TestLoadMonitor:
    def test_busy_time_is_split(self) -> None:
        bench, learner, player = Bench(), FakeProcess(10), FakeProcess(11)
        bench.monitor.start()
        learner.cpu_seconds, player.cpu_seconds = 2.0, 1.0
        bench.now, bench.busy, bench.steal, bench.tool, bench.stall = 1010.0, 508.0, 7.5, 3.5, 2.25
        bench.asleep = 160.0
        assert bench.read(learner, player, learner) == LoadSample(
            1010.0, 3.0, 4.5, 0.5, 0.25, 12.5, 4096, 60.0, 25.0, 1024
        )
        assert bench.gpus.asked == [{10, 11}]

    def test_parts_of_the_tree(self) -> None:
        bench, learner, player, other = Bench(), FakeProcess(10, 2.0), FakeProcess(11, 1.0), FakeProcess(12, 0.5)
        parts: dict[Any, Part] = {learner: Part.LEARNER, player: Part.PLAYERS, other: Part.PLAYERS}
        bench.monitor.start()
        found = bench.monitor.read([learner, player, other], parts).part_cpu_seconds
        assert found == {Part.LEARNER: 2.0, Part.PLAYERS: 1.5}
        bench.monitor.start()
        assert bench.read(learner).part_cpu_seconds == {}

    def test_what_a_dead_member_burnt_stays_ours(self) -> None:
        bench, learner, player = Bench(), FakeProcess(10, 1.0), FakeProcess(11, 2.0)
        bench.monitor.start()
        bench.now, bench.busy = 1010.0, 503.0
        assert bench.read(learner, player).own_cpu_seconds == 3.0
        player.failure = psutil.NoSuchProcess(11)
        learner.cpu_seconds = 0.25  # a younger process of the same pid answered
        assert bench.read(learner, player).own_cpu_seconds == 3.0
        heir = FakeProcess(11, 0.5)  # the pid, used again
        sample = bench.read(learner, heir)
        assert (sample.own_cpu_seconds, sample.others_cpu_seconds) == (3.5, 0.0)

    @pytest.mark.parametrize("failure", [psutil.AccessDenied(9), psutil.ZombieProcess(9), ProcessLookupError()])
    def test_a_member_that_cannot_be_read(self, failure: Exception) -> None:
        bench, process = Bench(), FakeProcess(9, 5.0)
        bench.monitor.start()
        process.failure = failure
        assert bench.read(process).own_cpu_seconds == 0.0

    def test_members_at_the_start(self) -> None:
        bench, learner = Bench(), FakeProcess(10, 40.0)
        bench.monitor.start([learner])
        learner.cpu_seconds, bench.busy, bench.now = 41.0, 503.0, 1002.0
        sample = bench.read(learner)
        assert (sample.own_cpu_seconds, sample.others_cpu_seconds) == (1.0, 2.0)

    def test_others_never_fall_and_never_exceed_the_cores(self) -> None:
        bench = Bench(usable_cores=2)
        bench.monitor.start()
        found = []
        for seconds, busy in ((1, -0.5), (2, 1.0), (3, 0.5), (4, 50.0), (5, 51.0)):
            bench.now, bench.busy = 1000.0 + seconds, 500.0 + busy
            found.append(bench.read().others_cpu_seconds)
        assert found == [0.0, 1.0, 1.0, 8.0, 10.0]

    def test_a_second_start_forgets_the_first(self) -> None:
        bench, learner = Bench(), FakeProcess(10, 1.0)
        bench.monitor.start()
        bench.now, bench.busy = 1010.0, 520.0
        bench.read(learner)
        bench.monitor.start()
        bench.stall = None
        assert bench.read() == LoadSample(
            1010.0, 0.0, 0.0, 0.0, None, 12.5, 4096, gpu_percent=25.0, gpu_others_memory_bytes=1024
        )

    def test_no_scan_in_a_sample(self, monkeypatch: pytest.MonkeyPatch) -> None:
        bench = Bench()
        bench.monitor.start()
        for name in ("pids", "process_iter"):
            monkeypatch.setattr(psutil, name, lambda *_: pytest.fail("a full scan"))
        for _ in range(5):
            bench.read(*(FakeProcess(pid) for pid in range(1, 21)))
        assert bench.scans == 1
        bench.monitor.busiest()
        assert bench.scans == 2


class TestBusiest:
    def test_the_busiest_first(self) -> None:
        bench, learner = Bench(), FakeProcess(10)
        bench.processes = {
            "old": Burner(5, "browser", 100.0), "idle": Burner(6, "idler", 50.0), "gone": Burner(7, "gone", 1.0),
        }  # fmt: skip
        bench.monitor.start()
        bench.read(learner)
        bench.now += 10.0
        bench.processes = {
            "old": Burner(5, "browser", 105.0), "idle": Burner(6, "idler", 50.4), "new": Burner(7, "compiler", 20.0),
            learner: Burner(10, "learner", 30.0), "me": Burner(os.getpid(), "sweeper", 9.0),
            "windows": Burner(0, "System Idle Process", 90.0),
        }  # fmt: skip
        found = bench.monitor.busiest()
        assert found == (BusyProcess("compiler", 2.0), BusyProcess("browser", 0.5))
        assert bench.monitor.busiest(limit=1) == found[:1]

    def test_names_are_fit_to_print(self) -> None:
        bench = Bench()
        bench.monitor.start()
        bench.now += 1.0
        bench.processes = {"a": Burner(5, "a\x1b[31m\n\x00\udcff\u202eb" + "c" * 99, 1.0)}
        (process,) = bench.monitor.busiest()
        assert process.name == ("a[31mb" + "c" * 99)[:NAME_CHARACTERS]
        assert NAME_CHARACTERS <= 60

    def test_no_time_has_passed(self) -> None:
        bench = Bench()
        bench.processes = {"a": Burner(5, "a", 1.0)}
        bench.monitor.start()
        assert bench.monitor.busiest() == ()


MAC_CORE = {"user": 10.0, "nice": 1.0, "system": 2.0, "idle": 90.0}
LINUX_CORE = {**MAC_CORE, "iowait": 5.0, "irq": 0.5, "softirq": 0.25, "steal": 4.0, "guest": 6.0}
WINDOWS_CORE = {"user": 10.0, "system": 2.0, "idle": 90.0, "interrupt": 0.5, "dpc": 0.25}


class TestCpuCounters:
    def on(self, monkeypatch: pytest.MonkeyPatch, *cores: dict[str, float]) -> None:
        monkeypatch.setattr(psutil, "cpu_times", lambda percpu: [SimpleNamespace(**core) for core in cores])

    @pytest.mark.parametrize(
        ("core", "reading"),
        [(LINUX_CORE, (13.75, 4.0)), (MAC_CORE, (13.0, 0.0)), (WINDOWS_CORE, (12.0, 0.0))],
    )
    def test_one_core(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, core: dict[str, float], reading: tuple[float, float]
    ) -> None:
        self.on(monkeypatch, core)
        assert burnt(CpuCounters([0], tmp_path)) == reading

    def test_allowed_cores_only(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.on(monkeypatch, *({"user": 10.0**core, "steal": 2.0} for core in range(4)))
        assert burnt(CpuCounters([1, 3, 9], tmp_path)) == (1010.0, 4.0)
        assert burnt(CpuCounters([9], tmp_path)) == (1111.0, 8.0)
        assert CpuCounters([1, 3], tmp_path)().core_seconds == (10.0, 1000.0)
        monkeypatch.setattr(psutil.Process, "cpu_affinity", lambda self: [2], raising=False)
        assert burnt(CpuCounters(cgroup=tmp_path)) == (100.0, 2.0)
        monkeypatch.delattr(psutil.Process, "cpu_affinity")
        monkeypatch.setattr(os, "cpu_count", lambda: 4)
        assert burnt(CpuCounters(cgroup=tmp_path)) == (1111.0, 8.0)

    def test_a_container_below_the_host(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        self.on(monkeypatch, *([LINUX_CORE] * 4))
        write(tmp_path, {"cpu.max": "200000 100000\n", "cpu.stat": "usage_usec 3500000\nuser_usec 1\n"})
        counters = CpuCounters(range(4), tmp_path)
        assert burnt(counters) == (3.5, 8.0)
        assert counters().core_seconds == ()
        write(tmp_path, {"cpu.stat": "usage_usec 4500000\n"})
        assert burnt(counters) == (4.5, 8.0)
        (tmp_path / "cpu.stat").unlink()
        assert burnt(counters) == (4.5, 8.0)
        write(tmp_path, {"cpu.max": "400000 100000\n", "cpu.stat": "usage_usec 3500000\n"})
        assert burnt(CpuCounters(range(4), tmp_path)) == (55.0, 16.0)

    @pytest.mark.parametrize(
        ("files", "answer"),
        [
            ({}, None),
            ({"cpu.max": "max 100000\n", "cpu.stat": "usage_usec 1\n"}, None),
            ({"cpu.max": "150000 100000\n", "cpu.stat": "usage_usec 2500000\nuser_usec 7\n"}, (1.5, 2.5)),
            ({"cpu.max": "150000 100000\n"}, None),
            ({"cpu.max": "150000 100000\n", "cpu.stat": "nothing\n"}, None),
            ({"cpu.max": "1 0\n", "cpu.stat": "usage_usec 1\n"}, None),
            ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000", "cpuacct/cpuacct.usage": "5"}, None),
            (
                {"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n",
                 "cpuacct/cpuacct.usage": "1500000000\n"}, (0.5, 1.5),
            ),
            ({"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"}, None),
        ],
    )  # fmt: skip
    def test_container(self, tmp_path: Path, files: dict[str, str], answer: tuple[float, float] | None) -> None:
        write(tmp_path, files)
        assert container_cpu(tmp_path) == answer

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("some avg10=0.00 avg60=0.00 avg300=0.00 total=2500000\nfull avg10=0.00 total=1\n", 2.5),
            ("full avg10=0.00 total=1\n", None), ("some avg10=0.00\n", None), ("", None),
        ],
    )  # fmt: skip
    def test_memory_stall(self, tmp_path: Path, text: str, seconds: float | None) -> None:
        write(tmp_path, {"memory": text})
        assert memory_stall_seconds(tmp_path / "memory") == seconds
        assert memory_stall_seconds(tmp_path / "nothing") is None


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


BURN = "import sys, time; sys.stdin.read(1)\nwhile time.process_time() < 0.5: pass\nprint(flush=True); sys.stdin.read()"


@contextmanager
def burner() -> Iterator[tuple[psutil.Process, Callable[[], None]]]:
    """A child that burns half a second of CPU when it is told to."""
    with subprocess.Popen([sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None and child.stdout is not None

        def burn() -> None:
            child.stdin.write(b"x")
            child.stdin.flush()
            child.stdout.readline()

        yield psutil.Process(child.pid), burn
        child.stdin.close()


class TestRealProcesses:
    def test_a_child_is_own_or_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(load_module, "BUSY_CORES", 1e-9)
        with burner() as (child, burn):
            scan = lambda: {one: burner for one, burner in scan_processes().items() if one == child}  # noqa: E731
            mine, theirs = (LoadMonitor(psutil.cpu_count() or 1, scan=scan) for _ in range(2))
            mine.start()
            theirs.start()
            burn()
            own, others = mine.read([child]), theirs.read([])
            assert own.own_cpu_seconds > others.own_cpu_seconds == 0.0
            assert others.others_cpu_seconds > own.others_cpu_seconds
            assert (len(mine.busiest()), len(theirs.busiest())) == (0, 1)
        after = mine.read([child])
        assert after.own_cpu_seconds >= own.own_cpu_seconds
        assert after.others_cpu_seconds >= own.others_cpu_seconds

    def test_a_scan_knows_processes_by_identity(self) -> None:
        found = scan_processes()
        assert found[psutil.Process()].pid == os.getpid()
        assert all(len(process.name) <= NAME_CHARACTERS for process in found.values())

    def test_what_a_scan_passes_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(process: psutil.Process) -> float:
            raise psutil.AccessDenied(process.pid)

        monkeypatch.setattr(psutil, "pids", lambda: [os.getpid(), 2**22 + 5])
        assert [process.pid for process in scan_processes().values()] == [os.getpid()]
        monkeypatch.setattr(load_module, "_cpu_seconds", refuse)
        assert scan_processes() == {}


class FakeNvml:
    """Stands in for the module `pynvml`. `use` and `memory`: by device; an exception is raised."""

    class NVMLError(Exception):
        def __init__(self, value: int) -> None:
            self.value = value

    def __init__(self, use: Iterable[Any] = (), computing: Iterable[Any] = (), drawing: Iterable[Any] = ()) -> None:
        self.use, self.computing, self.drawing = list(use), list(computing), list(drawing)
        self.since: list[tuple[int, int]] = []
        self.starts = 0
        self.start_failure: Exception | None = None

    def nvmlInit(self) -> None:
        self.starts += 1
        if self.start_failure is not None:
            raise self.start_failure

    def nvmlDeviceGetCount(self) -> int:
        return max(len(self.use), len(self.computing))

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetProcessUtilization(self, device: int, since: int) -> list[Any]:
        self.since.append((device, since))
        return told(self.use[device] if self.use else FakeNvml.NVMLError(3), "pid", "smUtil", "timeStamp")

    def nvmlDeviceGetMemoryInfo(self, device: int) -> Any:
        return SimpleNamespace(free=1000 + device, total=5000)

    def nvmlDeviceGetComputeRunningProcesses(self, device: int) -> list[Any]:
        return told(self.computing[device] if self.computing else FakeNvml.NVMLError(3), "pid", "usedGpuMemory")

    def nvmlDeviceGetGraphicsRunningProcesses(self, device: int) -> list[Any]:
        return told(self.drawing[device] if self.drawing else [], "pid", "usedGpuMemory")


def told(rows: Any, *names: str) -> list[Any]:
    if isinstance(rows, Exception):
        raise rows
    return [SimpleNamespace(**dict(zip(names, row))) for row in rows]


NOT_FOUND, NOT_SUPPORTED, EMPTY = (FakeNvml.NVMLError(value) for value in (6, 3, 0))


class TestGpus:
    @pytest.fixture
    def gpus(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Gpus]:
        def make(nvml: Any, foreign: Iterable[int] = ()) -> Gpus:
            monkeypatch.setitem(sys.modules, "pynvml", nvml)
            return Gpus(lives_here=lambda pid: pid not in set(foreign), wall_clock=lambda: 5.0)

        return make

    def test_nothing_is_known(self, gpus: Callable[..., Gpus]) -> None:
        unstartable = FakeNvml(use=[[(1, 50, 1)]], computing=[[(1, 50)]])
        unstartable.start_failure = FakeNvml.NVMLError(12)
        # None in sys.modules is how Python marks a module that cannot be imported.
        for nvml in (None, unstartable, FakeNvml(), FakeNvml(use=[NOT_SUPPORTED], computing=[NOT_SUPPORTED])):
            blind = gpus(nvml)
            assert (blind.look({1}).others_percent, blind.look({1}).own_bytes) == (None, None)
        assert unstartable.starts == 1

    def test_free_memory(self, gpus: Callable[..., Gpus]) -> None:
        assert gpus(FakeNvml(computing=[[], []])).free_bytes() == 2001
        assert gpus(FakeNvml()).free_bytes() is None

    def test_an_old_module(self, gpus: Callable[..., Gpus], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(FakeNvml, "nvmlDeviceGetProcessUtilization")
        old = gpus(FakeNvml(use=[[]], computing=[[(1, 50)]]))
        assert (old.look({1}).others_percent, old.look({1}).own_bytes) == (None, 50)

    @pytest.mark.parametrize(
        ("use", "percent"),
        [
            ([[(1, 60, 9), (2, 30, 9), (3, 5, 9)]], 35.0),
            ([[(2, 30, 9), (2, 10, 10), (2, 99, 8)]], 10.0),
            ([[(2, 80, 9), (3, 70, 9)]], 100.0),
            ([[(2, 10, 9)], [(2, 15, 9), (3, 5, 9)], NOT_SUPPORTED], 20.0),
            ([[(2, 4_000_000_000, 9), (0, 50, 9), (1, 5, 9)]], 0.0),
            ([NOT_FOUND], 0.0),
            ([EMPTY], 0.0),
            ([[]], 0.0),
        ],
    )
    def test_others(self, gpus: Callable[..., Gpus], use: list[Any], percent: float) -> None:
        assert gpus(FakeNvml(use=use)).look({1}).others_percent == percent

    def test_each_sample_once(self, gpus: Callable[..., Gpus]) -> None:
        nvml = FakeNvml(use=[[(2, 30, 6_000_000), (2, 10, 5_500_000)], NOT_FOUND])
        one = gpus(nvml)
        one.look(set())
        nvml.use[0] = NOT_FOUND
        one.look(set())
        one.look(set())
        assert nvml.since == [(0, 5_000_000), (1, 5_000_000), *([(0, 6_000_000), (1, 5_000_000)] * 2)]
        assert nvml.starts == 1

    def test_pids_of_another_namespace(self, gpus: Callable[..., Gpus]) -> None:
        outside = FakeNvml(use=[[(2, 30, 9)]], computing=[[(2, 500)]])
        assert gpus(outside, foreign=[2]).look({1}).others_percent is None
        assert gpus(outside, foreign=[2]).look({1}).own_bytes is None
        with_us = FakeNvml(use=[[(2, 30, 9), (1, 3, 9)]], computing=[[(2, 500), (1, 7)]])
        assert gpus(with_us, foreign=[2]).look({1}) == GpuLook(3.0, 30.0, 7, 500)
        assert gpus(with_us, foreign=[2]).look({1}).others_percent == 30.0
        assert gpus(with_us, foreign=[2]).look({1}).own_bytes == 7

    @pytest.mark.parametrize(
        ("computing", "drawing", "held"),
        [
            ([[(1, 100), (2, 900)]], [], 100),
            ([[(1, 100), (2, 900)]], [[(1, 100), (4, 30)]], 130),
            ([[(1, 100)], [(1, 50), (4, 7)], NOT_SUPPORTED], [], 157),
            ([[(2, 900)]], [], 0),
            ([[]], [], 0),
            ([[(1, None), (4, 5)]], [], None),
            ([[(1, 5), (2, None)]], [], 5),
        ],
    )
    def test_memory(
        self, gpus: Callable[..., Gpus], computing: list[Any], drawing: list[Any], held: int | None
    ) -> None:
        assert gpus(FakeNvml(computing=computing, drawing=drawing)).look({1, 4}).own_bytes == held


class Room:
    """A machine with 4 cores where others burn `percents[second]` percent of them."""

    def __init__(self, percents: list[float], default: float = 0.0) -> None:
        self.percents, self.default = percents, default
        self.now = 0.0
        self.stop_at = float("inf")
        self.naps: list[float] = []

    def others(self) -> float:
        whole = int(self.now)
        seconds = [self.at(second) for second in range(whole)]
        return 4 / 100 * (sum(seconds) + self.at(whole) * (self.now - whole))

    def at(self, second: int) -> float:
        return self.percents[second] if second < len(self.percents) else self.default

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds

    def wait(self, max_seconds: float = 60.0) -> Quiet:
        return wait_for_quiet(
            self.others, 4, max_seconds, lambda: self.now >= self.stop_at, lambda: 100 + self.now, self.sleep
        )


class TestQuiet:
    @pytest.mark.parametrize(
        ("percents", "waited", "is_quiet"),
        [
            ([0.0], 1, True),
            ([9.5], 1, True),
            ([10.5], 6, True),
            ([50.0] * 7, 12, True),
            ([50.0, 0, 0, 0, 0, 50.0], 11, True),
            ([50.0, 9, 9, 9, 9, 9], 6, True),
            ([50.0] * 55, 60, True),
            ([50.0] * 56, 60, False),
            ([11.0, 9.0] * 60, 60, False),
        ],
    )
    def test_the_rule(self, percents: list[float], waited: float, is_quiet: bool) -> None:
        found = Room(percents).wait()
        assert (found.waited_seconds, found.is_quiet) == (pytest.approx(waited), is_quiet)
        assert (found.others_percent < 10.0) == is_quiet

    def test_the_busiest_of_the_last_windows_is_told(self) -> None:
        assert Room([80.0, 3.0, 7.0]).wait().others_percent == pytest.approx(7.0)
        assert Room([], default=65.0).wait(7.5) == Quiet(7.0, False, pytest.approx(65.0))

    def test_the_glance_is_always_taken(self) -> None:
        assert Room([]).wait(0.0) == Quiet(1.0, True, 0.0)
        assert Room([], default=20.0).wait(0.0).is_quiet is False

    @pytest.mark.parametrize(
        ("stop_at", "default", "found"),
        [
            (0.0, 50.0, Quiet(0.0, False, 0.0)),
            (0.5, 0.0, Quiet(0.5, True, 0.0)),
            (0.5, 50.0, Quiet(0.5, False, pytest.approx(50.0))),
            (3.25, 50.0, Quiet(3.25, False, pytest.approx(50.0))),
        ],
    )
    def test_a_stop_ends_it(self, stop_at: float, default: float, found: Quiet) -> None:
        room = Room([], default=default)
        room.stop_at = stop_at
        assert room.wait() == found

    def test_a_late_machine_never_waits_past_its_time(self) -> None:
        room = Room([], default=50.0)
        nap = room.sleep
        room.sleep = lambda seconds: nap(seconds + 0.01)  # type: ignore[method-assign]
        found = room.wait(10.0)
        assert 9.0 <= found.waited_seconds <= 10.0
        assert max(room.naps) < 0.3

    def test_a_counter_that_falls_is_no_load(self) -> None:
        room = Room([], default=-30.0)
        assert room.wait() == Quiet(1.0, True, 0.0)


def test_sleep_is_read_where_the_clock_does_not_count_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_module.asleep_seconds() > -0.01
    clocks = {"boot": 1000.0, "monotonic": 400.0}
    monkeypatch.setattr(load_module.time, "clock_gettime", clocks.__getitem__)
    monkeypatch.setattr(load_module.time, "CLOCK_MONOTONIC", "monotonic")
    monkeypatch.setattr(load_module.sys, "platform", "linux")
    monkeypatch.setattr(load_module.time, "CLOCK_BOOTTIME", "boot", raising=False)
    assert load_module.asleep_seconds() == 600.0
    monkeypatch.setattr(load_module.sys, "platform", "darwin")
    monkeypatch.setattr(load_module.time, "monotonic", lambda: 150.0)
    assert load_module.asleep_seconds() == 250.0
    monkeypatch.setattr(load_module.sys, "platform", "win32")
    assert load_module.asleep_seconds() == 0.0
