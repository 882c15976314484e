"""Throughput checks on the scripted learner: the real command line, every exit code."""

from __future__ import annotations

import json
import signal
import xml.etree.ElementTree as ElementTree

import pytest

from tests.conftest import MEASURE

QUICK = ("--whole-sessions", "--tolerate-load", "--max-time=90s")


@pytest.fixture
def shop(workshop):
    """A study of a build of 4,000 steps/s, and builds beside it."""
    workshop.study(baseline={"num_envs": 2, "num_areas": 1}, measure={**MEASURE, "max_seconds": 0.6})
    return workshop


def build(workshop, name, **scenario):
    path = workshop.root / name
    path.write_text("#!standin\n" + json.dumps(scenario))
    path.chmod(0o755)


def checked(workshop):
    return json.loads((workshop.root / "found" / "check.json").read_text())


def run(workshop, *arguments, **popen):
    return workshop.sweeper("check", "--baseline=study.yaml", "--out=found", *QUICK, *arguments, **popen)


def test_a_much_slower_build_is_a_regression_and_says_what_got_slower(shop):
    build(shop, "slow.x86_64", rate=700.0)
    done = run(shop, "--candidate=slow.x86_64", "--junit=j.xml", "--history=h.jsonl")
    assert done.returncode == 5, done.stdout + done.stderr
    assert done.stdout.startswith("REGRESSED: ")
    found = checked(shop)
    assert found["format"] == "sweeper.check"
    assert found["change"]["estimate"] < -0.2
    assert {trial["contender"] for trial in found["trials"]} == {"baseline", "candidate"}
    assert ElementTree.parse(shop.root / "j.xml").find(".//failure") is not None
    assert len((shop.root / "h.jsonl").read_text().splitlines()) == 1
    assert shop.leftovers() == []


def test_a_much_faster_build_passes_and_is_said_to_be(shop):
    build(shop, "fast.x86_64", rate=9000.0)
    done = run(shop, "--candidate=fast.x86_64", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["verdict"] == "improved"


def test_a_candidate_that_crashes_has_its_own_code(shop):
    build(shop, "broken.x86_64", crash_at_start=True)
    done = run(shop, "--candidate=broken.x86_64")
    assert done.returncode == 8, done.stdout + done.stderr
    assert "two of its sessions failed" in done.stdout


def test_a_baseline_that_crashes_is_not_the_candidates_fault(shop):
    shop.scenario(crash_at_start=True)
    build(shop, "fine.x86_64")
    done = run(shop, "--candidate=fine.x86_64")
    assert done.returncode == 3
    assert "the baseline does not run" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_time_is_no_verdict(shop):
    build(shop, "fine.x86_64")
    done = run(shop, "--candidate=build.x86_64", "--same", "--max-time=5s")
    assert done.returncode == 6, done.stdout + done.stderr


def test_nobody_to_compare_with_is_its_own_code(shop):
    done = shop.sweeper("check", "--candidate=study.yaml")
    assert done.returncode == 7
    assert "there is no baseline" in done.stderr
    for candidate in ((), ("--candidate=study.yaml",), ("--candidate=build.x86_64",)):
        done = run(shop, *candidate, "--junit=j.xml")
        assert done.returncode == 7
        assert ElementTree.parse(shop.root / "j.xml").find(".//error") is not None
        assert not list((shop.root / "found" / "trials").glob("*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--candidate=nothing",), "nothing that can be measured"),
        (("--candidate=build.x86_64", "--tolerance=1%"), "--tolerance"),
        (("--candidate=build.x86_64", "--record=a", "--against=b"), "--record and --against"),
    ],
)
def test_bad_usage_is_one_line_and_code_2(shop, arguments, said):
    done = shop.sweeper("check", "--baseline=study.yaml", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_recording_and_comparing_on_other_days(shop):
    recorded = shop.sweeper("check", "--candidate=study.yaml", "--record=base.json", *QUICK)
    assert recorded.returncode == 0, recorded.stderr
    young = shop.sweeper("check", "--candidate=study.yaml", "--against=base.json", *QUICK)
    assert young.returncode == 7
    assert "needed at least" in young.stderr
    stored = json.loads((shop.root / "base.json").read_text())
    for session in stored["sessions"][:2]:
        session["at"] = "2026-01-01T00:00:00+00:00"
    (shop.root / "base.json").write_text(json.dumps(stored))
    build(shop, "slow.x86_64", rate=300.0)
    slow = shop.sweeper(
        "check", "--candidate=study.yaml", "--candidate=slow.x86_64", "--against=base.json", "--out=found", *QUICK
    )
    assert slow.returncode == 5, slow.stdout + slow.stderr
    assert "cannot be told from one of the build" in slow.stdout
    shop.config(batch_size=128)
    other = shop.sweeper("check", "--candidate=study.yaml", "--against=base.json", *QUICK)
    assert other.returncode == 7
    assert "another trainer config" in other.stderr


def test_an_interrupted_check_leaves_nothing_running(shop):
    build(shop, "fine.x86_64")
    process = shop.start("check", "--baseline=study.yaml", "--candidate=fine.x86_64", "--out=found", *QUICK)
    shop.wait_for(lambda: (shop.root / "found" / "trials" / "000-baseline" / "samples.jsonl").exists())
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert shop.leftovers() == []
    assert not (shop.root / "found" / "check.json").exists()


def test_the_guides_table_is_measured_on_this_build(shop):
    """The scripted build gains nothing from more than four environments."""
    done = shop.sweeper("guide", "study.yaml", "--rounds=1", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    times = {(row["envs"], row["areas"]): row["speedup"]["estimate"] for row in found["rows"]}
    assert times[(1, 1)] == 1.0
    assert times[(4, 1)] > times[(2, 1)] > 1.0
    assert found["knee"] == 4
    assert (shop.root / "reports" / "shop-guide" / "guide.json").exists()
    assert shop.leftovers() == []
