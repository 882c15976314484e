"""Real mlagents-learn on the bundled racer. No absolute times: counts, orderings, and what is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import yaml

from tests.conftest import SCRIPTS

pytestmark = pytest.mark.real_learner
ENDING_SECONDS = 15.0
QUICK = {"precision": "20%", "min_seconds": 1, "max_seconds": 6, "contention": "mark"}


def real(workshop, **settings):
    """A study of the racer; the scripted learner is off the PATH."""
    workshop.config(batch_size=128, buffer_size=1024, network_settings={"hidden_units": 64, "normalize": True})
    return workshop.study(
        **{
            "env_path": "demo:racer",
            "baseline": {"num_envs": 1, "num_areas": 4},
            "engine": {"no_graphics": True},
            "budget": {"time": "10m", "trials": 2},
            "measure": QUICK,
            "learner_start": "warm",
            **settings,
        }
    )


def environment(workshop):
    path = os.pathsep.join((str(SCRIPTS), os.environ["PATH"]))
    return {**workshop.environment(), "PATH": path}


def test_a_study_of_real_sessions(workshop):
    real(workshop, space={"num_envs": [2], "threaded": [True]})
    done = workshop.sweeper("run", "study.yaml", env=environment(workshop))
    assert done.returncode == 0, done.stderr
    assert workshop.leftovers() == []
    results = workshop.results()
    baseline, threaded = results["trials"]
    assert [t["outcome"] for t in results["trials"]] == ["ok", "ok"]
    assert results["machine"]["mlagents"] == "1.1.0"
    # 8 minibatches and 3 epochs an update; a burst of 4 agents and 64 steps may make a buffer a little larger.
    updates = baseline["updates_per_1000_steps"]
    assert 1000 / (1024 + 4 * 64) <= updates["policy"] <= 1000 / 1024 + 0.01
    assert updates["gradient"] == pytest.approx(24 * updates["policy"], rel=0.3)
    assert baseline["agents"] == pytest.approx(4, rel=0.05)
    assert threaded["agents"] == pytest.approx(8, rel=0.05)
    assert baseline["phases"]["update_seconds"] > 0
    phases = baseline["phases"]
    total = phases["collect_seconds"] + phases["update_seconds"]
    assert total == pytest.approx(baseline["measured_seconds"], rel=0.01)
    assert "blocks_not_cycles" in [note["kind"] for note in threaded["warnings"]]
    # Learners of other tests share the pages of torch's files, players share nothing that big.
    assert min(trial["peak_memory_bytes"] for trial in results["trials"]) > 200 * 1024**2
    one, two = (trial["utilisation"] for trial in results["trials"])
    assert two["part_memory_bytes"]["players"] > one["part_memory_bytes"]["players"] > 0
    for use, players in ((one, 1), (two, 2)):
        assert use["players"] == players
        assert sum(use["part_cores"].values()) == pytest.approx(use["cores"], rel=0.1)
        assert 0 < use["part_cores"]["players"] < use["part_cores"]["learner"] + use["part_cores"]["players"]
    if sys.platform == "linux":
        assert baseline["memory_source"] == "pss"
    assert best_is_accepted(workshop, results["best"]["command"])
    assert workshop.sweeper("doctor", "study.yaml", env=environment(workshop)).returncode == 0


@pytest.mark.alone  # another learner beside it would share the pages of torch's files, whose memory is compared
@pytest.mark.skipif(sys.platform != "linux", reason="learners are forked on Linux only")
def test_a_forked_learner_is_as_the_plain_one(workshop):
    found = {}
    for start in ("warm", "cold"):
        real(workshop, name=start, learner_start=start, space={"batch_size": [64, 128, 256]})
        done = workshop.sweeper("run", "study.yaml", "--trials=1", env=environment(workshop))
        assert done.returncode == 0, done.stderr
        folder = workshop.root / "reports" / start
        (found[start],) = json.loads((folder / "results.json").read_text())["trials"]
        log = (folder / "trials" / "0000" / "learner.log").read_text()
        assert "Connected new brain: Car" in log
        # A plain learner is asked to stop and left to end by itself; nobody wants what the other has learnt.
        assert ("Copied" in log) is (start == "cold")
    warm, cold = found["warm"], found["cold"]
    assert (warm["learner_start"], cold["learner_start"]) == ("warm", "cold")
    assert warm["startup_seconds"] < cold["startup_seconds"]
    assert warm["agents"] == pytest.approx(cold["agents"], rel=0.02)
    assert warm["updates_per_1000_steps"]["gradient"] == pytest.approx(
        cold["updates_per_1000_steps"]["gradient"], rel=0.3
    )
    assert warm["peak_memory_bytes"] == pytest.approx(cold["peak_memory_bytes"], rel=0.15)
    assert workshop.leftovers() == []
    for trial in found.values():
        # Gradient steps before the first update told of every size; larger ones make fewer.
        told = trial["update_seconds"]
        assert told["64"] > told["128"] > told["256"] > 0


def best_is_accepted(workshop, command):
    """Start the very command that the study names, until the learner has taken config and build."""
    tuned = yaml.safe_load((workshop.folder / "best.yaml").read_text())
    assert tuned["behaviors"]["Car"]["hyperparameters"]["batch_size"] == 128
    path = workshop.root / "best.log"
    with path.open("wb") as log:
        learner = subprocess.Popen(
            [*command, f"--results-dir={workshop.root / 'final'}", "--base-port=31337"],
            env=environment(workshop),
            cwd=workshop.root,
            stdout=log,
            stderr=log,
        )
        workshop.wait_for(lambda: b"Connected new brain: Car" in path.read_bytes(), 120)
        time.sleep(1)  # let it reach its training loop, where an interrupt ends it cleanly
        learner.send_signal(signal.SIGINT)
        learner.wait(60)
    return True


def test_a_player_that_crashes_is_diagnosed(workshop):
    real(workshop, env_args=["--crash-after", "150"])
    done = workshop.sweeper("run", "study.yaml", env=environment(workshop))
    assert done.returncode == 3
    assert "the player ended with return code 3" in done.stderr
    assert workshop.results()["trials"][0]["outcome"] == "crashed"
    assert workshop.leftovers() == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("moment", ["starting", "training"])
def test_kill_9_of_the_tool_leaves_nothing_of_a_real_session(workshop, moment):
    real(workshop, baseline={"num_envs": 2, "num_areas": 4})
    process = workshop.start("run", "study.yaml", env=environment(workshop))
    samples = workshop.folder / "trials" / "0000" / "samples.jsonl"
    sign = b"hello" if moment == "starting" else b'"updated"'
    workshop.wait_for(lambda: samples.exists() and sign in samples.read_bytes(), 120)
    process.kill()
    process.communicate()
    workshop.wait_for(lambda: not workshop.leftovers(), ENDING_SECONDS)
