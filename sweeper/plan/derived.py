"""The space of a study that names none: what an experienced user would try around the settings of today. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sweeper.inputs.trainer_config import Behavior, TrainerConfig
from sweeper.model.findings import Finding, FindingKind
from sweeper.model.trial import Params, ParamValue
from sweeper.plan.updates import note_on_batches, refused_batches

MEMORY_PER_ENV_BYTES = 150 * 1024**2
"""What an environment is assumed to need at the least, where nothing was measured yet."""
LEARNER_MEMORY_BYTES = 550 * 1024**2
"""PSS of the learner's main process with torch on CPU, docs/sources.md."""
ENVS_PER_CORE = 2
"""Environments to try at most: while one waits for its frame or for the learner, another uses the core."""
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
    most = min(ENVS_PER_CORE * bounds.usable_cores, by_memory, _ENVS[-1]) if bounds.has_build else 1
    knobs: Knobs = {"num_envs": tuple(count for count in _ENVS if count <= most)}
    knobs["num_areas"] = _AREAS if bounds.accepts_areas else (1,)
    notes = [Finding(FindingKind.SPACE_DERIVED)]
    batch = baseline["batch_size"]
    if isinstance(batch, int):
        around = _sizes_around(batch, config.behaviors_with(baseline))
        sizes = [size for size in around if is_legal({**baseline, "batch_size": size})]
        refused = refused_batches(config, baseline, sizes, bounds.min_updates)
        knobs["batch_size"] = tuple(size for size in sizes if size not in refused) or (batch,)
        notes += note_on_batches(refused, bounds.min_updates, left_out=True)
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
