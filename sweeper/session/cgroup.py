"""A memory cap that the kernel keeps: a control group of our own, where this machine lets us make one (Linux).

Version 2 needs a group that was delegated to us with the memory controller and without processes of its own; version 1
needs a writable memory hierarchy, which root has. Elsewhere sampling alone keeps the cap. The kernel's count is not ours:
it has files that were read in it, which it gives back before it kills anybody, so peaks are still measured by sampling.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

ROOT = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")
PREFIX = "sweeper-"
EMPTY_SECONDS = 2.0


class MemoryGroup:
    """A group that is limited to a cap. `mechanism` names who keeps it."""

    def __init__(self, path: Path, mechanism: str) -> None:
        self.mechanism = mechanism
        self._path = path

    @classmethod
    def create(cls, name: str, cap_bytes: int, root: Path = ROOT, own: Path = OWN_GROUPS) -> MemoryGroup | None:
        """A new group of that name; None where this machine does not let us."""
        for parent, mechanism, limits in _parents(root, own):
            path = parent / f"{PREFIX}{name}"
            try:
                path.mkdir()
            except OSError:
                continue
            try:
                for file, value in limits:
                    if file.startswith("?"):  # where swap is not accounted
                        with contextlib.suppress(OSError):
                            _write(path / file[1:], value, cap_bytes)
                    else:
                        _write(path / file, value, cap_bytes)
            except OSError:
                with contextlib.suppress(OSError):
                    path.rmdir()
                continue
            return cls(path, mechanism)
        return None

    def wrap(self, command: Sequence[str]) -> list[str]:
        """`command`, run inside the group from its first moment on."""
        return ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self._path / "cgroup.procs"), *command]

    @property
    def kills(self) -> int:
        """Processes that the kernel has killed at the cap."""
        for file in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(OSError, ValueError):
                for line in (self._path / file).read_text().splitlines():
                    name, _, count = line.partition(" ")
                    if name == "oom_kill":
                        return int(count)
        return 0

    def remove(self) -> None:
        """Kill what is left in it, then remove it."""
        deadline = time.monotonic() + EMPTY_SECONDS
        while time.monotonic() < deadline:
            pids = self._pids()
            for pid in pids:
                with contextlib.suppress(psutil.Error, ValueError):
                    psutil.Process(pid).send_signal(signal.SIGKILL)
            with contextlib.suppress(OSError):
                self._path.rmdir()
                return
            time.sleep(0.05)

    def _pids(self) -> list[int]:
        with contextlib.suppress(OSError, ValueError):
            return [int(line) for line in (self._path / "cgroup.procs").read_text().split()]
        return []


def leftover_groups(root: Path = ROOT, own: Path = OWN_GROUPS) -> list[tuple[str, MemoryGroup]]:
    """Our groups that are there, by name; whose tool is gone is for the caller to know."""
    found = []
    for parent, mechanism, _ in _parents(root, own):
        for path in parent.glob(f"{PREFIX}*"):
            if path.is_dir():
                found.append((path.name.removeprefix(PREFIX), MemoryGroup(path, mechanism)))
    return found


_V1 = (("memory.limit_in_bytes", "{cap}"), ("?memory.memsw.limit_in_bytes", "{cap}"))
_V2 = (("memory.max", "{cap}"), ("?memory.swap.max", "0"), ("?memory.oom.group", "0"))


def _parents(root: Path, own: Path) -> list[tuple[Path, str, tuple[tuple[str, str], ...]]]:
    """Where a group of ours could be, with the limits to write into it."""
    found: list[tuple[Path, str, tuple[tuple[str, str], ...]]] = []
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return []
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if "memory" in controllers.split(","):
            found.append((root / "memory" / path.lstrip("/"), "cgroup v1", _V1))
        elif number == "0" and "memory" in _words(root / path.lstrip("/") / "cgroup.subtree_control"):
            found.append((root / path.lstrip("/"), "cgroup v2", _V2))
    return found


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


def _write(file: Path, value: str, cap_bytes: int) -> None:
    file.write_text(value.format(cap=cap_bytes))
