"""The two clocks that a study goes by: the budget's, which never turns back, and the one on the wall."""

from __future__ import annotations

import time
from datetime import datetime, timezone


def seconds_to(until: datetime) -> float:
    """From now, by the clock on the wall: a machine that slept, or whose clock was set, has as much less of it."""
    return until.timestamp() - time.time()


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
