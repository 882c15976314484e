"""Which process is which: an id is used again, a start time with it is not, and both mean something in one place."""

from __future__ import annotations

import os
import platform
import re
import sys
import uuid
import zlib
from pathlib import Path

import psutil

from sweeper.errors import NotReady

SAME_SECONDS = 2
"""Start times that differ by no more are the same: they are rounded, and read at different instants."""
NOWHERE = "0.0"
"""The place of a process on Linux that cannot tell it. Nobody is judged by it."""
_OWNER = re.compile("([0-9a-f]{1,16}[.][0-9]{1,20})-([0-9]{1,9})-([0-9]{1,12})-")


def place(proc: Path = Path("/proc")) -> str:
    """Where a process id means something: this boot of this machine, and this namespace of process ids.

    A container counts its processes anew, and another machine may share a disk: its ids say nothing here.
    """
    if sys.platform != "linux":  # the boot time is what there is, rounded because clocks are set
        return f"{round(psutil.boot_time() / 60):x}.{zlib.crc32(platform.node().encode())}"
    try:
        boot = (proc / "sys/kernel/random/boot_id").read_text().strip().replace("-", "")[:12]
        namespace = "".join(filter(str.isdigit, str((proc / "self/ns/pid").readlink())))
    except OSError:
        return NOWHERE
    return f"{boot}.{namespace}" if _shows_our_own(proc) else NOWHERE


def check_processes(proc: Path = Path("/proc")) -> None:
    """Before any process is looked for.

    Raises:
        NotReady: /proc shows another namespace's processes, as after `unshare --pid` alone: ours cannot be told there.
    """
    if sys.platform == "linux" and (proc / "self").is_symlink() and not _shows_our_own(proc):
        raise NotReady(
            f"{proc} shows the processes of another namespace, where ours have other numbers",
            "mount it anew in this one: `unshare --mount-proc`, or `mount -t proc proc /proc`",
        )


def _shows_our_own(proc: Path) -> bool:
    try:
        return (proc / "self").readlink().name == str(os.getpid())
    except OSError:
        return False


def start_seconds(process: psutil.Process) -> int:
    """When a process started, in seconds that stay the same when the machine's clock is set.

    Linux counts from boot, to which psutil adds the boot time by the clock as it is now; others keep the time itself.

    Raises:
        psutil.Error: it is gone, or may not be looked at.
    """
    boot = psutil.boot_time() if sys.platform == "linux" else 0.0
    return round(process.create_time() - boot)


def is_alive(pid: int, started: int) -> bool | None:
    """Whether the process that started then still lives; None where it cannot be told."""
    try:
        return abs(start_seconds(psutil.Process(pid)) - started) <= SAME_SECONDS
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return None


def owner() -> str:
    """This process by place, id and start time in seconds, as a prefix of marks and folders."""
    return f"{place()}-{os.getpid()}-{start_seconds(psutil.Process())}-"


def new_mark() -> str:
    """Of this process, and of nothing else that it starts or makes."""
    return owner() + uuid.uuid4().hex


def is_ownerless(name: str) -> bool:
    """Whether a mark or folder names an owner who was in this place and is no more; False where it cannot be told."""
    match = _OWNER.match(name)
    if match is None or match[1] != place() or match[1] == NOWHERE:
        return False
    return is_alive(int(match[2]), int(match[3])) is False
