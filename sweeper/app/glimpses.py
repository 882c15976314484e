"""What a session looks like, as events."""

from __future__ import annotations

from sweeper.model.events import PlayAwaited, TrialProgress
from sweeper.session.ports import EDITOR_PORT
from sweeper.session.session import Glimpse


def event_of(glimpse: Glimpse, steps_per_second: float | None = None) -> TrialProgress | PlayAwaited:
    """That Play is awaited where it is, else how the session gets on; `steps_per_second` where it is known."""
    if glimpse.play_seconds_left is not None:
        return PlayAwaited(EDITOR_PORT, glimpse.play_seconds_left)
    updates = glimpse.samples[-1].policy_updates if glimpse.samples else 0
    return TrialProgress(glimpse.stage, steps_per_second, updates, glimpse.memory_bytes, glimpse.seconds)
