"""Learners and builds that misbehave: each ends in its outcome, with a reason, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import time

import pytest

from tests.conftest import MEASURE


def first_search(workshop, **scenario):
    """The outcome of a search trial whose scenario differs from the baseline's."""
    workshop.scenario(**scenario)
    done = workshop.sweeper("run", "study.yaml")
    assert workshop.leftovers() == []
    return done, workshop.results()["trials"]


def test_a_build_that_exits_at_once_shows_its_last_lines(workshop):
    done, trials = first_search(workshop, crash_at_start=True)
    assert done.returncode == 3
    assert "your own settings do not run" in done.stderr
    assert "Environment shut down with return code 3." in done.stderr
    assert "the player ended with return code 3" in done.stderr
    assert trials[0]["outcome"] == "crashed"
    assert trials[0]["log_tail"][-1].endswith("Environment shut down with return code 3.")


def test_a_crash_in_mid_training(workshop):
    done, trials = first_search(workshop, crash_after_seconds=0.4)
    assert done.returncode == 3
    assert trials[0]["outcome"] == "crashed"
    assert trials[0]["steps_per_second"] is None


@pytest.mark.parametrize(
    ("scenario", "outcome", "words"),
    [
        ({"hang_after_seconds": 0.5}, "timeout", "progress stopped"),
        ({"never_connects": True}, "timeout", "no player connected"),
        ({"no_steps": True}, "no_steps", "Decision Requester"),
        ({"start_seconds": 60}, "timeout", "no player connected"),
    ],
)
def test_limits_end_what_would_hang(workshop, scenario, outcome, words):
    measure = {**MEASURE, "max_startup_seconds": 2, "max_stall_seconds": 1}
    workshop.study(measure=measure)
    done, trials = first_search(workshop, **scenario)
    assert done.returncode == 3
    assert trials[0]["outcome"] == outcome
    assert words in done.stderr


def test_training_without_updates_is_never_a_result(workshop):
    # What is left of the budget is what a late update is waited for.
    brief = {**MEASURE, "max_seconds": 0.5}
    workshop.study(measure=brief, min_updates="off", budget={"time": "20s", "trials": 3})
    done, trials = first_search(workshop, no_updates=True)
    assert done.returncode == 4
    assert trials[0]["outcome"] == "too_few_updates"
    assert trials[0]["steps_per_second"] is None


def test_a_slow_learner_is_inconclusive_not_wrong(workshop):
    workshop.config(buffer_size=100_000)
    workshop.study(measure={**MEASURE, "max_seconds": 0.5})
    done, _ = first_search(workshop, rate=1_500.0)  # a cycle of 67 s, in a budget of 60
    assert done.returncode == 6
    assert "name a larger measure.max_seconds" in done.stderr


def test_a_learner_that_ignores_sigint_is_killed_with_its_players(workshop):
    workshop.study(budget={"time": "90s", "trials": 1})
    done, trials = first_search(workshop, ignore_sigint=True)
    assert done.returncode == 0
    assert trials[0]["outcome"] == "ok"


def test_a_learner_broken_by_setuptools_is_named_with_the_mend(workshop):
    broken = {**workshop.environment(), "STANDIN_BROKEN": "1"}
    done = workshop.sweeper("run", "study.yaml", env=broken)
    assert done.returncode == 3
    assert "setuptools<81" in done.stderr
    doctor = workshop.sweeper("doctor", "study.yaml", env=broken)
    assert doctor.returncode == 3
    assert "setuptools<81" in doctor.stdout


def test_missing_things_are_named(workshop):
    workshop.study(learner="no-such-learner")
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 3 and "'no-such-learner'" in done.stderr and "pip install mlagents" in done.stderr
    workshop.study(learner="./envs/bin/mlagents-learn")
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 3 and "no such file" in done.stderr
    workshop.study(env_path="Builds/Racer")
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 3 and "no build at" in done.stderr and "study.yaml:" in done.stderr
    workshop.study()
    (workshop.root / "build.x86_64").chmod(0o644)
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 3 and "chmod +x" in done.stderr
    assert not workshop.folder.exists()


def test_a_folder_that_is_no_study_is_left_alone(workshop):
    precious = workshop.folder / "thesis.tex"
    precious.parent.mkdir(parents=True)
    precious.write_text("x")
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 2 and "holds no study" in done.stderr
    assert precious.read_text() == "x"


def test_an_emptied_storage_does_not_bring_old_numbers_back(workshop):
    workshop.study(budget={"time": "300s", "trials": 1})
    workshop.sweeper("run", "study.yaml")
    before = workshop.results()
    (workshop.folder / "study.db").write_bytes(b"")
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 2
    assert "holds no study" in done.stderr
    assert workshop.results() == before
    (workshop.folder / "results.json").unlink()
    for name in ("report.html", "best.yaml"):
        (workshop.folder / name).unlink()
    workshop.scenario(rate=100.0)  # what trials/0000 still holds is 2,000 steps/s
    workshop.config(buffer_size=64)
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 0, done.stderr
    assert workshop.results()["trials"][0]["steps_per_second"] < 100


def test_logs_do_not_fill_the_disk(workshop):
    """While they grow, too: a player may write as much in seconds as a whole study should."""
    workshop.scenario(player_log_mb_per_second=60, prints_mb_per_second=20, rate=400.0)
    workshop.study(
        budget={"time": "90s", "trials": 1},
        baseline={"num_envs": 2, "num_areas": 1},
        measure={**MEASURE, "precision": "0.1%", "min_seconds": 4, "max_seconds": 4},
        sampler="tpe",
    )
    process = workshop.start("run", "study.yaml")
    most = 0
    while process.poll() is None:
        most = max(most, taken(workshop.folder))
        time.sleep(0.1)
    assert process.communicate()[1] and process.returncode == 0
    assert workshop.results()["trials"][0]["outcome"] == "ok"
    assert most < 200e6  # of 140 MB each second
    trial = workshop.folder / "trials" / "0000"
    assert taken(trial) < 4e6
    for player in range(2):
        text = (trial / "learner" / "trial" / "run_logs" / f"Player-{player}.log").read_text()
        assert text.startswith("first line\nsomething to say\n") and text.endswith("something to say\n")
        assert "sweeper left out what was here" in text
    assert "[INFO] Connected to Unity environment" in (trial / "learner.log").read_text()[:1000]


def taken(folder):
    """Bytes on the disk; a file may vanish between being listed and asked."""
    found = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            found += path.stat().st_blocks * 512
    return found


def test_nothing_is_left_in_the_temporary_folder(workshop):
    workshop.study(budget={"time": "300s", "trials": 1})
    workshop.sweeper("run", "study.yaml")
    assert [*(workshop.root / "tmp").iterdir()] == []


def test_a_guide_without_its_first_row_is_no_table(workshop):
    workshop.scenario(crash_at_start=True, crash_text="OSError: [Errno 8] Exec format error: '/game/Car.x86_64'")
    done = workshop.sweeper("guide", "study.yaml")
    assert done.returncode == 3
    assert "one environment with one area does not run" in done.stderr
    assert "another system or processor" in done.stderr
    assert "adds less" not in done.stdout and workshop.leftovers() == []
