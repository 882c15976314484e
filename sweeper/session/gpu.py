"""What other programs do to the GPUs, and how much GPU memory a trial holds, as NVIDIA's driver tells (NVML).

Needs the optional package nvidia-ml-py (module `pynvml`); without it, or without a GPU, nothing is known. Written from
NVML's reference and the source of nvidia-ml-py 13.615, tested against a stand-in: it has not been run on a GPU.
"""

from __future__ import annotations

import contextlib
import importlib
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

import psutil

MICROSECONDS = 1_000_000
_NO_SAMPLES = (0, 6)
"""NVML_SUCCESS with an empty buffer, which nvidia-ml-py raises too, and NVML_ERROR_NOT_FOUND: no process used it."""


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

    def others_percent(self, tree_pids: Collection[int]) -> float | None:
        """Use of the busiest GPU by processes outside the tree since the last call, 0 to 100.

        None where no GPU tells, or where it names processes that we cannot tell from our own: in a container the driver
        may give the host's pids.
        """
        told = []
        for index, device in enumerate(self._devices):
            with contextlib.suppress(*self._failures()):
                told.append(self._percent_by_pid(index, device))
        if not told or self._is_another_pid_namespace([pid for device in told for pid in device], tree_pids):
            return None
        by_device = (sum(use for pid, use in device.items() if pid not in tree_pids) for device in told)
        return float(min(100, max(by_device)))

    def memory_bytes(self, tree_pids: Collection[int]) -> int | None:
        """GPU memory that the tree holds, all GPUs together; None where untold, as on Windows' display driver model."""
        told = []
        for device in self._devices:
            with contextlib.suppress(*self._failures()):
                told.append(self._memory_by_pid(device))
        if not told or self._is_another_pid_namespace([pid for device in told for pid in device], tree_pids):
            return None
        ours = [held for device in told for pid, held in device.items() if pid in tree_pids]
        return None if None in ours else sum(held or 0 for held in ours)

    def free_bytes(self) -> int | None:
        """GPU memory that nobody holds, all GPUs together; None where untold."""
        told = []
        for device in self._devices:
            with contextlib.suppress(*self._failures()):
                told.append(int(self._nvml.nvmlDeviceGetMemoryInfo(device).free))
        return sum(told) if told else None

    def _percent_by_pid(self, index: int, device: Any) -> dict[int, int]:
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

    def _memory_by_pid(self, device: Any) -> dict[int, int | None]:
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
