"""What repeats tell about the study itself: noise between sessions, and drift."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sweeper.compare.candidates import Candidate
from sweeper.model.study import IntervalFrom, Noise
from sweeper.model.trial import TrialResult
from sweeper.quantiles import bounded_exp, t_quantile

MIN_DRIFT_SESSIONS = 4
"""Fewer give no slope worth naming."""


@dataclass(frozen=True)
class Spread:
    """Variance of ln(steps/s) between sessions of one configuration, over what a session's own error explains.

    `degrees` of freedom: repeats beyond the first, over all configurations.
    """

    total: float
    between: float
    degrees: int


def spread(candidates: Iterable[Candidate], counts: Callable[[TrialResult], bool] | None = None) -> Spread | None:
    """Pooled over candidates; None without repeats. `between` is total minus the mean within, at least 0.

    `counts`: which of their sessions to look at; all, where it is None.
    """
    squares, degrees, within = 0.0, 0, 0.0
    for item in candidates:
        repeats = [trial for trial in item.measured if counts is None or counts(trial)]
        if len(repeats) < 2:
            continue
        logs = [math.log(trial.steps_per_second or 1.0) for trial in repeats]
        mean = sum(logs) / len(logs)
        squares += sum((value - mean) ** 2 for value in logs)
        degrees += len(logs) - 1
        within += (len(logs) - 1) * sum((t.relative_standard_error or 0.0) ** 2 for t in repeats) / len(repeats)
    if not degrees:
        return None
    return Spread(squares / degrees, max(0.0, squares - within) / degrees, degrees)


def interval(item: Candidate, found: Spread | None) -> tuple[tuple[float, float], IntervalFrom] | None:
    """95 % interval of a candidate's mean speed, and which error it carries; None where nothing is known.

    The error of one session is sqrt(between^2 + its own^2) (docs/sources.md, 8.2). Without repeats anywhere in the
    study only the session's own error is known, and the interval says so. Of a brief session of one cycle it is not.
    """
    rate, sessions = item.steps_per_second, item.measured
    if rate is None or any(trial.brief and trial.relative_standard_error is None for trial in sessions):
        return None
    if found is None:
        own = sessions[0].interval
        return (own, IntervalFrom.WITHIN) if own is not None and len(sessions) == 1 else None
    variances = [found.between + (trial.relative_standard_error or 0.0) ** 2 for trial in sessions]
    half = t_quantile(found.degrees) * math.sqrt(sum(variances)) / len(sessions)
    middle = math.log(rate)
    return (bounded_exp(middle - half), bounded_exp(middle + half)), IntervalFrom.BETWEEN


def noise(candidates: Sequence[Candidate], baseline_key: str) -> Noise:
    """Noise between sessions of any configuration, and the drift of the baseline's."""
    found = spread(candidates)
    own = next((item.measured for item in candidates if item.key == baseline_key), ())
    slope = _drift(own)
    repeated = [item for item in candidates if len(item.measured) >= 2]
    return Noise(
        between_percent=100 * math.sqrt(found.total) if found else None,
        drift_percent_per_hour=slope[0] if slope else None,
        drift_interval=slope[1] if slope else None,
        sessions=sum(len(item.measured) for item in repeated),
        baseline_sessions=len(own),
    )


def _drift(sessions: Sequence[TrialResult]) -> tuple[float, tuple[float, float]] | None:
    """Per cent per hour, with its 95 % interval."""
    if len(sessions) < MIN_DRIFT_SESSIONS:
        return None
    hours = [datetime.fromisoformat(trial.started_at).timestamp() / 3600 for trial in sessions]
    if len(set(hours)) < MIN_DRIFT_SESSIONS:
        return None
    from scipy.stats import theilslopes

    found = theilslopes([math.log(trial.steps_per_second or 1.0) for trial in sessions], hours)
    return 100 * float(found.slope), (100 * float(found.low_slope), 100 * float(found.high_slope))
