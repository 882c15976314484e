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


class Meanwhile:
    """A keeper that holds more than one session, one after the other: what it did since the latest began."""

    def __init__(self, keeper: CapKeeper) -> None:
        self._keeper = keeper
        self._kills, self._peak = keeper.kills(), keeper.peak_bytes() or 0
        self.mechanism = keeper.mechanism

    def wrap(self, command: Sequence[str]) -> list[str]:
        """Unchanged: who runs it is held already."""
        return list(command)

    def kills(self) -> int:
        """Processes that were killed at the cap since then."""
        return self._keeper.kills() - self._kills

    def peak_bytes(self) -> int | None:
        """The most that was counted since then; None where it was no more than before."""
        peak = self._keeper.peak_bytes()
        return peak if peak is not None and peak > self._peak else None

    def remove(self) -> None:
        """Nothing to do: it outlives this session."""


def keep_cap(name: str, cap_bytes: int) -> CapKeeper | None:
    """The best keeper that this machine lets us have; None where only sampling is left."""
    return new_group(name, cap_bytes) or SystemdScope.create(f"{PREFIX}{name}", cap_bytes)
