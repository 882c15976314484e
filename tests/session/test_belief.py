"""What makes a number believable, with real processes: turns, other people's load, the console as a fallback."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import psutil
import pytest

from tests.conftest import MEASURE

ENDING_SECONDS = 15.0


@pytest.fixture
def burner():
    """Burns every core until the test ends."""
    command = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(command) for _ in range(psutil.cpu_count() or 1)]
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def in_turn(workshop, **settings):
    """A study that confirms in turn: its sessions are long beside its cycles, little memory, time."""
    return workshop.study(
        **{
            "budget": {"time": "5m", "trials": 8},
            "measure": {**MEASURE, "min_seconds": 10, "max_seconds": 12},
            "space": {"num_envs": [1, 2]},
            "baseline": {"num_areas": 1},
            **settings,
        }
    )


def test_a_confirmation_in_turn(workshop):
    in_turn(workshop)
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 0, done.stderr
    assert "alive together" in done.stderr
    results = workshop.results()
    confirmed = [trial for trial in results["trials"] if trial["purpose"] == "confirm"]
    assert {trial["outcome"] for trial in confirmed} == {"ok"}
    assert {trial["stage"] for trial in confirmed} == {"confirmation"}
    rounds = {len(trial["slices"]) for trial in confirmed}
    assert rounds == {4}
    assert {trial["method"] for trial in confirmed} == {"slices"}
    # The script makes twice the steps with two environments, at the same update time.
    speedup = results["best"]["speedup"]
    assert results["verdict"] == "better"
    assert speedup["interval"][0] < (0.128 + 0.05) / (0.064 + 0.05) * 1.1
    assert speedup["interval"][1] > 1.3
    assert results["best"]["interval_from"] == "confirmation sessions"
    assert workshop.leftovers() == []
    # One side ran at a time: hardly ever did both update within an instant.
    times = [moments(workshop, trial["number"]) for trial in confirmed[:2]]
    together = sum(any(abs(a - b) < 0.02 for b in times[1]) for a in times[0])
    assert len(times[0]) > 20
    assert together < 0.1 * len(times[0])


def moments(workshop, number):
    """When a session in turn updated its policy, after its warm-up."""
    lines = (workshop.folder / "trials" / f"{number:04d}" / "samples.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return [sample["t"] for sample in found if sample["kind"] == "update"][3:]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_kill_9_of_the_tool_ends_sessions_that_are_suspended(workshop):
    """A suspended learner cannot see its control pipe close."""
    in_turn(workshop, budget={"time": "5m", "trials": 8})
    process = workshop.start("run", "study.yaml")
    stopped = lambda: any(p.status() == psutil.STATUS_STOPPED for p in workshop.leftovers())  # noqa: E731
    workshop.wait_for(stopped, 60)
    process.kill()
    process.communicate()
    workshop.wait_for(lambda: not workshop.leftovers(), ENDING_SECONDS)
    scratch = lambda: [path for path in (workshop.root / "tmp").glob("sweeper-*") if path.is_dir()]  # noqa: E731
    workshop.wait_for(lambda: not scratch(), ENDING_SECONDS)


def test_a_session_that_cannot_be_suspended_is_measured_whole(workshop):
    """This learner takes a jump of its clock for a time-out, as a player might."""
    workshop.scenario(dies_of_pauses_above=1.5)
    in_turn(workshop, measure={**MEASURE, "min_seconds": 6, "max_seconds": 8})
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 0, done.stderr
    trials = workshop.results()["trials"]
    broken = [trial for trial in trials if trial["outcome"] == "interrupted"]
    assert len(broken) == 4, done.stderr  # once more, for it may have been bad luck
    assert {trial["message"] for trial in broken} == {
        "running in turn with others did not work: the learner ended by itself"
    }
    whole = [trial for trial in trials if trial["purpose"] == "confirm" and trial["outcome"] == "ok"]
    assert len(whole) >= 2 and not any(trial["slices"] for trial in whole)
    assert workshop.leftovers() == []


@pytest.mark.alone
def test_a_busy_machine_voids_and_is_named(workshop, burner):
    workshop.study(measure={**MEASURE, "contention": "void"}, budget={"time": "8s", "trials": 4})
    process = workshop.start("run", "study.yaml")
    workshop.wait_for((workshop.folder / "study.db").exists, 60)
    for burning in burner:
        assert burning.poll() is None
    _, err = process.communicate(timeout=200)
    assert process.returncode == 6, err
    assert "your own settings could not be measured: other programs used" in err
    trials = workshop.results()["trials"]
    assert trials and {trial["outcome"] for trial in trials} == {"disturbed"}
    assert trials[0]["contention"]["others_percent"] > 15
    assert trials[0]["contention"]["waited_seconds"] >= 1  # for a quiet moment that never came
    assert any("python" in process["name"] for process in trials[0]["contention"]["busiest"])
    assert trials[0]["steps_per_second"] is None
    assert "Busiest: python" in workshop.results()["warnings"][-1]["text"]


@pytest.mark.alone
def test_marked_instead_of_voided(workshop, burner):
    workshop.study(measure={**MEASURE, "contention": "mark"}, budget={"time": "60s", "trials": 1})
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 0, done.stderr
    trial = workshop.results()["trials"][0]
    assert trial["outcome"] == "ok"
    assert trial["contention"]["waited_seconds"] == 0
    assert "machine_busy" in [note["kind"] for note in trial["warnings"]]
    assert "was measured while other programs took their share" in done.stdout


def test_without_our_probe_the_console_is_read(workshop):
    workshop.scenario(no_probe=True)
    workshop.study(budget={"time": "60s", "trials": 2}, measure={**MEASURE, "max_seconds": 4})
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 0, done.stderr
    trials = workshop.results()["trials"]
    assert [trial["outcome"] for trial in trials] == ["ok", "ok"]
    for trial in trials:
        assert trial["method"] == "console"
        assert trial["updates_per_1000_steps"] is None
        assert trial["startup_seconds"] is None
        assert "from_console" in [note["kind"] for note in trial["warnings"]]
    low, high = trials[0]["interval"]
    assert (high - low) / trials[0]["steps_per_second"] > 0.05
    assert 500 < trials[0]["steps_per_second"] < 256 / (256 / 2000 + 0.05) * 1.1
    assert workshop.leftovers() == []


def test_a_learner_that_prints_nothing_is_not_waited_for_for_ever(workshop):
    workshop.scenario(no_probe=True, no_steps=True)
    workshop.study(measure={**MEASURE, "max_startup_seconds": 1})
    started = time.monotonic()
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 3
    assert "no step arrived in time" in done.stderr
    assert time.monotonic() - started < 60
