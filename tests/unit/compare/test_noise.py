"""Noise between sessions, intervals of configurations, drift, and areas that do nothing."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
from scipy import stats

from sweeper.compare.candidates import Candidate, pool
from sweeper.compare.noise import (
    MIN_DRIFT_SESSIONS,
    Spread,
    interval,
    noise,
    spread,
)
from sweeper.model.study import IntervalFrom
from sweeper.model.trial import Outcome, Purpose, TrialResult, configuration_key
from tests.helpers.builders import params_of, trial_of

OWN_KEY = configuration_key(params_of(1))


def one(*trials: TrialResult) -> Candidate:
    (item,) = pool(trials)
    return item


class TestSpread:
    trials = (
        trial_of(0, params_of(1), 100.0, relative_standard_error=0.01),
        trial_of(1, params_of(1), 110.0, relative_standard_error=0.03),
        trial_of(2, params_of(1), 105.0, relative_standard_error=0.02),
        trial_of(3, params_of(2), 200.0, relative_standard_error=0.01),
        trial_of(4, params_of(2), 190.0, relative_standard_error=None),
        trial_of(5, params_of(3), 1.0, relative_standard_error=0.5),
    )

    def test_by_hand(self) -> None:
        first = stats.tvar([math.log(rate) for rate in (100, 110, 105)])
        second = stats.tvar([math.log(rate) for rate in (200, 190)])
        total = (2 * first + second) / 3
        within = (2 * (0.01**2 + 0.03**2 + 0.02**2) / 3 + 0.01**2 / 2) / 3
        found = spread(pool(self.trials))
        assert found is not None
        assert (found.total, found.between) == (pytest.approx(total), pytest.approx(total - within))
        assert found.degrees == 3
        figures = noise(pool(self.trials), OWN_KEY)
        assert figures.between_percent == pytest.approx(100 * math.sqrt(total))
        assert (figures.sessions, figures.baseline_sessions) == (5, 3)

    def test_no_repeats_no_figure(self) -> None:
        once = pool([trial_of(0, params_of(1)), trial_of(1, params_of(2))])
        assert spread(once) is None
        assert (noise(once, OWN_KEY).between_percent, noise(once, OWN_KEY).sessions) == (None, 0)

    def test_sessions_that_differ_less_than_their_own_error(self) -> None:
        found = spread([one(*(trial_of(at, rate=100.0 + at, relative_standard_error=0.2) for at in range(4)))])
        assert found is not None
        assert found.between == 0.0
        assert found.total > 0

    def test_disturbed_sessions_say_nothing(self) -> None:
        trials = [trial_of(0, rate=100.0), trial_of(1, rate=110.0), trial_of(2, outcome=Outcome.DISTURBED)]
        found = spread(pool(trials))
        assert found is not None
        assert found.degrees == 1

    def test_it_finds_what_was_put_in(self) -> None:
        chooser, within, between = random.Random(5), 0.02, 0.05
        items = [
            one(
                *(
                    trial_of(
                        2 * at + repeat,
                        params_of(at + 1),
                        1000.0 * math.exp(chooser.gauss(0, between) + chooser.gauss(0, within)),
                        relative_standard_error=within,
                    )
                    for repeat in range(2)
                )
            )
            for at in range(500)
        ]
        found = spread(items)
        assert found is not None
        assert found.degrees == 500
        # The standard error of a variance with 500 degrees of freedom is 6 %.
        assert found.total == pytest.approx(between**2 + within**2, rel=0.2)
        assert found.between == pytest.approx(between**2, rel=0.25)


class TestInterval:
    def test_one_session_alone_has_its_own_error(self) -> None:
        item = one(trial_of(rate=100.0, interval=(95.0, 105.0)))
        assert interval(item, None) == ((95.0, 105.0), IntervalFrom.WITHIN)
        assert interval(one(trial_of(rate=100.0)), None) is None

    def test_nothing_measured_nothing_known(self) -> None:
        assert interval(one(trial_of(outcome=Outcome.CRASHED)), Spread(0.01, 0.01, 5)) is None
        assert interval(one(trial_of(outcome=Outcome.CRASHED)), None) is None

    def test_both_errors_of_one_session(self) -> None:
        item = one(trial_of(rate=100.0, interval=(99.0, 101.0), relative_standard_error=0.03))
        found = interval(item, Spread(0.0025, 0.0016, 4))
        assert found is not None
        (low, high), source = found
        half = stats.t.ppf(0.975, 4) * 0.05
        assert (math.log(low / 100), math.log(high / 100)) == (pytest.approx(-half), pytest.approx(half))
        assert source is IntervalFrom.BETWEEN

    def test_repeats_shrink_it(self) -> None:
        item = one(*(trial_of(at, rate=100.0, relative_standard_error=0.03) for at in range(4)))
        found = interval(item, Spread(0.0025, 0.0016, 10))
        assert found is not None
        assert math.log(found[0][1] / 100) == pytest.approx(stats.t.ppf(0.975, 10) * 0.05 / 2)

    def test_coverage(self) -> None:
        chooser, held, studies, between, within = random.Random(9), 0, 1000, 0.05, 0.02
        for _ in range(studies):
            trials = [
                trial_of(
                    number,
                    params_of(1 + number // 4),
                    1000.0 * math.exp(chooser.gauss(0, between) + chooser.gauss(0, within)),
                    relative_standard_error=within,
                )
                for number in range(17)
            ]
            items = pool(trials)
            found = interval(items[-1], spread(items))
            assert found is not None
            held += found[0][0] <= 1000.0 <= found[0][1]
        assert 0.93 <= held / studies <= 0.97


class TestDrift:
    def sessions(self, rates: Sequence[float], minutes: int = 30) -> list[Candidate]:
        return pool(
            trial_of(
                at,
                params_of(1),
                rate,
                Purpose.ANCHOR if at else Purpose.BASELINE,
                started_at=f"2026-01-01T{at * minutes // 60:02d}:{at * minutes % 60:02d}:00+00:00",
            )
            for at, rate in enumerate(rates)
        )

    def test_a_steady_slope(self) -> None:
        found = noise(self.sessions([1000.0 * math.exp(-0.02 * at) for at in range(6)]), OWN_KEY)
        assert found.drift_percent_per_hour == pytest.approx(-4.0)
        assert found.drift_interval == pytest.approx((-4.0, -4.0))
        assert found.baseline_sessions == 6

    def test_as_theil_and_sen_say(self) -> None:
        rates = [1000.0, 1040.0, 990.0, 1060.0, 1010.0, 1080.0, 1050.0]
        found = noise(self.sessions(rates), OWN_KEY)
        hours = [at / 2 for at in range(len(rates))]
        slopes = sorted(
            (math.log(later) - math.log(earlier)) / (hours[j] - hours[i])
            for i, earlier in enumerate(rates)
            for j, later in enumerate(rates)
            if i < j
        )
        assert found.drift_percent_per_hour == pytest.approx(100 * slopes[len(slopes) // 2])
        low, high = found.drift_interval or (0.0, 0.0)
        assert low < found.drift_percent_per_hour < high

    def test_one_odd_session_is_no_drift(self) -> None:
        found = noise(self.sessions([1000.0, 1000.0, 1000.0, 1000.0, 1000.0, 300.0]), OWN_KEY)
        assert found.drift_percent_per_hour == 0.0

    def test_noise_is_seldom_taken_for_drift(self) -> None:
        chooser, alarms, studies = random.Random(3), 0, 400
        for _ in range(studies):
            found = noise(self.sessions([1000.0 * math.exp(chooser.gauss(0, 0.03)) for _ in range(8)]), OWN_KEY)
            low, high = found.drift_interval or (0.0, 0.0)
            alarms += not low <= 0 <= high
        assert alarms / studies <= 0.08

    def test_too_few_sessions_give_none(self) -> None:
        for count in (0, 1, MIN_DRIFT_SESSIONS - 1):
            found = noise(self.sessions([1000.0 - at for at in range(count)]), OWN_KEY)
            assert (found.drift_percent_per_hour, found.drift_interval) == (None, None)
            assert found.baseline_sessions == count
        assert noise(self.sessions([1000.0] * MIN_DRIFT_SESSIONS), OWN_KEY).drift_percent_per_hour == 0.0

    def test_others_do_not_count(self) -> None:
        others = [trial_of(9 + at, params_of(2), 1000.0 + 100 * at) for at in range(6)]
        found = noise([*self.sessions([1000.0] * 3), *pool(others)], OWN_KEY)
        assert found.drift_percent_per_hour is None

    @pytest.mark.parametrize(("times", "is_known"), [((0, 0, 1, 2, 2), False), ((0, 0, 1, 2, 3), True)])
    def test_it_takes_as_many_different_times(self, times: Sequence[int], is_known: bool) -> None:
        trials = [
            trial_of(at, rate=1000.0 + 7 * (at % 2) + at, started_at=f"2026-01-01T0{hour}:00:00+00:00")
            for at, hour in enumerate(times)
        ]
        assert (noise(pool(trials), OWN_KEY).drift_percent_per_hour is not None) is is_known

    def test_all_at_once_is_no_time(self) -> None:
        found = noise(self.sessions([1000.0, 1100.0, 1200.0, 1300.0], minutes=0), OWN_KEY)
        assert found.drift_percent_per_hour is None
