"""What a study may take, as people write it: memory, time, trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sweeper import quantities
from sweeper.outside import shown

MAX_TRIALS = 1_000_000


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
    """The study's total: seconds, and a number of trials where one is given."""

    seconds: float
    trials: int | None = None


def parse_memory_cap(value: Any) -> MemoryCap:
    """`8GiB` or `80%`; raises ValueError."""
    if isinstance(value, MemoryCap):
        return value
    if str(value).strip().endswith("%"):
        return MemoryCap(share=quantities.share(value))
    return MemoryCap(bytes=quantities.byte_count(value))


def parse_budget(value: Any) -> Budget:
    """`20m` or `{time: 8h, trials: 60}`; raises ValueError."""
    if isinstance(value, Budget):
        return value
    if not isinstance(value, dict):
        return Budget(quantities.seconds(value))
    unknown = set(value) - {"time", "trials"}
    if unknown or "time" not in value:
        raise ValueError("expected a duration such as 20m, or {time: 8h, trials: 60}")
    trials = value.get("trials")
    if trials is not None and (isinstance(trials, bool) or not isinstance(trials, int) or trials < 1):
        raise ValueError(f"trials: expected a whole number from 1, not {shown(trials)}")
    if trials is not None and trials > MAX_TRIALS:
        raise ValueError(f"trials: expected {MAX_TRIALS:,} at most, not {shown(trials)}")
    return Budget(quantities.seconds(value["time"]), trials)
