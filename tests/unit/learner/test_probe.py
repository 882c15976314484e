"""The plug-in inside the learner, without a learner: what it counts, and that it never raises."""

import importlib.util
import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from sweeper.learner import INSIDE


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("mlagents", "mlagents.trainers", "mlagents.trainers.stats"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setattr(sys.modules["mlagents.trainers.stats"], "StatsWriter", object, raising=False)
    monkeypatch.syspath_prepend(INSIDE)
    spec = importlib.util.spec_from_file_location("probe_under_test", INSIDE / "sweeper_probe.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def recorder(probe: Any, tmp_path: Path) -> Any:
    return probe.Recorder(str(tmp_path / "samples.jsonl"))


def test_outside_our_trials_it_is_not_there(probe: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SWEEPER_SAMPLES", raising=False)
    assert probe.get_stats_writers(None) == []


def test_decisions_add_up_and_steps_are_the_trainers_own(recorder: Any) -> None:
    for _ in range(3):
        recorder.on_add_stat("Car", "Policy/Entropy", 1.0)
    recorder.on_add_stat("Car", "Step", 64)
    recorder.on_add_stat("Car", "Step", 128)
    recorder.on_add_stat("Car", "Losses/Policy Loss", 0.1)
    assert recorder._sample("tick")["behaviors"] == {"Car": [128, 3, 1]}


def test_teams_of_a_behaviour_are_counted_together_and_behaviours_apart(recorder: Any) -> None:
    for category in ("Car?team=0", "Car?team=1", "Car?team=0", "Crow?team=0"):
        recorder.on_add_stat(category, "Policy/Entropy", 1.0)
    recorder.on_add_stat("Car", "Step", 64)
    assert recorder._sample("tick")["behaviors"] == {"Car": [64, 3, 0], "Crow": [0, 1, 0]}


def test_a_sample_is_not_changed_by_what_follows(recorder: Any) -> None:
    recorder.on_add_stat("Car", "Step", 64)
    before = recorder._sample("tick")
    recorder.on_add_stat("Car", "Step", 128)
    assert before["behaviors"] == {"Car": [64, 0, 0]}


@pytest.mark.parametrize(("category", "value"), [("Car", "many"), ("Car", None), (None, 1.0), (["Car"], 1.0)])
def test_nothing_that_the_learner_says_makes_it_raise(recorder: Any, category: Any, value: Any) -> None:
    for key in ("Policy/Entropy", "Step", "Losses/Policy Loss", None):
        recorder.on_add_stat(category, key, value)
    recorder.add_property(category, None, value)


def test_updates_that_follow_each_other_closely_are_one_line_but_are_all_counted(probe: Any, recorder: Any) -> None:
    for _ in range(500):
        recorder.on_add_stat("Car", "Losses/Policy Loss", 0.1)
    lines = [sample for sample in recorder._queue if sample["kind"] == "update"]
    assert len(lines) < 500 and lines[0]["updated"] == "Car"
    assert recorder._sample("tick")["behaviors"]["Car"][2] == 500


def test_what_an_update_would_take_comes_with_the_counters_of_that_moment(recorder: Any) -> None:
    recorder.on_add_stat("Car", "Step", 64)
    recorder.on_batch_sizes("Car", {64: 0.5, 128: 0.25})
    (sample,) = recorder._queue
    assert (sample["kind"], sample["updated"], sample["behaviors"]) == ("batch sizes", "Car", {"Car": [64, 0, 0]})
    assert json.loads(json.dumps(sample))["update_seconds"] == {"64": 0.5, "128": 0.25}


def test_what_is_written_is_a_document_a_line(recorder: Any, tmp_path: Path) -> None:
    recorder.on_add_stat("Car", "Step", 64)
    recorder._write([recorder._sample("tick"), recorder._sample("tick")])
    lines = (tmp_path / "samples.jsonl").read_text().splitlines()
    assert [json.loads(line)["behaviors"] for line in lines] == [{"Car": [64, 0, 0]}] * 2
