"""The benchmarks import, and their parts that need no sessions say what they should."""

from __future__ import annotations

import importlib
import json
import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.benchmarks.common import finish, table
from tests.helpers.builders import session_of

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
NAMES = (
    "accuracy",
    "estimators",
    "contention",
    "winners-curse",
    "pairing",
    "overhead",
    "verdicts",
    "search",
    "session-effect",
    "start",
    "record-surfaces",
)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_there_and_says_what_it_shows(name: str) -> None:
    module = importlib.import_module(f"tests.benchmarks.{name}")
    assert module.__doc__ and callable(module.main)


def test_a_table_and_a_line_of_json(capsys: Any) -> None:
    table(("name", "figure"), [("one", 1.0), ("two", None)])
    finish({"one": 1.23456, "two": None, "three": {"four": 5.0}})
    *rows, last = capsys.readouterr().out.splitlines()
    assert rows[1].split() == ["one", "1.00"]
    assert json.loads(last) == {"one": 1.235, "two": None, "three": {"four": 5.0}}


def test_simulated_coverage_is_a_share() -> None:
    accuracy = importlib.import_module("tests.benchmarks.accuracy")
    accuracy.SIMULATIONS = 500
    assert 90 <= accuracy.simulated_coverage(12, 0.0, np.random.default_rng(1)) <= 99


def test_estimators_on_a_session_without_noise() -> None:
    estimators = importlib.import_module("tests.benchmarks.estimators")
    recording = importlib.import_module("tests.benchmarks.recording")
    samples = tuple(session_of([(2048, 2.0)] * 40))
    session = recording.Recorded(recording.CASES[0], True, samples, (), None)
    assert max(estimators.errors_at(session, estimators.ours, 20)) == pytest.approx(0)
    # A fixed window holds nine or ten cycles' steps of a cycle that lasts two seconds: it is off by up to a tenth.
    assert max(estimators.errors_at(session, estimators.fixed_window, 19)) > 0.04


@pytest.mark.parametrize("env_args", [("--work", "spin"), None])
def test_a_recording_of_other_cases_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, env_args: tuple[str, ...] | None
) -> None:
    recording = importlib.import_module("tests.benchmarks.recording")
    made: list[str] = []
    monkeypatch.setattr(recording, "FILE", tmp_path / "accuracy.json.gz")
    monkeypatch.setattr(recording, "record", lambda: made.append("again") or [])
    cases = [replace(case, env_args=env_args or case.env_args) for case in recording.CASES]
    sessions = [recording.Recorded(case, True, tuple(session_of([(2048, 2.0)])), (), None) for case in cases]
    recording.save(sessions)
    assert recording.load_or_record() == ([] if env_args else sessions)
    assert made == (["again"] if env_args else [])


def test_replays_of_a_made_up_recording(tmp_path: Path, capsys: Any) -> None:
    curse = importlib.import_module("tests.benchmarks.winners-curse")
    chooser = random.Random(1)
    found = [
        {
            "params": curse.params(*cell),
            "rates": [(1000 + 500 * index) * math.exp(chooser.gauss(0, 0.05)) for _ in range(8)],
            "seconds": [18.0],
        }
        for index, cell in enumerate(curse.GRID)
    ]
    curse.RECORDING = tmp_path / "study.json"
    curse.RECORDING.write_text(json.dumps({"machine": {}, "configurations": found}))
    curse.REPLAYS = curse.PLANTED_REPLAYS = 6
    curse.main()
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["replays"] == 6
    assert abs(figures["claimed_over_true_percent"]) < 10
    assert figures["planted_winner_found_percent"] > 50
