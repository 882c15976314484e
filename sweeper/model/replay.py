"""Searches that were replayed on recorded trials: what each knew, and when."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Moment:
    """What a search would have answered after so many seconds.

    `regret`: by what share the answer is slower than the fastest that is feasible. `claimed`: by what share the speed
    that the search gives it is above its true one.
    """

    seconds: float
    regret: float
    claimed: float


@dataclass(frozen=True)
class Course:
    """One search. `infeasible`: share of its sessions that broke a limit or failed. `settled`: it ended by itself."""

    moments: tuple[Moment, ...]
    infeasible: float
    settled: bool

    def seconds_to(self, regret: float) -> float:
        """From when on its answer was within `regret` of the best; infinite where it never stayed there."""
        reached = math.inf
        for moment in reversed(self.moments):
            if moment.regret > regret:
                break
            reached = moment.seconds
        return reached

    def regret_at(self, seconds: float) -> float:
        """Of its answer at that time; all of it before there was one."""
        known = [moment.regret for moment in self.moments if moment.seconds <= seconds]
        return known[-1] if known else 1.0


@dataclass(frozen=True)
class Surface:
    """Which recording it was.

    `best`: the fastest true speed, in steps/s. `error`: relative standard error of a true speed, None where nothing was
    measured twice. `rivals`: configurations that cannot be told from the best, itself among them.
    """

    name: str
    configurations: int
    feasible: int
    sessions: int
    best: float
    error: float | None
    rivals: int


@dataclass(frozen=True)
class Comparison:
    """Searches of every strategy, by name, on one surface."""

    surface: Surface
    seconds: float
    courses: Mapping[str, Sequence[Course]]


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value that `share` of them do not exceed; None where that is infinite."""
    found = sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
    return found if math.isfinite(found) else None


def figures(courses: Sequence[Course]) -> dict[str, float | None]:
    """Over the seeds of one strategy: seconds, and shares in per cent."""
    last = [course.moments[-1] for course in courses]
    return {
        "seconds_to_10_percent": quantile([course.seconds_to(0.10) for course in courses], 0.5),
        "seconds_to_5_percent": quantile([course.seconds_to(0.05) for course in courses], 0.5),
        "seconds_to_2_percent": quantile([course.seconds_to(0.02) for course in courses], 0.5),
        "seconds_to_2_percent_p90": quantile([course.seconds_to(0.02) for course in courses], 0.9),
        "seconds_to_1_percent": quantile([course.seconds_to(0.01) for course in courses], 0.5),
        "ended_seconds": median(moment.seconds for moment in last),
        "regret_percent": 100 * median(moment.regret for moment in last),
        "regret_percent_p90": 100 * (quantile([moment.regret for moment in last], 0.9) or 0.0),
        "claimed_over_true_percent": 100 * median(moment.claimed for moment in last),
        "infeasible_percent": 100 * sum(course.infeasible for course in courses) / len(courses),
        "settled_percent": 100 * sum(course.settled for course in courses) / len(courses),
    }
