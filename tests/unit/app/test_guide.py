"""The guide's table on scripted sessions: what is saved after each one, and what goes on with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sweeper.app.guide import VOIDS, Measuring, asked_of
from sweeper.app.guide_folder import GuideFolder
from sweeper.app.stop import StopSignal
from sweeper.errors import Interrupted, InvalidInput, NotReady
from sweeper.model.guide import GUIDE, GuideResult
from sweeper.model.session import SessionEnd
from tests.helpers.builders import prepared_of
from tests.helpers.scripted import BUSY, QUIET, ScriptedRunner

NAMES = sorted(f"{envs}x{areas}" for envs, areas in GUIDE)
PREPARED = prepared_of()


@pytest.fixture(autouse=True)
def no_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeper.app.check.pairs.port_for", lambda count, in_editor: 5100)


@dataclass
class Guide:
    """The command in one folder, as often as a test likes; each time with a runner of its own."""

    root: Path
    said: list[str] = field(default_factory=list)
    told: list[GuideResult] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)

    @property
    def folder(self) -> GuideFolder:
        return GuideFolder(self.root / "racer-guide")

    def run(self, rounds: int = 1, stop_at: int | None = None, **runner: Any) -> GuideResult:
        """`stop_at`: the session of this run, from 0, in which somebody presses Ctrl-C, and which still ends."""
        stop = StopSignal()
        scripted = ScriptedRunner(on_session=lambda index: stop.ask() if index == stop_at else None, **runner)
        earlier = self.folder.open(asked_of(PREPARED, rounds), self.said.append)
        try:
            return Measuring(
                PREPARED, rounds, self.folder, earlier, scripted, self.said.append, self.told.append, stop
            ).run()
        finally:
            self.ran = [session.plan.folder.root.name for session in scripted.sessions]

    def saved(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads(self.folder.file.read_text())
        return found


@pytest.fixture
def guide(tmp_path: Path) -> Guide:
    return Guide(tmp_path)


def rows_of(names: list[str]) -> list[str]:
    return sorted(name.partition("-")[2] for name in names)


def test_the_table_is_saved_after_each_session(guide):
    result = guide.run(rounds=2)
    assert [len(table.trials) for table in guide.told] == [*range(11), 10]
    assert [table.is_complete for table in guide.told] == [False] * 11 + [True]
    assert all(table.knee is None for table in guide.told[:-1]) and result.knee is not None
    assert guide.saved()["is_complete"] and len(guide.saved()["trials"]) == 10
    assert guide.saved()["asked"]["rounds"] == 2 and sorted(guide.saved()["asked"]["rows"]) == NAMES


def test_stopped_in_the_second_round_it_goes_on_with_what_is_owed(guide):
    with pytest.raises(Interrupted):
        guide.run(rounds=2, stop_at=6)
    first, kept = guide.ran, guide.saved()["trials"]
    assert len(first) == len(kept) == 7
    result = guide.run(rounds=2)
    assert "Going on where it was stopped, with 7 sessions measured before." in guide.said
    assert len(guide.ran) == 3
    assert rows_of(first + guide.ran) == sorted(NAMES * 2)
    assert [trial.number for trial in result.trials] == list(range(10))
    assert guide.saved()["trials"][:7] == kept
    assert all(row.speedup is not None for row in result.rows)


def test_a_session_that_was_cut_off_is_run_again_under_a_number_of_its_own(guide):
    ends = {2: SessionEnd.INTERRUPTED}
    with pytest.raises(Interrupted):
        guide.run(stop_at=2, end=lambda index: ends.get(index, SessionEnd.MEASURED))
    assert len(guide.saved()["trials"]) == 2
    for name in guide.ran:
        (guide.folder.trials / name).mkdir()
    guide.run()
    assert [name[:3] for name in guide.ran] == ["003", "004", "005"]
    assert len(guide.saved()["trials"]) == 5


def test_an_error_in_a_row_loses_no_other(guide):
    def broken(index: int) -> None:
        if index == 3:
            raise NotReady("the disk is full")

    stop = StopSignal()
    runner = ScriptedRunner(on_session=broken)
    earlier = guide.folder.open(asked_of(PREPARED, 1), guide.said.append)
    with pytest.raises(NotReady):
        Measuring(PREPARED, 1, guide.folder, earlier, runner, guide.said.append, guide.told.append, stop).run()
    assert len(guide.saved()["trials"]) == 3
    guide.run()
    assert len(guide.ran) == 2


def test_a_row_that_never_runs_is_not_tried_again(guide):
    guide.run()
    largest = next(index for index, name in enumerate(guide.ran) if name.endswith("8x1"))  # the same in every table

    def end(index: int) -> SessionEnd:
        return SessionEnd.EXITED if index == largest else SessionEnd.MEASURED

    with pytest.raises(Interrupted):
        guide.run(rounds=2, stop_at=4, end=end)
    result = guide.run(rounds=2)
    assert rows_of(guide.ran) == [name for name in NAMES if name != "8x1"]
    assert [row.failed is not None for row in result.rows] == [row.envs == 8 for row in result.rows]


@pytest.mark.parametrize("row", ["1x1", "8x1"])
def test_one_failed_session_removes_no_row_that_ran(guide, row):
    guide.run(rounds=2)
    rounds = [index for index, name in enumerate(guide.ran) if name.endswith(row)]
    other = Guide(guide.root / "other")

    def end(index: int) -> SessionEnd:
        return SessionEnd.EXITED if index == rounds[1] else SessionEnd.MEASURED

    result = other.run(rounds=2, end=end)
    assert not any(found.failed for found in result.rows)
    assert all(found.speedup is not None or (found.envs, found.areas) == (1, 1) for found in result.rows)


def test_disturbed_sessions_count_over_all_runs(guide):
    with pytest.raises(Interrupted):
        guide.run(stop_at=1, load=lambda index: BUSY)
    first = guide.ran
    assert len(set(rows_of(first))) == 1  # one row, again and again
    guide.run(load=lambda index: BUSY if index == 0 else QUIET)
    again = [name for name in guide.ran if name.partition("-")[2] == first[0].partition("-")[2]]
    assert len(first) + len(again) == VOIDS + 1
    assert guide.saved()["is_complete"]


def test_other_rounds_are_another_table(guide):
    with pytest.raises(Interrupted):
        guide.run(rounds=2, stop_at=1)
    guide.run(rounds=3)
    assert any("Measured anew, because rounds was 2, is now 3." in said for said in guide.said)
    assert len(json.loads((guide.root / "racer-guide.old-1" / "guide.json").read_text())["trials"]) == 2
    assert len(guide.saved()["trials"]) == 15


def test_a_table_of_an_earlier_version_is_moved_aside(guide):
    guide.run()
    old = {name: value for name, value in guide.saved().items() if name not in ("asked", "is_complete")}
    guide.folder.file.write_text(json.dumps(old))
    guide.run()
    assert json.loads((guide.root / "racer-guide.old-1" / "guide.json").read_text()) == old
    assert guide.saved()["is_complete"]


@pytest.mark.parametrize("change", [{"version": 2}, {"trials": 3}])
def test_a_table_that_is_not_understood_is_moved_aside(guide, change):
    guide.run()
    guide.folder.file.write_text(json.dumps({**guide.saved(), **change}))
    guide.run()
    assert any(said.startswith("The earlier table cannot be read (") for said in guide.said)
    assert (guide.root / "racer-guide.old-1" / "guide.json").exists()


def test_sessions_without_a_table_are_moved_aside_and_what_is_beside_them_stays(guide):
    (guide.folder.trials / "000-1x1").mkdir(parents=True)
    (guide.folder.root / "notes.txt").write_text("mine")
    guide.run()
    assert (guide.root / "racer-guide.old-1" / "trials" / "000-1x1").is_dir()
    assert (guide.folder.root / "notes.txt").read_text() == "mine"


def test_what_others_wrote_is_refused(guide):
    guide.folder.trials.mkdir(parents=True)
    (guide.folder.trials / "precious").write_text("x")
    with pytest.raises(InvalidInput, match="files that this command did not write"):
        guide.run()
    guide.folder.file.write_text("[]")
    with pytest.raises(InvalidInput, match="is not a table that this command wrote"):
        guide.run()
    assert (guide.folder.trials / "precious").exists()


def test_a_first_row_that_does_not_run_is_tried_again(guide):
    with pytest.raises(NotReady, match="one environment with one area does not run"):
        guide.run(end=lambda index: SessionEnd.EXITED)
    assert all(trial["contender"] != "1x1" for trial in guide.saved()["trials"])
    with pytest.raises(NotReady, match="one environment with one area does not run"):
        guide.run(end=lambda index: SessionEnd.EXITED)
