"""What a throughput check found: complete, so that every report of it can be made from it alone.

Format `sweeper.check`, version 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sweeper.model.load import BusyProcess
from sweeper.model.machine import Machine
from sweeper.model.measurement import PerThousandSteps
from sweeper.model.trial import Params, TrialResult

FORMAT, VERSION = "sweeper.check", 1
BASELINE, CANDIDATE = "baseline", "candidate"
JUNIT_SUITE = "sweeper check"
"""By which a check's JUnit file is known from other tests' results."""


class Mode(str, Enum):
    """How the two sides are measured.

    `slices`: both alive, one runs while the other stands still, and both are started anew again and again. `sessions`:
    whole sessions, one after the other. `stored`: the candidate alone, against sessions of other days.
    """

    SLICES = "slices"
    SESSIONS = "sessions"
    STORED = "stored"


class GateVerdict(str, Enum):
    """How a check ended."""

    PASS = "pass"
    IMPROVED = "improved"
    REGRESSED = "regressed"
    INCONCLUSIVE = "inconclusive"
    CANDIDATE_FAILS = "candidate_fails"

    @property
    def is_pass(self) -> bool:
        """Whether a build may go on."""
        return self in (GateVerdict.PASS, GateVerdict.IMPROVED)


class Because(str, Enum):
    """What decided."""

    SPEED = "speed"
    MEMORY = "memory"
    UPDATES = "updates"
    NOT_ENOUGH_PAIRS = "not_enough_pairs"
    NOT_REPEATED = "not_repeated"
    BUSY = "busy"
    UNEVEN_LOAD = "uneven_load"
    FAILED = "failed"


@dataclass(frozen=True)
class Change:
    """Of the candidate against the baseline, as a share (-0.05: 5 % less), with its 95 % interval."""

    estimate: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class SideFacts:
    """One side. `named`: as it was asked for. `fingerprint`: what makes its numbers comparable.

    `from_today`: parts of a git revision that git does not hold, and that are those of today. `study`: its file.
    """

    name: str
    named: tuple[str, ...]
    params: Params
    command: tuple[str, ...]
    fingerprint: Mapping[str, Any]
    from_today: tuple[str, ...] = ()
    study: str = ""


@dataclass(frozen=True)
class Pair:
    """Both sides once, side by side: a restart of both with its slices, or a session of each.

    `difference`: ln(candidate / baseline) in steps/s; None where it is void or failed. `memory` and `startup`: ln of
    the peaks' ratio, and seconds more. `others_percent`: what other programs took of the cores while each side was
    measured. `slices`: of each counted slice pair, ln(candidate / baseline).
    """

    number: int
    at_seconds: float
    difference: float | None
    others_percent: tuple[float, float] | None = None
    memory: float | None = None
    startup: float | None = None
    slices: tuple[float, ...] = ()
    void: str | None = None

    @property
    def share(self) -> float | None:
        """The difference as a share: -0.05 where the candidate was 5 % slower."""
        return None if self.difference is None else math.expm1(self.difference)


@dataclass(frozen=True)
class Look:
    """What was known after so many pairs: the change so far, and where it would be a verdict; None between looks."""

    pairs: int
    change: Change
    regressed_below: float | None
    passed_above: float | None


@dataclass(frozen=True)
class PhaseChange:
    """What a part of training takes, in seconds per 1,000 agent steps, and how much more at the candidate."""

    phase: str
    baseline: float
    more: float
    interval: tuple[float, float]

    @property
    def is_sure(self) -> bool:
        """Whether it is slower or faster beyond doubt."""
        return self.interval[0] > 0 or self.interval[1] < 0


@dataclass(frozen=True)
class CheckResult:
    """A check that ended. Times in seconds, memory in bytes.

    `tolerance`: the slowdown that is to be excluded. `pair_deviation`: of the pairs' differences. `pairs_needed`: for a
    verdict in nine of ten checks, at this deviation; None where no check has so many. `tolerance_in_reach`: with the
    pairs that this check had. `trials`: every session, with `contender` for its side.
    """

    name: str
    started_at: str
    seconds: float
    mode: Mode
    machine: Machine
    baseline: SideFacts
    candidate: SideFacts
    tolerance: float
    max_seconds: float
    trimmed: bool
    verdict: GateVerdict
    because: Because
    change: Change | None
    pair_deviation: float | None
    most_pairs: int
    pairs: tuple[Pair, ...]
    looks: tuple[Look, ...]
    trials: tuple[TrialResult, ...]
    steps_per_second: Mapping[str, float] = field(default_factory=dict)
    memory_growth: Change | None = None
    max_memory_growth: float | None = None
    updates: Mapping[str, PerThousandSteps] = field(default_factory=dict)
    why: tuple[PhaseChange, ...] = ()
    startup_more: tuple[float, tuple[float, float]] | None = None
    busiest: tuple[BusyProcess, ...] = ()
    pairs_needed: int | None = None
    seconds_needed: float | None = None
    tolerance_in_reach: float | None = None
    format: str = FORMAT
    version: int = VERSION

    @property
    def counted(self) -> int:
        """Pairs that count."""
        return sum(pair.difference is not None for pair in self.pairs)


@dataclass(frozen=True)
class Past:
    """A line of a history: what an earlier check found. `key`: what makes checks comparable."""

    at: str
    key: str
    verdict: GateVerdict
    change: Change | None
    steps_per_second: Mapping[str, float]


STORED_FORMAT, STORED_VERSION = "sweeper.baseline", 1


@dataclass(frozen=True)
class StoredSession:
    """One session of a recorded baseline. `at`: UTC, ISO 8601."""

    at: str
    steps_per_second: float
    peak_memory_bytes: int | None = None


@dataclass(frozen=True)
class StoredBaseline:
    """Sessions of one side on one machine, over days. `key`: what they belong to; another value is not comparable."""

    name: str
    key: Mapping[str, Any]
    params: Params
    sessions: tuple[StoredSession, ...]
    format: str = STORED_FORMAT
    version: int = STORED_VERSION

    @property
    def days(self) -> int:
        """On how many days they ran."""
        return len(self.rates_by_day)

    @property
    def rates_by_day(self) -> tuple[tuple[float, ...], ...]:
        """Steps/s of each day's sessions."""
        days: dict[str, list[float]] = {}
        for session in self.sessions:
            days.setdefault(session.at[:10], []).append(session.steps_per_second)
        return tuple(tuple(rates) for rates in days.values())
