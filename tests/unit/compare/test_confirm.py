"""Confirmation: blocks, ratios with intervals, and who is confirmed."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from scipy import stats

from sweeper.compare.confirm import LEADERS, OWN_DIFFERENCES, Blocks, block_rates, challengers, confirmed
from sweeper.compare.noise import Spread, confirmed_interval
from sweeper.model.trial import Outcome, Purpose, TrialResult, configuration_key
from tests.helpers.builders import params_of, trial_of


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

    def test_from_six_blocks_on_a_pair_is_judged_by_its_own_differences(self) -> None:
        """A third contender's noise is then nobody else's."""
        a, b = [110.0, 123.0, 108.0, 131.0, 119.0, 125.0], [100.0, 105.0, 101.0, 112.0, 104.0, 111.0]
        noisy = [10.0, 90.0, 20.0, 80.0, 15.0, 60.0]
        for count in (OWN_DIFFERENCES - 1, OWN_DIFFERENCES):
            pair = {"a": a[:count], "b": b[:count]}
            alone = Blocks(pair).ratio("a", "b").interval
            beside = Blocks({**pair, "c": noisy[:count]}).ratio("a", "b").interval
            assert (beside == pytest.approx(alone)) == (count >= OWN_DIFFERENCES)

    @pytest.mark.parametrize(
        ("count", "noises"), [(2, (0.03, 0.03, 0.03)), (12, (0.03, 0.03, 0.03)), (12, (0.02, 0.05, 0.2))]
    )
    def test_coverage(self, count: int, noises: tuple[float, float, float]) -> None:
        """Three contenders, a drift that a block shares; the standard error of the share is 0.35 %."""
        chooser, held, studies = random.Random(11), 0, 4000
        for _ in range(studies):
            drift = [chooser.gauss(0, 0.2) for _ in range(count)]
            rates = {
                key: [math.exp(mean + d + chooser.gauss(0, noise)) for d in drift]
                for key, mean, noise in zip("abc", (7.2, 7.0, 6.9), noises)
            }
            low, high = Blocks(rates).ratio("a", "b").interval
            held += low <= math.exp(0.2) <= high
        assert 0.93 <= held / studies <= 0.97

    def test_coverage_of_a_rate_over_drifting_blocks(self) -> None:
        chooser, held, studies = random.Random(12), 0, 2000
        for _ in range(studies):
            logs = [7.0 + chooser.gauss(0, 0.1) + chooser.gauss(0, 0.03) for _ in range(12)]
            low, high = Blocks({"a": [math.exp(value) for value in logs], "b": [1.0] * 12}).rate_interval("a")
            held += low <= math.exp(7.0) <= high
        assert 0.93 <= held / studies <= 0.97

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
        # Few blocks: how sessions differ over the whole study says more.
        found = Spread(total=0.04, between=0.03, degrees=9)
        half = stats.t.ppf(0.975, 9) * math.sqrt(0.04 / 3)
        mean = blocks.mean("a")
        assert confirmed_interval(blocks, "a", found) == pytest.approx((mean * math.exp(-half), mean * math.exp(half)))
        assert confirmed_interval(blocks, "a", None) == blocks.rate_interval("a")
        many = Blocks({"a": [*rates, *rates], "b": [1.0] * 6})
        assert confirmed_interval(many, "a", found) == many.rate_interval("a")


class TestBlockRates:
    a, b = params_of(1), params_of(2)
    keys = (configuration_key(params_of(1)), configuration_key(params_of(2)))

    def confirm(self, number: int, params: Any, rate: float, block: int, **fields: Any) -> TrialResult:
        return trial_of(number, params, rate, Purpose.CONFIRM, block=block, **fields)

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

    def test_slices_are_blocks(self) -> None:
        results = [
            self.confirm(1, self.a, 11.0, 3, slices=(10.0, 12.0, 11.0)),
            self.confirm(2, self.b, 21.0, 3, slices=(20.0, 22.0)),
            self.confirm(3, self.a, 13.0, 4),
            self.confirm(4, self.b, 23.0, 4),
        ]
        assert confirmed(results, self.keys).rates == {
            self.keys[0]: [10.0, 12.0, 13.0],
            self.keys[1]: [20.0, 22.0, 23.0],
        }

    def test_a_slice_that_was_disturbed_spoils_its_round_only(self) -> None:
        results = [
            self.confirm(1, self.a, 11.0, 0, slices=(10.0, None, 11.0)),
            self.confirm(2, self.b, 21.0, 0, slices=(20.0, 22.0, 21.0)),
        ]
        assert confirmed(results, self.keys).rates == {self.keys[0]: [10.0, 11.0], self.keys[1]: [20.0, 21.0]}

    def test_a_disturbed_session_breaks_its_block(self) -> None:
        results = [
            self.confirm(1, self.a, 10.0, 0), self.confirm(2, self.b, 20.0, 0, outcome=Outcome.DISTURBED),
            self.confirm(3, self.a, 11.0, 1), self.confirm(4, self.b, 21.0, 1),
        ]  # fmt: skip
        assert block_rates(results, self.keys) == [{self.keys[0]: 11.0, self.keys[1]: 21.0}]

    def test_finals_are_no_confirmation(self) -> None:
        results = [trial_of(1, self.a, 10.0, block=0), trial_of(2, self.b, 20.0, block=0)]
        assert block_rates(results, self.keys) == []


class TestChallengers:
    own, a, b, c = (params_of(envs) for envs in (1, 2, 3, 4))
    own_key = configuration_key(params_of(1))
    searched = (
        trial_of(0, own, 1000.0, Purpose.BASELINE),
        trial_of(1, a, 1500.0),
        trial_of(2, b, 1400.0),
        trial_of(3, c, 1300.0),
    )

    def found(self, *more: TrialResult) -> list[Any]:
        return [item.params for item in challengers([*self.searched, *more], self.own_key)]

    def confirm(self, number: int, params: Any, rate: float, **fields: Any) -> TrialResult:
        return trial_of(number, params, rate, Purpose.CONFIRM, block=0, **fields)

    def test_the_fastest_so_far(self) -> None:
        assert self.found() == [self.a, self.b]
        assert len(self.found()) == LEADERS

    def test_they_keep_their_rank_whatever_the_confirmation_says(self) -> None:
        begun = [self.confirm(4, self.own, 1000.0), self.confirm(5, self.a, 900.0), self.confirm(6, self.b, 1600.0)]
        assert self.found(*begun) == [self.a, self.b]

    def test_none_is_replaced_by_one_that_was_luckier_before(self) -> None:
        begun = [self.confirm(4, self.a, 900.0), self.confirm(5, self.b, 900.0), self.confirm(6, self.own, 900.0)]
        assert self.found(*begun) == [self.a, self.b]

    def test_a_search_afterwards_opens_it_again(self) -> None:
        begun = [self.confirm(4, self.own, 1000.0), self.confirm(5, self.a, 1000.0), self.confirm(6, self.b, 1600.0)]
        assert self.found(*begun, trial_of(7, params_of(9), 100.0)) == [self.b, self.c]

    def test_one_that_broke_the_cap_is_out(self) -> None:
        begun = [self.confirm(4, self.own, 1000.0), self.confirm(5, self.b, 1000.0)]
        assert self.found(*begun, self.confirm(6, self.a, 1.0, outcome=Outcome.OVER_MEMORY)) == [self.b]

    def test_one_that_was_disturbed_stays(self) -> None:
        begun = [self.confirm(4, self.own, 1000.0), self.confirm(5, self.b, 1000.0)]
        assert self.found(*begun, self.confirm(6, self.a, 1.0, outcome=Outcome.DISTURBED)) == [self.a, self.b]
