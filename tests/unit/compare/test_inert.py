"""Knobs that do nothing, by the number of agents that reported."""

from __future__ import annotations

import pytest

from sweeper.compare.candidates import pool
from sweeper.compare.inert import inert_knobs
from tests.helpers.builders import params_of, trial_of

Seen = list[tuple[int, int, "float | None"]]
"""num_envs, num_areas, agents."""


@pytest.mark.parametrize(
    ("seen", "inert"),
    [
        ([(1, 1, 8.0)], ()),
        ([(1, 1, 8.0), (1, 4, 8.0)], ("num_areas",)),
        ([(1, 1, 8.0), (1, 4, 32.0)], ()),
        ([(1, 1, 8.0), (2, 4, 16.2)], ("num_areas",)),
        ([(1, 1, 8.0), (1, 4, None)], ()),
        ([(1, 4, 8.0), (2, 4, 16.0)], ()),
        ([(1, 4, 8.0), (2, 4, 8.1)], ("num_envs",)),
        ([(1, 4, 8.0), (2, 4, 8.1), (4, 4, 30.0)], ()),
        ([(1, 1, 2.0), (4, 1, 2.0), (1, 4, 8.0), (4, 4, 8.0)], ("num_envs",)),
        ([(1, 1, 2.0), (4, 1, 2.0), (1, 4, 8.0), (4, 4, 32.0)], ()),
        ([(1, 1, 8.0), (2, 4, 8.0)], ()),
    ],
)
def test_what_adds_no_agents(seen: Seen, inert: tuple[str, ...]) -> None:
    trials = [
        trial_of(number, params_of(envs, areas), agents=agents) for number, (envs, areas, agents) in enumerate(seen)
    ]
    assert inert_knobs(pool(trials)) == inert
