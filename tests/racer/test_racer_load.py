import os
import time

import pytest

from sweeper.racer.load import CRASH_EXIT_CODE, Load
from sweeper.racer.options import Options, Work

MIB = 1024 * 1024


@pytest.fixture
def slept(monkeypatch):
    """Seconds asked of time.sleep, which does not sleep."""
    asked: list[float] = []
    monkeypatch.setattr(time, "sleep", asked.append)
    return asked


def test_nothing_asked_nothing_done(slept):
    load = Load(Options(work=Work.SLEEP))
    load.start()
    load.finish_step(load.begin_step(), areas=16)
    assert not slept and not load._held


def test_areas_cost_their_number_and_what_was_simulated_counts(slept):
    load = Load(Options(step_ms=100_000, work=Work.SLEEP))
    began = load.begin_step()
    load.finish_step(began, areas=1)
    load.finish_step(began, areas=4)
    load.finish_step(began - 1000, areas=1)
    assert [round(seconds, -2) for seconds in slept] == [100, 400]
    assert slept[0] < 100


def test_spinning_does_not_sleep(slept):
    load = Load(Options(step_ms=1))
    began = load.begin_step()
    load.finish_step(began, areas=2)
    assert not slept
    assert time.perf_counter() - began >= 0.002


def test_memory_is_written():
    load = Load(Options(memory_mb=3))
    load.start()
    (held,) = load._held
    assert held.nbytes == 3 * MIB and held.min() == 1


def test_it_crashes_at_its_step(monkeypatch):
    class Ended(BaseException):
        pass

    def end(code):
        raise Ended(code)

    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr("logging.shutdown", lambda: None)
    load = Load(Options(crash_after=2))
    load.begin_step()
    with pytest.raises(Ended) as ended:
        load.begin_step()
    assert ended.value.args == (CRASH_EXIT_CODE,)
