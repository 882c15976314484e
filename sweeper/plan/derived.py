"""The space of a study that names none: what an experienced user would try around the settings of today. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sweeper.inputs.trainer_config import Behavior, TrainerConfig
from sweeper.model.findings import Finding, FindingKind
from sweeper.model.trial import Params, ParamValue

MEMORY_PER_ENV_BYTES = 150 * 1024**2
"""What an environment is assumed to need at the least, where nothing was measured yet."""
LEARNER_MEMORY_BYTES = 550 * 1024**2
"""PSS of the learner's main process with torch on CPU, facts of mlagents 1.1.0."""
_ENVS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
_AREAS = (1, 2, 4, 8, 16)

Knobs = dict[str, tuple[ParamValue, ...]]


@dataclass(frozen=True)
class Bounds:
    """What a derived space may not leave. `min_updates`: least share of today's updates per step, None for no guard."""

    has_build: bool
    accepts_areas: bool
    usable_cores: int
    cap_bytes: int
    min_updates: float | None


def derive(
    config: TrainerConfig, baseline: Params, bounds: Bounds, is_legal: Callable[[Params], bool]
) -> tuple[Knobs, list[Finding]]:
    """Knobs with up to a few hundred combinations, and what to say of them."""
    by_memory = max(1, (bounds.cap_bytes - LEARNER_MEMORY_BYTES) // MEMORY_PER_ENV_BYTES)
    most = min(max(bounds.usable_cores, 2), by_memory, _ENVS[-1]) if bounds.has_build else 1
    knobs: Knobs = {"num_envs": tuple(count for count in _ENVS if count <= most)}
    knobs["num_areas"] = _AREAS if bounds.accepts_areas else (1,)
    notes = [Finding(FindingKind.SPACE_DERIVED)]
    batch = baseline["batch_size"]
    if isinstance(batch, int):
        own = config.behaviors_with(baseline)
        sizes = [size for size in _sizes_around(batch, own) if is_legal({"batch_size": size})]
        few = {size: made for size in sizes if (made := _too_few(size, own, bounds.min_updates)) is not None}
        knobs["batch_size"] = tuple(size for size in sizes if size not in few) or (batch,)
        notes += _note_on_batches(few, bounds.min_updates)
    is_self_play = any(behavior.self_play for behavior in config.behaviors)
    if is_self_play and not baseline["threaded"]:
        notes.append(Finding(FindingKind.THREADED_NOT_DERIVED))
    else:
        knobs["threaded"] = (False, True)
    return {knob: values for knob, values in knobs.items() if len(values) > 1}, notes


def _sizes_around(batch: int, behaviors: Sequence[Behavior]) -> list[int]:
    """Half, once, twice and four times the batch, in whole sequences where there is a memory."""
    unit = math.lcm(*(behavior.sequence_length or 1 for behavior in behaviors))
    return sorted({size // unit * unit for size in (batch // 2, batch, batch * 2, batch * 4) if size >= unit})


def _too_few(size: int, behaviors: Sequence[Behavior], min_updates: float | None) -> tuple[int, int] | None:
    """Minibatches of an update with batches of `size`, and with today's, where a behaviour makes too few; else None.

    PPO and POCA go through their buffer in whole minibatches and drop the rest; SAC's updates don't follow its batch.
    """
    if min_updates is None:
        return None
    for behavior in behaviors:
        made, today = behavior.buffer_size // size, behavior.buffer_size // behavior.batch_size
        if behavior.on_policy and made < min_updates * today:
            return made, today
    return None


def _note_on_batches(few: dict[int, tuple[int, int]], min_updates: float | None) -> list[Finding]:
    if not few:
        return []
    made, today = few[min(few)]
    values = {"minibatches": made, "own_minibatches": today, "min_updates": min_updates}
    return [Finding(FindingKind.BATCHES_NOT_DERIVED, {"batch_sizes": tuple(map(str, sorted(few))), **values})]
