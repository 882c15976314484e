"""The guide's table on the scripted learner: again, stopped and gone on with, and after something changed."""

from __future__ import annotations

import json
import signal
import sys

import pytest

from tests.conftest import MEASURE

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
ONCE = ("guide", "study.yaml", "--rounds=1")


@pytest.fixture
def shop(workshop):
    workshop.study(measure={**MEASURE, "max_seconds": 0.6})
    return workshop


def table(shop, folder="shop-guide"):
    return json.loads((shop.root / "reports" / folder / "guide.json").read_text())


def stopped(shop, number=signal.SIGINT, sessions=1):
    """A guide that is sent a signal after so many of its sessions; returns its exit code and what it said."""
    file = shop.root / "reports" / "shop-guide" / "guide.json"
    process = shop.start(*ONCE)
    shop.wait_for(lambda: file.exists() and len(table(shop)["trials"]) >= sessions, 60)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    shop.wait_for(lambda: not shop.leftovers(), 60)
    return process.returncode, out, err


def test_twice_in_a_row_is_measured_twice(shop):
    first = shop.sweeper(*ONCE)
    assert first.returncode == 0, first.stderr
    assert first.stderr.splitlines()[-1] == "Next: sweeper run study.yaml"  # which searches no other knobs
    before = table(shop)
    again = shop.sweeper(*ONCE)
    assert again.returncode == 0, again.stderr
    assert "The earlier table is now in reports/shop-guide.old-1." in again.stderr
    assert table(shop, "shop-guide.old-1") == before
    assert (shop.root / "reports" / "shop-guide.old-1" / "trials").is_dir()
    after = table(shop)
    assert after["is_complete"] and len(after["trials"]) == 5
    assert after["started_at"] > before["trials"][-1]["started_at"]
    assert [trial["number"] for trial in after["trials"]] == [0, 1, 2, 3, 4]


@posix
def test_stopped_after_a_row_it_goes_on_and_keeps_that_row(shop):
    code, out, err = stopped(shop)
    assert code == 130
    assert "Traceback" not in err
    assert "Stopped; what was measured is saved." in err
    assert "the same command: sweeper guide study.yaml --rounds=1" in err
    assert "steps/s" in out and "adds less" not in out
    kept = table(shop)
    assert not kept["is_complete"] and kept["rounds"] == 1 and kept["name"] == "shop"
    assert 1 <= len(kept["trials"]) < 5 and kept["knee"] is None
    assert all(trial["outcome"] == "ok" for trial in kept["trials"])
    again = shop.sweeper(*ONCE)
    assert again.returncode == 0, again.stderr
    assert "Going on where it was stopped" in again.stderr
    whole = table(shop)
    assert whole["is_complete"] and whole["knee"] == 4
    assert whole["trials"][: len(kept["trials"])] == kept["trials"]
    assert sorted(trial["contender"] for trial in whole["trials"]) == ["1x1", "2x1", "4x1", "4x2", "8x1"]
    assert whole["seconds"] > kept["seconds"] and whole["started_at"] == kept["started_at"]
    assert not (shop.root / "reports" / "shop-guide.old-1").exists()


@posix
def test_killed_it_goes_on_as_well(shop):
    code, _, _ = stopped(shop, signal.SIGKILL, sessions=2)
    assert code == -signal.SIGKILL
    kept = table(shop)["trials"]
    again = shop.sweeper(*ONCE)
    assert again.returncode == 0, again.stderr
    assert table(shop)["trials"][: len(kept)] == kept and len(table(shop)["trials"]) == 5


@posix
def test_of_another_build_it_begins_anew_and_says_so(shop):
    stopped(shop)
    kept = table(shop)
    shop.scenario(rate=3000.0)
    again = shop.sweeper(*ONCE)
    assert again.returncode == 0, again.stderr
    assert "Measured anew, because build: build.x86_64 changed." in again.stderr
    assert "is now in reports/shop-guide.old-1." in again.stderr
    assert table(shop, "shop-guide.old-1") == kept
    assert len(table(shop)["trials"]) == 5 and table(shop)["started_at"] > kept["started_at"]


def test_after_a_first_row_that_did_not_run_it_is_tried_again(shop):
    shop.scenario(crash_at_start=True)
    assert shop.sweeper(*ONCE).returncode == 3
    again = shop.sweeper(*ONCE)
    assert again.returncode == 3
    assert "one environment with one area does not run: " in again.stderr
    assert "Previous data" not in again.stderr
    shop.scenario()
    mended = shop.sweeper(*ONCE)
    assert mended.returncode == 0, mended.stderr
    assert table(shop)["is_complete"]


def test_what_comes_next_names_the_knobs_of_this_study(shop):
    space = {"num_envs": [1, 2], "batch_size": [32, 64], "hyperparameters.buffer_size": [256, 512], "threaded": [False]}
    shop.study(measure={**MEASURE, "max_seconds": 0.6}, space=space)
    done = shop.sweeper(*ONCE)
    assert done.stderr.splitlines()[-1] == (
        "Next: sweeper run study.yaml, which searches batch_size and hyperparameters.buffer_size as well"
    )


def test_files_that_it_did_not_write_are_left_alone(shop):
    (shop.root / "mine").mkdir()
    (shop.root / "mine" / "guide.json").write_text('{"mine": 1}')
    done = shop.sweeper(*ONCE, "--out=mine")
    assert done.returncode == 2
    assert "mine/guide.json is not a table that this command wrote" in done.stderr
    assert [path.name for path in (shop.root / "mine").iterdir()] == ["guide.json"]
