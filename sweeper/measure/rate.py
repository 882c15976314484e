"""Agent steps per second of one session, with an honest interval, and when enough was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from sweeper.measure.counters import agents, phases, updates
from sweeper.measure.cycles import Cutting, boundaries, cut_for, made
from sweeper.measure.first_update import Fill, pace
from sweeper.measure.flags import GOOD_CYCLES, cycle_notes, decision_notes
from sweeper.measure.phases import phase_ratio
from sweeper.measure.race import is_outpaced
from sweeper.measure.ratio import Ratio, ratio
from sweeper.measure.steadiness import steadiness_notes
from sweeper.measure.warmup import mser
from sweeper.model.findings import Finding, FindingKind
from sweeper.model.measurement import Measurement, Method, Sample
from sweeper.model.session import Progress
from sweeper.quantiles import t_quantile

MIN_CYCLES = 2
"""Fewer say nothing about their own spread."""
PILOT_CYCLES = 12
"""In a pilot, so that enough are left when its warm-up turns out to be longer."""
LONG_CYCLE_SECONDS = 5.0
"""Shorter ones have too few blocks of collecting in them to be estimated apart."""
BRIEF_CYCLE_SECONDS = 2.0
"""Of a cycle, from which on a session of the search takes what it sees: the search knows how little one cycle says."""
HANGING_CYCLES = 3.0
HANGING_SECONDS = 1.0
PATIENCE = 5.0
"""How many times the time limit a session may take to get its first MIN_CYCLES."""
MORE_PATIENCE, MORE_PATIENCE_SECONDS = 12.0, 120.0
"""Of short limits, which are for quick builds: a busy moment is no reason to call the user's settings too slow."""


@dataclass(frozen=True)
class Rule:
    """How a session is measured, and when that is enough.

    Attributes:
        precision: relative standard error at which a session may stop.
        max_seconds: after the first step.
        cut: where cycles may end.
        warmup_cycles: dropped after the first update, which ends the start-up; None in the pilots, the sessions that
            decide it for the study, by MSER, when they have ended: judged at every look, it would choose the cut at
            which the error happens to look small, and stop there.
        min_seconds: of measured cycles before precision may end a session, a pilot's longer warm-up included: a
            machine's speed wanders over tens of seconds, of which a shorter stretch says nothing, however alike its
            cycles are. The limit ends it all the same.
        is_brief: a session of a search that asks another one rather than know this one better: `least_cycles` in
            `min_seconds` are enough, whatever their precision, and nothing is said about it.
        least_cycles: that a brief session needs; of one alone, if it is a long one, the error is not known.
        long_cycle_seconds: from which on a brief session takes the cycles that it sees, be it one, and drops none of
            them after the start-up: another one costs more than it tells.
        fill: what every behaviour collects before its first update.
        rival: agent steps per second of the fastest so far; a brief session ends that cannot come near it. None: it
            races against nobody.
        long_seconds: after the first step, that a session may take whose cycles are longer than the limit allows, where
            it is expected to have seen enough of them by then.
    """

    precision: float
    max_seconds: float
    cut: Cutting
    warmup_cycles: int | None = None
    min_seconds: float = 0.0
    is_brief: bool = False
    least_cycles: int = MIN_CYCLES
    long_cycle_seconds: float = LONG_CYCLE_SECONDS
    fill: Fill = field(default_factory=dict)
    long_seconds: float = 0.0
    rival: float | None = None

    def __call__(self, samples: Sequence[Sample]) -> Progress:
        """Judge all samples so far; a session ends on a cycle's edge."""
        first = _first_step(samples)
        if first is None:
            return Progress.GO_ON
        if self.rival is not None and is_outpaced(samples, self.fill, self.rival):
            return Progress.OUTPACED
        elapsed = samples[-1].seconds - first.seconds
        is_pilot = self.warmup_cycles is None
        found = estimate(samples, replace(self, warmup_cycles=1) if is_pilot else self)
        if found is not None:
            if found.seconds >= self.min_seconds and self._is_enough(found, samples):
                return Progress.ENOUGH
            if elapsed >= self.max_seconds and not _hangs(samples, found.edges):
                return Progress.ENOUGH
        if elapsed < self._patience_seconds or self._comes_in_time(samples, elapsed):
            return Progress.GO_ON
        return Progress.HOPELESS

    def _comes_in_time(self, samples: Sequence[Sample], elapsed: float) -> bool:
        found = pace(samples, self.fill) if elapsed < self.long_seconds else None
        if found is None:
            return False
        if self.cut.method is Method.BLOCKS and not self.cut.min_steps:
            return found.seconds <= self.long_seconds  # a replay buffer is filled once
        # The first update ends the start-up.
        updates = 1 + (min(self.least_cycles, MIN_CYCLES) if self.is_brief else MIN_CYCLES)
        return updates * found.seconds <= self.long_seconds

    @property
    def _patience_seconds(self) -> float:
        most = min(MORE_PATIENCE * self.max_seconds, MORE_PATIENCE_SECONDS)
        return max(PATIENCE * self.max_seconds, most)

    def _is_enough(self, found: Estimate, samples: Sequence[Sample]) -> bool:
        if self.is_brief:
            return found.cycles >= self.least_cycles and _knows_last_update(found.edges, samples)
        wanted = PILOT_CYCLES if self.warmup_cycles is None else GOOD_CYCLES
        has_cycles = found.cycles >= wanted or found.method is Method.PHASES
        return has_cycles and found.ratio.relative_error <= self.precision


