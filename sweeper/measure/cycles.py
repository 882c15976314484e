"""Whole collect-and-update cycles in a session's samples.

PPO's steps arrive in bursts and stop during updates, so a window that is not cut at updates is off by up to a cycle.
Counters are read at policy updates, and a cycle is what lies between two of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sweeper.model.measurement import Sample
from sweeper.trainer_config import Behavior

BLOCK_SECONDS = 2.0
"""Shortest block where there is no clean cycle: off-policy trainers update with every few steps, `threaded: true`
updates beside collecting (facts on statistics, 8.1)."""


@dataclass(frozen=True)
class Cutting:
    """Where cycles may end: at least `min_steps` agent steps and `min_seconds` after the last."""

    min_steps: int = 0
    min_seconds: float = 0.0

    @property
    def has_cycles(self) -> bool:
        """False where blocks stand in for cycles."""
        return self.min_seconds == 0.0


def cutting(behaviors: Sequence[Behavior]) -> Cutting:
    """Cycles for on-policy trainers in one thread, blocks for the others."""
    blocks = [behavior for behavior in behaviors if behavior.threaded or not behavior.on_policy]
    if not blocks:
        return Cutting()
    # A replay buffer is refilled over the whole run: its size is no measure of a block.
    steps = max((behavior.buffer_size for behavior in blocks if behavior.on_policy), default=0)
    return Cutting(min_steps=steps, min_seconds=BLOCK_SECONDS)


def boundaries(samples: Sequence[Sample], cut: Cutting) -> list[Sample]:
    """The updates at which cycles end, the first of them ending the start-up.

    With several behaviours the slowest one, which has made the fewest updates, ends a cycle. Empty until every
    behaviour that collects steps has updated.
    """
    updates = [sample for sample in samples if sample.kind == "update"]
    if not updates:
        return []
    counts = {name: count.policy_updates for name, count in samples[-1].behaviors.items() if count.steps}
    if not counts or min(counts.values()) == 0:
        return []
    slowest = min(counts, key=lambda name: (counts[name], name))
    found: list[Sample] = []
    for update in updates:
        if update.updated != slowest:
            continue
        if found and (
            update.seconds - found[-1].seconds < cut.min_seconds or update.steps - found[-1].steps < cut.min_steps
        ):
            continue
        found.append(update)
    return found
