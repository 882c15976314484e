"""Sessions in turn: rounds as they are or are not completed, and what is left; the sessions themselves are made up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from sweeper.measure.cycles import Cutting
from sweeper.model.measurement import Sample
from sweeper.model.session import SessionEnd, SessionRecord
from sweeper.session import turns as module
from sweeper.session.turns import Contender, Turns
from tests.helpers.builders import plan_of, record_of, sample
from tests.helpers.scripted import CORES, CULPRITS, QUIET

BLAMELESS = (SessionEnd.INTERRUPTED, SessionEnd.DISK_SHORT)
COUNT = 3
MEASURED, BROKEN = SessionEnd.MEASURED, SessionEnd.STALLED


class Clock:
    now = 100.0


class Meter:
    """Of memory, of which a part is shared once all are alive."""

    def __init__(self) -> None:
        self.recent_peak_bytes = 1000
        self.begun_at: float | None = None

    def begin_again(self) -> None:
        self.recent_peak_bytes, self.begun_at = 900, Clock.now


class MadeUp:
    """A session that makes an update of 2,048 steps a second whenever it runs."""

    def __init__(self, *_: Any) -> None:
        self.is_warm = False
        self.samples: list[Sample] = [sample(Clock.now, 0, 0, "tick", decisions=1)]
        self.politely: bool | None = None
        self.runs = True
        self.closed = False
        self.meter = Meter()

    def __enter__(self) -> MadeUp:
        return self

    def __exit__(self, *error: object) -> None:
        self.closed = True

    def read_samples(self) -> list[Sample]:
        return []

    def resume(self) -> None:
        self.runs = True

    def suspend(self) -> None:
        self.runs = False

    def run(self) -> None:
        Clock.now += 1.0
        count = self.samples[-1].policy_updates + 1
        self.samples.append(sample(Clock.now, 2048 * count, count))

    def end(self, polite: bool) -> None:
        self.politely = polite

    def record(self, end: SessionEnd) -> SessionRecord:
        return record_of(end, self.samples, total_seconds=30.0)


class Runner:
    """Drives made-up sessions; the `breaks`-th time it ends as `how`."""

    guardian = None
    memory = SimpleNamespace(cap_bytes=1)
    cores = CORES

    def __init__(self, breaks: int | None = None, how: SessionEnd = BROKEN) -> None:
        self.driven = 0
        self.alive: list[int] = []
        self._breaks, self._how = breaks, how

    def warm_learner(self, plan: Any) -> None:
        return None

    def begin(self, plan: Any, warm: None) -> MadeUp:
        return MadeUp(plan)

    def wait(self, max_seconds: float) -> Any:
        return SimpleNamespace(waited_seconds=6.0)

    def readings(self) -> Any:
        return SimpleNamespace(load=list(QUIET[:3]), monitor=SimpleNamespace(busiest=lambda: CULPRITS))

    def glimpse(self, session: Any, stage: str) -> None:
        pass

    def drive(
        self, session: Any, watch: Callable[[], SessionEnd | None], readings: Any, alive: Sequence[Any], *_: Any
    ) -> SessionEnd:
        assert [one for one in alive if one.runs] == [session]
        self.alive.append(len(alive))
        self.driven += 1
        if self.driven == self._breaks:
            return self._how
        while (end := watch()) is None:
            session.run()
        return end


@pytest.fixture(autouse=True)
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    Clock.now = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: Clock.now)


def turns(runner: Any) -> Turns:
    contenders = [Contender(name, plan_of(), Cutting(), 1, 3) for name in ("yours", "old build", "new build")]
    return Turns(runner, contenders, 60.0)


ORDERS = [[2, 0, 1], [1, 0, 2]] * 5


def test_rounds_are_handed_over_as_they_come() -> None:
    runner = Runner()
    with turns(runner) as found:
        rounds = []
        for one in found.rounds(ORDERS):
            rounds.append(one)
            if len(rounds) == 4:
                break
        records = found.end()
    assert [one.number for one in rounds] == [0, 1, 2, 3]
    assert runner.driven == COUNT * (1 + 4)
    assert runner.alive[:COUNT] == [1, 2, 3]  # one after the other is started and warmed up
    for one in rounds:
        assert all(end - start == pytest.approx(3.0) for start, end in one.windows)
        assert one.rates == pytest.approx((2048.0,) * COUNT)
        assert len(one.contention) == COUNT
    assert [record.end for record in records] == [MEASURED] * COUNT
    assert [record.slices for record in records] == [tuple(one.windows[at] for one in rounds) for at in range(COUNT)]
    assert [(record.total_seconds, record.waited_seconds) for record in records] == [(10.0, 2.0)] * COUNT
    assert all(record.busiest == CULPRITS and record.load == QUIET[:3] for record in records)


def test_memory_is_read_anew_once_all_are_alive() -> None:
    with turns(Runner()) as found:
        first = next(iter(found.rounds(ORDERS)))
        sessions: list[Any] = list(found._sessions)
    assert first.peak_bytes == (900,) * COUNT
    warm = max(session.samples[1].seconds for session in sessions)
    assert all(warm <= session.meter.begun_at <= min(window[0] for window in first.windows) for session in sessions)


def test_the_order_is_the_callers() -> None:
    with turns(Runner()) as found:
        first, second = (one.windows for one, _ in zip(found.rounds(ORDERS), range(2)))
    assert sorted(range(COUNT), key=lambda at: first[at]) == [2, 0, 1]
    assert sorted(range(COUNT), key=lambda at: second[at]) == [1, 0, 2]


@pytest.mark.parametrize(("rounds", "end"), [(0, SessionEnd.TURNS_BROKEN), (1, SessionEnd.TURNS_BROKEN), (2, MEASURED)])
def test_fewer_than_two_whole_rounds_say_nothing(rounds: int, end: SessionEnd) -> None:
    with turns(Runner()) as found:
        assert len(list(found.rounds(ORDERS[:rounds]))) == rounds
        records = found.end()
    assert [record.end for record in records] == [end] * COUNT


@pytest.mark.parametrize("how", [end for end in SessionEnd if end not in (MEASURED, *BLAMELESS)])
def test_one_that_breaks_ends_all(how: SessionEnd) -> None:
    runner = Runner(COUNT * 4 + 2, how)
    with turns(runner) as found:
        assert len(list(found.rounds(ORDERS))) == 3
        records = found.end()
        sessions: list[Any] = list(found._sessions)
    assert {record.end for record in records} == {SessionEnd.TURNS_BROKEN}
    assert [len(record.slices) for record in records] == [3] * COUNT  # a round that was cut off is not kept
    assert [session.politely for session in sessions] == [False] * COUNT
    assert all(session.closed for session in sessions)


@pytest.mark.parametrize("how", BLAMELESS)
def test_what_is_no_fault_of_running_in_turn_is_told_as_it_is(how: SessionEnd) -> None:
    with turns(Runner(COUNT * 4, how)) as found:
        list(found.rounds(ORDERS))
        assert {record.end for record in found.end()} == {how}


def test_those_that_were_not_started_have_a_record_too() -> None:
    with turns(Runner(1, SessionEnd.NOT_CONNECTED)) as found:
        assert list(found.rounds(ORDERS)) == []
        records = found.end()
    assert len(records) == COUNT
    assert [bool(record.samples) for record in records] == [True, False, False]
    assert sum(record.total_seconds for record in records) == pytest.approx(30.0)


def test_turns_that_take_too_long_end_whoever_they_wait_for() -> None:
    """A session whose slices never begin, as one that only prints now and then."""
    runner = Runner()
    contenders = [Contender(name, plan_of(), Cutting(edge="never"), 1, 3) for name in ("yours", "other")]
    with Turns(runner, contenders, 60.0, max_seconds=20.0) as found:
        assert list(found.rounds(ORDERS)) == []
        records = found.end()
    assert {record.end for record in records} == {SessionEnd.TURNS_BROKEN}
    assert records[0].broken_by is SessionEnd.TOO_SLOW
    assert Clock.now < 130.0


def test_leaving_it_ends_everything() -> None:
    with pytest.raises(RuntimeError), turns(Runner()) as found:
        next(iter(found.rounds(ORDERS)))
        sessions: list[Any] = list(found._sessions)
        raise RuntimeError
    assert all(session.closed for session in sessions)
