"""What came of a session: the outcome of a trial, decided in this one place."""

from __future__ import annotations

from sweeper.compare.guard import shortfall
from sweeper.measure.cycles import Cutting
from sweeper.measure.rate import measure
from sweeper.model.measurement import Measurement, Note, NoteKind, PerThousandSteps
from sweeper.model.session import SessionEnd, SessionRecord
from sweeper.model.trial import Outcome, Purpose, TrialResult, measured_fields
from sweeper.quantities import format_bytes
from sweeper.session.diagnosis import diagnose, exception_line
from sweeper.session.memory import RSS
from sweeper.trial_plan import TrialPlan

LOG_LINES_KEPT = 12

_OUTCOMES = {
    SessionEnd.MEASURED: Outcome.OK,
    SessionEnd.OVER_MEMORY: Outcome.OVER_MEMORY,
    SessionEnd.EXITED: Outcome.CRASHED,
    SessionEnd.NOT_CONNECTED: Outcome.TIMEOUT,
    SessionEnd.NO_STEPS: Outcome.NO_STEPS,
    SessionEnd.NO_PROBE: Outcome.CRASHED,
    SessionEnd.STALLED: Outcome.TIMEOUT,
    SessionEnd.TOO_SLOW: Outcome.TIMEOUT,
    SessionEnd.INTERRUPTED: Outcome.INTERRUPTED,
}


def judge(
    plan: TrialPlan,
    record: SessionRecord,
    purpose: Purpose,
    started_at: str,
    cut: Cutting,
    precision: float,
    cap_bytes: int,
    required: PerThousandSteps | None,
    block: int | None = None,
) -> TrialResult:
    """The result of a trial. Only a session that ended because enough was measured has a comparable number."""
    envs = plan.params.get("num_envs") or 1
    measurement = measure(record.samples, cut, precision, int(envs))
    outcome, message = _outcome(record, measurement, cap_bytes, required)
    fields = measured_fields(measurement)
    if outcome not in (Outcome.OK, Outcome.TOO_FEW_UPDATES):
        fields.update(steps_per_second=None, interval=None)
    if record.memory_source == RSS and outcome is Outcome.OVER_MEMORY:
        text = "Memory is summed RSS here, an upper bound that counts shared pages more than once."
        fields["warnings"] = (*fields.get("warnings", ()), Note(NoteKind.MEMORY_UPPER_BOUND, text))
    return TrialResult(
        number=plan.number,
        params=dict(plan.params),
        purpose=purpose,
        outcome=outcome,
        started_at=started_at,
        total_seconds=record.total_seconds,
        seed=plan.seed,
        message=message,
        diagnosis=diagnose(record),
        startup_seconds=record.startup_seconds,
        peak_memory_bytes=record.peak_memory_bytes,
        memory_source=record.memory_source,
        command=plan.argv,
        log_tail=() if outcome is Outcome.OK else record.log_tail[-LOG_LINES_KEPT:],
        block=block,
        **fields,
    )


def _outcome(
    record: SessionRecord, measurement: Measurement | None, cap_bytes: int, required: PerThousandSteps | None
) -> tuple[Outcome, str | None]:
    outcome = _OUTCOMES[record.end]
    steps = record.samples[-1].steps if record.samples else 0
    if record.end is SessionEnd.MEASURED and measurement is not None:
        text = shortfall(measurement.updates_per_1000_steps, required)
        return (Outcome.TOO_FEW_UPDATES, text) if text else (Outcome.OK, None)
    if record.end is SessionEnd.MEASURED:
        return Outcome.CRASHED, "the session said it had measured enough, but its samples hold no whole cycle"
    if record.end is SessionEnd.OVER_MEMORY:
        peak = format_bytes(record.peak_memory_bytes or 0)
        return outcome, f"{peak} in use, above the cap of {format_bytes(cap_bytes)}; stopped at once"
    if record.end is SessionEnd.TOO_SLOW and steps and not record.samples[-1].policy_updates:
        return Outcome.TOO_FEW_UPDATES, f"no policy update within {steps:,} steps"
    if record.end is SessionEnd.EXITED:
        detail = exception_line(record) or (record.log_tail[-1] if record.log_tail else "it printed nothing")
        return outcome, f"the learner ended by itself after {steps:,} steps: {detail}"
    if record.end is SessionEnd.TOO_SLOW:
        idle = [name for name, count in record.samples[-1].behaviors.items() if not count.policy_updates]
        if idle:
            return outcome, f"too few whole cycles in the time allowed: {', '.join(idle)} never updated; {_SLOW_MEND}"
        return outcome, f"too few whole cycles in the time allowed; {_SLOW_MEND}"
    return outcome, record.end.value


_SLOW_MEND = "raise measure.max_seconds, or lower buffer_size"
