"""The Optuna study on disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from sweeper.errors import NotComparable, NotReady
from sweeper.model.trial import Outcome, Purpose, TrialResult
from sweeper.store import Store
from tests.helpers.builders import GIB, params_of, trial_of

IDENTITY = {"build": "b:1:2", "space": {"num_envs": [1, 2]}, "machine": "m1"}
VALUES: dict[str, tuple[Any, ...]] = {
    "num_envs": (1, 2, 4), "num_areas": (1, 16), "batch_size": (64, 128), "threaded": (False, True),
}  # fmt: skip
FINE = {"memory": -0.5, "updates": 0.0, "failed": 0.0}


def opened(path: Path, identity: Mapping[str, Any] = IDENTITY, name: str = "racer", **fields: Any) -> Store:
    found = {"values": VALUES, "started_at": "2026-01-01", "memory_cap_bytes": 8 * GIB, **fields}
    return Store.open(path, name, identity, **found)


def run(store: Store, params: Mapping[str, Any], outcome: Outcome = Outcome.OK, **fields: Any) -> TrialResult:
    number = store.start(params, fields.pop("purpose", Purpose.SEARCH))
    result = trial_of(number, params, outcome=outcome, **fields)
    store.finish(result, FINE if result.is_ok else {**FINE, "failed": 1.0})
    return result


def stored(path: Path, name: str = "racer") -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name=name, storage=f"sqlite:///{path}").trials


def test_round_trip_and_resume(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    store = opened(path)
    first = run(store, params_of(1), purpose=Purpose.BASELINE, message="é 'quoted'", log_tail=("a", "b"))
    second = run(store, params_of(4, 16, 64, True), outcome=Outcome.CRASHED, block=2)
    assert (first.number, second.number) == (0, 1)
    assert store.results() == [first, second]
    again = opened(path, started_at="2027-07-07", memory_cap_bytes=5)
    assert again.results() == [first, second]
    assert (again.started_at, again.memory_cap_bytes) == ("2026-01-01", 8 * GIB)
    third = run(again, params_of(2))
    assert third.number == 2


def test_time_spent_adds_up_over_runs(tmp_path: Path) -> None:
    store = opened(tmp_path / "study.db")
    assert store.spent_seconds == 0.0
    store.spend(12.5)
    store.spend(2.5)
    assert opened(tmp_path / "study.db").spent_seconds == 15.0


def test_a_confirmation_is_remembered(tmp_path: Path) -> None:
    store = opened(tmp_path / "study.db")
    assert store.confirmed_search is None
    store.confirm(7)
    assert opened(tmp_path / "study.db").confirmed_search == 7
    store.confirm(9)
    assert opened(tmp_path / "study.db").confirmed_search == 9


STATES = {
    Outcome.OK: TrialState.COMPLETE,
    Outcome.OVER_MEMORY: TrialState.PRUNED,
    Outcome.TOO_FEW_UPDATES: TrialState.PRUNED,
    Outcome.VETOED: TrialState.PRUNED,
    Outcome.TIMEOUT: TrialState.PRUNED,
    Outcome.CRASHED: TrialState.PRUNED,
    Outcome.NO_STEPS: TrialState.PRUNED,
    Outcome.DISTURBED: TrialState.FAIL,
    Outcome.INTERRUPTED: TrialState.FAIL,
}


def test_states_tell_the_truth(tmp_path: Path) -> None:
    assert set(STATES) == set(Outcome)
    store = opened(tmp_path / "study.db")
    for outcome in STATES:
        run(store, params_of(2), outcome)
    trials = stored(tmp_path / "study.db")
    assert [trial.state for trial in trials] == list(STATES.values())
    assert [trial.value for trial in trials] == [1000.0] + [None] * (len(STATES) - 1)
    assert [trial.params for trial in trials] == [params_of(2)] * len(STATES)


def test_what_the_dashboard_shows(tmp_path: Path) -> None:
    store = opened(tmp_path / "study.db")
    run(store, params_of(1), purpose=Purpose.CONFIRM)
    run(store, params_of(2), Outcome.OVER_MEMORY, peak_memory_bytes=None)
    good, bad = stored(tmp_path / "study.db")
    shown = {key: value for key, value in good.user_attrs.items() if not key.startswith("sweeper:")}
    assert shown == {"purpose": "confirm", "outcome": "ok", "feasible": True, "peak_memory_mib": 1024}
    shown = {key: value for key, value in bad.user_attrs.items() if not key.startswith("sweeper:")}
    assert shown == {"purpose": "search", "outcome": "over_memory", "feasible": False}


def test_a_repeat_is_a_trial_of_its_own(tmp_path: Path) -> None:
    store = opened(tmp_path / "study.db")
    run(store, params_of(1))
    run(store, params_of(1))
    assert [trial.params for trial in stored(tmp_path / "study.db")] == [params_of(1)] * 2


def test_values_of_every_kind(tmp_path: Path) -> None:
    values = {"a": (None, 64, 128), "b": ("linear", "constant"), "c": (0.5, 1), "d": (7,)}
    store = opened(tmp_path / "study.db", values=values)
    for params in ({"a": None, "b": "linear", "c": 0.5, "d": 7}, {"a": 128, "b": "constant", "c": 1, "d": 7}):
        assert run(store, params).params == params
    assert [trial.params for trial in stored(tmp_path / "study.db")] == [result.params for result in store.results()]


def test_another_identity_is_refused_and_says_what_changed(tmp_path: Path) -> None:
    opened(tmp_path / "study.db")
    with pytest.raises(NotComparable) as caught:
        opened(tmp_path / "study.db", {**IDENTITY, "machine": "m2", "space": {"num_envs": [1, 2, 3]}})
    text = str(caught.value)
    assert 'machine was "m1", is now "m2"' in text
    assert 'space was {"num_envs": [1, 2]}, is now {"num_envs": [1, 2, 3]}' in text
    assert "build" not in text.partition("with this study:")[2]
    assert "--fresh" in str(caught.value.hint)


def test_the_same_identity_may_use_tuples(tmp_path: Path) -> None:
    opened(tmp_path / "study.db")
    opened(tmp_path / "study.db", {**IDENTITY, "space": {"num_envs": (1, 2)}})


def test_another_name_is_refused(tmp_path: Path) -> None:
    opened(tmp_path / "study.db")
    with pytest.raises(NotComparable, match="holds the study 'racer', not 'other'"):
        opened(tmp_path / "study.db", name="other")


def test_trials_left_running_are_failed(tmp_path: Path) -> None:
    store = opened(tmp_path / "study.db")
    done = run(store, params_of(1))
    store.start(params_of(2), Purpose.SEARCH)
    again = opened(tmp_path / "study.db")
    assert again.fail_stale() == [1]
    assert again.fail_stale() == []
    assert again.results() == [done]
    assert [trial.state for trial in stored(tmp_path / "study.db")] == [TrialState.COMPLETE, TrialState.FAIL]


def test_a_trial_left_waiting_is_failed(tmp_path: Path) -> None:
    store = opened(tmp_path / "study.db")
    store._study.enqueue_trial(params_of(2), user_attrs={"purpose": "search"})  # killed before `ask`
    assert opened(tmp_path / "study.db").fail_stale() == [0]


def test_not_a_database(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_text("these are no tables " * 100)
    with pytest.raises(NotReady, match="not an Optuna storage") as caught:
        opened(tmp_path / "study.db")
    assert "--fresh" in str(caught.value.hint)


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "study.db").mkdir()
    with pytest.raises(NotReady, match="cannot use the study's storage"):
        opened(tmp_path / "study.db")


def test_reading_a_lost_table_is_no_traceback(tmp_path: Path) -> None:
    store = opened(tmp_path / "study.db")
    with sqlite3.connect(tmp_path / "study.db") as connection:
        connection.execute("DROP TABLE trials")
    connection.close()
    with pytest.raises(NotReady, match="cannot use the study's storage"):
        store.results()
