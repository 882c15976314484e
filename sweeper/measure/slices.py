"""The rate of a session that ran in turn with others: only its slices count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sweeper.measure.counters import agents, phases, updates
from sweeper.measure.cycles import Cutting, made
from sweeper.measure.rate import Estimate
from sweeper.measure.ratio import ratio
from sweeper.model.measurement import Measurement, Method, Phases, Sample


def measure_slices(
    samples: Sequence[Sample], slices: Sequence[tuple[float, float]], cut: Cutting, warmup_cycles: int, envs: int
) -> tuple[Measurement, tuple[float, ...]] | None:
    """The measurement over all slices, and the rate of each; None with fewer than two.

    Updates and agents are counted from the first slice to the last: a cycle that a suspension cut is no whole cycle in
    time, but its steps and updates are.
    """
    at = {sample.seconds: sample for sample in samples}
    pairs = [(at[start], at[end]) for start, end in slices]
    parts = [(float(made(last, cut) - made(first, cut)), last.seconds - first.seconds) for first, last in pairs]
    found = ratio(parts)
    if found is None or any(steps <= 0 or seconds <= 0 for steps, seconds in parts):
        return None
    first, last = pairs[0][0], pairs[-1][1]
    cycles = sum(
        sum(sample.kind == "update" and start < sample.seconds <= end for sample in samples) for start, end in slices
    )
    started = next(sample for sample in samples if sample.decisions or sample.steps)
    measurement = Measurement(
        steps_per_second=found.estimate,
        interval=Estimate(found, [first, last], warmup_cycles, Method.SLICES).interval,
        relative_standard_error=found.relative_error,
        cycles=cycles,
        warmup_seconds=first.seconds - started.seconds,
        measured_seconds=sum(seconds for _, seconds in parts),
        steps=round(sum(steps for steps, _ in parts)),
        updates_per_1000_steps=updates(samples, first, last),
        agents=agents(first, last, envs),
        phases=_summed([phases(samples, start, end) for start, end in pairs]),
        window=(first.seconds, last.seconds),
        warmup_cycles=warmup_cycles,
        method=Method.SLICES,
    )
    return measurement, tuple(steps / seconds for steps, seconds in parts)


def _summed(parts: Sequence[Phases | None]) -> Phases | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    totals: dict[str, Any] = {}
    for field in fields(Phases):
        values = [getattr(part, field.name) for part in known]
        totals[field.name] = None if None in values else sum(values)
    return Phases(**totals)
