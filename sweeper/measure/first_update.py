"""When a policy update is due: what the steps of a session say of updates that it has not seen.

A buffer of hundreds of thousands of steps may take longer to fill than a session lasts. Not seen in the time allowed is
not the same as never.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sweeper.model.measurement import BehaviorCount, Sample

Fill = Mapping[str, int]
"""Steps of its own before its first update, by behaviour; "" stands for those that only the defaults describe."""


@dataclass(frozen=True)
class Pace:
    """How long the behaviour that needs longest takes to an update at the session's speed: `seconds` for `steps`."""

    behavior: str
    steps: int
    seconds: float


def pace(samples: Sequence[Sample], fill: Fill) -> Pace | None:
    """Of the behaviours that collect steps; None where nothing tells."""
    first = next((sample for sample in samples if sample.decisions or sample.steps), None)
    if first is None:
        return None
    elapsed = samples[-1].seconds - first.seconds
    found = [
        Pace(name, steps, elapsed / count.policy_updates if count.policy_updates else elapsed * steps / collected)
        for name, count in samples[-1].behaviors.items()
        if (steps := fill_of(fill, name)) and (collected := _collected(_of(first, name), count))
    ]
    return max(found, key=lambda one: one.seconds, default=None)


def never_update(samples: Sequence[Sample], fill: Fill) -> tuple[str, ...]:
    """Behaviours that went on collecting for a whole buffer after they had filled one, and did not update.

    Filling it overshoots by a burst and its update may be under way; steps that come after that are the proof.
    """
    if not samples:
        return ()
    found = []
    for name, count in samples[-1].behaviors.items():
        steps = fill_of(fill, name)
        if not steps or count.policy_updates:
            continue
        full = next((own.steps for sample in samples if (own := _of(sample, name)).steps > steps), None)
        if full is not None and count.steps - full >= steps:
            found.append(name)
    return tuple(found)


def fill_of(fill: Fill, name: str) -> int | None:
    """Steps of its own before a behaviour's first update; None where they are not known."""
    return fill.get(name, fill.get(""))


def _collected(before: BehaviorCount, now: BehaviorCount) -> int:
    """Steps between two samples, or decisions where no trajectory has ended yet."""
    return now.steps - before.steps if now.steps else now.decisions - before.decisions


def _of(sample: Sample, name: str) -> BehaviorCount:
    return sample.behaviors.get(name, BehaviorCount())
