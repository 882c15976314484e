"""Contenders compared by all their readings."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
from scipy import stats

from sweeper.compare.contrast import (
    PRIOR_DEGREES,
    PRIOR_SESSION_DEVIATION,
    PRIOR_SESSION_EFFECT,
    Contrast,
    Reading,
    Variance,
)


def rounds(*logs: Sequence[float | None], names: str = "abc") -> list[Reading]:
    """Readings of complete or incomplete rounds, in the order of `names`."""
    return [
        Reading(name, value, number)
        for number, row in enumerate(logs)
        for name, value in zip(names, row)
        if value is not None
    ]


def contrast(*readings: Reading, repeats: Variance | None = None) -> Contrast:
    return Contrast(tuple(readings), repeats)


class TestCompleteRounds:
    def test_estimates_are_paired_differences(self) -> None:
        found = contrast(*rounds((1.0, 0.5, 0.1), (1.2, 0.8, 0.1), (1.4, 0.8, 0.4)))
        assert math.log(found.ratio("a", "b").estimate) == pytest.approx(0.5)
        assert math.log(found.ratio("b", "a").estimate) == pytest.approx(-0.5)

    def test_the_noise_by_hand(self) -> None:
        """Two-way table: squares of the residuals sum to 1 / 30, with 4 degrees of freedom."""
        found = contrast(*rounds((1.0, 0.5, 0.1), (1.2, 0.8, 0.1), (1.4, 0.8, 0.4)))
        degrees = PRIOR_DEGREES + 4
        variance = (PRIOR_DEGREES * PRIOR_SESSION_DEVIATION**2 + 1 / 30) / degrees
        half = stats.t.ppf(0.975, degrees) * math.sqrt(variance * 2 / 3)
        low, high = found.ratio("a", "b").interval
        assert (math.log(low), math.log(high)) == (pytest.approx(0.5 - half), pytest.approx(0.5 + half))
        error = math.sqrt(variance * 2 / 3)
        assert found.chance("a", "b") == pytest.approx(stats.t.sf(0.5 / error, degrees))
        assert found.chance("b", "a") == pytest.approx(1 - stats.t.sf(0.5 / error, degrees))

    def test_drift_between_rounds_costs_nothing(self) -> None:
        steady = contrast(*rounds((1.0, 0.8), (1.0, 0.8), (1.0, 0.8)))
        drifting = contrast(*rounds((1.0, 0.8), (2.0, 1.8), (-3.0, -3.2)))
        assert drifting.ratio("a", "b").estimate == pytest.approx(steady.ratio("a", "b").estimate)
        assert drifting.ratio("a", "b").interval == pytest.approx(steady.ratio("a", "b").interval)

    def test_names_are_contenders_and_not_settings(self) -> None:
        """Two builds with equal settings are two contenders."""
        found = contrast(*rounds((1.0, 0.9), (1.0, 0.9), names=["old", "new"]))  # type: ignore[arg-type]
        assert found.knows("old") and found.knows("new") and not found.knows("other")


class TestOtherEvidence:
    def test_an_incomplete_round_counts(self) -> None:
        complete = rounds((1.0, 0.5), (1.1, 0.55))
        more = [*complete, Reading("a", 1.3, 2)]
        narrow, wide = (contrast(*found, repeats=Variance(0.01, 8)).ratio("a", "b") for found in (more, complete))
        assert math.log(narrow.interval[1] / narrow.interval[0]) < math.log(wide.interval[1] / wide.interval[0])
        assert narrow.estimate != wide.estimate

    def test_sessions_at_other_times_count_less_than_those_beside(self) -> None:
        beside = contrast(*rounds((1.0, 0.5), (1.0, 0.5)))
        lone = contrast(*rounds((1.0, 0.5)), Reading("b", 0.5), Reading("a", 1.0))
        widths = [math.log(high / low) for low, high in (c.ratio("a", "b").interval for c in (beside, lone))]
        assert widths[0] < widths[1]

    def test_one_round_and_earlier_sessions(self) -> None:
        one = contrast(*rounds((1.0, 0.5)))
        more = contrast(*rounds((1.0, 0.5)), *(Reading("b", 0.5) for _ in range(3)))
        assert more.chance("a", "b") < one.chance("a", "b")

    def test_how_repeats_differ_over_the_study(self) -> None:
        calm, wild = (contrast(*rounds((1.0, 0.5)), repeats=Variance(v, 4)) for v in (0.0001, 0.04))
        assert calm.chance("a", "b") < wild.chance("a", "b")


class TestSlices:
    def readings(self, slices: int, scatter: float) -> list[Reading]:
        parts = [scatter * (1 if at % 2 else -1) for at in range(slices)]
        return [
            Reading(name, middle, 0, tuple(middle + part for part in parts))
            for name, middle in (("a", 0.1), ("b", 0.0))
        ]

    def test_more_slices_do_not_make_a_session_two(self) -> None:
        """What belongs to a session is in none of its slices, however many there are."""
        low, high = contrast(*self.readings(1000, 0.05)).ratio("a", "b").interval
        assert math.log(high / low) / 2 > PRIOR_SESSION_EFFECT * math.sqrt(2)

    def test_slices_that_scatter_widen_it(self) -> None:
        calm, wild = (contrast(*self.readings(4, scatter)).ratio("a", "b") for scatter in (0.02, 0.2))
        assert calm.interval[0] > wild.interval[0]


class TestCoverage:
    @pytest.mark.parametrize(("count", "noise"), [(2, 0.06), (2, 0.1), (6, 0.03), (12, 0.1)])
    def test_of_a_ratio(self, count: int, noise: float) -> None:
        """Three contenders, a drift that a round shares; the standard error of the share is 0.6 %."""
        chooser, held, studies = random.Random(11), 0, 1500
        for _ in range(studies):
            logs = []
            for _ in range(count):
                drift = chooser.gauss(0, 0.2)
                logs.append([mean + drift + chooser.gauss(0, noise) for mean in (0.2, 0.0, -0.1)])
            low, high = contrast(*rounds(*logs)).ratio("a", "b").interval
            held += low <= math.exp(0.2) <= high
        assert held / studies >= 0.93

    @pytest.mark.parametrize("effect", [0.0, 0.016, 0.03])
    def test_of_a_ratio_in_slices(self, effect: float) -> None:
        chooser, held, studies = random.Random(12), 0, 1000
        for _ in range(studies):
            found = []
            for number in range(3):
                drift = chooser.gauss(0, 0.2)
                for name, mean in (("a", 0.1), ("b", 0.0)):
                    middle = mean + drift + chooser.gauss(0, effect)
                    slices = tuple(middle + chooser.gauss(0, 0.07) for _ in range(4))
                    found.append(Reading(name, sum(slices) / 4, number, slices))
            low, high = contrast(*found).ratio("a", "b").interval
            held += low <= math.exp(0.1) <= high
        assert held / studies >= 0.93

    def test_of_a_rate(self) -> None:
        chooser, held, studies = random.Random(13), 0, 1000
        for _ in range(studies):
            logs = [[7.0 + chooser.gauss(0, 0.06) + chooser.gauss(0, 0.03)] for _ in range(6)]
            found = contrast(*rounds(*logs)).rate("a")
            held += found.interval[0] <= math.exp(7.0) <= found.interval[1]
        assert held / studies >= 0.93
