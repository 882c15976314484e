"""Agent steps per second over whole cycles, with a plain interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sweeper.measure.cycles import Cutting, boundaries
from sweeper.model.measurement import BehaviorCount, Measurement, Note, NoteKind, PerThousandSteps, Phases, Sample
from sweeper.model.session import Progress
from sweeper.quantiles import t_quantile

WARMUP_CYCLES = 1
"""Dropped after the first update, which is itself slower: torch sets itself up in it."""
MIN_CYCLES = 2
"""Fewer say nothing about their own spread."""
GOOD_CYCLES = 8
"""A standard error from fewer is a guess; reached unless time is up first (facts on statistics, 8.1)."""
PATIENCE = 5.0
"""How many times the time limit a session may take to get its first MIN_CYCLES."""


@dataclass(frozen=True)
class StopRule:
    """When a session has measured enough. `precision`: relative standard error; `max_seconds`: after the first step."""

    precision: float
    max_seconds: float
    cut: Cutting

    def __call__(self, samples: Sequence[Sample]) -> Progress:
        """Judge all samples so far."""
        first = next((sample for sample in samples if sample.decisions or sample.steps), None)
        if first is None:
            return Progress.GO_ON
        edges = boundaries(samples, self.cut)
        cycles = len(edges) - 1 - WARMUP_CYCLES
        if cycles >= GOOD_CYCLES:
            error = relative_standard_error(edges[WARMUP_CYCLES:])
            if error is not None and error <= self.precision:
                return Progress.ENOUGH
        elapsed = samples[-1].seconds - first.seconds
        if elapsed >= self.max_seconds and cycles >= MIN_CYCLES:
            return Progress.ENOUGH
        return Progress.HOPELESS if elapsed >= PATIENCE * self.max_seconds else Progress.GO_ON


def measure(samples: Sequence[Sample], cut: Cutting, precision: float, envs: int) -> Measurement | None:
    """The measurement of a session; None where it saw fewer than MIN_CYCLES whole cycles after warm-up."""
    edges = boundaries(samples, cut)
    window = edges[WARMUP_CYCLES:]
    cycles = len(window) - 1
    if cycles < MIN_CYCLES:
        return None
    first, last = window[0], window[-1]
    seconds, steps = last.seconds - first.seconds, last.steps - first.steps
    if seconds <= 0 or steps <= 0:
        return None
    rate = steps / seconds
    error = relative_standard_error(window)
    half = None if error is None else rate * error * t_quantile(cycles - 1)
    return Measurement(
        steps_per_second=rate,
        interval=None if half is None else (max(0.0, rate - half), rate + half),
        relative_standard_error=error,
        cycles=cycles,
        warmup_seconds=first.seconds - next(s.seconds for s in samples if s.decisions or s.steps),
        measured_seconds=seconds,
        steps=steps,
        updates_per_1000_steps=_updates(first, last, steps),
        agents=_agents(first, last, envs),
        phases=_phases(first, last, seconds),
        notes=_notes(cycles, error, precision, cut),
    )


def current_rate(samples: Sequence[Sample], cut: Cutting) -> float | None:
    """A first impression for the display: steps per second since the first update, whole cycles only."""
    edges = boundaries(samples, cut)
    if len(edges) < 2:
        return None
    edges = edges[min(WARMUP_CYCLES, len(edges) - 2) :]
    seconds = edges[-1].seconds - edges[0].seconds
    return (edges[-1].steps - edges[0].steps) / seconds if seconds > 0 else None


def relative_standard_error(edges: Sequence[Sample]) -> float | None:
    """Relative standard error of the ratio estimator over the cycles between `edges`; None for fewer than two.

    r = sum(Y) / sum(T); se = sqrt(n / (n - 1) * sum((Y_i - r T_i)^2)) / sum(T) (Cochran, Sampling Techniques, 6.4).
    """
    cycles = [(after.steps - before.steps, after.seconds - before.seconds) for before, after in pairwise(edges)]
    total_steps, total_seconds = sum(y for y, _ in cycles), sum(t for _, t in cycles)
    count = len(cycles)
    if count < 2 or total_steps <= 0 or total_seconds <= 0:
        return None
    rate = total_steps / total_seconds
    spread = sum((y - rate * t) ** 2 for y, t in cycles)
    return math.sqrt(spread * count / (count - 1)) / total_seconds / rate


def _updates(first: Sample, last: Sample, steps: int) -> PerThousandSteps:
    gradient = {name: _delta(first, last, name)[1] for name in last.timers if name.endswith(".update")}
    policy = last.policy_updates - first.policy_updates
    parts = {f"gradient updates by {name.removesuffix('.update')}": 1000 * n / steps for name, n in gradient.items()}
    for name, count in last.behaviors.items():
        before = first.behaviors.get(name, BehaviorCount())
        if count.steps > before.steps:
            own = (count.policy_updates - before.policy_updates) / (count.steps - before.steps)
            parts[f"policy updates of {name}"] = 1000 * own
    return PerThousandSteps(
        gradient=1000 * sum(gradient.values()) / steps if gradient else None,
        policy=1000 * policy / steps,
        parts=parts,
    )


def _agents(first: Sample, last: Sample, envs: int) -> float | None:
    _, exchanges = _delta(first, last, "UnityEnvironment.step")
    return (last.decisions - first.decisions) / exchanges * envs if exchanges else None


def _phases(first: Sample, last: Sample, seconds: float) -> Phases | None:
    if "_update_policy" not in last.timers or "env_step" not in last.timers:
        return None
    update = _delta(first, last, "_update_policy")[0]
    return Phases(
        collect_seconds=max(0.0, seconds - update),
        infer_seconds=_delta(first, last, "SubprocessEnvManager._take_step")[0],
        update_seconds=update,
        wait_seconds=_delta(first, last, "env_step.self")[0],
    )


def _delta(first: Sample, last: Sample, timer: str) -> tuple[float, int]:
    before, after = first.timers.get(timer, (0.0, 0)), last.timers.get(timer, (0.0, 0))
    return after[0] - before[0], after[1] - before[1]


def _notes(cycles: int, error: float | None, precision: float, cut: Cutting) -> tuple[Note, ...]:
    notes = []
    if cycles < GOOD_CYCLES:
        text = (
            f"Only {cycles} whole cycles were measured; fewer than {GOOD_CYCLES} give an estimate, not a measurement."
        )
        notes.append(Note(NoteKind.TOO_FEW_CYCLES, text))
    elif error is not None and error > precision:
        text = f"The standard error within the session is {error:.1%}, above the {precision:.1%} asked for."
        notes.append(Note(NoteKind.NOT_PRECISE, text))
    if not cut.has_cycles:
        text = "Updates do not alternate with collecting here; blocks of time stand in for cycles."
        notes.append(Note(NoteKind.BLOCKS_NOT_CYCLES, text))
    return tuple(notes)
