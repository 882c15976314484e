"""What is worth measuring before anything is known of a build."""

from __future__ import annotations

from collections.abc import Sequence

from sweeper.model.trial import ParamValue, configuration_key
from sweeper.plan.space import Space

MOST_BY_GUIDE = 8
"""Environments that the parallel-training guide suggests at most: one for every two cores."""


def first_guesses(space: Space, usable_cores: int) -> list[dict[str, ParamValue]]:
    """The user's settings with as many environments as cores, with most areas, and with both; where legal."""
    envs = [value for value in counts(space, "num_envs") if value <= usable_cores]
    areas = counts(space, "num_areas")
    most: dict[str, ParamValue] = {}
    guesses: list[dict[str, ParamValue]] = []
    for knob, values in (("num_areas", areas), ("num_envs", envs)):
        if values:
            most[knob] = max(values)
            guesses.append({**space.baseline, knob: max(values)})
    guesses.insert(0, {**space.baseline, **most})
    return _usable(space, guesses)


def first_sessions(space: Space, usable_cores: int) -> list[dict[str, ParamValue]]:
    """What tells most about both phases in two sessions, where legal.

    The guide's settings for so many cores; then as many environments as cores, most areas and the largest batch.
    """
    by_guide = min(MOST_BY_GUIDE, max(1, usable_cores // 2))
    guide: dict[str, ParamValue] = {}
    for knob, wanted in (("num_envs", by_guide), ("num_areas", 1)):
        if values := counts(space, knob):
            guide[knob] = min(values, key=lambda value: (abs(value - wanted), value))
    most: dict[str, ParamValue] = {}
    if envs := [value for value in counts(space, "num_envs") if value <= usable_cores]:
        most["num_envs"] = max(envs)
    for knob in ("num_areas", "batch_size"):
        if values := counts(space, knob):
            most[knob] = max(values)
    return _usable(space, [{**space.baseline, **guide}, {**space.baseline, **most}])


def counts(space: Space, knob: str) -> list[int]:
    """The values of a knob that are whole numbers."""
    return [v for v in space.knobs.get(knob, ()) if isinstance(v, int) and not isinstance(v, bool)]


def _usable(space: Space, guesses: Sequence[dict[str, ParamValue]]) -> list[dict[str, ParamValue]]:
    """Those in the space, legal, other than the baseline, each once."""
    seen = {configuration_key(space.baseline)}
    found = []
    for guess in guesses:
        if configuration_key(guess) not in seen and space.contains(guess) and space.problem(guess) is None:
            seen.add(configuration_key(guess))
            found.append(guess)
    return found
