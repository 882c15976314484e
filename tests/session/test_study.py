"""Whole studies on the scripted learner: the real loop, the real session code, processes and storage."""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys

import optuna
import pytest
import yaml

from tests.conftest import MEASURE, Workshop


def test_a_study_ends_with_everything_it_promises(workshop):
    workshop.study(budget={"time": "60s", "trials": 10})
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 0, done.stderr
    results = workshop.results()
    assert results["format"] == "sweeper.results"
    assert results["trials"][0]["purpose"] == "baseline"
    assert results["trials"][0]["params"]["num_envs"] == 1
    assert results["verdict"] == results["best"]["verdict"] == "better"
    low, high = results["best"]["speedup"]["interval"]
    assert 1 < low < high
    rounds = [t["round"] for t in results["trials"] if t["stage"] == "confirmation"]
    first, *later = (rounds.count(number) for number in sorted(set(rounds)))
    assert first == 3
    assert set(later) <= {2, 3}, "own settings that are far behind rest"
    assert {t["machine"] for t in results["trials"]} == {results["machine"]["key"]}
    assert "times as fast" in done.stdout
    assert "Next: sweeper apply" in done.stdout
    assert workshop.leftovers() == []
    tuned = yaml.safe_load((workshop.folder / "best.yaml").read_text())
    assert tuned["behaviors"]["Car"]["hyperparameters"]["buffer_size"] == 256
    assert (workshop.folder / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_the_numbers_are_those_of_the_script(workshop):
    """2,000 steps/s an environment and area, 256 steps a cycle, 0.05 s an update: 0.178 s a cycle at the most."""
    workshop.study(budget={"time": "300s", "trials": 1})
    workshop.sweeper("run", "study.yaml")
    trial = workshop.results()["trials"][0]
    assert trial["outcome"] == "ok"
    # Sleeping overshoots, so the script can only be slower than it says.
    assert 500 < trial["steps_per_second"] < 256 / (256 / 2000 + 0.05)
    assert trial["updates_per_1000_steps"]["policy"] == pytest.approx(1000 / 256)
    assert trial["updates_per_1000_steps"]["gradient"] == pytest.approx(1000 * 3 * 4 / 256)
    assert trial["cycles"] >= 8
    assert trial["startup_seconds"] < trial["total_seconds"]
    assert trial["phases"]["update_seconds"] == pytest.approx(0.05 * trial["cycles"])
    assert trial["seed"] == 0
    assert "--max-lifetime-restarts=0" in trial["command"]


def test_resuming_goes_on_where_it_stopped(workshop):
    workshop.study(budget={"time": "300s", "trials": 2})
    workshop.sweeper("run", "study.yaml")
    before = workshop.results()["trials"]
    again = workshop.sweeper("run", "study.yaml")
    assert again.returncode == 0
    assert "give it --trials above 2" in again.stdout
    assert workshop.results()["trials"] == before
    more = workshop.sweeper("run", "study.yaml", "--trials=3")
    assert more.returncode == 0
    assert "resumed with 2 finished trials" in more.stderr
    assert workshop.results()["trials"][:2] == before
    assert len(workshop.results()["trials"]) == 3


def test_another_study_is_not_mixed_in(workshop):
    workshop.study(budget={"time": "300s", "trials": 1})
    workshop.sweeper("run", "study.yaml")
    before = workshop.results()
    changes = [
        (lambda: workshop.study(name="other"), "'shop', not 'other'"),
        (lambda: workshop.config(batch_size=128), "trainer config"),
        (lambda: workshop.scenario(rate=1999.0), "build"),
    ]
    for change, named in changes:
        workshop.study()
        change()
        refused = workshop.sweeper("run", "study.yaml", "--out=reports/shop")
        assert refused.returncode == 7
        assert named in refused.stderr
        assert "--fresh" in refused.stderr
    assert workshop.results() == before
    fresh = workshop.sweeper("run", "study.yaml", "--fresh", "--trials=1")
    assert fresh.returncode == 0
    assert (workshop.folder.with_name("shop.old-1") / "results.json").exists()


def test_what_does_not_decide_speed_may_change(workshop):
    """A build that saves its game beside itself at each start, a copy of it, a comment in the config."""
    workshop.study(budget={"time": "300s", "trials": 1})
    data = workshop.root / "build_Data"
    data.mkdir()
    (data / "level0").write_text("a scene")
    (data / "save.json").write_text("{}")
    assert workshop.sweeper("run", "study.yaml").returncode == 0
    (data / "save.json").write_text('{"starts": 1}')
    build = workshop.root / "build.x86_64"
    os.utime(build, (0, 0))
    config = workshop.root / "car.yaml"
    config.write_text("# a comment\n" + config.read_text())
    again = workshop.sweeper("run", "study.yaml")
    assert again.returncode == 0, again.stderr
    (data / "level0").write_text("another scene")
    refused = workshop.sweeper("run", "study.yaml")
    assert refused.returncode == 7
    assert "build: build_Data/level0 changed" in refused.stderr


def test_the_learning_guard_refuses_what_learns_less(workshop):
    workshop.config(batch_size=64, buffer_size=1024)
    workshop.scenario(rate=20000.0)
    space = {"batch_size": [64, 512]}
    # The phase search knows beforehand, and does not launch it.
    workshop.study(space=space, budget={"time": "300s", "trials": 2}, min_updates="50%", sampler="tpe")
    workshop.sweeper("run", "study.yaml")
    trials = workshop.results()["trials"]
    assert [t["outcome"] for t in trials] == ["ok", "too_few_updates"]
    assert "gradient updates" in trials[1]["message"]
    workshop.study(space=space, budget={"time": "300s", "trials": 2}, min_updates="off")
    workshop.sweeper("run", "study.yaml", "--fresh")
    assert [t["outcome"] for t in workshop.results()["trials"]] == ["ok", "ok"]


def test_over_the_cap_is_stopped_and_learned_from(workshop):
    workshop.scenario(memory_mb_per_env=100)
    workshop.study(memory_cap="300MiB", budget={"time": "300s", "trials": 2}, space={"num_envs": [1, 8]}, sampler="tpe")
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 0, done.stderr
    trials = workshop.results()["trials"]
    over = [t for t in trials if t["outcome"] == "over_memory"]
    assert over and over[0]["params"]["num_envs"] == 8
    assert over[0]["steps_per_second"] is None
    assert over[0]["peak_memory_bytes"] > 200 * 1024**2
    assert "the cap of 300 MiB" in over[0]["message"]
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.load_study(study_name="shop", storage=f"sqlite:///{workshop.folder / 'study.db'}")
    trial = study.trials[over[0]["number"]]
    assert trial.state.name == "PRUNED"
    assert trial.constraints["memory"] > 0
    assert trial.user_attrs["outcome"] == "over_memory"
    assert trial.user_attrs["peak_memory_mib"] > 200
    assert workshop.leftovers() == []


def test_a_cap_below_everything_is_said(workshop):
    workshop.scenario(memory_mb_per_env=100)
    workshop.study(memory_cap="64MiB", baseline={"num_envs": 2})
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 4
    assert "memory cap of 64 MiB is below what the smallest configuration needs" in done.stderr
    assert [t["outcome"] for t in workshop.results()["trials"]] == ["over_memory", "over_memory"]
    assert workshop.results()["trials"][1]["params"]["num_envs"] == 1
    assert (workshop.folder / "report.html").exists()


def test_json_is_one_document_on_stdout(workshop):
    workshop.study(budget={"time": "300s", "trials": 1})
    done = workshop.sweeper("run", "study.yaml", "--json", "-q")
    assert json.loads(done.stdout) == workshop.results()
    assert done.stderr == ""


def test_what_reads_a_study_folder(workshop):
    workshop.study(budget={"time": "300s", "trials": 2})
    workshop.sweeper("run", "study.yaml")
    (workshop.folder / "study.db").unlink()  # results.json is enough by itself
    report = (workshop.folder / "report.html").read_bytes()
    (workshop.folder / "report.html").unlink()
    shown = workshop.sweeper("show", "reports/shop")
    assert shown.returncode == 0 and "mlagents-learn" in shown.stdout
    assert workshop.sweeper("report", "reports/shop").returncode == 0
    assert (workshop.folder / "report.html").read_bytes() == report
    csv = workshop.sweeper("report", "reports/shop", "--format", "csv").stdout.splitlines()
    assert len(csv) == 3 and "params.num_envs" in csv[0]
    assert "| configuration | steps/s | 95 % |" in workshop.sweeper("report", "reports/shop", "--format", "md").stdout
    both = workshop.sweeper("report", "reports/shop", "reports/shop")
    assert both.returncode == 0 and "best configuration" in both.stdout
    refused = workshop.sweeper("report", "reports/shop", "--format", "csv", "-o", "study.yaml")
    assert refused.returncode == 2 and "exists; nothing was overwritten" in refused.stderr


def test_apply_shows_then_writes_and_never_overwrites(workshop):
    workshop.study(budget={"time": "300s", "trials": 2}, space={"batch_size": [32]}, baseline={})
    workshop.sweeper("run", "study.yaml")
    shown = workshop.sweeper("apply", "reports/shop")
    assert shown.returncode == 0
    assert not (workshop.root / "car_tuned.yaml").exists()
    written = workshop.sweeper("apply", "reports/shop", "--write")
    assert written.returncode == 0
    assert "exec mlagents-learn" in (workshop.root / "train_car_tuned.sh").read_text()
    assert "mlagents-learn" in (workshop.root / "train_car_tuned.bat").read_text()
    assert workshop.sweeper("apply", "reports/shop", "--write").returncode == 0  # the same once more is no overwriting
    (workshop.root / "car_tuned.yaml").write_text("mine: 1\n")
    refused = workshop.sweeper("apply", "reports/shop", "--write")
    assert refused.returncode == 2
    assert (workshop.root / "car_tuned.yaml").read_text() == "mine: 1\n"


def test_the_users_files_are_untouched(workshop):
    study, config = (workshop.root / name for name in ("study.yaml", "car.yaml"))
    before = study.read_bytes(), config.read_bytes()
    workshop.sweeper("run", "study.yaml", "--trials=1")
    assert (study.read_bytes(), config.read_bytes()) == before


def test_a_sure_failure_is_not_launched(workshop):
    """A player takes 40 MiB: after a handful of trials, 32 of them need no trial."""
    workshop.scenario(memory_mb_per_env=40, rate=20000.0)
    space = {"num_envs": [1, 2, 3, 4, 5, 6, 32]}
    workshop.study(memory_cap="600MiB", budget={"time": "120s", "trials": 7}, space=space, sampler="tpe")
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 0, done.stderr
    trials = workshop.results()["trials"]
    vetoed = [trial for trial in trials if trial["outcome"] == "vetoed"]
    launched = [trial for trial in trials if trial["outcome"] == "over_memory"]
    assert len(vetoed) + len(launched) <= 1  # TPE may have asked for it before enough was known
    predicted = [trial for trial in trials if trial["predicted_memory_bytes"]]
    for trial in vetoed:
        assert trial["predicted_memory_bytes"][0] > 600 * 1024**2
        assert trial["peak_memory_bytes"] is None and trial["command"] == []
    assert predicted or launched


def test_trials_alone_are_a_budget(workshop):
    workshop.study(budget={"trials": 2})
    assert "without a limit on time, at most 2 trials" in workshop.sweeper("validate", "study.yaml").stdout
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 0, done.stderr
    assert "no limit on time" in done.stderr
    results = workshop.results()
    assert (results["study"]["budget"], len(results["trials"])) == (None, 2)
    assert workshop.sweeper("report", "reports/shop").returncode == 0
    assert " of 0s" not in (workshop.folder / "report.html").read_text()


def test_behaviours_that_update_at_unlike_rates(workshop):
    """Both make 24 and 15 gradient updates of 512 and 320 steps of their own, which is as many for each step."""
    workshop.config(buffer_size=512)
    data = yaml.safe_load((workshop.root / "car.yaml").read_text())
    other = {"trainer_type": "ppo", "hyperparameters": {"batch_size": 64, "buffer_size": 320}}
    data["behaviors"]["Bus"] = other
    (workshop.root / "car.yaml").write_text(yaml.safe_dump(data))
    workshop.study(budget={"time": "300s", "trials": 1}, measure={**MEASURE, "min_seconds": 0.1, "max_seconds": 1})
    workshop.sweeper("run", "study.yaml")
    updates = workshop.results()["trials"][0]["updates_per_1000_steps"]
    assert updates["gradient"] == pytest.approx(1000 * 24 / 512)
    assert updates["parts"]["policy updates of Car"] == pytest.approx(1000 / 512)
    assert updates["parts"]["policy updates of Bus"] == pytest.approx(1000 / 320)


@pytest.mark.skipif(sys.platform == "win32", reason="a script of sh")
def test_a_learner_behind_a_script_stops_as_asked_and_tells_its_versions(workshop):
    """Neither replaces itself by it, as `conda run` does not: a signal to the script alone would not reach it."""
    wrapper = workshop.root / "learn.sh"
    wrapper.write_text('#!/bin/sh\nmlagents-learn "$@"\necho the script goes on\n')
    wrapper.chmod(0o755)
    workshop.study(learner="./learn.sh", budget={"time": "300s", "trials": 1})
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 0, done.stderr
    assert "does not tell its versions" not in done.stderr + done.stdout
    assert "Exported the model" in (workshop.folder / "trials" / "0000" / "learner.log").read_text()
    assert workshop.results()["machine"]["mlagents"] == importlib.metadata.version("mlagents")
    assert workshop.leftovers() == []


def test_a_learner_that_does_not_tell_its_versions_is_said(workshop):
    wrapper = workshop.root / "learn.sh"
    wrapper.write_text('#!/bin/sh\nunset SWEEPER_VERSIONS\nexec mlagents-learn "$@"\n')
    wrapper.chmod(0o755)
    workshop.study(learner="./learn.sh", budget={"time": "300s", "trials": 1})
    assert "does not tell its versions" in workshop.sweeper("run", "study.yaml").stdout
    checked = workshop.sweeper("doctor", "study.yaml")
    assert checked.returncode == 0 and "an upgrade will not be noticed" in checked.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="endings of Linux")
