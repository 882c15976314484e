"""Statistics across sessions."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sweeper.compare.confirm import Blocks, block_rates, confirmed
from sweeper.compare.guard import MAX_VIOLATION, constraints, makes_no_fewer, requirement, shortfall
from sweeper.compare.noise import areas_are_inert, between_percent
from sweeper.compare.pool import geometric_mean, leaders, pool
from sweeper.model.measurement import PerThousandSteps
from sweeper.model.trial import Outcome, Purpose, configuration_key
from tests.unit.builders import GIB, params_of, trial_of

Updates = PerThousandSteps
CAP = 8 * GIB


class TestGuard:
    def test_no_update_is_never_enough(self) -> None:
        assert "learn nothing" in str(shortfall(Updates(None, 0.0), None))

    def test_with_the_guard_off_any_update_will_do(self) -> None:
        assert shortfall(Updates(0.1, 0.001), None) is None

    @pytest.mark.parametrize(
        ("updates", "text"),
        [
            (Updates(10.0, 0.5), None),
            (Updates(None, 0.5), None),
            (Updates(10.0, 0.49), "0.49 policy updates per 1,000 steps; at least 0.50 are required"),
            (Updates(9.9, 0.5), "9.9 gradient updates per 1,000 steps; at least 10.0 are required"),
        ],
    )
    def test_shortfall(self, updates: Updates, text: str | None) -> None:
        assert shortfall(updates, Updates(10.0, 0.5)) == text

    def test_requirement(self) -> None:
        assert requirement(Updates(40.0, 2.0), 0.25) == Updates(10.0, 0.5)
        assert requirement(Updates(None, 2.0), 0.5) == Updates(None, 1.0)
        assert requirement(None, 0.25) is None
        assert requirement(Updates(40.0, 2.0), None) is None

    def test_makes_no_fewer(self) -> None:
        own = Updates(20.0, 0.5)
        assert makes_no_fewer(own, own)
        assert makes_no_fewer(Updates(19.7, 0.495), own)
        assert not makes_no_fewer(Updates(10.0, 0.5), own)
        assert not makes_no_fewer(Updates(20.0, 0.4), own)
        assert not makes_no_fewer(Updates(None, 0.5), own)
        assert makes_no_fewer(Updates(None, 0.5), Updates(None, 0.5))
        assert not makes_no_fewer(None, own)
        assert not makes_no_fewer(own, None)


class TestConstraints:
    required = Updates(10.0, 0.5)

    def test_a_good_trial_violates_nothing(self) -> None:
        trial = trial_of(peak_memory_bytes=6 * GIB)
        assert constraints(trial, CAP, self.required) == {"memory": -0.25, "updates": 0.0, "failed": 0.0}

    def test_over_memory(self) -> None:
        trial = trial_of(outcome=Outcome.OVER_MEMORY, peak_memory_bytes=10 * GIB)
        assert constraints(trial, CAP, self.required) == {"memory": 0.25, "updates": 0.0, "failed": 0.0}
        unknown = trial_of(outcome=Outcome.OVER_MEMORY, peak_memory_bytes=None)
        assert constraints(unknown, CAP, self.required)["memory"] > 0

    def test_too_few_updates(self) -> None:
        trial = trial_of(outcome=Outcome.TOO_FEW_UPDATES, updates_per_1000_steps=Updates(5.0, 0.4))
        assert constraints(trial, CAP, self.required)["updates"] == 1.0
        none = trial_of(outcome=Outcome.TOO_FEW_UPDATES, updates_per_1000_steps=Updates(0.0, 0.0))
        assert constraints(none, CAP, self.required)["updates"] == MAX_VIOLATION
        assert constraints(none, CAP, None)["updates"] == MAX_VIOLATION

    @pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.CRASHED, Outcome.NO_STEPS, Outcome.VETOED])
    def test_failures(self, outcome: Outcome) -> None:
        assert constraints(trial_of(outcome=outcome), CAP, self.required)["failed"] == 1.0

    @pytest.mark.parametrize("outcome", [Outcome.DISTURBED, Outcome.INTERRUPTED])
    def test_what_says_nothing_violates_nothing(self, outcome: Outcome) -> None:
        assert constraints(trial_of(outcome=outcome), CAP, self.required)["failed"] == 0.0

    @given(
        st.sampled_from(list(Outcome)),
        st.one_of(st.none(), st.integers(1, 100 * GIB)),
        st.one_of(st.none(), st.builds(Updates, st.one_of(st.none(), st.floats(0, 100)), st.floats(0, 5))),
    )
    @settings(deadline=None, max_examples=80)
    def test_infeasible_is_exactly_a_violated_constraint(
        self, outcome: Outcome, peak: int | None, updates: Updates | None
    ) -> None:
        trial = trial_of(outcome=outcome, peak_memory_bytes=peak, updates_per_1000_steps=updates)
        found = constraints(trial, CAP, self.required)
        assert set(found) == {"memory", "updates", "failed"}
        assert all(math.isfinite(value) for value in found.values())
        assert (max(found.values()) > 0) == outcome.is_infeasible


class TestPool:
    def test_configurations_in_the_order_of_their_first_trial(self) -> None:
        a, b = params_of(1), params_of(2)
        found = pool([trial_of(0, b, 400.0), trial_of(1, a, 100.0), trial_of(2, dict(reversed(b.items())), 100.0)])
        assert [item.params for item in found] == [b, a]
        assert found[0].steps_per_second == pytest.approx(200.0)
        assert [trial.number for trial in found[0].trials] == [0, 2]

    def test_disturbed_and_interrupted_sessions_say_nothing(self) -> None:
        assert pool([trial_of(outcome=Outcome.DISTURBED), trial_of(outcome=Outcome.INTERRUPTED)]) == []

    @pytest.mark.parametrize(
        ("outcomes", "feasible"),
        [
            ([Outcome.OK], True),
            ([Outcome.OK, Outcome.CRASHED], False),
            ([Outcome.OK, Outcome.OK, Outcome.CRASHED], True),
            ([Outcome.OK, Outcome.OK, Outcome.OVER_MEMORY], False),
            ([Outcome.TOO_FEW_UPDATES], False),
            ([Outcome.OK, Outcome.DISTURBED], True),
        ],
    )
    def test_feasibility(self, outcomes: list[Outcome], feasible: bool) -> None:
        (item,) = pool([trial_of(number, outcome=outcome) for number, outcome in enumerate(outcomes)])
        assert item.is_feasible is feasible

    def test_pooled_figures(self) -> None:
        (item,) = pool(
            [
                trial_of(0, rate=100.0, peak_memory_bytes=3, updates_per_1000_steps=Updates(10.0, 1.0)),
                trial_of(1, rate=400.0, peak_memory_bytes=5, updates_per_1000_steps=Updates(None, 2.0)),
                trial_of(2, outcome=Outcome.CRASHED, peak_memory_bytes=4),
            ]
        )
        assert item.steps_per_second == pytest.approx(200.0)
        assert item.peak_memory_bytes == 5
        assert item.updates_per_1000_steps == Updates(10.0, 1.5)
        assert len(item.measured) == 2

    def test_leaders(self) -> None:
        trials = [
            trial_of(0, params_of(1), 100.0),
            trial_of(1, params_of(2), 300.0),
            trial_of(2, params_of(3), 900.0, outcome=Outcome.TOO_FEW_UPDATES),
            trial_of(3, params_of(4), outcome=Outcome.CRASHED),
            trial_of(4, params_of(5), 200.0),
        ]
        assert [item.params["num_envs"] for item in leaders(pool(trials))] == [2, 5, 1]

    @given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=8))
    @settings(deadline=None, max_examples=50)
    def test_geometric_mean(self, rates: list[float]) -> None:
        assert geometric_mean(rates) == pytest.approx(stats.gmean(rates), rel=1e-9)

    def test_geometric_mean_of_nothing(self) -> None:
        assert geometric_mean([]) is None


class TestBlocks:
    def test_two_contenders_are_a_paired_t_test(self) -> None:
        a, b = [110.0, 123.0, 108.0, 131.0], [100.0, 105.0, 101.0, 112.0]
        ratio = Blocks({"a": a, "b": b}).ratio("a", "b")
        difference = [math.log(x / y) for x, y in zip(a, b)]
        low, high = stats.t.interval(
            0.95, len(a) - 1, loc=sum(difference) / len(a), scale=stats.sem(difference)
        )  # fmt: skip
        assert ratio.estimate == pytest.approx(math.exp(sum(difference) / len(a)))
        assert ratio.interval == pytest.approx((math.exp(low), math.exp(high)))

    def test_three_contenders_by_hand(self) -> None:
        logs = {"a": [1.0, 1.2, 1.4], "b": [0.5, 0.8, 0.8], "c": [0.1, 0.1, 0.4]}
        blocks = Blocks({key: [math.exp(value) for value in values] for key, values in logs.items()})
        # Two-way table: means of rows 1.2, .7, .2, of columns 1.6/3, .7, 2.6/3, grand .7; residuals
        # a: -.2+.1667=-.0333, 0, .0333; b: -.0333, .1, -.0667; c: .0667, -.1, .0333; squares sum to .0333; 4 degrees.
        deviation = math.sqrt((0.1 / 3) / 4)
        half = stats.t.ppf(0.975, 4) * deviation * math.sqrt(2 / 3)
        ratio = blocks.ratio("a", "b")
        assert math.log(ratio.estimate) == pytest.approx(0.5)
        assert math.log(ratio.interval[1]) - 0.5 == pytest.approx(half)
        assert 0.5 - math.log(ratio.interval[0]) == pytest.approx(half)

    def test_drift_between_blocks_costs_nothing(self) -> None:
        drift = [1.0, 1.3, 0.7, 2.0]
        ratio = Blocks({"a": [120 * d for d in drift], "b": [100 * d for d in drift]}).ratio("a", "b")
        assert ratio.interval == pytest.approx((1.2, 1.2))

    def test_coverage_and_false_alarms(self) -> None:
        chooser, held, sessions = random.Random(7), 0, 600
        for _ in range(sessions):
            drift = [chooser.gauss(0, 0.2) for _ in range(3)]
            rates = {
                key: [math.exp(mean + d + chooser.gauss(0, 0.03)) for d in drift]
                for key, mean in (("a", 7.2), ("b", 7.0), ("c", 6.9))
            }
            low, high = Blocks(rates).ratio("a", "b").interval
            held += low <= math.exp(0.2) <= high
        assert 0.925 <= held / sessions <= 0.975

    def test_too_few_blocks_are_refused(self) -> None:
        blocks = Blocks({"a": [1.0], "b": [2.0]})
        assert not blocks.are_enough
        with pytest.raises(ValueError, match="1 complete blocks do not tell a difference from noise"):
            blocks.ratio("a", "b")
        assert not Blocks({"a": [1.0, 2.0, 3.0]}).are_enough
        assert Blocks({}).count == 0

    def test_mean_and_its_interval(self) -> None:
        rates = [90.0, 100.0, 120.0]
        blocks = Blocks({"a": rates, "b": [1.0, 1.0, 1.0, 50.0]})
        logs = [math.log(rate) for rate in rates]
        low, high = stats.t.interval(0.95, 2, loc=sum(logs) / 3, scale=stats.sem(logs))
        assert blocks.mean("a") == pytest.approx(stats.gmean(rates))
        assert blocks.rate_interval("a") == pytest.approx((math.exp(low), math.exp(high)))
        assert blocks.mean("b") == pytest.approx(1.0)  # the fourth is of no complete block


class TestBlockRates:
    a, b = params_of(1), params_of(2)
    keys = (configuration_key(params_of(1)), configuration_key(params_of(2)))

    def confirm(self, number: int, params: object, rate: float, block: int, **fields: object) -> object:
        return trial_of(number, params, rate, Purpose.CONFIRM, block=block, **fields)  # type: ignore[arg-type]

    def test_complete_blocks_in_order(self) -> None:
        results = [
            trial_of(0, self.a, 1.0, Purpose.BASELINE),
            trial_of(1, self.b, 2.0),
            self.confirm(2, self.b, 21.0, 1),
            self.confirm(3, self.a, 11.0, 1),
            self.confirm(4, self.a, 10.0, 0),
            self.confirm(5, self.b, 20.0, 0),
            self.confirm(6, self.a, 99.0, 2),
        ]
        assert [list(block.values()) for block in block_rates(results, self.keys)] == [[10.0, 20.0], [11.0, 21.0]]
        blocks = confirmed(results, self.keys)
        assert blocks.rates == {self.keys[0]: [10.0, 11.0], self.keys[1]: [20.0, 21.0]}

    def test_blocks_before_the_last_search_do_not_count(self) -> None:
        results = [
            self.confirm(1, self.a, 10.0, 0),
            self.confirm(2, self.b, 20.0, 0),
            trial_of(3, params_of(9), 5.0),
            self.confirm(4, self.a, 12.0, 1),
            self.confirm(5, self.b, 22.0, 1),
        ]
        assert block_rates(results, self.keys) == [{self.keys[0]: 12.0, self.keys[1]: 22.0}]

    def test_a_failed_session_breaks_its_block(self) -> None:
        results = [self.confirm(1, self.a, 10.0, 0), self.confirm(2, self.b, 20.0, 0, outcome=Outcome.CRASHED)]
        assert block_rates(results, self.keys) == []
        assert confirmed(results, self.keys).count == 0


class TestNoise:
    def test_between_sessions(self) -> None:
        trials = [
            trial_of(0, params_of(1), 100.0), trial_of(1, params_of(1), 110.0), trial_of(2, params_of(1), 105.0),
            trial_of(3, params_of(2), 200.0), trial_of(4, params_of(2), 190.0), trial_of(5, params_of(3), 1.0),
        ]  # fmt: skip
        first = [math.log(rate) for rate in (100, 110, 105)]
        second = [math.log(rate) for rate in (200, 190)]
        pooled = math.sqrt((2 * stats.tvar(first) + stats.tvar(second)) / 3)
        assert between_percent(pool(trials)) == pytest.approx(100 * pooled)

    def test_no_repeats_no_figure(self) -> None:
        assert between_percent(pool([trial_of(0, params_of(1)), trial_of(1, params_of(2))])) is None

    @pytest.mark.parametrize(
        ("agents", "inert"),
        [([(1, 1, 8.0), (1, 4, 8.0)], True), ([(1, 1, 8.0), (1, 4, 32.0)], False), ([(1, 1, 8.0)], False),
         ([(1, 1, 8.0), (2, 4, 16.2)], True), ([(1, 1, 8.0), (1, 4, None)], False),
         ([(1, 4, 8.0), (2, 4, 16.0)], False)],
    )  # fmt: skip
    def test_inert_areas(self, agents: list[tuple[int, int, float | None]], inert: bool) -> None:
        trials = [
            trial_of(number, params_of(envs, areas), agents=found) for number, (envs, areas, found) in enumerate(agents)
        ]
        assert areas_are_inert(pool(trials)) is inert


def test_a_behaviour_that_learns_a_lot_does_not_hide_one_that_does_not() -> None:
    """SAC's many gradient updates beside PPO's few: the sums look fine, PPO's share does not."""
    baseline = PerThousandSteps(65.1, 50.7, {"gradient updates by PPO": 30.4, "gradient updates by SAC": 100.0})
    bigger = PerThousandSteps(54.2, 53.2, {"gradient updates by PPO": 3.8, "gradient updates by SAC": 103.0})
    text = shortfall(bigger, requirement(baseline, 0.25))
    assert text == "3.80 gradient updates by PPO per 1,000 steps; at least 7.60 are required"
    assert shortfall(bigger, requirement(baseline, 0.1)) is None
    assert not makes_no_fewer(bigger, baseline)
