"""What came of a session: the outcome of a trial, decided in this one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sweeper.compare.guard import shortfall
from sweeper.inputs.trainer_config import Behavior
from sweeper.measure.bottleneck import bottleneck
from sweeper.measure.contention import busiest_values, contention, disturbance, longest_gap, others_share
from sweeper.measure.counters import longest_silence, update_seconds
from sweeper.measure.race import collecting_rate
from sweeper.measure.rate import Rule, measure
from sweeper.measure.slices import measure_slices
from sweeper.measure.utilisation import utilisation
from sweeper.model.findings import Finding, FindingKind
from sweeper.model.load import Contention
from sweeper.model.measurement import Measurement, Method, PerThousandSteps
from sweeper.model.session import RSS, SAMPLING, SessionEnd, SessionRecord
from sweeper.model.trial import Outcome, Purpose, Stage, TrialResult, measured_fields
from sweeper.plan.trial_plan import TrialPlan
from sweeper.study.bursts import with_bursts
from sweeper.study.diagnosis import diagnose, exception_line, signal_name
from sweeper.study.killed import cap_kept_by, may_have_been_killed, was_killed
from sweeper.study.unmeasured import without_cycles

LOG_LINES_KEPT = 12
STANDSTILL_SECONDS = 15.0
"""Between two readings that are made twice a second: a laptop that slept, or a tool that was stopped."""
MEMORY_PRESSURE_PERCENT = 10.0
"""Of the time; above it, paging is a part of what was measured."""

_OUTCOMES = {
    SessionEnd.MEASURED: Outcome.OK,
    SessionEnd.OVER_MEMORY: Outcome.OVER_MEMORY,
    SessionEnd.OVER_GPU_MEMORY: Outcome.OVER_MEMORY,
    SessionEnd.MACHINE_SHORT_OF_MEMORY: Outcome.DISTURBED,
    SessionEnd.DISK_SHORT: Outcome.INTERRUPTED,
    SessionEnd.EXITED: Outcome.CRASHED,
    SessionEnd.NOT_CONNECTED: Outcome.TIMEOUT,
    SessionEnd.NO_STEPS: Outcome.NO_STEPS,
    SessionEnd.STALLED: Outcome.TIMEOUT,
    SessionEnd.TOO_SLOW: Outcome.TIMEOUT,
    SessionEnd.OUTPACED: Outcome.OUTPACED,
    SessionEnd.INTERRUPTED: Outcome.INTERRUPTED,
    SessionEnd.TURNS_BROKEN: Outcome.INTERRUPTED,
    SessionEnd.NOBODY_PLAYED: Outcome.INTERRUPTED,
}
_KINDS = {
    SessionEnd.NOT_CONNECTED: FindingKind.NOT_CONNECTED,
    SessionEnd.NO_STEPS: FindingKind.NO_STEPS,
    SessionEnd.STALLED: FindingKind.STALLED,
    SessionEnd.INTERRUPTED: FindingKind.INTERRUPTED,
    SessionEnd.TURNS_BROKEN: FindingKind.TURNS_BROKEN,
    SessionEnd.NOBODY_PLAYED: FindingKind.NOBODY_PLAYED,
    SessionEnd.DISK_SHORT: FindingKind.DISK_SHORT,
}
"""Of ends that have no number beside them."""
_BUSY_MACHINE_MAY_CAUSE = (Outcome.OK, Outcome.TIMEOUT, Outcome.NO_STEPS, Outcome.OUTPACED)


@dataclass(frozen=True)
class Asked:
    """What a session was run for. `rule`: how it was to be measured. `round`: in which others ran beside it.

    `predicted_memory_bytes`: of its peak, from trials of other configurations before it. `behaviors`: with its
    parameters.
    """

    plan: TrialPlan
    purpose: Purpose
    stage: Stage
    started_at: str
    rule: Rule
    round: int | None = None
    machine: str | None = None
    predicted_memory_bytes: tuple[float, float] | None = None
    behaviors: tuple[Behavior, ...] = ()


@dataclass(frozen=True)
class Terms:
    """What its result is held to.

    `tolerate_load`: others' load is marked and no reason to void. `in_editor`: the player is the Unity Editor, which
    the learner did not start, so that its load cannot be told from others'.
    """

    cap_bytes: int
    required: PerThousandSteps | None
    usable_cores: int
    tolerate_load: bool = False
    in_editor: bool = False


def judge(asked: Asked, record: SessionRecord, terms: Terms) -> TrialResult:
    """The result of a trial. Only a session that ended because enough was measured has a comparable number.

    A session during which other programs took too much of the machine is void, whatever it measured.
    """
    plan = asked.plan
    measurement, slices = _measured(asked, record, terms)
    window = _window(record, measurement)
    samples = () if terms.in_editor else record.load
    load = contention(samples, window, terms.usable_cores, record.waited_seconds, record.busiest)
    collecting = _collecting(asked, record)
    outcome, reason = _outcome(asked, record, measurement, terms, load, collecting)
    notes = list(measurement.notes if measurement else ())
    if outcome in _BUSY_MACHINE_MAY_CAUSE and (pause := longest_gap(record.load)) > STANDSTILL_SECONDS:
        outcome, slices = Outcome.DISTURBED, ()
        reason = Finding(FindingKind.STOOD_STILL, {"pause_seconds": pause})
    others = disturbance(load) if outcome in _BUSY_MACHINE_MAY_CAUSE else None
    if others is not None and terms.tolerate_load:
        notes.append(Finding(FindingKind.MACHINE_BUSY, {"cause": others.kind.value, **others.values}))
    elif others is not None and not slices:
        outcome, reason = Outcome.DISTURBED, others
    if outcome is Outcome.OK:
        notes += _slice_notes(slices, record)
    notes += _memory_notes(record, load, outcome)
    if record.left_behind:
        notes.append(Finding(FindingKind.LEFT_BEHIND, {"processes": record.left_behind}))
    fields = measured_fields(measurement)
    if outcome not in (Outcome.OK, Outcome.TOO_FEW_UPDATES):
        fields.update(steps_per_second=None, interval=None, relative_standard_error=None)
    return TrialResult(
        number=plan.number,
        params=dict(plan.params),
        purpose=asked.purpose,
        outcome=outcome,
        started_at=asked.started_at,
        total_seconds=record.total_seconds,
        seed=plan.seed,
        reason=reason,
        diagnosis=diagnose(record, _about(asked)),
        startup_seconds=record.startup_seconds,
        # A session that runs in turn is silent whenever another one runs.
        longest_silence_seconds=None if record.slices else longest_silence(record.samples),
        peak_memory_bytes=record.peak_memory_bytes,
        memory_source=record.memory_source,
        peak_gpu_memory_bytes=_peak_gpu(record),
        memory_cap_kept_by=cap_kept_by(record),
        predicted_memory_bytes=asked.predicted_memory_bytes,
        command=plan.argv,
        learner_start=record.learner_start,
        update_seconds=update_seconds(record.samples),
        collecting_steps_per_second=collecting if outcome is Outcome.OUTPACED else None,
        log_tail=() if outcome is Outcome.OK else record.log_tail[-LOG_LINES_KEPT:],
        stage=asked.stage,
        round=asked.round,
        machine=asked.machine,
        contention=load,
        slices=slices if outcome is Outcome.OK else (),
        **{**fields, **_why(asked, record, measurement, terms), "warnings": tuple(notes)},
    )


def _measured(asked: Asked, record: SessionRecord, terms: Terms) -> tuple[Measurement | None, tuple[float | None, ...]]:
    """The measurement, and the rates of slices where there are any: None for each that was disturbed."""
    envs = int(asked.plan.params.get("num_envs") or 1)
    if not record.slices:
        return measure(record.samples, asked.rule, envs), ()
    counts = [
        terms.tolerate_load or disturbance(contention(record.load, window, terms.usable_cores)) is None
        for window in record.slices
    ]
    kept = [window for window, does_count in zip(record.slices, counts) if does_count]
    found = measure_slices(record.samples, kept, asked.rule.cut, asked.rule.warmup_cycles or 1, envs)
    if found is None:
        return None, ()
    rates = iter(found[1])
    return found[0], tuple(next(rates) if does_count else None for does_count in counts)


def _window(record: SessionRecord, measurement: Measurement | None) -> tuple[float, float]:
    return measurement.window if measurement else (record.started_at, record.started_at + record.total_seconds)


def _why(asked: Asked, record: SessionRecord, measurement: Measurement | None, terms: Terms) -> dict[str, Any]:
    """Bottleneck and utilisation; in slices the tree's CPU time is not this session's alone."""
    if measurement is None:
        return {}
    is_alone = measurement.method is not Method.SLICES
    use = None
    if is_alone and not terms.in_editor:
        envs = int(asked.plan.params.get("num_envs") or 1)
        use = utilisation(record.load, measurement.window, terms.usable_cores, record.part_memory_bytes, envs)
    found = bottleneck(
        measurement.phases,
        measurement.measured_seconds,
        use.cores if use else None,
        terms.usable_cores,
        threaded=bool(asked.plan.params.get("threaded")),
    )
    return {
        "utilisation": use,
        "bottleneck": found[0] if found else None,
        "bottleneck_figures": found[1] if found else None,
    }


def _slice_notes(slices: Sequence[float | None], record: SessionRecord) -> list[Finding]:
    lost = sum(rate is None for rate in slices)
    if not lost:
        return []
    values = {"lost_slices": lost, "slices": len(slices), **busiest_values(record.busiest)}
    return [Finding(FindingKind.SLICES_DISTURBED, values)]


def _memory_notes(record: SessionRecord, load: Contention | None, outcome: Outcome) -> list[Finding]:
    notes = []
    if record.memory_source == RSS and outcome is Outcome.OVER_MEMORY:
        notes.append(Finding(FindingKind.MEMORY_UPPER_BOUND))
    stalls = load.memory_stall_percent if load else None
    if stalls is not None and stalls > MEMORY_PRESSURE_PERCENT:
        notes.append(Finding(FindingKind.MEMORY_PRESSURE, {"stall_percent": stalls}))
    return notes


def _outcome(
    asked: Asked,
    record: SessionRecord,
    measurement: Measurement | None,
    terms: Terms,
    load: Contention | None,
    collecting: float | None,
) -> tuple[Outcome, Finding | None]:
    outcome, kind = _OUTCOMES[record.end], _KINDS.get(record.end)
    steps = record.samples[-1].steps if record.samples else 0
    if record.end is SessionEnd.MEASURED and measurement is not None:
        updates = measurement.updates_per_1000_steps
        lack = shortfall(updates, terms.required) if updates is not None else None
        if lack is None:
            return Outcome.OK, None
        return Outcome.TOO_FEW_UPDATES, with_bursts(lack, measurement, terms.required, asked.behaviors)
    if record.end is SessionEnd.MEASURED and record.slices:
        return Outcome.DISTURBED, Finding(FindingKind.SLICES_ALL_DISTURBED)
    if record.end is SessionEnd.MEASURED:
        return Outcome.CRASHED, Finding(FindingKind.NO_WHOLE_CYCLE)
    peak = {"peak_bytes": record.peak_memory_bytes}
    if was_killed(record):
        return Outcome.OVER_MEMORY, Finding(FindingKind.SYSTEM_KILLED, peak)
    if record.end is SessionEnd.OVER_MEMORY:
        caps = {**peak, "cap_bytes": terms.cap_bytes}
        if record.cap_kept_by not in (None, SAMPLING):
            return outcome, Finding(FindingKind.KERNEL_KEPT_CAP, {**caps, "mechanism": record.cap_kept_by})
        return outcome, Finding(FindingKind.OVER_MEMORY, caps)
    if record.end is SessionEnd.OVER_GPU_MEMORY:
        return outcome, Finding(FindingKind.OVER_GPU_MEMORY, {"peak_bytes": _peak_gpu(record)})
    if record.end is SessionEnd.MACHINE_SHORT_OF_MEMORY:
        return outcome, Finding(FindingKind.MACHINE_SHORT_OF_MEMORY, peak)
    if may_have_been_killed(record):
        return Outcome.DISTURBED, Finding(FindingKind.SYSTEM_KILLED_SOMEBODY)
    if record.end is SessionEnd.EXITED:
        return outcome, Finding(FindingKind.EXITED, {"steps": steps, **_last_words(record)})
    if record.end is SessionEnd.OUTPACED:
        values = {"steps_per_second": collecting, "fastest": asked.rule.rival}
        return outcome, Finding(FindingKind.OUTPACED, values)
    if record.end is SessionEnd.TURNS_BROKEN and record.broken_by is not None:
        return outcome, Finding(FindingKind.TURNS_BROKEN, {"cause": record.broken_by.value})
    if record.end is SessionEnd.TOO_SLOW:
        outcome, found = without_cycles(record, asked.behaviors)
        return outcome, Finding(found.kind, {**found.values, **others_share(load)})
    return outcome, None if kind is None else Finding(kind)


def _collecting(asked: Asked, record: SessionRecord) -> float | None:
    """Agent steps per second of a session that lost its race; None of any other."""
    return collecting_rate(record.samples, asked.rule.fill) if record.end is SessionEnd.OUTPACED else None


def _last_words(record: SessionRecord) -> dict[str, str | None]:
    return {
        "exception": exception_line(record),
        "signal": signal_name(record),
        "last_line": record.log_tail[-1] if record.log_tail else None,
    }


def _peak_gpu(record: SessionRecord) -> int | None:
    return max((one.gpu_memory_bytes for one in record.load if one.gpu_memory_bytes is not None), default=None)


def _about(asked: Asked) -> dict[str, object]:
    """What remedies may say of the plan of a session."""
    names = [behavior.name for behavior in asked.behaviors if behavior.name]
    values = {"base_port": asked.plan.base_port, "behaviors": ", ".join(names) or None}
    return {**asked.plan.params, **values}
