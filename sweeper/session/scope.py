"""A memory cap that systemd has the kernel keep: a scope for each session, no root needed (systemd 253 or later).

Written from the manuals of systemd-run and systemd.resource-control, tested against a stand-in: not run with systemd.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sweeper.session.cgroup import ROOT, oom_kills

ASK_SECONDS = 5.0
_KEPT = "OOMPolicy=continue"
"""Only the process that the kernel chose ends, so that we still see who it was; the rest is ours to end."""


class SystemdScope:
    """A scope that is limited to the cap."""

    mechanism = "systemd scope (cgroup v2)"

    def __init__(self, tool: str, unit: str, cap_bytes: int, root: Path) -> None:
        self._tool, self._unit, self._cap, self._root = tool, unit, cap_bytes, root
        self._path: Path | None = None
        self._kills = 0

    @classmethod
    def create(cls, unit: str, cap_bytes: int, root: Path = ROOT) -> SystemdScope | None:
        """None where there is no systemd, or it does not let us."""
        tool = shutil.which("systemd-run")
        if tool is None or not (root / "cgroup.controllers").exists() or not _works(tool):
            return None
        return cls(tool, unit, cap_bytes, root)

    def wrap(self, command: Sequence[str]) -> list[str]:
        """`command`, run inside the scope; systemd-run becomes it, so its process id is the command's."""
        return [*_ask(self._tool, self._cap, f"--unit={self._unit}"), *command]

    def kills(self) -> int:
        """Processes that the kernel has killed at the cap. A scope goes with its last process, its count with it."""
        self._path = self._path or next(self._root.rglob(f"{self._unit}.scope"), None)
        if self._path is not None:
            self._kills = max(self._kills, oom_kills(self._path))
        return self._kills

    def peak_bytes(self) -> int | None:
        """The most that the kernel ever counted in it; gone with its last process."""
        return None

    def remove(self) -> None:
        """Nothing to do: a scope goes with its last process."""


@functools.cache
def _works(tool: str) -> bool:
    try:
        done = subprocess.run(
            [*_ask(tool, 2**30), "true"], capture_output=True, stdin=subprocess.DEVNULL, timeout=ASK_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _ask(tool: str, cap_bytes: int, *more: str) -> list[str]:
    user = () if hasattr(os, "geteuid") and os.geteuid() == 0 else ("--user",)
    limits = (f"MemoryMax={cap_bytes}", "MemorySwapMax=0", _KEPT)
    properties = [word for limit in limits for word in ("-p", limit)]
    return [tool, *user, "--scope", "--quiet", "--collect", *more, *properties, "--"]
