"""The Optuna study: one body of tests for every back end, and what only a file on a disk can meet."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import pytest
import sqlalchemy.exc
from optuna.trial import TrialState

from sweeper.app.stop import StopSignal
from sweeper.errors import ExitCode, Interrupted, NotComparable, NotReady
from sweeper.model.folder import StudyFolder, TrialFolder
from sweeper.model.study import to_json
from sweeper.model.trial import Outcome, Purpose, Stage, TrialResult
from sweeper.store import Patience, Store
from tests.helpers.builders import GIB, params_of, said, trial_of

IDENTITY = {"build": "b:1:2", "space": {"num_envs": [1, 2]}, "machine": "m1"}
VALUES: dict[str, tuple[Any, ...]] = {
    "num_envs": (1, 2, 4), "num_areas": (1, 16), "batch_size": (64, 128), "threaded": (False, True),
}  # fmt: skip
FINE = {"memory": -0.5, "updates": 0.0, "failed": 0.0}
SETTINGS: dict[str, Any] = {"values": VALUES, "started_at": "2026-01-01", "memory_cap_bytes": 8 * GIB}


def opened(path: Path, identity: Mapping[str, Any] = IDENTITY, name: str = "racer", **fields: Any) -> Store:
    return Store.open(path, name, identity, **{**SETTINGS, **fields})


def started(store: Store, params: Mapping[str, Any], purpose: Purpose = Purpose.SEARCH, **fields: Any) -> int:
    return store.start(params, purpose=purpose, **{"stage": Stage.SEARCH, **fields})


def run(store: Store, params: Mapping[str, Any], outcome: Outcome = Outcome.OK, **fields: Any) -> TrialResult:
    number = started(store, params, fields.pop("purpose", Purpose.SEARCH))
    result = trial_of(number, params, outcome=outcome, **fields)
    store.finish(result, FINE if result.is_ok else {**FINE, "failed": 1.0})
    return result


Opener = Callable[..., Store]


@pytest.fixture(params=["sqlite", "memory", "journal"])
def again(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens the same study, again and again, on one of Optuna's storages."""
    if request.param == "sqlite":
        return lambda **fields: opened(tmp_path / "study.db", **fields)
    if request.param == "memory":
        storage: Any = optuna.storages.InMemoryStorage()
    else:
        backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "study.log"))
        storage = optuna.storages.JournalStorage(backend)

    def opener(identity: Mapping[str, Any] = IDENTITY, name: str = "racer", **fields: Any) -> Store:
        return Store.on(storage, None, name, identity, **{**SETTINGS, **fields})

    return opener


def trials_of(store: Store) -> list[optuna.trial.FrozenTrial]:
    return store._study.get_trials()


STATES = {
    Outcome.OK: TrialState.COMPLETE,
    Outcome.OVER_MEMORY: TrialState.PRUNED,
    Outcome.TOO_FEW_UPDATES: TrialState.PRUNED,
    Outcome.VETOED: TrialState.PRUNED,
    Outcome.TIMEOUT: TrialState.PRUNED,
    Outcome.CRASHED: TrialState.PRUNED,
    Outcome.NO_STEPS: TrialState.PRUNED,
    Outcome.OUTPACED: TrialState.PRUNED,
    Outcome.DISTURBED: TrialState.FAIL,
    Outcome.INTERRUPTED: TrialState.FAIL,
}


