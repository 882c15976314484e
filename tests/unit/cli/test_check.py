"""The command line of checks, as far as nothing is measured."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import typer

from sweeper.app.places import check_place
from sweeper.cli.check import _next
from sweeper.cli.options import growth
from sweeper.errors import InvalidInput
from sweeper.model.gate import GateVerdict
from tests.helpers.builders import PPO, STUDY_HEAD
from tests.unit.cli.test_cli import run
from tests.unit.report.test_check import check_of


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWEEPER_HOST_LOCK", str(tmp_path / "host.lock"))
    for variable in ("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "car.yaml").write_text(PPO)
    (tmp_path / "study.yaml").write_text(STUDY_HEAD + "env_path: Car.x86_64\n")
    (tmp_path / "Car.x86_64").write_text("#!/bin/sh\n")
    (tmp_path / "Car.x86_64").chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--plan", "--candidate=nosuch"], "--candidate"),
        (["--plan", "--max-time=3m"], "--max-time"),
        (["--record=b.json", "--baseline=nonsense"], "--baseline"),
        (["--record=b.json", "--json"], "--json"),
        (["--record=b.json", "--junit=j.xml", "--history=h"], "--history and --junit"),
        (["--against=b.json", "--baseline=study.yaml"], "--baseline"),
        (["--plan", "--same"], "--same"),
    ],
)
def test_options_that_would_do_nothing_are_refused(place, capsys, arguments, said):
    code, _, err = run(capsys, "check", *arguments)
    assert code == 2
    assert f"Invalid value for {said}" in err
    assert "makes no use of it" in err


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (["--plan", "--candidate=study.yaml"], "with --baseline"),
        (["--record=b.json", "--baseline=study.yaml"], "with --candidate"),
        (["--against=b.json", "--baseline=study.yaml"], "with --candidate"),
    ],
)
def test_a_side_in_the_wrong_option_is_told_the_right_one(place, capsys, arguments, mend):
    assert f"makes no use of it: name what is measured {mend}" in run(capsys, "check", *arguments)[2]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--baseline=study.yaml"], 7),
        (["--baseline=study.yaml", "--candidate=gone.yaml"], 2),
        (["--plan", "--junit=j.xml"], 2),
        (["--candidate=Car.x86_64", "--tolerance=1%"], 2),
        (["--candidate=Car.x86_64", "--nosuch=1"], 2),
        (["--nosuch", "value"], 2),
        (["-x"], 2),
        (["surplus"], 2),
        (["--trimmed=yes"], 2),
    ],
)
def test_every_end_without_a_verdict_leaves_ci_something_to_read(place, capsys, monkeypatch, arguments, expected):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(place / "outputs"))
    code, _, err = run(capsys, "check", *arguments, "--out=found")
    assert code == expected
    assert "::error title=" in err
    assert "verdict=error\n" in (place / "outputs").read_text()
    assert ElementTree.parse(place / "found" / "junit.xml").find(".//error") is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--nosuch"], "No such option: --nosuch"),
        (["--tolerance=1%"], "Invalid value for --tolerance: expected a share"),
        (["--record=a", "--plan"], "Invalid value for --record and --plan: these are different things"),
        (["--history"], "Option '--history' requires an argument"),
    ],
)
def test_ci_is_told_which_option_is_wrong(place, capsys, monkeypatch, arguments, said):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(place / "summary.md"))
    code, _, err = run(capsys, "check", "--junit=j.xml", *arguments)
    assert code == 2
    assert f"::error title=Training throughput was not checked::{said}" in err
    assert said in (place / "summary.md").read_text()
    found = ElementTree.parse(place / "j.xml").find(".//error")
    assert said in found.get("message")
    assert found.get("type") == "exit code 2"


def test_a_command_line_that_cannot_be_read_leaves_no_verdict_of_yesterday_and_nothing_of_others(place, capsys):
    (place / "found").mkdir()
    (place / "found" / ".sweeper-check").touch()
    (place / "found" / "check.json").write_text('{"verdict": "pass"}')
    assert run(capsys, "check", "--out=found", "--nosuch")[0] == 2
    assert not (place / "found" / "check.json").exists()
    (place / "others").mkdir()
    (place / "others" / "junit.xml").write_text("<others/>")
    assert run(capsys, "check", "--out=others", "--nosuch")[0] == 2
    assert (place / "others" / "junit.xml").read_text() == "<others/>"


@pytest.mark.parametrize(
    "arguments", [["--nosuch"], ["--out"], ["--nosuch", "--junit"], ["--nosuch", "--", "--out=found"]]
)
def test_where_no_place_is_named_none_is_made(place, capsys, arguments):
    before = sorted(place.iterdir())
    code, _, err = run(capsys, "check", *arguments)
    assert code == 2
    assert "Careful" not in err
    assert sorted(place.iterdir()) == before


@pytest.mark.parametrize(
    ("option", "expected"),
    [("--junit", 2), ("--history", 2), ("--record", 2), ("--against", 2), ("--out", 3), ("--candidate", 2)],
)
def test_a_name_that_no_file_can_have_is_no_bug(place, capsys, option, expected):
    sides = {"--record": ["--candidate=study.yaml"], "--against": ["--candidate=study.yaml"]}
    named = sides.get(option, ["--baseline=study.yaml", "--candidate=Car.x86_64"])
    code, _, err = run(capsys, "check", *named, option, "a" * 300)
    assert code == expected
    assert "File name too long" in err
    assert "internal error" not in err


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="a folder in which even root makes no file")
@pytest.mark.parametrize("option", ["--junit", "--history", "--record"])
def test_a_place_that_takes_no_file_is_refused_before_anything_is_measured(place, capsys, option):
    sides = ["--candidate=study.yaml", *(() if option == "--record" else ["--baseline=Car.x86_64"])]
    code, _, err = run(capsys, "check", *sides, option, "/proc/sweeper")
    assert (code, f"{option}: /proc/sweeper cannot be written" in err) == (2, True), err


def test_looking_at_a_place_leaves_no_file_and_changes_none(tmp_path):
    check_place("--history", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    (tmp_path / "old").write_text("x")
    check_place("--history", tmp_path / "old")
    assert (tmp_path / "old").read_text() == "x"
    (tmp_path / "link").symlink_to(tmp_path / "new")
    with pytest.raises(InvalidInput, match=r"is a link to .*new, which is not there"):
        check_place("--history", tmp_path / "link")
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX's")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidInput, match="no ordinary file"):
        check_place("--history", tmp_path / "pipe")


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize("option", ["--junit", "--history", "--record"])
def test_a_link_to_itself_is_no_bug(place, capsys, option):
    (place / "loop").symlink_to("loop")
    sides = ["--candidate=study.yaml", *(() if option == "--record" else ["--baseline=Car.x86_64"])]
    code, _, err = run(capsys, "check", *sides, option, "loop")
    assert (code, f"{option}: loop is a link to loop, which is not there" in err) == (2, True), err


def test_places_in_a_folder_of_the_check_that_is_yet_to_be_made_are_right(place, capsys):
    arguments = ["--baseline=study.yaml", "--candidate=nope", "--out=new/a", "--junit=new/a/j.xml", "--history=new/a/h"]
    for _ in range(2):
        code, _, err = run(capsys, "check", *arguments)
        assert (code, "nothing that can be measured" in err) == (2, True), err


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_results_of_other_tests_stay_and_a_link_stays_one(place, capsys):
    others = '<testsuites><testsuite name="pytest"><testcase name="a"/></testsuite></testsuites>'
    (place / "pytest.xml").write_text(others)
    code, _, err = run(capsys, "check", "--baseline=study.yaml", "--candidate=nope", "--junit=pytest.xml")
    assert (code, "holds something else than a check's" in err) == (2, True), err
    assert (place / "pytest.xml").read_text() == others
    (place / "ours.xml").touch()
    (place / "link.xml").symlink_to("ours.xml")
    for _ in range(2):
        err = run(capsys, "check", "--baseline=study.yaml", "--candidate=nope", "--junit=link.xml")[2]
        assert "holds something else" not in err
        assert (place / "link.xml").is_symlink()
    assert b"sweeper check" in (place / "ours.xml").read_bytes()


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "--out="], ["check", "--junit="], ["check", "--history="], ["check", "--record="],
        ["check", "--against="], ["run", ""], ["run", "study.yaml", "--out="], ["validate", ""], ["doctor", ""],
        ["init", ""], ["report", ""], ["report", "reports/x", "-o", ""], ["show", ""], ["apply", ""], ["replay", ""],
        ["guide", ""], ["editor-script", ""],
    ],
)  # fmt: skip
def test_a_variable_that_was_left_empty_is_not_the_current_folder(place, capsys, arguments):
    before = sorted(place.iterdir())
    code, _, err = run(capsys, *arguments)
    assert (code, "was a variable left empty?" in err) == (2, True), err
    assert sorted(place.iterdir()) == before


def test_a_history_that_is_no_text_is_told_so_in_words(place, capsys):
    (place / "h.jsonl").write_bytes(b"\xff\xfe\x00")
    code, _, err = run(capsys, "check", "--baseline=study.yaml", "--candidate=Car.x86_64", "--history=h.jsonl")
    assert code == 2
    assert "h.jsonl: no history of checks: it is not text" in err
    assert "codec" not in err


def test_a_result_of_yesterday_does_not_outlive_an_error(place, capsys):
    (place / "j.xml").write_text("<testsuites/>")
    code, _, _ = run(capsys, "check", "--baseline=study.yaml", "--junit=j.xml")
    assert code == 7
    assert ElementTree.parse(place / "j.xml").find(".//error") is not None


def test_the_page_on_ci_explains_every_option(capsys):
    _, out, _ = run(capsys, "check", "--help")
    page = (Path(__file__).parents[3] / "docs" / "ci.md").read_text()
    options = re.findall(r"^  (--[a-z-]+)", out, re.M)
    assert len(options) == 16
    assert [option for option in options if not re.search(rf"{option}\b(?!-)", page)] == []


@pytest.mark.parametrize(("text", "value"), [("0%", 0.0), ("0", 0.0), ("10%", 0.1), ("150%", 1.5), ("2.5", 2.5)])
def test_memory_may_more_than_double(text, value):
    assert growth("--max-memory-growth", text, 10.0) == value


@pytest.mark.parametrize("text", ["-1%", "much", "nan", "2000%", ""])
def test_what_is_no_growth_is_refused_with_what_would_be(text):
    with pytest.raises(typer.BadParameter, match="from 0% to 1000%"):
        growth("--max-memory-growth", text, 10.0)


def test_what_was_just_done_is_not_advised(tmp_path):
    passed = check_of(verdict=GateVerdict.PASS)
    assert _next(passed, tmp_path / "h.jsonl") is None
    assert "--history" in (_next(passed, None) or "")