@pytest.mark.parametrize("name", ["build.x86_64", "build"])
def test_a_project_below_a_folder_with_signs_of_patterns(tmp_path, name):
    root = tmp_path / "Proj [v2].app"
    root.mkdir()
    shop = Workshop(root)
    shop.scenario()
    shop.config()
    (root / "build.x86_64").rename(root / name)
    shop.study(env_path="build", budget={"time": "300s", "trials": 1})
    for command in ("doctor", "validate", "run"):
        done = shop.sweeper(command, "study.yaml")
        assert done.returncode == 0, done.stderr + done.stdout
    assert shop.results()["trials"][0]["outcome"] == "ok"


def test_a_session_that_cannot_become_the_fastest_ends_before_its_first_update(workshop):
    """2,000 steps/s of one environment and area, against 32,000: a buffer of 40,000 would take it 20 s."""
    workshop.config(buffer_size=40_000, batch_size=4_000)
    slow_and_fast = {"baseline": {"num_envs": 4, "num_areas": 4}, "space": {"num_envs": [1, 4], "num_areas": [1, 4]}}
    workshop.study(**slow_and_fast, budget={"time": "90s", "trials": 8}, measure={**MEASURE, "max_seconds": 6})
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 0, done.stderr
    outpaced = [trial for trial in workshop.results()["trials"] if trial["outcome"] == "outpaced"]
    assert outpaced
    for trial in outpaced:
        assert trial["stage"] == "search"
        assert trial["steps_per_second"] is None
        assert 500 < trial["collecting_steps_per_second"] < 32_000 / 1.5
        assert trial["total_seconds"] - trial["startup_seconds"] < 40_000 / trial["collecting_steps_per_second"]
    keys = [json.dumps(trial["params"], sort_keys=True) for trial in outpaced]
    assert len(set(keys)) == len(keys)
    assert "ended early, for it cannot become the fastest" in done.stdout + done.stderr
    assert workshop.leftovers() == []
