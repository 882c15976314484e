"""The gate's rule: its constants, its errors by simulation, its edges."""

from __future__ import annotations

import math

import numpy
import pytest

from sweeper.compare.gate.rule import (
    CONSTANTS,
    LOOKS,
    MARGIN,
    Call,
    Rule,
    looks,
    pair_deviation,
    plain_mean,
    slice_scatter,
    trimmed_mean,
)
from tests.helpers.gate import decided, scatter, smallest_shares


@pytest.mark.parametrize("trimmed", [False, True])
@pytest.mark.parametrize("most", [6, 16, 32])
def test_the_constants_are_what_random_walks_give(trimmed, most):
    shares = smallest_shares(most, trimmed, walks=200_000, seed=7)
    alarm, wrong = CONSTANTS[trimmed][most]
    # The errors' own 99.9 % interval over so many walks.
    for level, error in ((alarm, 0.01), (wrong / 0.97, 0.05)):
        found = float(numpy.mean(shares < level))
        assert abs(found - error) < 3.3 * math.sqrt(error * (1 - error) / 200_000) + 0.02 * error


def test_every_number_of_pairs_that_a_check_may_have_has_its_constants():
    for trimmed in (False, True):
        assert set(CONSTANTS[trimmed]) == {count for count in LOOKS if looks(count, trimmed)}


@pytest.mark.parametrize(("slower", "call"), [(0.0, Call.PASS), (0.1, Call.REGRESSED), (0.05, Call.REGRESSED)])
def test_quiet_pairs_are_decided_soon(slower, call):
    generator = numpy.random.default_rng(3)
    found = decided(Rule(0.05, 16), generator.normal(math.log1p(-slower), 0.01, 16))
    assert found.call is call
    assert found.pairs <= 8


def test_false_alarms_and_wrong_passes_keep_their_levels_in_a_small_simulation():
    generator = numpy.random.default_rng(5)
    rule = Rule(0.05, 16)
    edge = [decided(rule, generator.normal(-MARGIN, 0.04, 16)).call for _ in range(2_000)]
    worst = [decided(rule, generator.normal(math.log1p(-0.05), 0.04, 16)).call for _ in range(2_000)]
    assert edge.count(Call.REGRESSED) <= 40  # 1 % is 20; 40 comes once in ten thousand
    assert worst.count(Call.PASS) <= 140  # 5 % is 100


def test_there_is_no_verdict_between_looks():
    rule = Rule(0.05, 16)
    clear = [-0.2, -0.21, -0.19, -0.2, -0.2]
    assert rule.call(clear[:3]) is Call.GO_ON
    assert rule.call(clear[:4]) is Call.REGRESSED
    assert rule.call(clear) is Call.GO_ON
    assert rule.edges(clear) is None


def test_the_edges_say_what_the_call_says():
    rule = Rule(0.05, 16)
    for mean in (-0.08, -0.03, 0.0):
        pairs = [mean - 0.02, mean + 0.02, mean - 0.01, mean + 0.01]
        edges, call = rule.edges(pairs), rule.call(pairs)
        assert edges is not None
        expected = Call.REGRESSED if mean < edges.regressed else Call.PASS if mean > edges.passed else Call.GO_ON
        assert call is expected


ALIKE = [-0.0395, -0.0325, -0.0336, -0.0342]
SLICES = [[-0.0666, -0.0351, -0.017], [-0.0872, 0.0109, -0.0212], [-0.0302, -0.0801, 0.0096], [-0.0135, -0.007, -0.082]]
"""Of one build with itself, recorded: the pairs agree, their slices do not."""


def test_pairs_that_agree_by_chance_are_no_surer_than_their_slices():
    rule, scatter = Rule(0.05, 16), slice_scatter(SLICES)
    assert rule.call(ALIKE) is Call.REGRESSED
    assert rule.call(ALIKE, scatter) is Call.GO_ON
    assert rule.mean(ALIKE, scatter).error == pytest.approx(scatter / 2)
    assert pair_deviation(ALIKE, scatter) == scatter > 5 * numpy.std(ALIKE, ddof=1)


def test_pairs_that_differ_more_than_their_slices_are_taken_as_they_are():
    """What belongs to a session is in none of its slices."""
    pairs = [-0.03, 0.03, -0.02, 0.02]
    close = slice_scatter([[pair - 0.001, pair, pair + 0.001] for pair in pairs])
    assert Rule(0.05, 16).mean(pairs, close) == plain_mean(pairs)
    assert pair_deviation(pairs, close) == pytest.approx(numpy.std(pairs, ddof=1))


def test_the_scatter_of_slices_is_that_of_their_means():
    generator = numpy.random.default_rng(13)
    slices = generator.normal(0.0, 0.03, (4_000, 3)) + generator.normal(0.0, 0.1, (4_000, 1))
    assert slice_scatter(slices.tolist()) == pytest.approx(0.03 / math.sqrt(3), rel=0.03)
    assert slice_scatter(slices.tolist()) == pytest.approx(scatter(slices[numpy.newaxis], 4_000)[0])
    assert slice_scatter([[0.1], [], [0.2]]) == 0.0  # one slice says nothing of how slices differ
    assert slice_scatter([[0.1, 0.3], []]) == pytest.approx(0.1)


def test_one_wild_pair_moves_the_trimmed_mean_little():
    pairs = [0.01, -0.01, 0.0, 0.02, -0.02, -0.9]
    assert abs(trimmed_mean(pairs).value) < 0.02
    assert plain_mean(pairs).value < -0.1
    assert Rule(0.05, 6, trimmed=True).looks == (6,)


def test_a_gain_is_called_one():
    rule = Rule(0.05, 16)
    assert rule.is_improved([0.1, 0.11, 0.09, 0.1])
    assert not rule.is_improved([0.01, -0.02, 0.02, -0.01])


def test_more_noise_and_smaller_tolerances_need_more_pairs():
    needed = [Rule(0.05, 32).pairs_needed(deviation) for deviation in (0.01, 0.03, 0.06)]
    assert needed == sorted(needed)
    assert Rule(0.02, 32).pairs_needed(0.03) > needed[1]


def test_the_pairs_that_are_said_to_be_needed_decide_about_nine_in_ten():
    generator = numpy.random.default_rng(11)
    rule = Rule(0.05, 16)
    deviation = 0.033
    assert rule.pairs_needed(deviation) <= 16
    for slower in (0.0, 0.05):
        calls = [decided(rule, generator.normal(math.log1p(-slower), deviation, 16)).call for _ in range(1_000)]
        assert calls.count(Call.GO_ON) < 150
