"""One run shows every exit code of `sweeper check`: the whole command line, on scripted sessions."""

from __future__ import annotations

import errno
import os
import signal
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sweeper.errors import ExitCode
from sweeper.model.gate import CANDIDATE
from sweeper.model.session import SessionEnd
from sweeper.session.learner import Learner
from tests.helpers.builders import ALL_FLAGS, PPO, STUDY_HEAD, machine_of
from tests.helpers.scripted import BUSY, QUIET, ScriptedRunner
from tests.unit.cli.test_cli import run

COMPARE = ("--baseline=study.yaml", "--candidate=New.x86_64", "--whole-sessions")


class Gate:
    """A study, a build beside its own, and sessions that go as `runner` says."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.runner = ScriptedRunner(jitter=lambda index: (1.0, 1.01, 0.99, 1.02, 0.98)[index % 5])
        self.runner.speed_of_plan = lambda plan: 1000.0

    def candidates(self, plan_or_index: Any) -> bool:
        plan = self.runner.sessions[plan_or_index].plan if isinstance(plan_or_index, int) else plan_or_index
        return bool(plan.folder.root.name.endswith(CANDIDATE))

    def is_slower(self) -> None:
        self.runner.speed_of_plan = lambda plan: 800.0 if self.candidates(plan) else 1000.0

    def is_never_quiet(self) -> None:
        self.runner.load = lambda index: BUSY if index > 1 and index % 3 else QUIET

    def no_candidate_runs(self) -> None:
        self.runner.end = lambda index: SessionEnd.EXITED if self.candidates(index) else SessionEnd.MEASURED

    def nothing_runs(self) -> None:
        self.runner.end = lambda index: SessionEnd.EXITED

    def raises(self, error: Exception) -> None:
        def session(index: int) -> None:
            raise error

        self.runner.on_session = session

    def is_told(self, number: signal.Signals) -> None:
        self.runner.on_session = lambda index: os.kill(os.getpid(), number)

    def outputs(self) -> dict[str, str]:
        """What GitHub reads; nothing where the check was stopped."""
        file = self.root / "outputs"
        return dict(line.split("=", 1) for line in file.read_text().splitlines()) if file.exists() else {}

    def junit(self) -> ElementTree.Element | None:
        file = self.root / "found" / "junit.xml"
        return ElementTree.parse(file).getroot() if file.exists() else None


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    one = Gate(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWEEPER_HOST_LOCK", str(tmp_path / "host.lock"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (tmp_path / "car.yaml").write_text(PPO)
    (tmp_path / "study.yaml").write_text(STUDY_HEAD + "env_path: Car.x86_64\n")
    for name in ("Car.x86_64", "New.x86_64", "mlagents-learn"):
        (tmp_path / name).write_text(f"#!/bin/sh\n# {name}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    @contextmanager
    def scripted(*_: Any) -> Iterator[ScriptedRunner]:
        yield one.runner

    checks = "sweeper.app.check"
    monkeypatch.setattr(f"{checks}.sides.probe_learner", lambda path: Learner(path, ALL_FLAGS, {"mlagents": "1.1.0"}))
    monkeypatch.setattr(f"{checks}.pairs.free_block", lambda count: 5100)
    monkeypatch.setattr(f"{checks}.run.describe_machine", lambda packages: machine_of())
    monkeypatch.setattr(f"{checks}.run.clean_up", lambda: None)
    monkeypatch.setattr(f"{checks}.run.sessions_for", scripted)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield one
    for number, handler in handlers.items():
        signal.signal(number, handler)


Case = tuple[ExitCode, Callable[[Gate], None], tuple[str, ...], str | None, str | None]
CASES: list[Case] = [
    (ExitCode.OK, lambda gate: None, COMPARE, "pass", None),
    (ExitCode.INTERNAL, lambda gate: gate.raises(ZeroDivisionError("a bug")), COMPARE, "error", "error"),
    (ExitCode.INVALID_INPUT, lambda gate: None, (*COMPARE, "--nosuch"), "error", "error"),
    (ExitCode.NOT_READY, Gate.nothing_runs, COMPARE, "error", "error"),
    (ExitCode.REGRESSION, Gate.is_slower, COMPARE, "regressed", "failure"),
    (ExitCode.INCONCLUSIVE, Gate.is_never_quiet, COMPARE, "inconclusive", "skipped"),
    (ExitCode.NOT_COMPARABLE, lambda gate: None, COMPARE[:1], "error", "error"),
    (ExitCode.CANDIDATE_FAILS, Gate.no_candidate_runs, COMPARE, "candidate_fails", "error"),
    (ExitCode.INTERRUPTED, lambda gate: gate.is_told(signal.SIGINT), COMPARE, None, None),
    (ExitCode.TERMINATED, lambda gate: gate.is_told(signal.SIGTERM), COMPARE, None, None),
]
"""Exit code, what happens, the command line, `verdict` in `$GITHUB_OUTPUT`, and what is in the JUnit file's case."""


@pytest.mark.parametrize(
    ("code", "happens", "arguments", "verdict", "kind"), CASES, ids=[case[0].name.lower() for case in CASES]
)
def test_every_exit_code_and_what_ci_reads_with_it(gate, capsys, code, happens, arguments, verdict, kind):
    happens(gate)
    found, _, err = run(capsys, "check", *arguments, "--out=found")
    assert found == code, err
    assert gate.outputs().get("verdict") == verdict
    junit = gate.junit()
    assert (junit is None) == (verdict is None)
    if junit is not None:
        assert [child.tag for child in junit.find(".//testcase") if child.tag != "system-out"] == [kind] * bool(kind)
    assert (gate.root / "summary.md").exists() == (verdict is not None)
    assert ("the same command begins anew" in err) == (code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED))


def test_the_cases_are_all_codes_that_there_are():
    """4 belongs to a study alone."""
    assert {case[0] for case in CASES} == set(ExitCode) - {ExitCode.NOTHING_FEASIBLE}


def test_an_error_of_the_machine_has_the_same_code_for_ci_as_for_the_shell(gate, capsys):
    gate.raises(OSError(errno.ENOSPC, "No space left on device", "trials"))
    code, _, err = run(capsys, "check", *COMPARE, "--out=found")
    assert code == ExitCode.NOT_READY
    assert "internal error" not in err
    assert gate.junit().find(".//error").get("type") == "exit code 3"


@pytest.mark.parametrize("number", [errno.EIO, errno.EPIPE])
def test_a_disk_that_fails_is_not_taken_for_a_reader_that_is_gone(gate, capsys, number):
    """Which ends any command in 0: this gate would have passed what it had not measured."""
    gate.raises(OSError(number, os.strerror(number)))
    code, _, _ = run(capsys, "check", *COMPARE, "--out=found")
    assert code == ExitCode.NOT_READY
    assert gate.outputs()["verdict"] == "error"


def test_a_reader_that_is_gone_does_not_make_a_pass_of_a_regression(gate, capsys, monkeypatch):
    gate.is_slower()
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        code, _, err = run(capsys, "check", *COMPARE, "--out=found")
    assert code == ExitCode.REGRESSION
    assert "Report: " in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_what_cannot_be_printed_is_said_and_the_verdict_stays(gate, capsys, monkeypatch, arguments):
    with Path("/dev/full").open("w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        code, _, err = run(capsys, "check", *COMPARE, *arguments, "--out=found")
    assert code == ExitCode.OK
    assert "Careful: the result could not be printed: No space left on device" in err
