"""Control groups of our own that hold a session's memory to the cap, where this machine lets us make some (Linux).

Version 1 needs a writable memory hierarchy, which root has. Version 2 needs a group that was delegated to us with the
memory controller, with nobody else in it. The kernel's count is not ours: it has files that were read in it, which it
gives back before it kills anybody, so peaks are still measured by sampling.
"""

from __future__ import annotations

import contextlib
import re
import signal
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

ROOT = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")
PREFIX = "sweeper-"
LEAF = "sweeper-tool"
"""Where we go ourselves: version 2 lets a group that has processes of its own limit nobody below it."""
EMPTY_SECONDS = 2.0

_PID = re.compile("[0-9]{1,9}")

Limits = Sequence[tuple[str, str]]
_V1: Limits = (("memory.limit_in_bytes", "{cap}"), ("?memory.memsw.limit_in_bytes", "{cap}"))
_V2: Limits = (("memory.max", "{cap}"), ("?memory.swap.max", "0"), ("?memory.oom.group", "0"))
"""Files and what to write into them; those with a question mark are missing where swap is not accounted."""


class MemoryGroup:
    """A group of our own that is limited to the cap."""

    def __init__(self, path: Path, mechanism: str) -> None:
        self.mechanism = mechanism
        self._path = path

    def wrap(self, command: Sequence[str]) -> list[str]:
        """`command`, run inside the group from its first moment on."""
        return ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self._path / "cgroup.procs"), *command]

    def kills(self) -> int:
        """Processes that the kernel has killed at the cap."""
        return oom_kills(self._path)

    def peak_bytes(self) -> int | None:
        """The most that the kernel ever counted in it, files that were read included."""
        for file in ("memory.peak", "memory.max_usage_in_bytes"):
            with contextlib.suppress(OSError, ValueError):
                return int((self._path / file).read_text())
        return None

    def remove(self) -> None:
        """Kill what is left in it, then remove it."""
        deadline = time.monotonic() + EMPTY_SECONDS
        while time.monotonic() < deadline:
            for pid in _pids(self._path):
                with contextlib.suppress(psutil.Error):
                    psutil.Process(pid).send_signal(signal.SIGKILL)
            with contextlib.suppress(OSError):
                self._path.rmdir()
                return
            if not self._path.exists():
                return
            time.sleep(0.05)


def leftover_groups(root: Path = ROOT, own: Path = OWN_GROUPS) -> list[tuple[str, MemoryGroup]]:
    """Groups of ours that are there, by name; whose tool is gone is for the caller to know."""
    return [
        (path.name.removeprefix(PREFIX), MemoryGroup(path, mechanism))
        for parent, mechanism, _ in _parents(root, own)
        for path in parent.glob(f"{PREFIX}*")
        if path.is_dir() and path.name != LEAF
    ]


def oom_kills(group: Path) -> int:
    """What a group's own record says, of either version; 0 where it says nothing."""
    for file in ("memory.events", "memory.oom_control"):
        with contextlib.suppress(OSError, ValueError):
            counts = dict(line.split() for line in (group / file).read_text().splitlines())
            if "oom_kill" in counts:
                return int(counts["oom_kill"])
    return 0


def new_group(name: str, cap_bytes: int, root: Path = ROOT, own: Path = OWN_GROUPS) -> MemoryGroup | None:
    """A group of that name, limited; None where this machine does not let us."""
    for parent, mechanism, limits in _parents(root, own):
        path = parent / f"{PREFIX}{name}"
        try:
            path.mkdir()
        except OSError:
            continue
        try:
            _limit(path, limits, cap_bytes)
        except OSError:
            with contextlib.suppress(OSError):
                path.rmdir()
            continue
        return MemoryGroup(path, mechanism)
    return None


def _limit(path: Path, limits: Limits, cap_bytes: int) -> None:
    for file, value in limits:
        text = value.format(cap=cap_bytes)
        if file.startswith("?"):
            with contextlib.suppress(OSError):
                (path / file[1:]).write_text(text)
        else:
            (path / file).write_text(text)


def _parents(root: Path, own: Path) -> Iterable[tuple[Path, str, Limits]]:
    """Where a group of ours could be, with the limits to write into it."""
    try:
        lines = own.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if "memory" in controllers.split(","):
            yield root / "memory" / path.lstrip("/"), "cgroup v1", _V1
        elif number == "0":
            group = root / path.lstrip("/")
            group = group.parent if group.name == LEAF else group
            if "memory" in _words(group / "cgroup.subtree_control") or _make_room(group):
                yield group, "cgroup v2", _V2


def _make_room(group: Path) -> bool:
    """Move this tool into a leaf of its group, so that the group may limit others; only where nobody else is in it."""
    if "memory" not in _words(group / "cgroup.controllers"):
        return False
    ours = {psutil.Process().pid, *(child.pid for child in psutil.Process().children(recursive=True))}
    members = _pids(group)
    if not members or not ours.issuperset(members):
        return False
    try:
        (group / LEAF).mkdir(exist_ok=True)
        for pid in members:
            (group / LEAF / "cgroup.procs").write_text(str(pid))
        (group / "cgroup.subtree_control").write_text("+memory")
    except OSError:
        return False
    return True


def _pids(group: Path) -> list[int]:
    return [int(word) for word in _words(group / "cgroup.procs") if _PID.fullmatch(word)]


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(errors="replace").split()
    except OSError:
        return []
