"""What a study may take, as people write it: memory, time, trials."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sweeper.inputs import quantities
from sweeper.outside import shown

LEAST_BYTES = 64 * 1024**2
LEAST_SHARE = 0.01
"""Of memory, below which a cap is a slip of the pen."""
MAX_TRIALS = 1_000_000
MIN_SECONDS, MAX_SECONDS = 45.0, 120.0
"""Of measuring, where nothing else is asked for (docs/measuring.md, "When it stops")."""
SESSION_SHARE = 1 / 20
"""Of the budget, that a session may take to measure, its start-up not counted: with fewer sessions there would be
nothing to choose among."""
LEAST_LIMIT_SECONDS = 20.0
ROOM_FOR_BURSTS = 0.9
"""Share of the updates asked for that are enough. Batch sizes are powers of two, so that many a configuration makes
exactly a quarter of the updates, and how many bursts fall into a session would decide about it: seen were 5.61, 5.60
and 5.48 where 5.60 were asked for."""
ROOM = 0.75
"""Of the limit, by which precision may end a session at the latest; without room it would never end one."""


@dataclass(frozen=True)
class MemoryCap:
    """The most memory a trial may use: bytes, or a share of what is available when the study starts."""

    bytes: int | None = None
    share: float | None = None

    def resolve(self, available_bytes: int) -> int:
        """The cap in bytes."""
        return self.bytes if self.bytes is not None else int((self.share or 0.0) * available_bytes)


@dataclass(frozen=True)
class Budget:
    """The study's total: seconds, infinite where only trials are limited, and a number of trials where one is given."""

    seconds: float
    trials: int | None = None

    @property
    def told_seconds(self) -> float | None:
        """None where time is not limited."""
        return self.seconds if math.isfinite(self.seconds) else None


def parse_memory_cap(value: Any) -> MemoryCap:
    """`8GiB` or `80%`; raises ValueError."""
    if isinstance(value, MemoryCap):
        return value
    if str(value).strip().endswith("%"):
        share = quantities.share(value)
        if share < LEAST_SHARE:
            raise ValueError(f"expected {LEAST_SHARE:.0%} or more, not {shown(value)}: no trial runs in that")
        return MemoryCap(share=share)
    count = quantities.byte_count(value)
    if not isinstance(value, str) or not value.strip()[-1:].isalpha():
        raise ValueError(f"expected a unit, as in 8GiB, 500MB or 80%, not {shown(value)}")
    if count < LEAST_BYTES:
        raise ValueError(f"expected {LEAST_BYTES // 1024**2}MiB or more, not {shown(value)}: no trial runs in that")
    return MemoryCap(bytes=count)


def parse_budget(value: Any) -> Budget:
    """`20m`, `{time: 8h, trials: 60}` or `{trials: 60}`; raises ValueError."""
    if isinstance(value, Budget):
        return value
    if not isinstance(value, dict):
        return Budget(quantities.seconds(value))
    if not value or set(value) - {"time", "trials"}:
        raise ValueError("expected a duration such as 20m, {time: 8h, trials: 60}, or {trials: 60} alone")
    trials = value.get("trials")
    if trials is not None and (isinstance(trials, bool) or not isinstance(trials, int) or trials < 1):
        raise ValueError(f"trials: expected a whole number from 1, not {shown(trials)}")
    if trials is not None and trials > MAX_TRIALS:
        raise ValueError(f"trials: expected {MAX_TRIALS:,} at most, not {shown(trials)}")
    if value.get("time") is None and trials is None:
        raise ValueError("expected a duration or a number of trials at the least")
    return Budget(math.inf if value.get("time") is None else quantities.seconds(value["time"]), trials)


def session_limits(min_seconds: float | None, max_seconds: float | None, budget_seconds: float) -> tuple[float, float]:
    """How long a session measures at least and at most; what is None follows the other one and the budget."""
    most = max_seconds
    if most is None:
        needed = (min_seconds or 0.0) / ROOM
        most = max(LEAST_LIMIT_SECONDS, needed, min(MAX_SECONDS, SESSION_SHARE * budget_seconds))
    return min(MIN_SECONDS, ROOM * most) if min_seconds is None else min_seconds, most
