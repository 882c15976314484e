"""What got slower: the paired sessions' phases, in seconds per 1,000 agent steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sweeper.compare.gate.rule import plain_mean
from sweeper.model.gate import PhaseChange
from sweeper.model.trial import TrialResult

MIN_PAIRS = 2
PHASES = ("players", "inference", "processing", "updates", "rest")
"""Waiting for players (with their messages), choosing actions, preparing trajectories, updating, and all else."""


def phase_changes(pairs: Sequence[tuple[TrialResult, TrialResult]]) -> tuple[PhaseChange, ...]:
    """Of every phase, largest change first; empty where the learner did not tell or there are fewer than two pairs.

    `pairs`: baseline and candidate. `more` sums up to the whole change in seconds per 1,000 steps, threaded trainers
    aside, whose updates run beside collecting.
    """
    told = [(seconds_per_1000_steps(one), seconds_per_1000_steps(other)) for one, other in pairs]
    known = [(one, other) for one, other in told if one is not None and other is not None]
    if len(known) < MIN_PAIRS:
        return ()
    found = []
    for phase in PHASES:
        mean = plain_mean([other[phase] - one[phase] for one, other in known])
        before = sum(one[phase] for one, _ in known) / len(known)
        found.append(PhaseChange(phase, before, mean.value, mean.interval()))
    return tuple(sorted(found, key=lambda change: -abs(change.more)))


def seconds_per_1000_steps(trial: TrialResult) -> Mapping[str, float] | None:
    """Of each phase, wall time of the learner's main process; None where it did not tell."""
    phases, rate, seconds = trial.phases, trial.steps_per_second, trial.measured_seconds
    if phases is None or not rate or not seconds:
        return None
    scale = 1000 / (rate * seconds)
    told = {
        "players": phases.wait_seconds,
        "inference": phases.infer_seconds,
        "processing": phases.process_seconds,
        "updates": phases.update_seconds,
    }
    rest = max(0.0, phases.collect_seconds - phases.wait_seconds - phases.infer_seconds - phases.process_seconds)
    return {phase: scale * value for phase, value in {**told, "rest": rest}.items()}
