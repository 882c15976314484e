"""Learners and builds that misbehave: each ends in its outcome, with a reason, and leaves nothing behind."""

from __future__ import annotations

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
    workshop.study(measure={**MEASURE, "max_seconds": 1}, min_updates="off")
    done, trials = first_search(workshop, no_updates=True)
    assert done.returncode == 4
    assert trials[0]["outcome"] == "too_few_updates"
    assert trials[0]["steps_per_second"] is None


def test_a_slow_learner_is_inconclusive_not_wrong(workshop):
    workshop.config(buffer_size=100_000)
    workshop.study(measure={**MEASURE, "max_seconds": 1})
    done, _ = first_search(workshop, rate=15_000.0)
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
    workshop.study(budget={"time": "60s", "trials": 1})
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


def test_nothing_is_left_in_the_temporary_folder(workshop):
    workshop.study(budget={"time": "60s", "trials": 1})
    workshop.sweeper("run", "study.yaml")
    assert [*(workshop.root / "tmp").iterdir()] == []
