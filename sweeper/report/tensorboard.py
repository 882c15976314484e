"""A study as TensorBoard shows it: a run a trial with its knobs as hparams, and one run of the study as it goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sweeper.model.trial import TrialResult

STUDY_RUN = "study"
RATE = "steps_per_second"


class Board:
    """Writes event files into `folder`; a trial is written once, also after a resume."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, trials: Sequence[TrialResult]) -> None:
        """What is new among these.

        Raises:
            OSError: the folder cannot be written.
        """
        fresh = [trial for trial in trials if not self._run(trial).exists()]
        if not fresh:
            return
        best = 0.0
        running: list[tuple[TrialResult, dict[str, float]]] = []
        for trial in trials:
            values = scalars(trial)
            best = max(best, values.get(RATE, 0.0))
            if trial in fresh:
                self._write(self._run(trial), [(trial, values)], hparams=True)
                running.append((trial, {**values, **({"fastest_so_far": best} if best else {})}))
        self._write(self._folder / STUDY_RUN, running, hparams=False)

    def _run(self, trial: TrialResult) -> Path:
        return self._folder / f"{trial.number:04d}-{trial.stage.value}"

    def _write(self, run: Path, entries: Sequence[tuple[TrialResult, Mapping[str, float]]], hparams: bool) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        writer = EventFileWriter(str(run))
        try:
            for trial, values in entries:
                at = _ended_at(trial)
                if hparams:
                    for summary in _hparams(trial):
                        writer.add_event(Event(wall_time=at, summary=summary))
                for tag, value in values.items():
                    summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
                    writer.add_event(Event(wall_time=at, step=trial.number, summary=summary))
        finally:
            writer.close()


def scalars(trial: TrialResult) -> dict[str, float]:
    """What a trial measured, by tag. Rates in steps/s, memory in GiB, phases as shares of the measured time."""
    found: dict[str, float | None] = {
        RATE: trial.steps_per_second,
        "memory_gib": None if trial.peak_memory_bytes is None else trial.peak_memory_bytes / 1024**3,
        "updates_per_1000_steps": trial.updates_per_1000_steps.policy if trial.updates_per_1000_steps else None,
        "seconds/startup": trial.startup_seconds,
        "seconds/measured": trial.measured_seconds,
        "others_percent": trial.contention.others_percent if trial.contention else None,
        **dict(_utilisation(trial)),
        **dict(_phases(trial)),
    }
    return {tag: float(value) for tag, value in found.items() if value is not None}


def _utilisation(trial: TrialResult) -> Iterator[tuple[str, float | None]]:
    found = trial.utilisation
    if found is not None:
        yield "utilisation/cores", found.cores
        yield "utilisation/usable_cores", found.usable_cores
        for part, cores in found.part_cores.items():
            yield f"utilisation/{part.value}_cores", cores
        for name in ("gpu_percent", "gpu_others_percent"):
            yield f"utilisation/{name}", getattr(found, name)


def _phases(trial: TrialResult) -> Iterator[tuple[str, float]]:
    phases, seconds = trial.phases, trial.measured_seconds
    if phases is not None and seconds:
        for name in ("collect", "wait", "infer", "process", "update"):
            yield f"phases/{name}_share", getattr(phases, f"{name}_seconds") / seconds


def _hparams(trial: TrialResult) -> list[Any]:
    """The session's start with its knobs, and its end."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import metadata
    from tensorboard.plugins.hparams.api_pb2 import STATUS_FAILURE, STATUS_SUCCESS
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb

    values = {knob: "" if value is None else value for knob, value in trial.params.items()}
    values["outcome"] = trial.outcome.value
    start = hparams_pb(values, trial_id=f"{trial.number:04d}", start_time_secs=_started_at(trial))
    status = STATUS_SUCCESS if trial.is_ok else STATUS_FAILURE
    # `session_end_pb` of the same package would ask for TensorFlow.
    ended = HParamsPluginData(session_end_info=SessionEndInfo(status=status, end_time_secs=_ended_at(trial)))
    value = Summary.Value(
        tag=metadata.SESSION_END_INFO_TAG,
        metadata=metadata.create_summary_metadata(ended),
        tensor=metadata.NULL_TENSOR,
    )
    return [start, Summary(value=[value])]


def _started_at(trial: TrialResult) -> float:
    return datetime.fromisoformat(trial.started_at).timestamp()


def _ended_at(trial: TrialResult) -> float:
    return _started_at(trial) + trial.total_seconds
