"""A study that is run again: what was brought to its end stays, and more search is confirmed anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.app.stop import StopSignal
from sweeper.errors import Interrupted
from sweeper.inputs.study_limits import Budget
from sweeper.model.session import SessionEnd
from sweeper.model.study import Verdict
from sweeper.model.trial import Purpose
from tests.helpers.builders import GIB
from tests.helpers.scripted import BUSY, QUIET, MemoryStore, Scripted, on_disk, scripted

pytestmark = pytest.mark.usefixtures("scripted_world", "quick_search")

SEARCH, CONFIRM = Purpose.SEARCH, Purpose.CONFIRM
LARGE = 4 * GIB
"""Three of them do not fit under the cap of 8 GiB together."""
SMALL = "env_path: build.x86_64\nbaseline: {num_envs: 1}\nspace: {num_envs: [1, 2, 4]}\n"
"""Too few for finals."""


@pytest.fixture(params=["memory", "disk"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Where the study is stored; None for in memory."""
    return tmp_path if request.param == "disk" else None


def opened(study: Scripted, folder: Path | None) -> Scripted:
    """The same study in a new run: on disk, the store is opened again."""
    again = replace(study, stop=StopSignal())
    return on_disk(again, folder) if folder else again


def longer(study: Scripted, seconds: float) -> Scripted:
    return replace(study, prepared=replace(study.prepared, budget=Budget(seconds)))


@pytest.mark.parametrize("peak_bytes", [GIB, LARGE])
def test_what_is_finished_runs_nothing(folder: Path | None, peak_bytes: int) -> None:
    study = opened(scripted(600.0, study=SMALL, peak_bytes=peak_bytes), folder)
    study.run()
    before, sessions, turns = study.results, len(study.runner.sessions), len(study.runner.in_turn)
    assert study.conclusion().verdict is Verdict.BETTER
    assert turns == (peak_bytes == GIB)
    for budget in (600.0, 5000.0):
        again = longer(opened(study, folder), budget)
        assert again.trials().is_confirmed
        again.run()
        assert again.results == before
        assert (len(again.runner.sessions), len(again.runner.in_turn)) == (sessions, turns)
    assert again.store.spent_seconds <= 600.0


def test_more_search_is_confirmed_anew(folder: Path | None) -> None:
    study = opened(scripted(230.0, study=SMALL.replace("2, 4", "2, 4, 8")), folder)
    assert study.run() == "budget"
    count = len(study.results)
    assert study.purposes[-1] is CONFIRM
    again = longer(opened(study, folder), 1000.0)
    again.run()
    new = again.purposes[count:]
    assert SEARCH in new
    assert new[-1] is CONFIRM
    assert again.results[:count] == study.results[:count]
    assert again.trials().is_confirmed
    assert len(again.runner.in_turn) == 2
    assert again.store.spent_seconds <= 1000.0


def test_one_that_was_interrupted_goes_on(folder: Path | None) -> None:
    study = opened(scripted(800.0, study=SMALL, peak_bytes=LARGE), folder)
    study.runner.on_session = lambda index: study.stop.ask() if study.purposes.count(CONFIRM) == 4 else None
    study.runner.end = lambda index: SessionEnd.INTERRUPTED if study.stop.asked() else SessionEnd.MEASURED
    with pytest.raises(Interrupted):
        study.run()
    assert not study.trials().is_confirmed
    searched = len(study.of(SEARCH))
    again = opened(study, folder)
    again.runner.on_session, again.runner.end = lambda index: None, lambda index: SessionEnd.MEASURED
    again.run()
    assert len(again.of(SEARCH)) == searched
    assert again.trials().is_confirmed
    assert again.conclusion().verdict is Verdict.BETTER


class TestNoAnswerYet:
    @pytest.mark.parametrize("seconds", [90.0, 120.0])
    def test_there_was_no_time_for_it(self, seconds: float) -> None:
        study = scripted(seconds, study=SMALL.replace(", 4", ""))
        study.run()
        assert study.of(CONFIRM) == []
        again = longer(study, 2000.0)
        again.run()
        assert again.conclusion().verdict is Verdict.BETTER

    def test_others_were_busy_all_the_while(self) -> None:
        study = scripted(2000.0, study=SMALL, peak_bytes=LARGE)
        first = scripted(2000.0, study=SMALL, peak_bytes=LARGE)
        first.run()
        begins = first.purposes.index(CONFIRM)
        study.runner.load = lambda index: BUSY if index >= begins else QUIET
        study.run()
        assert study.conclusion().verdict is Verdict.UNCONFIRMED
        again = longer(study, 4000.0)
        again.runner.load = lambda index: QUIET
        again.run()
        assert again.conclusion().verdict is Verdict.BETTER


def test_without_contenders_nothing_is_confirmed() -> None:
    study = scripted(30.0)
    study.run()
    assert isinstance(study.store, MemoryStore)
    assert study.store.confirmed_search is None
