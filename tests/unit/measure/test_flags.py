"""Mann's test for a trend against the one of scipy, and how often it cries wolf."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sweeper.measure.flags import GOOD_CYCLES, TREND_P, _trend, decision_notes
from sweeper.model.findings import Finding, FindingKind


def test_it_decides_as_kendalls_tau() -> None:
    """Of series with and without a trend; the exact and the approximate distribution differ near the limit only."""
    rng, agreed, found, count = np.random.default_rng(4), 0, 0, 300
    for _ in range(count):
        length = int(rng.integers(GOOD_CYCLES, 31))
        paces = rng.standard_normal(length) + rng.choice([0.0, 0.0, -0.1, 0.1]) * np.arange(length)
        tau = stats.kendalltau(np.arange(length), paces)
        expected = bool(tau.statistic > 0) if tau.pvalue < TREND_P else None
        answer = _trend(paces.tolist())
        agreed += answer is expected
        found += answer is not None
        if answer is not expected:
            assert 0.5 * TREND_P < tau.pvalue < 2 * TREND_P
    assert agreed >= 0.98 * count
    assert 0.1 * count < found < 0.9 * count


@pytest.mark.parametrize("length", [GOOD_CYCLES, 15, 30])
def test_it_seldom_sees_a_trend_in_noise(length: int) -> None:
    rng, sessions = np.random.default_rng(8), 3000
    alarms = sum(_trend(rng.standard_normal(length).tolist()) is not None for _ in range(sessions))
    # The standard error of a share of 1 % is 0.18 %.
    assert 0.4 * TREND_P <= alarms / sessions <= 1.5 * TREND_P


def test_steady_is_no_trend() -> None:
    assert _trend([2.0] * 20) is None
    assert _trend([2.0, 2.1] * 10) is None


def test_its_direction() -> None:
    rising = [1.0 + 0.01 * at for at in range(GOOD_CYCLES)]
    assert _trend(rising) is True
    assert _trend(rising[::-1]) is False


@pytest.mark.parametrize(("agents", "envs", "told"), [(None, 1, None), (4.0, 4, None), (2.1, 4, None), (1.0, 4, 0.25)])
def test_decisions_that_come_rarely(agents: float | None, envs: int, told: float | None) -> None:
    expected = [] if told is None else [Finding(FindingKind.DECISIONS_RARE, {"decisions": told})]
    assert decision_notes(agents, envs) == expected
