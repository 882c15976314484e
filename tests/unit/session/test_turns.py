"""What sessions that ran in turn leave, as a round is or is not completed; the sessions themselves are made up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sweeper.model.session import SessionEnd, SessionRecord
from sweeper.session.turns import Contender, _Broken, _Turns
from tests.helpers.builders import plan_of, record_of
from tests.helpers.scripted import CULPRITS, QUIET

COUNT = 3


class MadeUp:
    """A session that took 30 s."""

    def record(self, end: SessionEnd) -> SessionRecord:
        return record_of(end, total_seconds=30.0)


def turns(rounds: int, started: int = COUNT) -> _Turns:
    runner: Any = SimpleNamespace(readings=lambda: SimpleNamespace(load=list(QUIET[:3])))
    found = _Turns(runner, [Contender(plan_of(), lambda samples: samples, 1, 3)] * COUNT)
    found.sessions = [MadeUp() for _ in range(started)]  # type: ignore[misc]
    windows = iter(range(10_000))
    found._slice = lambda index: (float(next(windows)), float(next(windows)))  # type: ignore[method-assign]
    for _ in range(rounds):
        found.round([2, 0, 1])
    return found


@pytest.mark.parametrize(
    ("rounds", "end"),
    [
        (0, SessionEnd.TURNS_BROKEN),
        (1, SessionEnd.TURNS_BROKEN),
        (2, SessionEnd.MEASURED),
        (9, SessionEnd.MEASURED),
    ],
)
def test_fewer_than_two_whole_rounds_say_nothing(rounds: int, end: SessionEnd) -> None:
    records = turns(rounds).records(None, 6.0, CULPRITS)
    assert [record.end for record in records] == [end] * COUNT
    assert [len(record.slices) for record in records] == [rounds] * COUNT
    assert [(record.total_seconds, record.waited_seconds) for record in records] == [(10.0, 2.0)] * COUNT
    assert all(record.busiest == CULPRITS and record.load == QUIET[:3] for record in records)


@pytest.mark.parametrize("broken", [end for end in SessionEnd if end is not SessionEnd.INTERRUPTED])
def test_one_that_breaks_ends_all(broken: SessionEnd) -> None:
    records = turns(5).records(_Broken(broken, 1), 0.0, ())
    assert {record.end for record in records} == {SessionEnd.TURNS_BROKEN}


def test_being_asked_to_stop_breaks_nothing() -> None:
    records = turns(5).records(_Broken(SessionEnd.INTERRUPTED, 0), 0.0, ())
    assert {record.end for record in records} == {SessionEnd.INTERRUPTED}


def test_those_that_were_not_started_have_a_record_too() -> None:
    records = turns(0, started=1).records(_Broken(SessionEnd.NOT_CONNECTED, 0), 0.0, ())
    assert len(records) == COUNT
    assert [record.samples for record in records] == [()] * COUNT
    assert sum(record.total_seconds for record in records) == pytest.approx(30.0)


def test_a_round_that_was_cut_off_is_not_kept() -> None:
    found = turns(2)

    def slice_of(index: int) -> tuple[float, float]:
        if index == 1:
            raise _Broken(SessionEnd.STALLED, index)
        return 0.0, 1.0

    found._slice = slice_of  # type: ignore[method-assign]
    with pytest.raises(_Broken):
        found.round([0, 1, 2])
    assert [len(record.slices) for record in found.records(None, 0.0, ())] == [2] * COUNT
