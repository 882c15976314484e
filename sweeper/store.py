"""The Optuna study on disk: open, resume, read, write. The only room that knows the storage.

Every session is one trial, with its parameters as the user writes them. States tell the truth: COMPLETE with its
value where it was measured, PRUNED with a violated constraint where the configuration is to blame, FAIL where the
tool, the machine or the user ended it. Finished trials are never changed.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy.exc
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from sweeper.errors import NotComparable, NotReady
from sweeper.model.study import to_json, trial_from_json
from sweeper.model.trial import Outcome, Params, ParamValue, Purpose, Stage, TrialResult

_RESULT, _IDENTITY, _STARTED, _SPENT, _CAP, _CONFIRMED = (
    f"sweeper:{name}"
    for name in ("result", "identity", "started_at", "spent_seconds", "memory_cap_bytes", "confirmed_search")
)
_SQLITE_SECONDS = 30


class Store:
    """An open study. Not safe for use by two processes; the study folder's lock sees to that."""

    def __init__(self, study: optuna.Study, values: Mapping[str, Sequence[ParamValue]]) -> None:
        self._study = study
        self._distributions = {knob: _distribution(found) for knob, found in values.items()}

    @classmethod
    def open(
        cls,
        path: Path,
        name: str,
        identity: Mapping[str, Any],
        values: Mapping[str, Sequence[ParamValue]],
        started_at: str,
        memory_cap_bytes: int,
    ) -> Store:
        """Open or create the study at `path`.

        Args:
            path: SQLite file.
            name: the study's name.
            identity: what makes numbers comparable; JSON types.
            values: every value that a knob may take, the baseline's included.
            started_at: remembered for a new study.
            memory_cap_bytes: remembered for a new study, so that a share of memory is resolved once.

        Raises:
            NotComparable: the file holds another study; says in what it differs.
            NotReady: not a study file, or it cannot be written.
        """
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        with _storage_errors(path):
            storage = optuna.storages.RDBStorage(
                f"sqlite:///{path}", engine_kwargs={"connect_args": {"timeout": _SQLITE_SECONDS}}
            )
            names = optuna.get_all_study_names(storage)
            if names and name not in names:
                raise NotComparable(f"{path.parent} holds the study '{names[0]}', not '{name}'", _OTHER_HINT)
            study = optuna.create_study(
                storage=storage,
                study_name=name,
                direction="maximize",
                load_if_exists=True,
                sampler=optuna.samplers.RandomSampler(seed=0),
            )
            found = study.user_attrs
            if _IDENTITY in found:
                _compare(found[_IDENTITY], json.loads(json.dumps(identity)), path.parent)
            else:
                study.set_user_attr(_STARTED, started_at)
                study.set_user_attr(_CAP, memory_cap_bytes)
                study.set_user_attr(_SPENT, 0.0)
                study.set_user_attr(_IDENTITY, dict(identity))
        return cls(study, values)

    @property
    def started_at(self) -> str:
        """When the study was created, ISO 8601."""
        return str(self._study.user_attrs[_STARTED])

    @property
    def memory_cap_bytes(self) -> int:
        """The cap that all trials of this study are held to."""
        return int(self._study.user_attrs[_CAP])

    @property
    def spent_seconds(self) -> float:
        """Time spent on this study over all runs."""
        return float(self._study.user_attrs[_SPENT])

    def spend(self, seconds: float) -> None:
        """Count `seconds` against the budget."""
        with _storage_errors():
            self._study.set_user_attr(_SPENT, self.spent_seconds + seconds)

    @property
    def confirmed_search(self) -> int | None:
        """The last search trial before the confirmation that was brought to its end; None without one."""
        found = self._study.user_attrs.get(_CONFIRMED)
        return None if found is None else int(found)

    def confirm(self, last_search: int) -> None:
        """A confirmation of all up to search trial `last_search` was brought to its end."""
        with _storage_errors():
            self._study.set_user_attr(_CONFIRMED, last_search)

    def results(self) -> list[TrialResult]:
        """Every finished trial, in order.

        Raises:
            NotComparable: one that this version did not write.
        """
        with _storage_errors():
            found = [trial.user_attrs.get(_RESULT) for trial in self._study.get_trials(deepcopy=False)]
        try:
            return [trial_from_json(json.dumps(data)) for data in found if data is not None]
        except ValueError as error:
            raise NotComparable(f"a trial of this study cannot be read: {error}", _OTHER_HINT) from None

    def fail_stale(self) -> list[int]:
        """Fail trials that a run which is no more left RUNNING; returns their numbers. Call under the folder's lock."""
        with _storage_errors():
            stale = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING, TrialState.WAITING))
            for trial in stale:
                # Not `tell`: a run may have died between enqueueing a trial and asking for it.
                self._study._storage.set_trial_state_values(trial._trial_id, state=TrialState.FAIL)
        return [trial.number for trial in stale]

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
        with _storage_errors():
            self._study.enqueue_trial(
                dict(params),
                user_attrs={"purpose": purpose.value, "stage": stage.value, "round": round, "machine": machine},
            )
            trial = self._study.ask(fixed_distributions=self._distributions)
        return trial.number

    def finish(self, result: TrialResult, constraints: Mapping[str, float]) -> None:
        """Record a trial's result."""
        with _storage_errors():
            trial = optuna.trial.Trial(self._study, self._trial_id(result.number))
            for name, value in constraints.items():
                trial.set_constraint(name, value)
            # optuna-dashboard shows user attributes; it does not read constraints of Optuna 5.
            trial.set_user_attr("outcome", result.outcome.value)
            trial.set_user_attr("feasible", result.outcome is Outcome.OK)
            if result.peak_memory_bytes is not None:
                trial.set_user_attr("peak_memory_mib", round(result.peak_memory_bytes / 1024**2))
            trial.set_user_attr(_RESULT, to_json(result))
            if result.is_ok:
                self._study.tell(result.number, result.steps_per_second)
            else:
                infeasible = result.outcome.is_infeasible
                self._study.tell(result.number, state=TrialState.PRUNED if infeasible else TrialState.FAIL)

    def abandon(self, number: int) -> None:
        """It never began."""
        with _storage_errors():
            self._study.tell(number, state=TrialState.FAIL)

    def _trial_id(self, number: int) -> int:
        return self._study.get_trials(deepcopy=False)[number]._trial_id


