"""The Optuna study on disk: open, resume, read, write.

Every session is one trial, with its parameters as the user writes them. States tell the truth: COMPLETE with its
value where it was measured, PRUNED with a violated constraint where the configuration is to blame, FAIL where the
tool, the machine or the user ended it. Finished trials are never changed.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from sweeper.errors import NotComparable
from sweeper.model.folder import StudyFolder, TrialFolder
from sweeper.model.study import to_json
from sweeper.model.trial import Outcome, Params, ParamValue, Purpose, Stage, TrialResult
from sweeper.store.kept import forget, keep, kept
from sweeper.store.patience import SQLITE_SECONDS, Patience
from sweeper.store.values import OTHER_HINT, RESULT, compare, distribution_of, results_of

_IDENTITY, _STARTED, _SPENT, _CAP, _GPU_CAP, _TOKEN = (
    f"sweeper:{name}"
    for name in (
        "identity", "started_at", "spent_seconds", "memory_cap_bytes", "gpu_memory_cap_bytes", "token",
    )
)  # fmt: skip
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Recovered:
    """What a run that is no more left behind, by trial numbers.

    `stored`: results that had been kept and are in the storage now. `failed`: sessions that were cut off.
    `lost_seconds`: that these took.
    """

    stored: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    lost_seconds: float = 0.0


class Store:
    """An open study. Not safe for use by two processes; the study folder's lock sees to that."""

    def __init__(
        self,
        study: optuna.Study,
        values: Mapping[str, Sequence[ParamValue]],
        path: Path | None = None,
        patience: Patience | None = None,
    ) -> None:
        """`path`: of the SQLite file, where there is one. Reads every finished trial."""
        self._study = study
        self._path = path
        self._patience = patience or Patience()
        self._folder = None if path is None else StudyFolder(path.parent)
        self._distributions = {knob: distribution_of(found) for knob, found in values.items()}
        self._attributes: dict[str, Any] = dict(self._attempt(lambda: study.user_attrs))
        trials = self._attempt(lambda: study.get_trials(deepcopy=False))
        self._ids = {trial.number: trial._trial_id for trial in trials}
        self._results = results_of(trials)

    @classmethod
    def open(
        cls,
        path: Path,
        name: str,
        identity: Mapping[str, Any],
        values: Mapping[str, Sequence[ParamValue]],
        started_at: str,
        memory_cap_bytes: int,
        gpu_memory_cap_bytes: int | None = None,
        patience: Patience | None = None,
    ) -> Store:
        """Open or create the study in the SQLite file `path`; see `on`.

        Raises:
            NotComparable: the file holds another study; says in what it differs.
            NotReady: not a study file, it cannot be written, or it stays locked.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        patience = patience or Patience()
        arguments = {"connect_args": {"timeout": SQLITE_SECONDS}}
        storage = patience.attempt(
            path, lambda: optuna.storages.RDBStorage(f"sqlite:///{path}", engine_kwargs=arguments)
        )
        return cls.on(
            storage, path, name, identity, values, started_at, memory_cap_bytes, gpu_memory_cap_bytes, patience
        )

    @classmethod
    def on(
        cls,
        storage: BaseStorage,
        path: Path | None,
        name: str,
        identity: Mapping[str, Any],
        values: Mapping[str, Sequence[ParamValue]],
        started_at: str,
        memory_cap_bytes: int,
        gpu_memory_cap_bytes: int | None = None,
        patience: Patience | None = None,
    ) -> Store:
        """Open or create the study in any storage of Optuna's.

        Args:
            storage: an open storage.
            path: in whose folder results are kept on their way; None to keep none.
            name: the study's name.
            identity: what makes numbers comparable; JSON types.
            values: every value that a knob may take, the baseline's included.
            started_at: remembered for a new study.
            memory_cap_bytes: remembered for a new study, so that a share of memory is resolved once.
            gpu_memory_cap_bytes: of this run; None where no GPU tells.
            patience: how long to wait for a storage that is locked.
        """
        patience = patience or Patience()
        folder = path.parent if path else Path()

        def opened() -> optuna.Study:
            names = optuna.get_all_study_names(storage)
            if names and name not in names:
                raise NotComparable(f"{folder} holds the study '{names[0]}', not '{name}'", OTHER_HINT)
            study = optuna.create_study(
                storage=storage,
                study_name=name,
                direction="maximize",
                load_if_exists=True,
                sampler=optuna.samplers.RandomSampler(seed=0),
            )
            found = study.user_attrs
            if _IDENTITY in found:
                compare(found[_IDENTITY], json.loads(json.dumps(identity)), folder)
            else:
                study.set_user_attr(_STARTED, started_at)
                study.set_user_attr(_CAP, memory_cap_bytes)
                study.set_user_attr(_SPENT, 0.0)
                study.set_user_attr(_IDENTITY, dict(identity))  # last: what has it is whole
            study.set_user_attr(_GPU_CAP, gpu_memory_cap_bytes)  # it may change between runs
            return study

        return cls(patience.attempt(path, opened), values, path, patience)

    @property
    def started_at(self) -> str:
        """When the study was created, ISO 8601."""
        return str(self._attributes[_STARTED])

    @property
    def memory_cap_bytes(self) -> int:
        """The cap that all trials of this study are held to."""
        return int(self._attributes[_CAP])

    @property
    def gpu_memory_cap_bytes(self) -> int | None:
        """The cap of GPU memory of the last run; None where no GPU told."""
        found = self._attributes.get(_GPU_CAP)
        return None if found is None else int(found)

    @property
    def spent_seconds(self) -> float:
        """Time spent on this study over all runs."""
        return float(self._attributes[_SPENT])

    def spend(self, seconds: float) -> None:
        """Count `seconds` against the budget."""
        self._attributes[_SPENT] = self.spent_seconds + seconds
        self._attempt(lambda: self._study.set_user_attr(_SPENT, self.spent_seconds))

    def results(self) -> tuple[TrialResult, ...]:
        """Every finished trial, in order; from memory."""
        return tuple(self._results[number] for number in sorted(self._results))

    def recover(self) -> Recovered:
        """Finish or fail what a run that is no more left RUNNING. Call under the folder's lock."""
        unfinished = (TrialState.RUNNING, TrialState.WAITING)
        trials = self._attempt(lambda: self._study.get_trials(deepcopy=False, states=unfinished))
        stored, failed, lost_seconds = [], [], 0.0
        for trial in trials:
            found = None if self._folder is None else kept(self._kept(trial.number), trial.number)
            if found is not None:
                self.finish(*found)
                stored.append(trial.number)
                lost_seconds += found[0].cost_seconds or 0.0
            else:
                self.abandon(trial.number)
                failed.append(trial.number)
        lost_seconds += self._seconds_of([trial for trial in trials if trial.number in failed])
        return Recovered(tuple(stored), tuple(failed), lost_seconds)

    def start(
        self,
        params: Params,
        *,
        purpose: Purpose,
        stage: Stage,
        round: int | None = None,
        machine: str | None = None,
        contender: str | None = None,
    ) -> int:
        """Begin a trial; returns its number."""
        told = {"purpose": purpose.value, "stage": stage.value, "round": round, "machine": machine}
        token = uuid.uuid4().hex
        trial = create_trial(
            state=TrialState.RUNNING,
            params=dict(params),
            distributions={knob: self._distributions[knob] for knob in params},
            user_attrs={**told, "contender": contender, _TOKEN: token},
        )
        trial.datetime_start = datetime.now()
        storage, study_id = self._study._storage, self._study._study_id

        def begun() -> tuple[int, int]:
            # A commit may have worked although its answer did not come.
            for one in reversed(self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))):
                if one.user_attrs.get(_TOKEN) == token:
                    return one.number, one._trial_id
            trial_id = storage.create_new_trial(study_id, template_trial=trial)
            return storage.get_trial_number_from_id(trial_id), trial_id

        number, trial_id = self._attempt(begun)
        self._ids[number] = trial_id
        return number

    def abandon(self, number: int) -> None:
        """A trial whose session never began, or was cut off, has failed."""
        trial_id = self._ids[number]

        def failed() -> None:
            if not self._study._storage.get_trial(trial_id).state.is_finished():
                self._study._storage.set_trial_state_values(trial_id, state=TrialState.FAIL)

        self._attempt(failed)

    def finish(self, result: TrialResult, constraints: Mapping[str, float]) -> None:
        """Record a result; told twice, it counts once. It is kept beside the trial's logs until the storage has it."""
        if self._folder is not None:
            keep(self._kept(result.number), result, constraints)
        trial_id = self._ids[result.number]
        self._attempt(lambda: self._write(trial_id, result, constraints))
        self._results[result.number] = result
        if self._folder is not None:
            forget(self._kept(result.number))

    def _write(self, trial_id: int, result: TrialResult, constraints: Mapping[str, float]) -> None:
        storage = self._study._storage
        if storage.get_trial(trial_id).state.is_finished():
            return
        trial = optuna.trial.Trial(self._study, trial_id)
        for name, value in constraints.items():
            if name not in trial.constraints:
                trial.set_constraint(name, value)
        # optuna-dashboard shows user attributes; it does not read constraints of Optuna 5.
        trial.set_user_attr("outcome", result.outcome.value)
        trial.set_user_attr("feasible", result.outcome is Outcome.OK)
        if result.peak_memory_bytes is not None:
            trial.set_user_attr("peak_memory_mib", round(result.peak_memory_bytes / 1024**2))
        trial.set_user_attr(RESULT, to_json(result))
        if result.is_ok:
            storage.set_trial_state_values(trial_id, TrialState.COMPLETE, [float(result.steps_per_second or 0.0)])
        else:
            is_known = result.outcome.is_infeasible or result.outcome is Outcome.OUTPACED
            storage.set_trial_state_values(trial_id, TrialState.PRUNED if is_known else TrialState.FAIL)

    def _attempt(self, operation: Callable[[], Answer]) -> Answer:
        return self._patience.attempt(self._path, operation)

    def _kept(self, number: int) -> Path:
        assert self._folder is not None
        return TrialFolder(self._folder.trial(number)).result

    def _seconds_of(self, trials: Sequence[FrozenTrial]) -> float:
        """What sessions took that were cut off, some alive together: to the last sign of life where their logs grow."""
        begun = [trial.datetime_start.timestamp() for trial in trials if trial.datetime_start is not None]
        if not begun or self._folder is None:
            return 0.0
        try:
            folders = [self._folder.trial(trial.number) for trial in trials]
            times = [path.stat().st_mtime for folder in folders for path in folder.rglob("*")]
        except OSError:
            return 0.0
        return max(0.0, max(times, default=0.0) - min(begun))