@dataclass(frozen=True)
class Estimate:
    """A rate in steps per second over the cycles between `edges`."""

    ratio: Ratio
    edges: Sequence[Sample]
    warmup_cycles: int
    method: Method

    @property
    def cycles(self) -> int:
        """Measured whole cycles."""
        return len(self.edges) - 1

    @property
    def seconds(self) -> float:
        """From the first edge to the last."""
        return self.edges[-1].seconds - self.edges[0].seconds

    @property
    def interval(self) -> tuple[float, float]:
        """95 % for the mean of this session."""
        rate = self.ratio.estimate
        half = rate * self.ratio.relative_error * t_quantile(self.ratio.degrees)
        return max(0.0, rate - half), rate + half


def estimate(samples: Sequence[Sample], rule: Rule) -> Estimate | None:
    """The rate so far; None with fewer than MIN_CYCLES whole cycles after warm-up."""
    cut = cut_for(samples, rule.cut)
    edges = boundaries(samples, cut)
    is_rough = rule.is_brief and rule.least_cycles == 1 and _begins_long(edges, cut, rule.long_cycle_seconds)
    if is_rough and len(edges) == 2:
        return _of_one_cycle(edges, cut)
    if len(edges) <= MIN_CYCLES:
        return None
    if cut.method is Method.CYCLES and _are_long(edges, rule):
        # The first update, in which torch sets itself up, ended before the first edge: nothing is left to drop.
        apart = phase_ratio(samples, edges)
        if apart is not None:
            return Estimate(apart, edges, 0, Method.PHASES)
    cycles = _cycles(edges, cut)
    if is_rough:
        dropped = 0
    elif rule.warmup_cycles is None:
        dropped = mser([t / max(y, 1) for y, t in cycles])
    else:
        dropped = rule.warmup_cycles
    found = ratio(cycles[dropped:])
    if found is None or len(cycles) - dropped < MIN_CYCLES:
        return None
    if cut.method is Method.CONSOLE:
        # The lines may fall anywhere in a cycle: an edge is off by a uniform share of one.
        phase = 1 / math.sqrt(6) / (len(cycles) - dropped)
        found = Ratio(found.estimate, math.hypot(found.relative_error, phase), found.degrees)
    return Estimate(found, edges[dropped:], dropped, cut.method)


def measure(samples: Sequence[Sample], rule: Rule, envs: int) -> Measurement | None:
    """The measurement of a session; None where it saw too few whole cycles."""
    found = estimate(samples, rule)
    if found is None:
        return None
    first, last = found.edges[0], found.edges[-1]
    window = (first.seconds, last.seconds)
    steps = made(last, rule.cut) - made(first, rule.cut)
    started = _first_step(samples) or first
    seen = agents(first, last, envs)
    return Measurement(
        steps_per_second=found.ratio.estimate,
        interval=found.interval if math.isfinite(found.ratio.relative_error) else None,
        relative_standard_error=found.ratio.relative_error if math.isfinite(found.ratio.relative_error) else None,
        cycles=found.cycles,
        warmup_seconds=first.seconds - started.seconds,
        measured_seconds=found.seconds,
        steps=steps,
        updates_per_1000_steps=None if found.method is Method.CONSOLE else updates(samples, first, last),
        agents=seen,
        phases=phases(samples, first, last),
        window=window,
        warmup_cycles=found.warmup_cycles,
        method=found.method,
        notes=(*_notes(found, rule), *decision_notes(seen, envs), *steadiness_notes(samples, window)),
    )


