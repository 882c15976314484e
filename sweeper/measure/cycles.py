"""Whole collect-and-update cycles in a session's samples.

PPO's steps arrive in bursts and stop during updates, so a window that is not cut at updates is off by up to a cycle.
Counters are read at policy updates, and a cycle is what lies between two of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sweeper.inputs.trainer_config import Behavior
from sweeper.model.measurement import Method, Sample

BLOCK_SECONDS = 2.0
"""Shortest block where there is no clean cycle: off-policy trainers update with every few steps, `threaded: true`
updates beside collecting (docs/sources.md, 8.1)."""


@dataclass(frozen=True)
class Cutting:
    """Where cycles may end: at samples of kind `edge`, at least `min_steps` agent steps and `min_seconds` apart.

    `buffer_steps`: agent steps that a cycle takes at least, where there are cycles. `in_decisions`: whether every
    decision becomes a step; with self-play some do not.
    """

    min_steps: int = 0
    min_seconds: float = 0.0
    edge: str = "update"
    buffer_steps: int = 0
    in_decisions: bool = True

    @property
    def method(self) -> Method:
        """What stands between two edges."""
        if self.edge == "summary":
            return Method.CONSOLE
        return Method.BLOCKS if self.min_seconds else Method.CYCLES


def cutting(behaviors: Sequence[Behavior]) -> Cutting:
    """Cycles for on-policy trainers in one thread, blocks for the others."""
    blocks = [behavior for behavior in behaviors if behavior.threaded or not behavior.on_policy]
    in_decisions = not any(behavior.self_play for behavior in behaviors)
    if not blocks:
        most = max((behavior.buffer_size for behavior in behaviors), default=0)
        return Cutting(buffer_steps=most, in_decisions=in_decisions)
    # A replay buffer is refilled over the whole run: its size is no measure of a block.
    steps = max((behavior.buffer_size for behavior in blocks if behavior.on_policy), default=0)
    return Cutting(min_steps=steps, min_seconds=BLOCK_SECONDS, in_decisions=in_decisions)


def cut_for(samples: Sequence[Sample], cut: Cutting) -> Cutting:
    """`cut`, or where the samples are what the learner printed, the same at its summaries."""
    is_console = bool(samples) and samples[0].kind == "summary"
    # Summaries may come more often than updates.
    return replace(cut, edge="summary", min_steps=max(cut.min_steps, cut.buffer_steps)) if is_console else cut


def boundaries(samples: Sequence[Sample], cut: Cutting) -> list[Sample]:
    """The samples at which cycles end, the first of them ending the start-up.

    With several behaviours the slowest one, which has made the fewest updates, ends a cycle. Empty until every
    behaviour that collects steps has updated.
    """
    ends = [sample for sample in samples if sample.kind == cut.edge]
    counts = Counter(sample.updated for sample in ends)
    names = [name for name, count in samples[-1].behaviors.items() if count.steps] if samples else []
    if not names or any(not counts[name] for name in names):
        return []
    slowest = min(names, key=lambda name: (counts[name], name))
    found: list[Sample] = []
    for end in ends:
        if end.updated != slowest:
            continue
        if found and (end.seconds - found[-1].seconds < cut.min_seconds or end.steps - found[-1].steps < cut.min_steps):
            continue
        found.append(end)
    return found


def made(sample: Sample, cut: Cutting) -> int:
    """Agent steps made until then: those counted, and those in trajectories that agents have not handed over yet.

    Steps are counted when a whole trajectory arrives, of all agents at once, so that between two edges they are off by
    up to a trajectory of every agent. Decisions are counted one by one, where the learner tells them.
    """
    return max(sample.steps, sample.decisions) if cut.in_decisions else sample.steps