class TestEveryBackEnd:
    def test_round_trip_and_resume(self, again: Opener) -> None:
        store = again(gpu_memory_cap_bytes=GIB)
        first = run(store, params_of(1), purpose=Purpose.BASELINE, reason=said("é 'quoted'"), log_tail=("a", "b"))
        second = run(store, params_of(4, 16, 64, True), outcome=Outcome.CRASHED, round=2, excuses=(0, 1))
        assert (first.number, second.number) == (0, 1)
        assert store.results() == (first, second)
        other = again(started_at="2027-07-07", memory_cap_bytes=5, gpu_memory_cap_bytes=7)
        assert other.results() == (first, second)
        assert (other.started_at, other.memory_cap_bytes, other.gpu_memory_cap_bytes) == ("2026-01-01", 8 * GIB, 7)
        assert run(other, params_of(2)).number == 2

    def test_time_spent_adds_up_over_runs(self, again: Opener) -> None:
        store = again()
        assert store.spent_seconds == 0.0
        store.spend(12.5)
        store.spend(2.5)
        assert again().spent_seconds == 15.0

    def test_states_tell_the_truth(self, again: Opener) -> None:
        assert set(STATES) == set(Outcome)
        store = again()
        for outcome in STATES:
            run(store, params_of(2), outcome)
        trials = trials_of(again())
        assert [trial.state for trial in trials] == list(STATES.values())
        assert [trial.value for trial in trials] == [1000.0] + [None] * (len(STATES) - 1)
        assert [trial.params for trial in trials] == [params_of(2)] * len(STATES)
        assert trials[0].constraints == FINE

    def test_what_the_dashboard_shows(self, again: Opener) -> None:
        store = again()
        run(store, params_of(1), purpose=Purpose.CONFIRM)
        run(store, params_of(2), Outcome.OVER_MEMORY, peak_memory_bytes=None)
        shown = [
            {name: value for name, value in trial.user_attrs.items() if not name.startswith("sweeper:")}
            for trial in trials_of(store)
        ]
        asked = {"stage": "search", "round": None, "machine": None, "contender": None}
        assert shown == [
            {**asked, "purpose": "confirm", "outcome": "ok", "feasible": True, "peak_memory_mib": 1024},
            {**asked, "purpose": "search", "outcome": "over_memory", "feasible": False},
        ]

    def test_a_repeat_is_a_trial_of_its_own(self, again: Opener) -> None:
        store = again()
        run(store, params_of(1))
        run(store, params_of(1))
        assert [trial.params for trial in trials_of(again())] == [params_of(1)] * 2

    def test_values_of_every_kind(self, again: Opener) -> None:
        values = {"a": (None, 64, 128), "b": ("linear", "constant"), "c": (0.5, 1), "d": (7,)}
        store = again(values=values)
        for params in ({"a": None, "b": "linear", "c": 0.5, "d": 7}, {"a": 128, "b": "constant", "c": 1, "d": 7}):
            assert run(store, params).params == params
        assert [trial.params for trial in trials_of(store)] == [result.params for result in store.results()]

    def test_another_identity_is_refused_and_says_what_changed(self, again: Opener) -> None:
        again()
        with pytest.raises(NotComparable) as caught:
            again(identity={**IDENTITY, "machine": "m2", "space": {"num_envs": [1, 2, 3]}})
        text = str(caught.value)
        assert 'machine was "m1", is now "m2"' in text
        assert "space: num_envs was [1, 2], is now [1, 2, 3]" in text
        assert "build" not in text.partition("with this study:")[2]
        assert "--fresh" in str(caught.value.hint)

    def test_the_same_identity_may_use_tuples(self, again: Opener) -> None:
        again()
        again(identity={**IDENTITY, "space": {"num_envs": (1, 2)}})

    def test_another_name_is_refused(self, again: Opener) -> None:
        again()
        with pytest.raises(NotComparable, match="holds the study 'racer', not 'other'"):
            again(name="other")

    def test_told_twice_it_counts_once(self, again: Opener) -> None:
        store = again()
        result = run(store, params_of(1))
        store.finish(result, FINE)
        assert store.results() == again().results() == (result,)

    def test_a_session_that_never_began(self, again: Opener) -> None:
        store = again()
        store.abandon(started(store, params_of(1)))
        assert [trial.state for trial in trials_of(store)] == [TrialState.FAIL]
        assert store.results() == again().results() == ()
        assert run(store, params_of(1)).number == 1

    def test_trials_left_running_are_failed(self, again: Opener) -> None:
        store = again()
        done = run(store, params_of(1))
        started(store, params_of(2))
        other = again()
        assert (other.recover().failed, other.recover().failed) == ((1,), ())
        assert other.results() == (done,)
        assert [trial.state for trial in trials_of(other)] == [TrialState.COMPLETE, TrialState.FAIL]

    def test_a_trial_left_waiting_is_failed(self, again: Opener) -> None:
        again()._study.enqueue_trial(params_of(2), user_attrs={"purpose": "search"})
        assert again().recover().failed == (0,)

    def test_results_of_earlier_versions_are_brought_up_to_date(self, again: Opener) -> None:
        store = again()
        number = started(store, params_of(1))
        data = to_json(trial_of(number, params_of(1), purpose=Purpose.CONFIRM))
        old = {key: value for key, value in data.items() if key not in ("stage", "round", "excuses")} | {"block": 3}
        trial = optuna.trial.Trial(store._study, store._ids[number])
        trial.set_user_attr("sweeper:result", old)
        store._study.tell(number, 1000.0)
        (found,) = again().results()
        assert (found.stage, found.round) == (Stage.CONFIRMATION, 3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "study.db"


def folder_of(path: Path, number: int) -> TrialFolder:
    return TrialFolder(StudyFolder(path.parent).trial(number))


class TestKilled:
    def test_between_the_result_and_the_storage(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store = opened(path)
        number = started(store, params_of(2))
        result = trial_of(number, params_of(2), purpose=Purpose.CONFIRM, round=4, log_tail=("a",), cost_seconds=3.5)

        def killed(*_: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(Store, "_write", killed)
            store.finish(result, FINE)
        assert folder_of(path, number).result.exists()
        again = opened(path)
        assert again.results() == ()
        assert again.recover().stored == (number,)
        assert again.results() == opened(path).results() == (result,)
        assert trials_of(again)[0].constraints == FINE
        assert not folder_of(path, number).result.exists()

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"result": {}, "constraints": {}}'])
    def test_what_was_kept_is_half_or_nonsense(self, path: Path, text: str) -> None:
        store = opened(path)
        kept = folder_of(path, started(store, params_of(2))).result
        kept.parent.mkdir(parents=True)
        kept.write_text(text)
        assert opened(path).recover().failed == (0,)

    def test_what_was_kept_is_anothers(self, path: Path) -> None:
        store = opened(path)
        kept = folder_of(path, started(store, params_of(2))).result
        kept.parent.mkdir(parents=True)
        kept.write_text(json.dumps({"result": to_json(trial_of(7)), "constraints": {}}))
        assert opened(path).recover().failed == (0,)

    def test_the_time_of_a_session_that_was_cut_off_is_not_lost(self, path: Path) -> None:
        store = opened(path)
        number = started(store, params_of(2))
        log = folder_of(path, number).learner_log
        log.parent.mkdir(parents=True)
        log.write_text("its last words")
        os.utime(log, (time.time() + 90, time.time() + 90))
        assert opened(path).recover().lost_seconds == pytest.approx(90, abs=5)

    def test_nothing_is_kept_once_it_is_stored(self, path: Path) -> None:
        run(opened(path), params_of(1))
        assert not folder_of(path, 0).result.exists()


@contextmanager
def locked(path: Path, seconds: float, *statements: str) -> Iterator[None]:
    """Somebody else holds the database; `statements` say how, a transaction that shuts out everybody where none do."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        connection = sqlite3.connect(path, isolation_level=None)
        for statement in statements or ("BEGIN EXCLUSIVE",):
            connection.execute(statement).fetchone()
        held.set()
        done.wait(seconds)
        connection.execute("ROLLBACK")
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    try:
        yield
    finally:
        done.set()
        thread.join()


class TestLocked:
    """A dashboard or a backup holds the database for longer than SQLite itself waits."""

    seconds = 3.5

    def test_it_delays_and_loses_nothing(self, path: Path) -> None:
        told: list[str] = []
        store = opened(path, patience=Patience(waiting=told.append))
        with locked(path, self.seconds):
            number = started(store, params_of(2))
        result = trial_of(number, params_of(2))
        with locked(path, self.seconds):
            store.finish(result, FINE)
        with locked(path, self.seconds):
            store.spend(5.0)
        with locked(path, self.seconds):
            again = opened(path, patience=Patience(waiting=told.append))
        assert again.results() == store.results() == (result,)
        assert again.spent_seconds == 5.0
        assert len(trials_of(again)) == 1
        assert len(told) == 4
        assert all("is locked by another program; waiting" in text for text in told)

    @pytest.mark.parametrize("how", [("BEGIN IMMEDIATE",), ("BEGIN", "SELECT * FROM trials")])
    def test_somebody_who_writes_or_only_reads(self, path: Path, how: tuple[str, ...]) -> None:
        """A reader lets us write, and not commit."""
        told: list[str] = []
        store = opened(path, patience=Patience(waiting=told.append))
        result = trial_of(started(store, params_of(2)), params_of(2))
        with locked(path, self.seconds, *how):
            store.finish(result, FINE)
        assert (opened(path).results(), len(told)) == ((result,), 1)

    def test_not_for_ever(self, path: Path) -> None:
        store = opened(path, patience=Patience(seconds=0.0))
        with locked(path, 60.0), pytest.raises(NotReady, match="locked by another program") as caught:
            store.spend(1.0)
        assert "the same command goes on" in str(caught.value.hint)

    def test_a_wish_to_stop_is_heard(self, path: Path) -> None:
        stop = StopSignal()
        store = opened(path, patience=Patience(check=stop.check))
        number = started(store, params_of(2))
        stop.ask()
        with locked(path, 60.0), pytest.raises(Interrupted) as caught:  # and is no failure of the storage
            store.finish(trial_of(number, params_of(2)), FINE)
        assert caught.value.exit_code is ExitCode.INTERRUPTED
        assert opened(path).recover().stored == (number,)


class TestUncertainCommits:
    """The commit worked, and its answer did not come."""

    def failing_once(self, monkeypatch: pytest.MonkeyPatch, store: Store, name: str) -> None:
        storage: Any = store._study._storage
        whole, calls = getattr(storage, name), []

        def method(*arguments: Any, **more: Any) -> Any:
            found = whole(*arguments, **more)
            calls.append(name)
            if len(calls) == 1:
                raise sqlalchemy.exc.OperationalError("COMMIT", {}, Exception("database is locked"))
            return found

        monkeypatch.setattr(storage, name, method)
        store._patience.sleep = lambda seconds: None

    def test_a_start_makes_one_trial(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store = opened(path)
        self.failing_once(monkeypatch, store, "create_new_trial")
        assert started(store, params_of(1)) == 0
        assert len(trials_of(store)) == 1

    def test_a_result_is_stored_once(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store = opened(path)
        self.failing_once(monkeypatch, store, "set_trial_state_values")
        result = run(store, params_of(1))
        assert opened(path).results() == (result,)


def test_not_a_database(path: Path) -> None:
    path.write_text("these are no tables " * 100)
    with pytest.raises(NotReady, match="not an Optuna storage") as caught:
        opened(path)
    assert "--fresh" in str(caught.value.hint)


def test_a_folder_in_its_place(path: Path) -> None:
    path.mkdir()
    with pytest.raises(NotReady, match="cannot use the study's storage"):
        opened(path)


def test_a_lost_table_is_no_traceback(path: Path) -> None:
    store = opened(path)
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE trials")
    connection.close()
    with pytest.raises(NotReady, match="cannot use the study's storage"):
        started(store, params_of(1))
