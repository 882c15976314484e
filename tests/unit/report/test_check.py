"""What CI reads of a check, read as CI does."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sweeper.app.check.elsewhere import Elsewhere
from sweeper.app.check.folder import CheckFolder
from sweeper.errors import InvalidInput
from sweeper.model.gate import Because, Change, CheckResult, GateVerdict, Look, Mode, Pair, PhaseChange, SideFacts
from sweeper.model.measurement import PerThousandSteps
from sweeper.model.study import from_json
from sweeper.report.check import ci, ended
from sweeper.report.check.data import as_json
from sweeper.report.check.page import render_check
from sweeper.report.check.words import headline, why_text
from tests.helpers.builders import machine_of


def check_of(**fields: Any) -> CheckResult:
    sides = [
        SideFacts(name, ("study.yaml",), {"num_envs": 2}, ("mlagents-learn", "car.yaml"), {"build": f"{name}:1"})
        for name in ("baseline", "candidate")
    ]
    pairs = tuple(Pair(at, 30.0 * at, -0.06 + 0.01 * (at % 2), (1.0, 1.2), 0.0, 0.1) for at in range(4))
    defaults: dict[str, Any] = {
        "name": "racer", "started_at": "2026-01-01T10:00:00.000+00:00", "seconds": 180.0, "mode": Mode.SLICES,
        "machine": machine_of(), "baseline": sides[0], "candidate": sides[1], "tolerance": 0.05, "max_seconds": 1200.0,
        "trimmed": False, "verdict": GateVerdict.REGRESSED, "because": Because.SPEED,
        "change": Change(-0.055, (-0.07, -0.04)), "pair_deviation": 0.012, "most_pairs": 16, "pairs": pairs,
        "looks": (Look(4, Change(-0.055, (-0.07, -0.04)), -0.03, 0.01),), "trials": (),
        "steps_per_second": {"baseline": 1000.0, "candidate": 945.0},
        "why": (PhaseChange("players", 0.8, 0.05, (0.03, 0.07)), PhaseChange("updates", 0.2, 0.001, (-0.01, 0.01))),
    }  # fmt: skip
    return CheckResult(**{**defaults, **fields})


VERDICTS = [
    (GateVerdict.PASS, Because.SPEED, None, "0"),
    (GateVerdict.IMPROVED, Because.SPEED, None, "0"),
    (GateVerdict.REGRESSED, Because.SPEED, "failure", "1"),
    (GateVerdict.INCONCLUSIVE, Because.BUSY, "skipped", "1"),
    (GateVerdict.CANDIDATE_FAILS, Because.FAILED, "error", "1"),
]


@pytest.mark.parametrize(("verdict", "because", "kind", "count"), VERDICTS)
def test_junit_says_each_verdict_in_its_own_way(verdict, because, kind, count):
    suite = ElementTree.fromstring(ci.junit(check_of(verdict=verdict, because=because))).find("testsuite")
    assert suite is not None
    case = suite.find("testcase")
    assert case is not None
    assert [child.tag for child in case if child.tag != "system-out"] == ([kind] if kind else [])
    counters = {"failure": "failures", "skipped": "skipped", "error": "errors"}
    assert {name: suite.get(name) for name in counters.values()} == {
        name: count if counters.get(kind) == name else "0" for name in counters.values()
    }
    # As the schema has it: result elements come before output.
    assert case[-1].tag == "system-out"


@pytest.mark.parametrize(("verdict", "because", "kind", "count"), VERDICTS)
def test_every_format_can_be_read_back(verdict, because, kind, count):
    result = check_of(verdict=verdict, because=because)
    quality = json.loads(ci.code_quality(result))
    assert len(quality) == (not verdict.is_pass)
    assert all({"description", "fingerprint", "severity", "location"} <= set(entry) for entry in quality)
    assert {row["unit"] for row in json.loads(ci.benchmark(result))} == {"steps/s"}
    for line in ci.metrics(result).splitlines()[:-1]:
        float(line.rpartition(" ")[2])
    assert dict(line.split("=", 1) for line in ci.outputs(result).splitlines())["verdict"] == verdict.value
    mark = ci.annotation(result)
    assert (mark is None) == verdict.is_pass
    assert mark is None or ("\n" not in mark and mark.startswith(("::error ", "::warning ")))


def test_the_document_is_complete_and_keeps_its_version():
    data = json.loads(as_json(check_of()))
    assert (data["format"], data["version"]) == ("sweeper.check", 1)
    del data["headline"], data["why_text"], data["notes"]
    assert from_json(CheckResult, json.dumps(data)) == check_of()


def test_only_what_is_sure_is_named_as_the_reason():
    text = why_text(check_of())
    assert text is not None
    assert "waiting for players" in text
    assert "policy updates" not in text


def test_the_page_opens_alone_and_escapes_what_others_wrote():
    page = render_check(check_of(name="<script>alert(1)</script>"))
    assert "<script>" not in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "How the verdict was come to" in page


@pytest.mark.parametrize("because", list(Because))
@pytest.mark.parametrize("mode", list(Mode))
def test_every_ending_has_a_sentence_and_a_page(because, mode):
    found = check_of(verdict=GateVerdict.INCONCLUSIVE, because=because, mode=mode, change=None, looks=(), pairs=())
    assert headline(found).startswith("INCONCLUSIVE: ")
    assert "None" not in headline(found)
    render_check(found)


def test_a_check_without_room_for_the_pairs_it_needs_says_what_tolerance_is_in_reach():
    found = check_of(
        verdict=GateVerdict.INCONCLUSIVE, because=Because.NOT_ENOUGH_PAIRS, pairs_needed=None, tolerance_in_reach=0.1
    )
    assert "--tolerance 10%" in headline(found)
    assert "--max-time" not in headline(found)
    assert "(--max-time 9m)" in headline(replace(found, pairs_needed=20, seconds_needed=500.0))


def test_github_gets_its_summary_and_outputs_and_the_history_its_line(tmp_path):
    folder = CheckFolder(tmp_path / "check")
    folder.open()
    summary, outputs, history = tmp_path / "summary", tmp_path / "outputs", tmp_path / "history.jsonl"
    summary.write_text("before\n")
    surroundings = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(outputs)}
    for _ in range(2):
        folder.write(check_of())
        assert Elsewhere(history, tmp_path / "j.xml", surroundings).leave(folder, check_of()) == []
    assert summary.read_text().startswith("before\n### ")
    assert "verdict=regressed\n" in outputs.read_text()
    assert len(history.read_text().splitlines()) == 2
    assert "Earlier checks" in folder.page.read_text()
    ElementTree.fromstring((tmp_path / "j.xml").read_text())


def test_a_new_check_has_no_sessions_of_an_earlier_one_and_takes_no_others(tmp_path):
    folder = CheckFolder(tmp_path / "check")
    folder.open(is_new_check=True)
    session = folder.trials / "000-baseline"
    session.mkdir()
    folder.open()  # as when a check that failed leaves word of it
    assert session.is_dir()
    folder.open(is_new_check=True)
    assert list(folder.trials.iterdir()) == []
    others = tmp_path / "others"
    (others / "trials").mkdir(parents=True)
    with pytest.raises(InvalidInput, match="holds trials, which no check wrote"):
        CheckFolder(others).open(is_new_check=True)
    assert (others / "trials").is_dir()


def test_a_history_of_something_else_is_refused_and_kept(tmp_path):
    folder = CheckFolder(tmp_path / "check")
    folder.open()
    history = tmp_path / "notes.txt"
    history.write_text("milk\n")
    with pytest.raises(InvalidInput, match=r"notes\.txt:1"):
        Elsewhere(history, None, {}).look()
    assert history.read_text() == "milk\n"


def test_a_history_without_a_last_end_of_line_stays_one_record_a_line(tmp_path):
    folder = CheckFolder(tmp_path / "check")
    folder.open()
    history = tmp_path / "h.jsonl"
    for _ in range(2):
        Elsewhere(history, None, {}).look()
        assert Elsewhere(history, None, {}).leave(folder, check_of()) == []
        history.write_text(history.read_text().rstrip("\n"))
    assert len(history.read_text().splitlines()) == 2


@pytest.mark.parametrize("holds", ["version: 1\n", "<project/>"])
def test_a_file_that_is_no_junit_is_not_replaced(tmp_path, holds):
    (file := tmp_path / "car.yaml").write_text(holds)
    places = Elsewhere(None, file, {})
    with pytest.raises(InvalidInput, match="holds something else than a check's"):
        places.look()
    places.leave_error(None, "the error", 2)
    assert file.read_text() == holds


def test_a_device_is_no_place_for_junit():
    with pytest.raises(InvalidInput, match="is no ordinary file"):
        Elsewhere(None, Path("/dev/null"), {}).look()


def test_junit_is_not_the_history(tmp_path):
    (file := tmp_path / "h").touch()
    places = Elsewhere(file, file, {})
    with pytest.raises(InvalidInput, match="is the history too"):
        places.look()
    places.leave_error(None, "the error", 2)
    assert file.read_text() == ""


@pytest.mark.parametrize("option", ["history", "junit"])
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_measured(tmp_path, option):
    places = {"history": None, "junit": None, option: tmp_path / "nowhere" / "file"}
    with pytest.raises(InvalidInput, match=f"--{option}: there is no folder"):
        Elsewhere(**places, environment={}).look()
    with pytest.raises(InvalidInput, match=f"--{option}: .* is a folder"):
        Elsewhere(**{**places, option: tmp_path}, environment={}).look()


def test_what_cannot_be_written_after_the_verdict_is_said_and_no_error(tmp_path):
    folder = CheckFolder(tmp_path / "check")
    folder.open()
    (folder.root / "metrics.txt").mkdir()
    assert any("metrics.txt could not be written" in line for line in folder.write(check_of()))
    assert folder.page.exists()
    gone = str(tmp_path / "gone" / "file")
    said = Elsewhere(tmp_path / "gone" / "h", tmp_path / "gone" / "j", {"GITHUB_OUTPUT": gone}).leave(
        folder, check_of()
    )
    assert len(said) == 3
    assert all(line.startswith("Careful: ") for line in said)


def test_a_folder_of_somebody_elses_files_is_refused_and_kept(tmp_path):
    (tmp_path / "junit.xml").write_text("<mine/>")
    (tmp_path / "check.json").write_text('{"format": "another"}')
    with pytest.raises(InvalidInput, match=r"holds check\.json, junit\.xml, which no check wrote"):
        CheckFolder(tmp_path).open()
    assert (tmp_path / "junit.xml").read_text() == "<mine/>"
    (tmp_path / "check.json").write_text(as_json(check_of()))
    CheckFolder(tmp_path).open()
    assert not (tmp_path / "junit.xml").exists()


def test_an_error_leaves_ci_what_it_reads_and_nothing_of_an_earlier_check(tmp_path):
    folder, outputs, summary = CheckFolder(tmp_path / "check"), tmp_path / "outputs", tmp_path / "summary"
    folder.open()
    folder.write(check_of(verdict=GateVerdict.PASS))
    junit = tmp_path / "j.xml"
    junit.write_text("<testsuites/>")
    places = Elsewhere(None, junit, {"GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(summary)})
    places.look()
    assert not junit.exists()
    assert places.leave_error(folder.root, "no build\nhere", 3) == []
    for file in (junit, folder.junit):
        suite = ElementTree.fromstring(file.read_text()).find("testsuite")
        assert suite is not None
        assert suite.get("errors") == "1"
        error = suite.find("testcase/error")
        assert error is not None
        assert "no build" in (error.get("message") or "")
    assert not folder.page.exists()
    assert "verdict=error\n" in outputs.read_text()
    assert "exit code 3" in summary.read_text()
    assert ended.annotation("no build\nhere").endswith("::no build%0Ahere")


def test_an_error_replaces_nothing_in_a_folder_of_somebody_else(tmp_path):
    (tmp_path / "junit.xml").write_text("<mine/>")
    Elsewhere(None, None, {}).leave_error(tmp_path, "wrong", 2)
    assert (tmp_path / "junit.xml").read_text() == "<mine/>"


def test_the_kind_of_updates_that_decided_is_the_one_that_is_told():
    updates = {"baseline": PerThousandSteps(31.2, 3.91), "candidate": PerThousandSteps(7.8, 3.91)}
    found = check_of(because=Because.UPDATES, updates=updates)
    assert "it learns less: 7.80 gradient updates per 1,000 steps, the baseline 31.20" in headline(found)
    updates["candidate"] = PerThousandSteps(31.2, 1.9)
    assert "1.90 policy updates" in headline(found)


def test_more_pairs_are_not_asked_for_where_there_were_enough():
    pairs = tuple(Pair(at, 30.0 * at, -0.03) for at in range(32))
    found = check_of(
        verdict=GateVerdict.INCONCLUSIVE, because=Because.NOT_ENOUGH_PAIRS, pairs=pairs, pairs_needed=7,
        seconds_needed=60.0, tolerance_in_reach=0.05,
    )  # fmt: skip
    assert "--max-time" not in headline(found)
    assert "lies between" in headline(found)


def test_a_recorded_baseline_did_not_run_and_is_not_said_to():
    found = check_of(verdict=GateVerdict.CANDIDATE_FAILS, because=Because.FAILED, mode=Mode.STORED)
    assert "baseline" not in headline(found)


def test_two_checks_of_one_study_have_two_names_and_the_finding_a_file():
    one = check_of()
    other = check_of(candidate=replace(one.candidate, named=("New.x86_64",), study="game/study.yaml"))
    for text in (ci.junit, ci.benchmark):
        names = re.findall(r'name"?[:=] ?"([^"]*racer[^"]*)"', text(one) + text(other))
        assert len(names) == len(set(names)) > 1
    assert json.loads(ci.code_quality(other))[0]["location"]["path"] == "game/study.yaml"
    assert json.loads(ci.code_quality(one))[0]["fingerprint"] != json.loads(ci.code_quality(other))[0]["fingerprint"]


def test_what_is_taken_from_today_is_said_wherever_the_verdict_is():
    one = check_of(verdict=GateVerdict.PASS)
    found = replace(one, baseline=replace(one.baseline, named=("rev:old",), from_today=("the build Car.x86_64",)))
    for text in (ci.details(found), ci.summary(found), ci.junit(found), render_check(found), as_json(found)):
        assert "the build Car.x86_64 of the baseline (rev:old) is today" in text
