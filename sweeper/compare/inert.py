"""Knobs that do nothing, told from the number of agents that reported: more of them were asked for, and none came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sweeper.compare.candidates import Candidate

INERT_TOLERANCE = 0.1
"""Numbers of agents that differ by less than this are the same, episodes ending aside."""


def inert_knobs(candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """Which of num_areas and num_envs added no agents where different values of them were measured."""
    seen = [
        (areas, envs, agents)
        for item in candidates
        if isinstance(areas := item.params.get("num_areas"), int)
        and isinstance(envs := item.params.get("num_envs"), int)
        and (agents := _agents(item))
    ]
    agents_at: dict[int, dict[int, float]] = defaultdict(dict)  # by areas, then environments
    for areas, envs, agents in seen:
        agents_at[areas][envs] = agents
    areas_do_nothing = len(agents_at) > 1 and _same([agents / envs for _, envs, agents in seen])
    several = [list(found.values()) for found in agents_at.values() if len(found) > 1]
    envs_do_nothing = bool(several) and all(_same(found) for found in several)
    return (*["num_areas"] * areas_do_nothing, *["num_envs"] * envs_do_nothing)


def _agents(item: Candidate) -> float | None:
    """On average over its sessions; None where none told."""
    found = [trial.agents for trial in item.measured if trial.agents]
    return sum(found) / len(found) if found else None


def _same(values: Sequence[float]) -> bool:
    return max(values) - min(values) <= INERT_TOLERANCE * max(values)
