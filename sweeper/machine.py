"""Hardware and software fingerprint of the machine in front of us, container limits included."""

from __future__ import annotations

import hashlib
import math
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psutil

from sweeper.model.machine import Machine

_CGROUP = Path("/sys/fs/cgroup")
MOST_MARGIN_BYTES = 1024**3


def describe_machine(packages: Mapping[str, str]) -> Machine:
    """Look at the machine; `packages` are versions in the learner's environment."""
    memory, available = _memory()
    cpu, cores, gpus = _cpu_model(), usable_cores(), _gpus()
    system = f"{platform.system()} {platform.machine()}"
    parts = (cpu, str(psutil.cpu_count(logical=False)), str(cores), str(round(memory / 1024**3)), *gpus, system)
    return Machine(
        key=hashlib.sha256("|".join(parts).encode()).hexdigest()[:12],
        cpu_model=cpu,
        physical_cores=psutil.cpu_count(logical=False),
        usable_cores=cores,
        memory_bytes=memory,
        available_memory_bytes=available,
        gpus=gpus,
        os=f"{system} {platform.release()}",
        python=platform.python_version(),
        mlagents=packages.get("mlagents"),
        torch=packages.get("torch"),
        packages=dict(packages),
    )


def usable_cores() -> int:
    """Logical cores that this process may use: affinity and container quota count."""
    try:
        cores = len(psutil.Process().cpu_affinity() or []) or os.cpu_count() or 1
    except (AttributeError, psutil.Error):  # macOS has no affinity
        cores = os.cpu_count() or 1
    quota = _cpu_quota()
    return max(1, min(cores, math.ceil(quota))) if quota else cores


def available_memory() -> int:
    """Bytes that programs can still have without swapping, the container's limit counted."""
    return _memory()[1]


def memory_margin(total_bytes: int) -> int:
    """Bytes that the machine keeps for itself: without them it swaps, or its out-of-memory killer chooses somebody."""
    return min(MOST_MARGIN_BYTES, total_bytes // 20)


def _memory() -> tuple[int, int]:
    """Total and available bytes, the container's limit counted. Files it has read can be given back, so they count."""
    memory = psutil.virtual_memory()
    total, available = int(memory.total), int(memory.available)
    for limit_file, usage_file, stat_file, cached in (
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
    ):
        limit = _whole(limit_file)
        if limit is not None and limit < total:
            used = (_whole(usage_file) or 0) - _counts(stat_file).get(cached, 0)
            return limit, max(0, min(available, limit - max(0, used)))
    return total, available


def _counts(name: str) -> dict[str, int]:
    try:
        pairs = (line.split() for line in (_CGROUP / name).read_text().splitlines())
        return {key: int(value) for key, value in pairs}
    except (OSError, ValueError):
        return {}


def _cpu_quota() -> float | None:
    try:
        quota, period = (_CGROUP / "cpu.max").read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ArithmeticError):
        pass
    quota_v1, period_v1 = _whole("cpu/cpu.cfs_quota_us"), _whole("cpu/cpu.cfs_period_us")
    return quota_v1 / period_v1 if quota_v1 and quota_v1 > 0 and period_v1 else None


def _whole(name: str) -> int | None:
    try:
        return int((_CGROUP / name).read_text())
    except (OSError, ValueError):  # no such file here, or `max`
        return None


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine() or "unknown"


def _gpus() -> tuple[str, ...]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    try:
        answer = subprocess.run(
            [tool, "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.strip() for line in answer.stdout.splitlines() if line.strip())
