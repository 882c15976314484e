"""What repeats and neighbours tell about the study itself: noise between sessions, drift, areas that do nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sweeper.compare.confirm import OWN_DIFFERENCES, Blocks
from sweeper.compare.pool import Configuration
from sweeper.model.study import Noise
from sweeper.model.trial import TrialResult
from sweeper.quantiles import t_quantile

INERT_TOLERANCE = 0.1
"""Agents per environment that differ by less than this are the same number, episodes ending aside."""
MIN_DRIFT_SESSIONS = 4
"""Fewer give no slope worth naming."""

WITHIN = "within one session"
BETWEEN = "sessions of this configuration and the spread between sessions"
CONFIRMED = "confirmation sessions"
SLICED = "slices of one confirmation session each"
CHOICE = ", which also chose it"
"""After either, where the confirmation had to choose by speed."""


@dataclass(frozen=True)
class Spread:
    """Variance of ln(steps/s) between sessions of one configuration, over what a session's own error explains.

    `degrees` of freedom: repeats beyond the first, over all configurations.
    """

    total: float
    between: float
    degrees: int


def spread(configurations: Sequence[Configuration]) -> Spread | None:
    """Pooled over configurations; None without repeats. `between` is total minus the mean within, at least 0."""
    squares, degrees, within = 0.0, 0, 0.0
    for item in configurations:
        repeats = item.measured
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


def interval(item: Configuration, found: Spread | None) -> tuple[tuple[float, float], str] | None:
    """95 % interval of a configuration's mean speed, and which error it carries; None where nothing is known.

    The error of one session is sqrt(between^2 + its own^2) (facts on statistics, 8.2). Without repeats anywhere in the
    study only the session's own error is known, and the interval says so.
    """
    rate, sessions = item.steps_per_second, item.measured
    if rate is None:
        return None
    if found is None:
        own = sessions[0].interval
        return (own, WITHIN) if own is not None and len(sessions) == 1 else None
    variances = [found.between + (trial.relative_standard_error or 0.0) ** 2 for trial in sessions]
    half = t_quantile(found.degrees) * math.sqrt(sum(variances)) / len(sessions)
    return (rate * math.exp(-half), rate * math.exp(half)), BETWEEN


def confirmed_interval(blocks: Blocks, key: str, found: Spread | None) -> tuple[float, float]:
    """95 % interval of a contender's mean speed over the confirmation.

    With few blocks their own spread says little; how sessions of one configuration differ over the whole study says
    more, and has drift in it too.
    """
    if found is None or blocks.count >= OWN_DIFFERENCES:
        return blocks.rate_interval(key)
    half = t_quantile(found.degrees) * math.sqrt(found.total / blocks.count)
    return blocks.mean(key) * math.exp(-half), blocks.mean(key) * math.exp(half)


def noise(configurations: Sequence[Configuration], baseline_key: str) -> Noise:
    """Noise between sessions of any configuration, and the drift of the baseline's."""
    found = spread(configurations)
    own = next((item.measured for item in configurations if item.key == baseline_key), ())
    slope = _drift(own)
    repeated = [item for item in configurations if len(item.measured) >= 2]
    return Noise(
        between_percent=100 * math.sqrt(found.total) if found else None,
        drift_percent_per_hour=slope[0] if slope else None,
        drift_interval=slope[1] if slope else None,
        sessions=sum(len(item.measured) for item in repeated),
        baseline_sessions=len(own),
    )


def areas_are_inert(configurations: Sequence[Configuration]) -> bool:
    """True where different num_areas were measured and all had the same number of agents per environment."""
    agents: dict[int, list[float]] = {}
    for item in configurations:
        areas, envs = item.params.get("num_areas"), item.params.get("num_envs")
        found = [trial.agents for trial in item.measured if trial.agents]
        if isinstance(areas, int) and isinstance(envs, int) and found:
            agents.setdefault(areas, []).append(sum(found) / len(found) / envs)
    if len(agents) < 2:
        return False
    values = [value for group in agents.values() for value in group]
    return max(values) - min(values) <= INERT_TOLERANCE * max(values)


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
