"""What one session of the learner left to conclude from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from sweeper.model.load import BusyProcess, Contention, LoadSample, Part
from sweeper.model.measurement import Sample
from sweeper.model.trial import LearnerStart

SAMPLING = "sampling"
OUT_OF_MEMORY_KILLER = "the system's out-of-memory killer"
"""Who ended a session that broke its memory cap, beside the kernel's own mechanisms."""
PSS = "pss"
RSS = "rss (upper bound)"
"""How memory was counted: shared pages once, or in every process that has them."""


@dataclass(frozen=True)
class Limits:
    """What the system allows here; sizes in bytes, and None where it does not tell.

    `open_files`: of one process. `shm_bytes`, `shm_free_bytes`: of /dev/shm when the session had ended.
    """

    open_files: int | None = None
    shm_bytes: int | None = None
    shm_free_bytes: int | None = None


class SessionEnd(Enum):
    """Why a session ended, as seen from outside; never judged by the learner's exit code."""

    MEASURED = "enough was measured"
    OVER_MEMORY = "the memory cap was reached"
    OVER_GPU_MEMORY = "the cap of GPU memory was reached"
    MACHINE_SHORT_OF_MEMORY = "the machine ran short of memory, which others took"
    DISK_SHORT = "the disk was nearly full"
    EXITED = "the learner ended by itself"
    NOT_CONNECTED = "no player connected in time"
    NO_STEPS = "players connected, but no step arrived in time"
    STALLED = "progress stopped"
    TOO_SLOW = "too few whole cycles in the time allowed"
    OUTPACED = "it cannot become the fastest"
    INTERRUPTED = "we were asked to stop"
    TURNS_BROKEN = "running in turn with others did not work"
    NOBODY_PLAYED = "nobody pressed Play in the Unity Editor"


@dataclass(frozen=True)
class SessionRecord:
    """Times in seconds (`*_at` on the machine's monotonic clock), memory in bytes.

    `from_console`: our probe could not be loaded, and the samples are what the learner printed.
    `cap_kept_by`: who ended a session that broke the memory cap. `slices`: first and last edge of each slice, where the
    session ran in turn with others. `waited_seconds`: for a quiet machine, before `started_at`. `oom_kills`: processes
    that the system's out-of-memory killer ended meanwhile, anybody's, where it cannot be told whose. Whether it may be
    this session's is told by `members_killed`, processes of it that were gone before the learner, and by `near_cap`.
    `broken_by`: what ended sessions that ran in turn, where their end is TURNS_BROKEN and it is known.
    `player`: whose log `player_log_tail` is, the one that the session ended with; None where several might be meant.
    `part_memory_bytes`: the most of each part of the tree; empty where the parts are not known.
    `asked_seconds`: that somebody was asked to press Play, which are in no other time.
    `proxy`: the variable that sends players to a proxy for what is on this machine.
    """

    end: SessionEnd
    samples: tuple[Sample, ...]
    started_at: float
    total_seconds: float
    peak_memory_bytes: int | None
    memory_source: str | None
    exit_code: int | None
    log_tail: tuple[str, ...]
    player_log_tail: tuple[str, ...] = ()
    player: int | None = None
    left_behind: tuple[str, ...] = ()
    load: tuple[LoadSample, ...] = ()
    busiest: tuple[BusyProcess, ...] = ()
    waited_seconds: float = 0.0
    from_console: bool = False
    slices: tuple[tuple[float, float], ...] = ()
    cap_kept_by: str | None = None
    oom_kills: int = 0
    members_killed: tuple[int, ...] = ()
    near_cap: bool = False
    proxy: str | None = None
    learner_start: LearnerStart = LearnerStart.COLD
    broken_by: SessionEnd | None = None
    part_memory_bytes: Mapping[Part, int] = field(default_factory=dict)
    limits: Limits = Limits()
    asked_seconds: float = 0.0

    @property
    def startup_seconds(self) -> float | None:
        """From launch to the first agent decision seen."""
        if self.from_console:
            return None  # the first line comes a buffer later
        first = next((sample.seconds for sample in self.samples if sample.decisions or sample.steps), None)
        return None if first is None else first - self.started_at - self.asked_seconds


@dataclass(frozen=True)
class Round:
    """One slice of each contender, in the contenders' order, all of them whole.

    `windows`: first and last edge of each slice on the machine's monotonic clock, in seconds. `rates`: agent steps per
    second. `contention`: what others did to the machine during each. `peak_bytes`: of memory, the highest reading of
    each so far while all were alive. Pages that they share count in part for each, and whole for one read alone.
    """

    number: int
    windows: tuple[tuple[float, float], ...]
    rates: tuple[float, ...]
    contention: tuple[Contention | None, ...]
    peak_bytes: tuple[int, ...] = ()

    def reversed(self) -> Round:
        """The same, of contenders in the reverse order."""
        turned = (self.windows[::-1], self.rates[::-1], self.contention[::-1], self.peak_bytes[::-1])
        return Round(self.number, *turned)


class Progress(Enum):
    """What a watcher of the samples says: go on, enough was measured, it will never be enough, or it cannot matter."""

    GO_ON = "go on"
    ENOUGH = "enough"
    HOPELESS = "hopeless"
    OUTPACED = "outpaced"


Watcher = Callable[[Sequence[Sample]], Progress]
"""Called with all samples so far, after each that is new."""
