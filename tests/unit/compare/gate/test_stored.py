"""A batch against recorded days: its promise, where days differ."""

from __future__ import annotations

import math

import numpy
import pytest

from sweeper.compare.gate.stored import BATCH, growth, prediction


@pytest.mark.parametrize(("between", "within"), [(0.0, 0.02), (0.02, 0.02), (0.02, 0.01), (0.02, 0.002)])
@pytest.mark.parametrize("days", [(3, 2), (5, 5), (5, 5, 5), (5, 5, 5, 5, 5)])
def test_an_unchanged_build_is_an_alarm_in_one_batch_of_a_hundred_whatever_days_do(between, within, days):
    generator = numpy.random.default_rng(3)
    alarms, checks = 0, 2_000

    def day(sessions: int) -> list[float]:
        return list(numpy.exp(generator.normal(0, between) + generator.normal(0, within, sessions)))

    for _ in range(checks):
        expected = prediction([day(sessions) for sessions in days], BATCH)
        alarms += float(numpy.mean(numpy.log(day(BATCH)))) < expected.alarm_below
    assert alarms <= 36  # 1 % is 20; 37 come once in two thousand


def test_more_days_find_smaller_slowdowns():
    def alarm(days: int) -> float:
        return prediction([(1000.0 * (1 + 0.01 * (at % 2)),) * 2 for at in range(days)], BATCH).alarm_below

    assert math.log(1000) - alarm(2) > 0.2
    assert math.log(1000) - alarm(6) < 0.03


def test_a_growth_of_memory_counts_sessions():
    found = growth([1000.0, 1010.0, 1005.0, 1002.0, 1008.0], [1500.0, 1505.0, 1510.0])
    assert found.estimate == pytest.approx(0.497, abs=0.005)
    assert found.interval[0] > 0.47