@contextlib.contextmanager
def _storage_errors(path: Path | None = None) -> Iterator[None]:
    try:
        yield
    except (optuna.exceptions.StorageInternalError, sqlalchemy.exc.SQLAlchemyError) as error:
        text = str(error.__cause__ or error)
        if "disk is full" in text or "disk I/O error" in text:
            raise NotReady("the disk is full", "free some space, then run the same command again: it resumes") from None
        if "not a database" in text or "malformed" in text:
            raise NotReady(
                f"{path or 'the study.db'}: not an Optuna storage, or damaged",
                "--fresh moves the folder aside and starts anew",
            ) from None
        first = text.splitlines()[0]
        raise NotReady(
            f"cannot use the study's storage: {first}", "is its folder writable, and on a local disk?"
        ) from None


def _compare(found: Mapping[str, Any], asked: Mapping[str, Any], folder: Path) -> None:
    changed = [key for key in asked if found.get(key) != asked[key]]
    if changed:
        details = "; ".join(f"{key} was {_short(found.get(key))}, is now {_short(asked[key])}" for key in changed)
        raise NotComparable(f"{folder} holds results that must not be mixed with this study: {details}", _OTHER_HINT)


_OTHER_HINT = "--fresh moves the old folder aside and starts anew; a new name or --out keeps both"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _distribution(values: Sequence[ParamValue]) -> BaseDistribution:
    numbers = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if len(numbers) < len(values):
        return CategoricalDistribution(list(dict.fromkeys(values)))
    if all(isinstance(value, int) for value in numbers):
        return IntDistribution(int(min(numbers)), int(max(numbers)))
    return FloatDistribution(float(min(numbers)), float(max(numbers)))