def current_rate(samples: Sequence[Sample], cut: Cutting) -> float | None:
    """A first impression for the display: steps per second since the first update, whole cycles only."""
    edges = boundaries(samples, cut_for(samples, cut))
    if len(edges) < 2:
        return None
    edges = edges[min(1, len(edges) - 2) :]
    seconds = edges[-1].seconds - edges[0].seconds
    return (made(edges[-1], cut) - made(edges[0], cut)) / seconds if seconds > 0 else None


def _begins_long(edges: Sequence[Sample], cut: Cutting, seconds: float) -> bool:
    """Whether the first cycle takes so long: another is not soon there, and warm-up is a small part of it.

    Blocks of off-policy trainers are as long as we like, so there another is.
    """
    has_cycles = cut.method is Method.CYCLES or (cut.method is Method.BLOCKS and cut.min_steps > 0)
    return has_cycles and len(edges) > 1 and edges[1].seconds - edges[0].seconds >= seconds


def _of_one_cycle(edges: Sequence[Sample], cut: Cutting) -> Estimate | None:
    """The rate of a cycle, whose error is not known."""
    [(steps, seconds)] = _cycles(edges, cut)
    return Estimate(Ratio(steps / seconds, math.inf, 1), edges, 0, cut.method) if steps > 0 else None


def _knows_last_update(edges: Sequence[Sample], samples: Sequence[Sample]) -> bool:
    """Whether the time of the update at the last edge is told: it shows in the next sample."""
    return not edges[0].timers or any(sample.timers for sample in samples if sample.seconds > edges[-1].seconds)


def _hangs(samples: Sequence[Sample], edges: Sequence[Sample]) -> bool:
    """Whether nothing has ended a cycle for far longer than one takes: what was measured before is no measurement."""
    longest = max(after.seconds - before.seconds for before, after in pairwise(edges))
    return samples[-1].seconds - edges[-1].seconds > max(HANGING_CYCLES * longest, HANGING_SECONDS)


def _first_step(samples: Sequence[Sample]) -> Sample | None:
    return next((sample for sample in samples if sample.decisions or sample.steps), None)


def _cycles(edges: Sequence[Sample], cut: Cutting) -> list[tuple[float, float]]:
    return [
        (float(made(after, cut) - made(before, cut)), after.seconds - before.seconds)
        for before, after in pairwise(edges)
    ]


def _are_long(edges: Sequence[Sample], rule: Rule) -> bool:
    """Whether cycles are so long that GOOD_CYCLES of them do not fit into the time limit."""
    mean = (edges[-1].seconds - edges[0].seconds) / (len(edges) - 1)
    return mean >= LONG_CYCLE_SECONDS and mean * GOOD_CYCLES > rule.max_seconds


def _notes(found: Estimate, rule: Rule) -> tuple[Finding, ...]:
    notes = []
    if found.method is Method.PHASES:
        notes.append(Finding(FindingKind.PHASES_APART, {"cycles": found.cycles}))
    elif found.cycles < GOOD_CYCLES and not rule.is_brief:
        notes.append(Finding(FindingKind.TOO_FEW_CYCLES, {"cycles": found.cycles, "good_cycles": GOOD_CYCLES}))
    if found.ratio.relative_error > rule.precision and not rule.is_brief:
        values = {"error_percent": 100 * found.ratio.relative_error, "asked_percent": 100 * rule.precision}
        notes.append(Finding(FindingKind.NOT_PRECISE, values))
    if found.method is Method.CONSOLE:
        notes.append(Finding(FindingKind.FROM_CONSOLE))
    if found.method is Method.BLOCKS:
        notes.append(Finding(FindingKind.BLOCKS_NOT_CYCLES))
    notes += cycle_notes([seconds / steps for steps, seconds in _cycles(found.edges, rule.cut) if steps])
    return tuple(notes)
