"""What other programs do to the GPUs, and how much GPU memory a trial holds, as NVIDIA's driver tells (NVML).

Needs the optional package nvidia-ml-py (module `pynvml`); without it, or without a GPU, nothing is known. Written from
NVML's reference and the source of nvidia-ml-py 13.615, tested against a stand-in: it has not been run on a GPU.
"""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import psutil

MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class GpuLook:
    """Use of the busiest GPU since the last look, 0 to 100, and GPU memory held now, all GPUs together; None: untold.

    Untold too where a GPU names processes that we cannot tell from our own: in a container the driver may give the
    host's pids; and memory by Windows' display driver model.
    """

    own_percent: float | None = None
    others_percent: float | None = None
    own_bytes: int | None = None
    others_bytes: int | None = None


_NO_SAMPLES = (0, 6)
"""NVML_SUCCESS with an empty buffer, which nvidia-ml-py raises too, and NVML_ERROR_NOT_FOUND: no process used it."""
Use = Mapping[int, Optional[int]]
"""By process id; None where the driver does not say."""


class Gpus:
    """The machine's NVIDIA GPUs. NVML is started once, here; where that fails, every answer is None."""

    def __init__(
        self,
        lives_here: Callable[[int], bool] = psutil.pid_exists,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._lives_here = lives_here
        self._nvml: Any = None
        self._devices: list[Any] = []
        with contextlib.suppress(ImportError):
            self._nvml = importlib.import_module("pynvml")
        if self._nvml is not None:
            with contextlib.suppress(*self._failures()):
                self._nvml.nvmlInit()
                count = self._nvml.nvmlDeviceGetCount()
                self._devices = [self._nvml.nvmlDeviceGetHandleByIndex(index) for index in range(count)]
        self._seen_microseconds = [int(wall_clock() * MICROSECONDS)] * len(self._devices)

    def look(self, tree_pids: Collection[int]) -> GpuLook:
        """What the processes of a tree and all others do to the GPUs."""
        percents, held = self._told(self._percent_by_pid, tree_pids), self._told(self._memory_by_pid, tree_pids)

        def is_own(pid: int) -> bool:
            return pid in tree_pids

        def is_anothers(pid: int) -> bool:
            return pid not in tree_pids

        return GpuLook(
            _busiest(percents, is_own), _busiest(percents, is_anothers), _all(held, is_own), _all(held, is_anothers)
        )

    def _told(self, ask: Callable[[int, Any], Use], tree_pids: Collection[int]) -> list[Use]:
        """By GPU that tells; none where it cannot be told whose processes they are."""
        told = []
        for index, device in enumerate(self._devices):
            with contextlib.suppress(*self._failures()):
                told.append(ask(index, device))
        return [] if self._is_another_pid_namespace([pid for use in told for pid in use], tree_pids) else told

    def free_bytes(self) -> int | None:
        """GPU memory that nobody holds, all GPUs together; None where untold."""
        told = []
        for device in self._devices:
            with contextlib.suppress(*self._failures()):
                told.append(int(self._nvml.nvmlDeviceGetMemoryInfo(device).free))
        return sum(told) if told else None

    def _percent_by_pid(self, index: int, device: Any) -> Use:
        """The latest sample of each process that used the GPU since we looked last."""
        try:
            samples = self._nvml.nvmlDeviceGetProcessUtilization(device, self._seen_microseconds[index])
        except self._nvml.NVMLError as error:
            if getattr(error, "value", None) not in _NO_SAMPLES:
                raise
            return {}
        self._seen_microseconds[index] = max([self._seen_microseconds[index], *(one.timeStamp for one in samples)])
        latest = {one.pid: one for one in sorted(samples, key=lambda one: int(one.timeStamp))}
        # An unfilled entry of the driver's buffer holds nonsense.
        return {int(pid): int(one.smUtil) for pid, one in latest.items() if pid and one.smUtil <= 100}

    def _memory_by_pid(self, _: int, device: Any) -> Use:
        """A process that both computes and draws is in both lists, with the same bytes."""
        drawing = self._nvml.nvmlDeviceGetGraphicsRunningProcesses(device)
        computing = self._nvml.nvmlDeviceGetComputeRunningProcesses(device)
        return {
            int(process.pid): None if process.usedGpuMemory is None else int(process.usedGpuMemory)
            for process in (*drawing, *computing)
        }

    def _is_another_pid_namespace(self, pids: Iterable[int], tree_pids: Collection[int]) -> bool:
        """Whether some pid is unknown here while none is the tree's; else an unknown one has just ended."""
        pids = [*pids]
        return not any(pid in tree_pids for pid in pids) and not all(self._lives_here(pid) for pid in pids)

    def _failures(self) -> tuple[type[Exception], ...]:
        """What NVML raises; an old module may lack a function, or not fit the driver."""
        base: type[Exception] = self._nvml.NVMLError
        return (base, getattr(self._nvml, "NVMLLibraryMismatchError", base), AttributeError, OSError)


def _busiest(told: Sequence[Use], counts: Callable[[int], bool]) -> float | None:
    return float(min(100, max(_sum(use, counts) or 0 for use in told))) if told else None


def _all(told: Sequence[Use], counts: Callable[[int], bool]) -> int | None:
    sums = [_sum(use, counts) for use in told]
    return None if None in sums or not sums else sum(found or 0 for found in sums)


def _sum(use: Use, counts: Callable[[int], bool]) -> int | None:
    """Of the processes that count; None where that of one of them is untold."""
    found = [value for pid, value in use.items() if counts(pid)]
    return None if None in found else sum(value or 0 for value in found)
