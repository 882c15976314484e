"""What came of a session: the outcome of a trial, decided in this one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sweeper.compare.guard import shortfall
from sweeper.measure.bottleneck import bottleneck
from sweeper.measure.contention import busiest_text, contention, disturbance, longest_gap, others_text, own_cores
from sweeper.measure.counters import longest_silence
from sweeper.measure.rate import Rule, measure
from sweeper.measure.slices import measure_slices
from sweeper.model.load import Contention
from sweeper.model.measurement import Measurement, Method, Note, NoteKind, PerThousandSteps
from sweeper.model.session import OUT_OF_MEMORY_KILLER, RSS, SAMPLING, SessionEnd, SessionRecord
from sweeper.model.trial import Outcome, Purpose, Stage, TrialResult, measured_fields
from sweeper.plan.trial_plan import TrialPlan
from sweeper.study.diagnosis import diagnose, exception_line, signal_name
from sweeper.units import format_bytes

LOG_LINES_KEPT = 12
SIGKILL = 9
"""POSIX; Windows has no such signal, and never tells it."""
STANDSTILL_SECONDS = 15.0
"""Between two readings that are made twice a second: a laptop that slept, or a tool that was stopped."""
MEMORY_PRESSURE_PERCENT = 10.0
"""Of the time; above it, paging is a part of what was measured."""

_OUTCOMES = {
    SessionEnd.MEASURED: Outcome.OK,
    SessionEnd.OVER_MEMORY: Outcome.OVER_MEMORY,
    SessionEnd.OVER_GPU_MEMORY: Outcome.OVER_MEMORY,
    SessionEnd.MACHINE_SHORT_OF_MEMORY: Outcome.DISTURBED,
    SessionEnd.EXITED: Outcome.CRASHED,
    SessionEnd.NOT_CONNECTED: Outcome.TIMEOUT,
    SessionEnd.NO_STEPS: Outcome.NO_STEPS,
    SessionEnd.STALLED: Outcome.TIMEOUT,
    SessionEnd.TOO_SLOW: Outcome.TIMEOUT,
    SessionEnd.INTERRUPTED: Outcome.INTERRUPTED,
    SessionEnd.TURNS_BROKEN: Outcome.INTERRUPTED,
    SessionEnd.NOBODY_PLAYED: Outcome.INTERRUPTED,
}
_BUSY_MACHINE_MAY_CAUSE = (Outcome.OK, Outcome.TIMEOUT, Outcome.NO_STEPS)


@dataclass(frozen=True)
class Asked:
    """What a session was run for. `rule`: how it was to be measured. `round`: in which others ran beside it.

    `predicted_memory_bytes`: of its peak, from trials of other configurations before it.
    """

    plan: TrialPlan
    purpose: Purpose
    stage: Stage
    started_at: str
    rule: Rule
    round: int | None = None
    machine: str | None = None
    predicted_memory_bytes: tuple[float, float] | None = None


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
    outcome, message = _outcome(record, measurement, terms)
    if record.end is SessionEnd.TOO_SLOW:
        message = f"{message}{others_text(load)}"
    notes = list(measurement.notes if measurement else ())
    if outcome in _BUSY_MACHINE_MAY_CAUSE and (pause := longest_gap(record.load)) > STANDSTILL_SECONDS:
        outcome, slices = Outcome.DISTURBED, ()
        message = f"the machine stood still for {pause:.0f} s, asleep perhaps; measured again later"
    reason = disturbance(load) if outcome in _BUSY_MACHINE_MAY_CAUSE else None
    if reason is not None and terms.tolerate_load:
        notes.append(Note(NoteKind.MACHINE_BUSY, f"Measured while {reason}."))
    elif reason is not None and not slices:
        outcome, message = Outcome.DISTURBED, f"{reason}; measured again later"
    if outcome is Outcome.OK:
        notes += _slice_notes(slices, record)
    notes += _memory_notes(record, load, outcome)
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
        message=message,
        diagnosis=diagnose(record),
        startup_seconds=record.startup_seconds,
        # A session that runs in turn is silent whenever another one runs.
        longest_silence_seconds=None if record.slices else longest_silence(record.samples),
        peak_memory_bytes=record.peak_memory_bytes,
        memory_source=record.memory_source,
        peak_gpu_memory_bytes=_peak_gpu(record),
        memory_cap_kept_by=_cap_kept_by(record),
        predicted_memory_bytes=asked.predicted_memory_bytes,
        command=plan.argv,
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
    found = measure_slices(record.samples, kept, asked.rule.warmup_cycles or 1, envs)
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
    cores = own_cores(record.load, measurement.window) if is_alone and not terms.in_editor else None
    found = bottleneck(
        measurement.phases,
        measurement.measured_seconds,
        cores,
        terms.usable_cores,
        threaded=bool(asked.plan.params.get("threaded")),
    )
    return {
        "utilisation": None if cores is None else {"cores": cores, "usable_cores": float(terms.usable_cores)},
        "bottleneck": found.kind.value if found else None,
        "bottleneck_text": found.text if found else None,
    }


def _slice_notes(slices: Sequence[float | None], record: SessionRecord) -> list[Note]:
    lost = sum(rate is None for rate in slices)
    if not lost:
        return []
    busiest = busiest_text(record.busiest)
    text = f"{lost} of {len(slices)} slices were disturbed by other programs and do not count{busiest}."
    return [Note(NoteKind.SLICES_DISTURBED, text)]


def _memory_notes(record: SessionRecord, load: Contention | None, outcome: Outcome) -> list[Note]:
    notes = []
    if record.memory_source == RSS and outcome is Outcome.OVER_MEMORY:
        text = "Memory is summed RSS here, an upper bound that counts shared pages more than once."
        notes.append(Note(NoteKind.MEMORY_UPPER_BOUND, text))
    stalls = load.memory_stall_percent if load else None
    if stalls is not None and stalls > MEMORY_PRESSURE_PERCENT:
        text = f"Programs waited for memory {stalls:.0f} % of the time: the machine was short of it."
        notes.append(Note(NoteKind.MEMORY_PRESSURE, text))
    return notes


def _outcome(record: SessionRecord, measurement: Measurement | None, terms: Terms) -> tuple[Outcome, str | None]:
    outcome = _OUTCOMES[record.end]
    steps = record.samples[-1].steps if record.samples else 0
    if record.end is SessionEnd.MEASURED and measurement is not None:
        updates = measurement.updates_per_1000_steps
        text = shortfall(updates, terms.required) if updates is not None else None
        return (Outcome.TOO_FEW_UPDATES, text) if text else (Outcome.OK, None)
    if record.end is SessionEnd.MEASURED and record.slices:
        return Outcome.DISTURBED, "other programs disturbed nearly all of its slices; measured again later"
    if record.end is SessionEnd.MEASURED:
        return Outcome.CRASHED, "the session said it had measured enough, but its samples hold no whole cycle"
    if _was_killed_by_system(record):
        peak = format_bytes(record.peak_memory_bytes or 0)
        return (
            Outcome.OVER_MEMORY,
            f"{OUT_OF_MEMORY_KILLER} acted, on a process of it probably; {peak} were seen before",
        )
    if record.end is SessionEnd.OVER_MEMORY:
        peak, cap = format_bytes(record.peak_memory_bytes or 0), format_bytes(terms.cap_bytes)
        if record.cap_kept_by not in (None, SAMPLING):
            return outcome, f"the kernel ended it at the cap of {cap} ({record.cap_kept_by}); {peak} at its peak"
        return outcome, f"{peak} in use, above the cap of {cap}; stopped at once"
    if record.end is SessionEnd.OVER_GPU_MEMORY:
        return outcome, f"{format_bytes(_peak_gpu(record) or 0)} of GPU memory in use, above its cap; stopped at once"
    if record.end is SessionEnd.MACHINE_SHORT_OF_MEMORY:
        peak = format_bytes(record.peak_memory_bytes or 0)
        return outcome, f"other programs took the machine's memory ({peak} in use by this trial); measured again later"
    if _may_have_been_killed(record):
        return (
            Outcome.DISTURBED,
            f"{OUT_OF_MEMORY_KILLER} acted, on whom is not known, and the learner ended; measured again later",
        )
    if record.end is SessionEnd.EXITED:
        detail = (
            exception_line(record)
            or signal_name(record)
            or (record.log_tail[-1] if record.log_tail else "it printed nothing")
        )
        return outcome, f"the learner ended by itself after {steps:,} steps: {detail}"
    if record.end is SessionEnd.TOO_SLOW:
        return _too_slow(record, steps)
    return outcome, record.end.value


def _peak_gpu(record: SessionRecord) -> int | None:
    return max((one.gpu_memory_bytes for one in record.load if one.gpu_memory_bytes is not None), default=None)


def _was_killed_by_system(record: SessionRecord) -> bool:
    """Somebody else's death is not ours: only a tree near its cap, or one that lost a process, may have been hit."""
    if record.cap_kept_by == OUT_OF_MEMORY_KILLER:
        return True
    was_hit = record.near_cap or bool(record.members_killed) or record.exit_code == -SIGKILL
    return record.end is SessionEnd.EXITED and record.oom_kills > 0 and was_hit


def _may_have_been_killed(record: SessionRecord) -> bool:
    """The system's killer acted on somebody, and the learner ended without a reason of its own."""
    return record.end is SessionEnd.EXITED and record.oom_kills > 0 and exception_line(record) is None


def _cap_kept_by(record: SessionRecord) -> str | None:
    return OUT_OF_MEMORY_KILLER if _was_killed_by_system(record) else record.cap_kept_by


def _too_slow(record: SessionRecord, steps: int) -> tuple[Outcome, str]:
    if record.from_console:
        return Outcome.TIMEOUT, f"too few summaries printed {TIME_ALLOWED}; {_SLOW_MEND}"
    if steps and not record.samples[-1].policy_updates:
        return Outcome.TOO_FEW_UPDATES, f"no policy update within {steps:,} steps"
    idle = [name for name, count in record.samples[-1].behaviors.items() if not count.policy_updates]
    who = f": {', '.join(idle)} never updated" if idle else ""
    return Outcome.TIMEOUT, f"too few whole cycles {TIME_ALLOWED}{who}; {_SLOW_MEND}"


TIME_ALLOWED = "in the time allowed"
_SLOW_MEND = "name a larger measure.max_seconds, or lower buffer_size"
