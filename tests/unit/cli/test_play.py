"""Being asked for Play: a countdown and a bell where there is a terminal, a line elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

from sweeper.cli.play import BELL, Asker
from sweeper.cli.progress import Progress
from sweeper.model.events import PlayAwaited, TrialProgress, TrialStarted
from sweeper.model.trial import Purpose
from tests.helpers.builders import params_of

TRIAL = TrialStarted(3, Purpose.SEARCH, params_of(1))
STARTING = TrialProgress("waiting for the Editor", None, 0, 0, 9.0)
EVENTS = [TRIAL, STARTING, PlayAwaited(5004, 102.4), PlayAwaited(5004, 101.9)]
LINE = "Press Play in the Unity Editor: the learner listens on port 5004, for 1m 42s more."


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal_on(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Standard error of the running test; pytest would put its own over a fixture's."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    return shown


def test_a_countdown_and_one_bell_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_on(monkeypatch)
    with Progress() as progress:
        for event in EVENTS:
            progress(event)
        progress._live.refresh()
        assert "Press Play in the Unity Editor (Stop first, if it plays): 1:41 left" in terminal.getvalue()
        assert terminal.getvalue().count(BELL) == 1
        progress(STARTING)
        terminal.seek(0)
        terminal.truncate()
        progress._live.refresh()
        assert "Press Play" not in terminal.getvalue()
        for event in EVENTS:
            progress(event)
        assert terminal.getvalue().count(BELL) == 1


def test_one_line_a_trial_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        for event in EVENTS + EVENTS:
            progress(event)
    assert capsys.readouterr().err.splitlines() == [LINE, LINE]


def test_quiet_asks_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(quiet=True) as progress:
        for event in EVENTS:
            progress(event)
    assert capsys.readouterr() == ("", "")


def test_a_check_asks_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    ask = Asker()
    for event in EVENTS + EVENTS:
        ask(event)
    assert capsys.readouterr().err.splitlines() == [LINE, LINE]


def test_a_check_rings_where_somebody_may_hear_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_on(monkeypatch)
    ask = Asker()
    for event in EVENTS:
        ask(event)
    assert terminal.getvalue() == f"{LINE}\n{BELL}"
