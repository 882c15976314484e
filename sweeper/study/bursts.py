"""Why a configuration makes too few policy updates although it has the buffer of the others: its bursts overfill it.

Agents that start together hand in their trajectories together. A burst of agents x time_horizon steps above buffer_size
makes a large update of what would have been several: as many gradient updates for each step, and fewer policies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sweeper.compare.guard import shortfall
from sweeper.inputs.trainer_config import Behavior
from sweeper.model.findings import Finding, FindingKind
from sweeper.model.measurement import Measurement, PerThousandSteps

OVERFULL = 1.5
"""Times buffer_size that an update must see to be told of; half a burst more than the buffer is nothing to tell."""


def with_bursts(
    lack: Finding, measurement: Measurement, required: PerThousandSteps | None, behaviors: Sequence[Behavior]
) -> Finding:
    """`lack`, which refuses a configuration, with the numbers of its bursts where these alone are why.

    They are not where gradient updates are too few as well, nor where a burst is known to fit into the buffer.
    """
    updates = measurement.updates_per_1000_steps
    if lack.kind is not FindingKind.TOO_FEW_POLICY_UPDATES or updates is None or required is None:
        return lack
    otherwise = shortfall(replace(updates, policy=required.policy), required)
    if len(behaviors) != 1 or (otherwise and otherwise.kind is FindingKind.TOO_FEW_GRADIENT_UPDATES):
        return lack
    steps, one = 1000 / updates.policy, behaviors[0]
    fits = measurement.agents is not None and measurement.agents * one.time_horizon <= one.buffer_size
    if not one.on_policy or steps < OVERFULL * one.buffer_size or fits:
        return lack
    values = {
        "steps_an_update": steps,
        "buffer_size": one.buffer_size,
        "time_horizon": one.time_horizon,
        "agents": measurement.agents,
    }
    return replace(lack, values={**lack.values, **values})
