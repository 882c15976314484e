"""Typed warnings about a study as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from sweeper.measure.contention import TOLD_PROGRAMS
from sweeper.measure.steadiness import MAX_CHANGE
from sweeper.model.findings import Finding, FindingKind, Value
from sweeper.model.study import Noise
from sweeper.model.trial import Outcome, TrialResult
from sweeper.study.history import History

_INERT = {"num_areas": FindingKind.AREAS_INERT, "num_envs": FindingKind.ENVS_INERT}


def study_notes(history: History, spent_seconds: float) -> tuple[Finding, ...]:
    """What a reader of a study's answer should know."""
    notes = [
        *(Finding(_INERT[knob]) for knob in history.inert),
        _busy(history),
        _lost_slices(history.results),
        _unsteady(history.results),
        _drift(history.noise, spent_seconds / 3600),
    ]
    return tuple(note for note in notes if note is not None)


def _busy(history: History) -> Finding | None:
    results = history.results
    voids = [trial for trial in results if trial.outcome is Outcome.DISTURBED and trial.contention]
    marked = _warned(results, FindingKind.MACHINE_BUSY)
    if not voids and not marked:
        return None
    values = {
        "never_quiet": history.is_never_quiet,
        "marked_sessions": len(marked),
        "disturbed_sessions": len(voids),
        "sessions": len(results),
        **_busiest([*voids, *marked]),
    }
    return Finding(FindingKind.MACHINE_BUSY, values)


def _lost_slices(results: Sequence[TrialResult]) -> Finding | None:
    found = _warned(results, FindingKind.SLICES_DISTURBED)
    if not found:
        return None
    lost = {(trial.round, at) for trial in found for at, rate in enumerate(trial.slices) if rate is None}
    total = sum({trial.round: len(trial.slices) for trial in results}.values())
    return Finding(FindingKind.SLICES_DISTURBED, {"lost_slices": len(lost), "slices": total, **_busiest(found)})


def _busiest(trials: Sequence[TrialResult]) -> dict[str, Value]:
    """Names of those that burnt most over these sessions."""
    cores: dict[str, float] = {}
    for trial in trials:
        for process in trial.contention.busiest if trial.contention else ():
            cores[process.name] = cores.get(process.name, 0.0) + process.cores
    names = sorted(cores, key=lambda name: cores[name], reverse=True)
    return {"busiest": tuple(names[:TOLD_PROGRAMS])}


def _unsteady(results: Sequence[TrialResult]) -> Finding | None:
    counted = [trial for trial in results if trial.is_ok]
    busy = _warned(counted, FindingKind.MACHINE_BUSY)
    unsteady = [trial for trial in _warned(counted, FindingKind.MACHINE_UNSTEADY) if trial not in busy]
    if not unsteady:
        return None
    values = {
        "unsteady_sessions": len(unsteady),
        "sessions": len(counted),
        "change_percent": 100 * (MAX_CHANGE - 1),
    }
    return Finding(FindingKind.MACHINE_UNSTEADY, values)


def _warned(results: Sequence[TrialResult], kind: FindingKind) -> list[TrialResult]:
    return [trial for trial in results if any(note.kind is kind for note in trial.warnings)]


def _drift(found: Noise, hours: float) -> Finding | None:
    """Worth a word where its interval excludes none, and it is more than sessions differ anyway."""
    slope, bounds, between = found.drift_percent_per_hour, found.drift_interval, found.between_percent
    if (
        slope is None
        or bounds is None
        or between is None
        or bounds[0] <= 0 <= bounds[1]
        or abs(slope) * hours < between
    ):
        return None
    return Finding(FindingKind.DRIFT, {"percent_per_hour": slope})
