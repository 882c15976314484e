"""What repeats and neighbours tell about the study itself."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sweeper.compare.pool import Configuration

INERT_TOLERANCE = 0.1
"""Agents per environment that differ by less than this are the same number, episodes ending aside."""


def between_percent(configurations: Sequence[Configuration]) -> float | None:
    """Standard deviation of ln(steps/s) between sessions of one configuration, in per cent.

    Pooled over configurations; None without repeats.
    """
    squares, degrees = 0.0, 0
    for item in configurations:
        logs = [math.log(trial.steps_per_second or 1.0) for trial in item.measured]
        if len(logs) >= 2:
            mean = sum(logs) / len(logs)
            squares += sum((value - mean) ** 2 for value in logs)
            degrees += len(logs) - 1
    return 100 * math.sqrt(squares / degrees) if degrees else None


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
