"""Why a run could not go on, as an error with one clear line, the right exit code, and what to do about it."""

from __future__ import annotations

from sweeper.errors import Inconclusive, NothingFeasible, NotReady, SweeperError
from sweeper.model.findings import FindingKind
from sweeper.model.trial import Purpose, TrialResult
from sweeper.report.words.reasons import reason_text
from sweeper.study.course import DeadEnd, Ending
from sweeper.units import format_bytes


def error_of(step: DeadEnd, cap_bytes: int) -> SweeperError:
    """The error that ends the run; `cap_bytes` is the study's memory cap."""
    trial = step.trial
    why = reason_text(trial.reason)
    if step.ending is Ending.UNMEASURED:
        what = "your own settings" if trial.purpose is Purpose.BASELINE else "the smallest configuration"
        return Inconclusive(f"{what} could not be measured: {why}", "a quiet machine, or a larger budget")
    if step.ending is Ending.LEARNS_NOTHING:
        return NothingFeasible(f"your own settings do not learn: {why}", "see buffer_size and batch_size")
    if step.ending is Ending.TOO_SLOW:
        return Inconclusive(f"your own settings are too slow to measure: {why}")
    if step.ending is Ending.DOES_NOT_RUN:
        return NotReady(f"your own settings do not run: {why}{_last_words(trial)}", trial.diagnosis)
    if step.ending is Ending.NOTHING_RUNS:
        return NotReady(
            f"nothing runs on this machine any more, your own settings neither, which ran before: {why}"
            f"{_last_words(trial)}",
            trial.diagnosis or "mend what the learner complains of, then run the same command again: it resumes",
        )
    if step.ending is Ending.CAP_TOO_LOW:
        if trial.reason is not None and trial.reason.kind is FindingKind.OVER_GPU_MEMORY:
            return NothingFeasible(
                f"the smallest configuration needs more GPU memory than gpu_memory_cap allows: {why}",
                "raise gpu_memory_cap, then run with --fresh",
            )
        cap, peak = format_bytes(cap_bytes), format_bytes(trial.peak_memory_bytes or 0)
        return NothingFeasible(
            f"the memory cap of {cap} is below what the smallest configuration needs: it was stopped at {peak}",
            "raise memory_cap, then run with --fresh",
        )
    return NothingFeasible(f"{step.failures} configurations in a row failed; the last: {why}")


def _last_words(trial: TrialResult) -> str:
    tail = "".join(f"\n    {line}" for line in trial.log_tail)
    return f"\n  the learner's last lines:{tail}" if tail else ""
