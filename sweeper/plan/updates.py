"""How often configurations learn, as their settings decide it, before anything is measured.

At `num_epoch` passes over a buffer in whole minibatches, an update of PPO or POCA is num_epoch * floor(steps / batch)
gradient updates; what is left over is dropped (mlagents 1.1.0, on_policy_trainer.py and ppo/trainer.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sweeper.inputs.study_limits import ROOM_FOR_BURSTS
from sweeper.inputs.trainer_config import Behavior, TrainerConfig
from sweeper.model.findings import Finding, FindingKind, Value
from sweeper.model.trial import Params, ParamValue


def update_share(own: Sequence[Behavior], other: Sequence[Behavior], steps: float | None = None) -> float | None:
    """Updates for each step over those of the user's own settings, gradient or policy updates, whichever are fewer.

    `own` and `other` are the same behaviours with both settings; of several the least. `steps`: that an update sees in
    either, where bursts bring more than the buffer asks for. None where a trainer is not known.
    """
    shares = [_share(before, after, steps) for before, after in zip(own, other)]
    known = [share for share in shares if share is not None]
    return min(known) if known and len(known) == len(shares) else None


def refused_batches(
    config: TrainerConfig, baseline: Params, sizes: Sequence[ParamValue], min_updates: float | None
) -> dict[float, float]:
    """Of legal batch sizes, those that the learning guard is sure to refuse, with the share of updates that they make.

    `min_updates`: least share of the updates with `baseline`; None for no guard.
    """
    if min_updates is None:
        return {}
    own = config.behaviors_with(baseline)
    found = {}
    for size in sizes:
        share = update_share(own, config.behaviors_with({**baseline, "batch_size": size}))
        if share is not None and share < ROOM_FOR_BURSTS * min_updates and isinstance(size, (int, float)):
            found[size] = share
    return found


def note_on_batches(refused: Mapping[float, float], min_updates: float | None, left_out: bool) -> list[Finding]:
    """What to say of them; `left_out` of a derived space, or only refused in one that names them."""
    if min_updates is None or not refused:
        return []
    values: dict[str, Value] = {
        "sizes": tuple(refused),
        "share_percent": 100 * next(iter(refused.values())),
        "least_percent": 100 * min_updates,
        "left_out": left_out,
    }
    return [Finding(FindingKind.BATCHES_REFUSED, values)]


def minibatches(behavior: Behavior, steps: float | None = None) -> int:
    """Whole minibatches in an update."""
    return int(_held(behavior, steps) // behavior.batch_size)


def _share(own: Behavior, other: Behavior, steps: float | None) -> float | None:
    if own.trainer_type == other.trainer_type == "sac":
        return 1.0  # it updates with the steps, whatever the batch
    before = _rate(own, steps)
    if not (own.on_policy and other.on_policy and before):
        return None
    return min(_rate(other, steps) / before, _held(own, steps) / _held(other, steps))


def _rate(behavior: Behavior, steps: float | None) -> float:
    return behavior.num_epoch * minibatches(behavior, steps) / _held(behavior, steps)


def _held(behavior: Behavior, steps: float | None) -> float:
    return max(behavior.buffer_size, steps or 0.0)
