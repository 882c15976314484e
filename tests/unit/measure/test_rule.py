"""When enough was measured, how often the intervals then hold the truth, and that nothing makes them fail."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.measure.cycles import Cutting
from sweeper.measure.flags import GOOD_CYCLES
from sweeper.measure.rate import MIN_CYCLES, PATIENCE, PILOT_CYCLES, Rule, current_rate, estimate, measure
from sweeper.model.measurement import BehaviorCount, Method, Sample
from sweeper.model.session import Progress
from tests.helpers.builders import sample, session_of
from tests.helpers.simulated import SHORT_TRUTH, LongSession, short_cycles

RULE = Rule(precision=0.025, max_seconds=30.0, cut=Cutting(), warmup_cycles=1)
START = [(2048, 6.0), (2048, 2.6), (2048, 2.0)]
"""The first buffer and a slow first cycle."""


class TestRule:
    def progress(self, cycles: Sequence[tuple[float, float]], rule: Rule = RULE) -> list[Progress]:
        samples = session_of(cycles)
        return [rule(samples[: count + 2]) for count in range(1, len(cycles) + 1)]

    def test_nothing_has_started(self) -> None:
        assert RULE([]) is Progress.GO_ON
        assert RULE([Sample(1.0, "hello"), Sample(900.0, "trainer")]) is Progress.GO_ON

    @pytest.mark.parametrize(
        ("warmup", "first"), [(1, GOOD_CYCLES + 2), (3, GOOD_CYCLES + 4), (None, PILOT_CYCLES + 2)]
    )
    def test_enough_as_soon_as_it_is_precise(self, warmup: int | None, first: int) -> None:
        answers = self.progress([(2048, 2.0)] * first, Rule(0.025, 60.0, Cutting(), warmup))
        assert answers == [Progress.GO_ON] * (first - 1) + [Progress.ENOUGH]

    @pytest.mark.parametrize("warmup", [1, None])
    def test_however_alike_a_few_seconds_say_too_little(self, warmup: int | None) -> None:
        rule = Rule(0.025, 120.0, Cutting(), warmup, min_seconds=45.0)
        answers = self.progress([(2048, 1.0)] * 60, rule)
        # The first update ends the start-up, one cycle is warm-up.
        assert answers.index(Progress.ENOUGH) + 1 == 1 + 1 + 45

    def test_two_long_cycles_wait_for_a_third(self) -> None:
        samples = LongSession(np.random.default_rng(3)).run(3)
        rule = Rule(0.03, 250.0, Cutting(), 1)
        ends = [index for index, one in enumerate(samples) if one.kind == "update"]
        first = next(end for end in ends if rule(samples[: end + 2]) is Progress.ENOUGH)
        seconds = samples[first].seconds - samples[ends[0]].seconds
        assert replace(rule, min_seconds=seconds)(samples[: first + 2]) is Progress.ENOUGH
        assert replace(rule, min_seconds=seconds + 1)(samples[: first + 2]) is Progress.GO_ON

    def test_the_limit_ends_it_before(self) -> None:
        rule = Rule(0.025, 30.0, Cutting(), 1, min_seconds=45.0)
        answers = self.progress([(2048, 1.0)] * 60, rule)
        assert answers.index(Progress.ENOUGH) + 1 == 30

    def test_noise_goes_on_until_time_is_up(self) -> None:
        answers = self.progress([(2048, 1.0), (2048, 3.0)] * 10)
        assert answers.index(Progress.ENOUGH) == 15  # 29 s after 15 cycles, 32 s after 16

    def test_time_may_run_out_between_edges(self) -> None:
        samples = session_of([(2048, 1.0), (2048, 3.0)] * 7)
        assert RULE([*samples, sample(129.9, 14 * 2048, 14, "tick")]) is Progress.GO_ON
        assert RULE([*samples, sample(130.0, 14 * 2048, 14, "tick")]) is Progress.ENOUGH

    def test_few_long_cycles_end_with_the_time(self) -> None:
        assert self.progress([(2048, 9.0)] * 4) == [Progress.GO_ON] * 3 + [Progress.ENOUGH]

    def test_cycles_too_long_to_get_two_are_hopeless(self) -> None:
        assert self.progress([(2048, 29.0)] * 3) == [Progress.GO_ON] * 3
        assert self.progress([(2048, 15.0 * PATIENCE)] * 2) == [Progress.GO_ON, Progress.HOPELESS]

    @pytest.mark.parametrize(
        ("long_seconds", "last"),
        [(0.0, Progress.HOPELESS), (649.0, Progress.HOPELESS), (651.0, Progress.GO_ON)],
    )
    def test_a_late_first_update_is_waited_for(self, long_seconds: float, last: Progress) -> None:
        """1,000 steps a second of a buffer of 216,667: three updates take 650 s."""
        rule = replace(RULE, fill={"Car": 216_667}, long_seconds=long_seconds)
        samples = [sample(100.0 + at, 1000 * at + 1, 0, "tick") for at in range(0, 151, 10)]
        assert [rule(samples[:count]) for count in (2, 15, 16)] == [Progress.GO_ON, Progress.GO_ON, last]

    def test_a_replay_buffer_is_filled_once(self) -> None:
        cut = Cutting(min_seconds=2.0)
        rule = replace(RULE, cut=cut, fill={"Car": 216_667}, long_seconds=220.0)
        samples = [sample(100.0 + at, 1000 * at + 1, 0, "tick") for at in range(0, 151, 10)]
        assert rule(samples) is Progress.GO_ON
        assert replace(rule, cut=replace(cut, min_steps=216_667))(samples) is Progress.HOPELESS

    def test_not_for_longer_than_the_budget_allows(self) -> None:
        rule = replace(RULE, fill={"Car": 100_000}, long_seconds=400.0)
        samples = [sample(100.0 + at, 1000 * at + 1, 0, "tick") for at in range(0, 401, 10)]
        assert rule(samples[:-1]) is Progress.GO_ON
        assert rule(samples) is Progress.HOPELESS

    def test_a_brief_session_needs_one_long_cycle(self) -> None:
        rule = replace(RULE, fill={"Car": 216_667}, long_seconds=435.0)
        samples = [sample(100.0 + at, 1000 * at + 1, 0, "tick") for at in range(0, 151, 10)]
        assert rule(samples) is Progress.HOPELESS
        assert replace(rule, is_brief=True, least_cycles=1)(samples) is Progress.GO_ON

    def test_no_update_at_all_is_hopeless(self) -> None:
        limit = int(30 * PATIENCE)
        ticks = [sample(100.0 + index, 100 * index, 0, "tick") for index in range(1, limit + 10)]
        answers = [RULE(ticks[:count]) for count in range(1, limit + 10)]
        assert answers.index(Progress.HOPELESS) == limit
        assert set(answers[:limit]) == {Progress.GO_ON}

    @pytest.mark.parametrize(("precision", "enough"), [(0.03, True), (0.001, False)])
    def test_two_long_cycles_are_enough_where_phases_are_known(self, precision: float, enough: bool) -> None:
        samples = LongSession(np.random.default_rng(3)).run(2)
        # Three updates, 58 s a cycle: the time limit is not what ends it.
        rule = Rule(precision, 250.0, Cutting(), 1)
        assert rule(samples) is (Progress.ENOUGH if enough else Progress.GO_ON)
        second = [index for index, one in enumerate(samples) if one.kind == "update"][1]
        assert rule(samples[: second + 2]) is Progress.GO_ON
        plain = LongSession(np.random.default_rng(3), has_timers=False).run(2)
        assert rule(plain) is Progress.GO_ON


@pytest.mark.parametrize("rho", [0.0, 0.15, 0.3])
def test_a_measurement_holds_the_truth_as_often_as_it_says(rho: float) -> None:
    rng, covered, sessions = np.random.default_rng(5), 0, 800
    for _ in range(sessions):
        cycles = START + short_cycles(rng, int(rng.integers(8, 21)), rho)
        found = measure(session_of(cycles), Rule(0.025, 60.0, Cutting(), 2), 1)
        assert found is not None and found.interval is not None
        covered += found.interval[0] <= SHORT_TRUTH <= found.interval[1]
    assert 0.90 <= covered / sessions <= 0.97


@pytest.mark.parametrize(
    ("warmup", "rho", "least"),
    [(2, 0.0, 0.94), (2, 0.15, 0.92), (2, 0.3, 0.89), (None, 0.0, 0.92), (None, 0.15, 0.88), (None, 0.3, 0.84)],
)
def test_stopping_when_it_looks_precise_costs_little_coverage(warmup: int | None, rho: float, least: float) -> None:
    """Over 3,000 sessions of each: 96.2, 93.8 and 90.9 % with a fixed warm-up, 93.6, 90.2 and 86.1 % in pilots."""
    rng, covered, stops, sessions = np.random.default_rng(7), 0, [], 1000
    rule = Rule(0.025, 1e9, Cutting(), warmup)
    for _ in range(sessions):
        samples = session_of(START + short_cycles(rng, 60, rho))
        count = next(
            count for count in range(GOOD_CYCLES, len(samples) + 1) if rule(samples[:count]) is Progress.ENOUGH
        )
        found = estimate(samples[:count], rule)
        assert found is not None
        # A pilot's warm-up is cut when it has ended, and what is left may be a little less precise.
        assert found.ratio.relative_error <= (0.05 if warmup is None else 0.025)
        covered += found.interval[0] <= SHORT_TRUTH <= found.interval[1]
        stops.append(found.cycles)
    assert covered / sessions >= least
    fewest = PILOT_CYCLES + 1 - (PILOT_CYCLES + 1) // 3 if warmup is None else GOOD_CYCLES
    assert min(stops) == fewest < max(stops)
    assert fewest >= GOOD_CYCLES


NAMES = (
    "_update_policy",
    "env_step",
    "env_step.self",
    "UnityEnvironment.step",
    "worker_root",
    "TorchPPOOptimizer.update",
)
SECONDS = st.floats(0, 1e4)
COUNTS = st.builds(BehaviorCount, *([st.integers(0, 10**12)] * 3))
# Made once: made anew for every draw they take longer than what is tested.
SIZES = st.integers(0, 25)
KINDS = st.sampled_from(["update"] * 4 + ["tick", "summary", "hello", "trainer", "?"])
BEHAVIORS = st.dictionaries(st.sampled_from("AB"), COUNTS)
TIMERS = st.dictionaries(st.sampled_from(NAMES), st.tuples(SECONDS, st.integers(0, 10**6)))
UPDATED = st.sampled_from(["A", "B", None, "gone"])
STEPS = st.integers(0, 3000)
PAUSES = st.floats(0, 20)


@st.composite
def anything(draw: st.DrawFn) -> list[Sample]:
    """Samples in order of time, nonsense otherwise."""
    found, now = [], 0.0
    for _ in range(draw(SIZES)):
        now += draw(SECONDS)
        found.append(Sample(now, draw(KINDS), draw(BEHAVIORS), draw(TIMERS), draw(UPDATED)))
    return found


@st.composite
def plausible(draw: st.DrawFn) -> list[Sample]:
    """Samples whose counters only grow, with timers that may be missing, of one or two behaviours."""
    found, now, timer = [], 0.0, 0.0
    counts = dict.fromkeys(draw(st.sampled_from(["A", "AB"])), (0, 0, 0))
    kinds = ["summary"] if draw(st.integers(0, 3)) == 0 else ["tick", "update"]
    for _ in range(draw(st.integers(3, 40))):
        now += draw(PAUSES)
        name, kind = draw(st.sampled_from(sorted(counts))), draw(st.sampled_from(kinds))
        steps, decisions, updates = counts[name]
        more = draw(STEPS)
        counts[name] = (steps + more, decisions + draw(STEPS), updates + (kind == "update"))
        timers = {} if draw(st.integers(0, 15)) == 0 else {"_update_policy": (timer, 1), "env_step": (now, 1)}
        timer += draw(PAUSES) if kind == "update" else 0.0
        behaviors = {one: BehaviorCount(*values) for one, values in counts.items()}
        found.append(Sample(now, kind, behaviors, timers, None if kind == "tick" else name))
    return found


RULES = st.builds(
    Rule,
    st.floats(0, 0.5),
    st.floats(0, 1e4),
    st.builds(Cutting, st.integers(0, 5000), st.sampled_from([0.0, 2.0])),
    st.one_of(st.none(), st.integers(0, 4)),
)


@given(st.one_of(anything(), plausible()), RULES)
@settings(deadline=None, max_examples=250)
def test_no_samples_make_it_fail(samples: list[Sample], rule: Rule) -> None:
    found = measure(samples, rule, envs=2)
    assert isinstance(rule(samples), Progress)
    rate = current_rate(samples, rule.cut)
    assert rate is None or math.isfinite(rate)
    if found is None:
        return
    assert found.interval is not None
    low, high = found.interval
    assert 0 <= low <= found.steps_per_second <= high
    assert found.cycles >= MIN_CYCLES
    assert found.measured_seconds > 0 and found.steps > 0
    assert (found.updates_per_1000_steps is None) == (found.method is Method.CONSOLE)


def test_a_session_that_hangs_after_two_cycles_is_no_measurement() -> None:
    """Its clock goes on ticking, its cycles do not."""
    rule = Rule(0.025, 4.0, Cutting(), 1)
    samples = session_of([(2048, 0.5)] * 4)
    last = samples[-1]
    at = last.seconds
    hanging = [*samples, *(sample(at + tick, last.steps, 4, "tick") for tick in range(1, 9))]
    assert [rule(hanging[:count]) for count in range(len(samples), len(hanging) + 1)] == [Progress.GO_ON] * 9
