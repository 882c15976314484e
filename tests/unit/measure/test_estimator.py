"""The estimators behind a rate, against oracles and simulations: ratio, warm-up, and phases of long cycles."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sweeper.measure import ratio as ratio_module
from sweeper.measure.cycles import BLOCK_SECONDS, Cutting, boundaries
from sweeper.measure.phases import SAME_COUNT, phase_ratio
from sweeper.measure.rate import Estimate, Rule, estimate, measure
from sweeper.measure.ratio import MAX_INFLATION, Ratio, ratio
from sweeper.measure.warmup import mser
from sweeper.model.findings import FindingKind
from sweeper.model.measurement import BehaviorCount, Method, Sample
from sweeper.quantiles import t_quantile
from tests.helpers.simulated import SHORT_TRUTH, Learning, LongSession, short_cycles

RULE = Rule(precision=0.025, max_seconds=120.0, cut=Cutting(), warmup_cycles=1)


def holds(found: Ratio, truth: float, quantile: float) -> bool:
    return abs(found.estimate - truth) <= quantile * found.relative_error * found.estimate


def found_ratio(parts: Sequence[tuple[float, float]]) -> Ratio:
    found = ratio(parts)
    assert found is not None
    return found


class TestRatio:
    def test_by_hand(self) -> None:
        # r = 110; residuals -10, -20, 30, squares 1400, neighbours -400: a correlation of -0.29 + 1 / 3
        found = found_ratio([(100, 1.0), (200, 2.0), (140, 1.0)])
        correlation = -400 / 1400 + 1 / 3
        inflation = math.sqrt((1 + correlation) / (1 - correlation))
        assert found.estimate == 110
        assert found.relative_error == pytest.approx(math.sqrt(1.5 * 1400) / 4 / 110 * inflation)
        assert found.degrees == 2

    @pytest.mark.parametrize("parts", [[], [(1, 1)], [(0, 1), (0, 1)], [(1, 0), (1, 0)], [(5, 1), (-5, 1)]])
    def test_nothing_to_estimate(self, parts: list[tuple[float, float]]) -> None:
        assert ratio(parts) is None

    def test_without_spread(self) -> None:
        assert ratio([(10, 2.0)] * 4) == Ratio(5.0, 0.0, 3)

    def test_equal_weights_give_the_interval_of_a_mean(self) -> None:
        rates = [10.0, 12.0, 9.0, 12.5, 9.5, 11.5, 10.5, 11.0]  # in zigzag: no inflation
        found = found_ratio([(rate, 1.0) for rate in rates])
        oracle = stats.ttest_1samp(rates, 0).confidence_interval(0.95)
        interval = Estimate(found, [], 0, Method.CYCLES).interval
        assert interval == pytest.approx((oracle.low, oracle.high), rel=1e-9)

    @given(st.integers(1, 40), st.floats(0.5, 0.999))
    def test_quantiles(self, degrees: int, level: float) -> None:
        assert t_quantile(degrees, level) == pytest.approx(stats.t.ppf(level, degrees), rel=1e-6, abs=1e-9)

    def test_likeness_of_neighbours_widens(self) -> None:
        zigzag = [(rate, 1.0) for rate in (9, 11, 9, 11, 9, 11, 9, 11)]
        runs = [(rate, 1.0) for rate in (9, 9, 9, 9, 11, 11, 11, 11)]
        wider = found_ratio(runs).relative_error / found_ratio(zigzag).relative_error
        correlation = 5 / 8 + 1 / 8
        assert wider == pytest.approx(math.sqrt((1 + correlation) / (1 - correlation)))

    def test_the_widening_has_a_limit(self) -> None:
        runs = [(rate, 1.0) for rate in [9] * 100 + [11] * 100]
        plain = math.sqrt(200 * 200 / 199) / 200 / 10
        assert found_ratio(runs).relative_error == pytest.approx(plain * MAX_INFLATION)

    def test_a_slow_drift_under_noise_widens_more_than_neighbours_show(self) -> None:
        rng = np.random.default_rng(3)
        drifting = 10 + 0.3 * np.sin(np.arange(60) / 10) + 0.3 * rng.normal(size=60)
        parts = [(rate, 1.0) for rate in drifting.tolist()]
        found = found_ratio(parts)
        mean = found.estimate
        residuals = drifting - mean
        plain = math.sqrt(float(residuals @ residuals) / 59 / 60) / mean
        first = float(residuals[1:] @ residuals[:-1]) / float(residuals @ residuals) + 1 / 60
        assert found.relative_error > 1.15 * plain * math.sqrt((1 + first) / (1 - first))

    @given(st.lists(st.tuples(st.integers(1, 10**6), st.floats(0.01, 100)), min_size=2, max_size=30), st.floats(0.1, 9))
    def test_units_do_not_matter(self, parts: list[tuple[float, float]], factor: float) -> None:
        found, scaled = found_ratio(parts), found_ratio([(y, t * factor) for y, t in parts])
        assert scaled.estimate == pytest.approx(found.estimate / factor)
        assert scaled.relative_error == pytest.approx(found.relative_error, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("rho", [0.0, 0.15, 0.3])
@pytest.mark.parametrize("counts", [(8, 8), (8, 20), (20, 20)])
def test_intervals_hold_the_truth_as_often_as_they_say(rho: float, counts: tuple[int, int]) -> None:
    assert 0.90 <= coverage(rho, counts) <= 0.97


def test_without_the_widening_they_would_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratio_module, "_inflation", lambda *_: 1.0)
    assert coverage(0.3, (8, 20)) < 0.88


def coverage(rho: float, counts: tuple[int, int], sessions: int = 2500) -> float:
    rng = np.random.default_rng(11)
    quantiles = {count: t_quantile(count - 1) for count in range(counts[0], counts[1] + 1)}
    covered = 0
    for _ in range(sessions):
        count = int(rng.integers(counts[0], counts[1] + 1))
        covered += holds(found_ratio(short_cycles(rng, count, rho)), SHORT_TRUTH, quantiles[count])
    return covered / sessions


class TestWarmUp:
    def test_the_transient_goes(self) -> None:
        steady = [2.0, 2.02, 1.98, 2.01, 1.99] * 3
        for length in range(1, 5):
            assert mser([9.0, 7.0, 5.0, 4.0][:length] + steady) == length

    def test_noise_is_no_transient(self) -> None:
        rng = np.random.default_rng(2)
        dropped = [mser((1 + 0.08 * rng.standard_normal(18)).tolist()) for _ in range(500)]
        assert np.median(dropped) <= 2
        assert set(dropped) == set(range(1, 7))

    @pytest.mark.parametrize(("count", "most"), [(0, 1), (1, 1), (2, 1), (3, 1), (5, 1), (6, 2), (30, 10)])
    def test_at_most_a_third(self, count: int, most: int) -> None:
        falling = [2.0 ** (count - index) for index in range(count)]
        assert mser(falling) == most

    def test_at_least_one_and_ties_to_the_smallest(self) -> None:
        assert mser([2.0] * 12) == 1
        assert mser([5.0, 2.0, 2.0, 2.0, 2.0, 2.0]) == 1

    @given(st.lists(st.floats(0.01, 1e6), max_size=40))
    def test_by_brute_force(self, values: list[float]) -> None:
        dropped = mser(values)
        assert 1 <= dropped <= max(1, len(values) // 3)
        if len(values) >= 3:
            errors = [np.var(values[d:]) / (len(values) - d) for d in range(1, len(values) // 3 + 1)]
            assert errors[dropped - 1] == pytest.approx(min(errors), rel=1e-6, abs=1e-6)


class Outcomes:
    """What `sessions` simulated sessions of long cycles came to."""

    def __init__(self, make: Callable[[np.random.Generator], LongSession], cycles: int, sessions: int) -> None:
        rng = np.random.default_rng(1)
        self.covered, self.errors, self.halves, self.plain_halves = 0.0, [], [], []
        for _ in range(sessions):
            session = make(rng)
            found = estimate(session.run(cycles), RULE)
            assert found is not None and found.method is Method.PHASES
            low, high = found.interval
            self.covered += (low <= session.truth <= high) / sessions
            self.errors.append(found.ratio.estimate / session.truth - 1)
            self.halves.append((high - low) / 2 / session.truth)
            plain = found_ratio([(b.steps - a.steps, b.seconds - a.seconds) for a, b in pairwise(found.edges)])
            self.plain_halves.append(t_quantile(plain.degrees) * plain.relative_error)

    def check(self) -> None:
        assert 0.88 <= self.covered <= 0.985
        assert abs(np.mean(self.errors)) < 0.004
        assert np.quantile(np.abs(self.errors), 0.95) < 0.035


class TestPhases:
    def test_two_cycles_are_enough(self) -> None:
        found = Outcomes(LongSession, 2, 500)
        found.check()
        assert np.median(found.halves) < 0.03
        assert np.median(found.plain_halves) > 3 * np.median(found.halves)

    def test_three_cycles(self) -> None:
        Outcomes(LongSession, 3, 150).check()

    def test_several_behaviours(self) -> None:
        def make(rng: np.random.Generator) -> LongSession:
            return LongSession(rng, [Learning("A", 0.75), Learning("B", 0.25, 5000, 1.0)])

        Outcomes(make, 2, 150).check()

    def test_self_play_has_more_decisions_than_steps(self) -> None:
        found = Outcomes(lambda rng: LongSession(rng, per_step=2.0), 2, 150)
        found.check()

    def test_it_is_said(self) -> None:
        found = measure(LongSession(np.random.default_rng(0)).run(2), RULE, 1)
        assert found is not None
        assert (found.method, found.cycles, found.warmup_cycles) == (Method.PHASES, 2, 0)
        assert FindingKind.PHASES_APART in [note.kind for note in found.notes]
        assert found.phases is not None
        assert found.phases.update_seconds == pytest.approx(10.0, rel=0.1)

    def test_exactly(self) -> None:
        session = LongSession(np.random.default_rng(0), noise=0.0, update_noise=0.0)
        samples = session.run(3)
        edges = boundaries(samples, Cutting())
        found, plain = (
            phase_ratio(samples, edges),
            ratio([(b.steps - a.steps, b.seconds - a.seconds) for a, b in pairwise(edges)]),
        )
        assert found is not None and plain is not None
        assert found.estimate == pytest.approx(plain.estimate, rel=1e-4)
        assert found.estimate == pytest.approx(session.truth, rel=0.005)

    def test_without_timers_the_plain_ratio_stands(self) -> None:
        timed, blind = (LongSession(np.random.default_rng(4), has_timers=known).run(3) for known in (True, False))
        found = measure(blind, RULE, 1)
        assert found is not None
        assert (found.method, found.cycles, found.phases) == (Method.CYCLES, 2, None)
        assert FindingKind.TOO_FEW_CYCLES in [note.kind for note in found.notes]
        assert estimate(timed, RULE).method is Method.PHASES  # type: ignore[union-attr]

    @pytest.mark.parametrize(("cycles", "method"), [(2, None), (3, Method.CYCLES)])
    def test_the_last_update_shows_in_the_sample_after_it(self, cycles: int, method: Method | None) -> None:
        samples = LongSession(np.random.default_rng(4), trailing=False).run(cycles)
        assert samples[-1].kind == "update"
        found = estimate(samples, RULE)
        assert (found and found.method) == method
        last = samples[-1]
        blind = Sample(last.seconds + 0.5, "tick", last.behaviors)
        assert (estimate([*samples, blind], RULE) is None) == (method is None)
        timers = {**last.timers, "_update_policy": (last.timers["_update_policy"][0] + 5.0, 1)}
        told = estimate([*samples, blind, Sample(last.seconds + 1.5, "tick", last.behaviors, timers)], RULE)
        assert told is not None and told.method is Method.PHASES

    @pytest.mark.parametrize("which", [0, 1, 2, 3])
    def test_an_update_of_unknown_length_sends_it_back_to_the_plain_ratio(self, which: int) -> None:
        samples = LongSession(np.random.default_rng(4)).run(3)
        at = [index for index, one in enumerate(samples) if one.kind == "update"][which]
        samples[at] = replace(samples[at], timers={})
        found = estimate(samples, RULE)
        # What came before the first edge does not count.
        assert found is not None and found.method is (Method.CYCLES if which else Method.PHASES)

    @pytest.mark.parametrize("which", [0, 1, 2])
    def test_a_tick_without_timers_is_no_loss(self, which: int) -> None:
        samples = LongSession(np.random.default_rng(4)).run(3)
        whole = estimate(samples, RULE)
        after = [index + 1 for index, one in enumerate(samples) if one.kind == "update"][which]
        assert samples[after].kind == "tick"
        samples[after] = replace(samples[after], timers={})
        assert estimate(samples, RULE) == whole

    @pytest.mark.parametrize(("more", "is_same"), [(0.029, True), (0.031, False)])
    def test_decisions_that_are_nearly_the_steps_are_the_steps(self, more: float, is_same: bool) -> None:
        def at(seconds: float, steps: int, updates: int, spent: float, kind: str = "update") -> Sample:
            counts = {"Car": BehaviorCount(steps, round((1 + more) * steps), updates)}
            return Sample(seconds, kind, counts, {"_update_policy": (spent, updates)}, "Car")

        assert SAME_COUNT == 0.03
        # 100,000 decisions in 95 s of collecting, 5 s of updating, a cycle.
        samples = [at(100.0 * count, 100_000 * count, count, 5.0 * (count - 1)) for count in (1, 2, 3)]
        found = phase_ratio([*samples, at(301.0, 300_000, 3, 15.0, "tick")], samples)
        assert found is not None
        assert found.estimate == pytest.approx(100_000 / (95 / (1 + more) + 5) if is_same else 1000.0)

    def test_only_where_cycles_are_long(self) -> None:
        samples = LongSession(np.random.default_rng(4)).run(3)
        (first, *_, last) = boundaries(samples, Cutting())
        mean = (last.seconds - first.seconds) / 3
        for limit, method in ((8.1 * mean, Method.CYCLES), (7.9 * mean, Method.PHASES)):
            found = estimate(samples, Rule(0.025, limit, Cutting(), 1))
            assert found is not None and found.method is method

    def test_not_for_blocks_nor_for_fewer_than_two_cycles(self) -> None:
        samples = LongSession(np.random.default_rng(4)).run(3)
        found = estimate(samples, Rule(0.025, 120.0, Cutting(min_seconds=BLOCK_SECONDS), 1))
        assert found is not None and found.method is Method.BLOCKS
        assert phase_ratio(samples, boundaries(samples, Cutting())[:2]) is None
        assert phase_ratio([], []) is None
