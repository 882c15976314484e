"""Who keeps a session's memory cap: the kernel where it may, sampling everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sweeper.session.cgroup import PREFIX, new_group
from sweeper.session.scope import SystemdScope


class CapKeeper(Protocol):
    """Who keeps the cap beside us. `mechanism` names it."""

    mechanism: str

    def wrap(self, command: Sequence[str]) -> list[str]:
        """`command`, capped from its first moment on; its process id stays that of what is started."""

    def kills(self) -> int:
        """Processes that were killed at the cap."""

    def peak_bytes(self) -> int | None:
        """The most that it ever counted; None where it does not tell."""

    def remove(self) -> None:
        """End what is left in it, and forget it."""


def keep_cap(name: str, cap_bytes: int) -> CapKeeper | None:
    """The best keeper that this machine lets us have; None where only sampling is left."""
    return new_group(name, cap_bytes) or SystemdScope.create(f"{PREFIX}{name}", cap_bytes)
