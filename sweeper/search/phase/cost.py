"""What a session will take: to start and end, and to measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy

from sweeper.measure.rate import BRIEF_CYCLE_SECONDS
from sweeper.model.trial import Params, TrialResult
from sweeper.search.phase.coordinates import Array

LENGTHS = (4.0, 10.0, 25.0)
"""Seconds that a session may be asked to measure: a machine's speed wanders over seconds, and starting costs some."""
SHORTEST_CYCLE = 0.1
BRIEF_CYCLES = 2
"""Whole cycles that are measured, at the least."""
USUAL_OVERHEAD = 12.0
"""Seconds to start and end where nothing is known."""


def overheads(configurations: Sequence[Params], trials: Sequence[TrialResult]) -> Array:
    """Seconds outside measuring: linear in the environments where sessions with different numbers say so.

    Of sessions whose learners started as the latest did. What passes between two sessions is the same for all of them,
    and its median leaves out what happens once.
    """
    wanted = numpy.array([_envs(params) for params in configurations])
    alone = [trial for trial in trials if trial.is_ok and not trial.slices]
    seen = [trial for trial in alone if trial.learner_start is alone[-1].learner_start]
    if not seen:
        return numpy.full(len(wanted), USUAL_OVERHEAD)
    between = median(trial.between_seconds for trial in seen)
    counts = numpy.array([_envs(trial.params) for trial in seen])
    taken = between + numpy.array([_overhead(trial) for trial in seen])
    spread = counts.var()
    slope = max(0.0, float(numpy.cov(counts, taken, bias=True)[0, 1] / spread)) if spread > 0 else 0.0
    return numpy.maximum(1.0, taken.mean() + slope * (wanted - counts.mean()))


@dataclass(frozen=True)
class Window:
    """What a session of each of n configurations measures: `seconds` (n,) and `cycles` (n,), after `warmup` (n,)."""

    seconds: Array
    cycles: Array
    warmup: Array


def windows(seconds_a_step: Array, trials: Sequence[TrialResult], least: float) -> Window:
    """Of sessions that measure whole cycles for `least` seconds: two at the least, or a long one."""
    steps = [
        (trial.steps_per_second or 0.0) * trial.measured_seconds / trial.cycles
        for trial in trials
        if trial.is_ok and trial.measured_seconds and trial.cycles
    ]
    cycle = seconds_a_step * (median(steps) if steps else 0.0)
    cycles = numpy.where(cycle >= BRIEF_CYCLE_SECONDS, 1, BRIEF_CYCLES)
    seconds = numpy.maximum(cycles * cycle, least + 0.5 * cycle)
    warmup = numpy.where(cycle >= BRIEF_CYCLE_SECONDS, cycle, 2 * cycle)
    return Window(seconds, numpy.maximum(cycles, seconds / numpy.maximum(cycle, SHORTEST_CYCLE)), warmup)


def _overhead(trial: TrialResult) -> float:
    return max(0.0, trial.total_seconds - (trial.measured_seconds or 0.0) - (trial.warmup_seconds or 0.0))


def _envs(params: Params) -> float:
    value = params.get("num_envs")
    return float(value) if isinstance(value, (int, float)) else 1.0
