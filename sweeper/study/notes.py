"""Typed warnings about a study as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from sweeper.compare.noise import areas_are_inert
from sweeper.measure.steadiness import MAX_CHANGE
from sweeper.model.measurement import Note, NoteKind
from sweeper.model.study import Noise
from sweeper.model.trial import Outcome, TrialResult
from sweeper.study.history import History


def study_notes(history: History, spent_seconds: float) -> tuple[Note, ...]:
    """What a reader of a study's answer should know."""
    results = history.results
    notes = []
    if areas_are_inert(history.candidates):
        text = (
            "num_areas seems to have changed nothing: an exchange brought as many decisions whatever it was set to. "
            "It acts only if the scene has a TrainingAreaReplicator."
        )
        notes.append(Note(NoteKind.AREAS_INERT, text))
    if busy := _busy_text(history):
        notes.append(Note(NoteKind.MACHINE_BUSY, busy))
    if slices := _slices_text(results):
        notes.append(Note(NoteKind.SLICES_DISTURBED, slices))
    if unsteady := _unsteady_text(results):
        notes.append(Note(NoteKind.MACHINE_UNSTEADY, unsteady))
    if drift := _drift_text(history.noise, spent_seconds / 3600):
        notes.append(Note(NoteKind.DRIFT, drift))
    return tuple(notes)


def _busy_text(history: History) -> str | None:
    results = history.results
    voids = [trial for trial in results if trial.outcome is Outcome.DISTURBED and trial.contention]
    marked = _warned(results, NoteKind.MACHINE_BUSY)
    if not voids and not marked:
        return None
    busiest = _busiest_text([*voids, *marked])
    if history.is_never_quiet:
        return (
            "This machine was never quiet: every number here was measured while other programs took their share of it, "
            f"and holds for that load only.{busiest}"
        )
    if marked:
        return f"{len(marked)} of {len(results)} sessions were measured while other programs took their share.{busiest}"
    return f"{len(voids)} of {len(results)} sessions were disturbed by other programs and do not count.{busiest}"


def _slices_text(results: Sequence[TrialResult]) -> str | None:
    found = _warned(results, NoteKind.SLICES_DISTURBED)
    if not found:
        return None
    rounds = {(trial.round, at) for trial in found for at, rate in enumerate(trial.slices) if rate is None}
    total = sum({trial.round: len(trial.slices) for trial in found}.values())
    return (
        f"{len(rounds)} of {total} rounds of the confirmation were disturbed by other programs and do not count."
        f"{_busiest_text(found)}"
    )


def _busiest_text(trials: Sequence[TrialResult]) -> str:
    """` Busiest: stress, chrome.`, or nothing."""
    cores: dict[str, float] = {}
    for trial in trials:
        for process in trial.contention.busiest if trial.contention else ():
            cores[process.name] = cores.get(process.name, 0.0) + process.cores
    names = ", ".join(sorted(cores, key=lambda name: cores[name], reverse=True)[:3])
    return f" Busiest: {names}." if names else ""


def _unsteady_text(results: Sequence[TrialResult]) -> str | None:
    counted = [trial for trial in results if trial.is_ok]
    busy = _warned(counted, NoteKind.MACHINE_BUSY)
    unsteady = [trial for trial in _warned(counted, NoteKind.MACHINE_UNSTEADY) if trial not in busy]
    if not unsteady:
        return None
    return (
        f"The machine itself changed its speed by more than {100 * (MAX_CHANGE - 1):.0f} % during {len(unsteady)} of "
        f"{len(counted)} sessions, and no counter here says why: a host shared with others, heat or a power plan may "
        "do that. A single session says less on such a machine."
    )


def _warned(results: Sequence[TrialResult], kind: NoteKind) -> list[TrialResult]:
    return [trial for trial in results if any(note.kind is kind for note in trial.warnings)]


def _drift_text(found: Noise, hours: float) -> str | None:
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
    direction = "faster" if slope > 0 else "slower"
    return (
        f"The machine got {direction} while the study ran: your own settings moved by {abs(slope):.1f} % an hour. The "
        "speed-up is not touched by that: it is judged within rounds."
    )
