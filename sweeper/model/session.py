"""What one session of the learner left to conclude from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from sweeper.model.measurement import Sample


class SessionEnd(Enum):
    """Why a session ended, as seen from outside; never judged by the learner's exit code."""

    MEASURED = "enough was measured"
    OVER_MEMORY = "the memory cap was reached"
    EXITED = "the learner ended by itself"
    NOT_CONNECTED = "no player connected in time"
    NO_STEPS = "players connected, but no step arrived in time"
    NO_PROBE = "the learner started to train without our probe"
    STALLED = "progress stopped"
    TOO_SLOW = "too few whole cycles in the time allowed"
    INTERRUPTED = "we were asked to stop"


@dataclass(frozen=True)
class SessionRecord:
    """Times in seconds (`*_at` on the machine's monotonic clock), memory in bytes."""

    end: SessionEnd
    samples: tuple[Sample, ...]
    started_at: float
    total_seconds: float
    peak_memory_bytes: int | None
    memory_source: str | None
    exit_code: int | None
    log_tail: tuple[str, ...]
    player_log_tail: tuple[str, ...] = ()
    left_behind: tuple[int, ...] = ()

    @property
    def startup_seconds(self) -> float | None:
        """From launch to the first agent decision seen."""
        first = next((sample.seconds for sample in self.samples if sample.decisions or sample.steps), None)
        return None if first is None else first - self.started_at


class Progress(Enum):
    """What a watcher of the samples says: go on, enough was measured, or it will never be enough."""

    GO_ON = "go on"
    ENOUGH = "enough"
    HOPELESS = "hopeless"


Watcher = Callable[[Sequence[Sample]], Progress]
"""Called with all samples so far, after each that is new."""
