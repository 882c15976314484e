"""What the spread of pairs means for the time of a check."""

from __future__ import annotations

import pytest

from sweeper.app.check.plan import LEAST_PAIRS, spread_of
from sweeper.errors import Inconclusive
from tests.unit.app.check.test_gate import Check, wobble


def measured(tmp_path, pairs: int, **runner):
    check = Check(tmp_path, **runner)
    lengths = check.gate.begin()
    assert lengths is not None
    for _ in range(pairs):
        lengths = check.gate.measure(lengths)
    return check.gate


def test_smaller_tolerances_take_longer_and_some_are_out_of_reach(tmp_path):
    found = spread_of(measured(tmp_path, 6, jitter=lambda index: (1.0, 1.06, 0.95, 1.0, 1.03)[index % 5]))
    seconds = [row.seconds for row in found.rows]
    assert seconds == sorted(seconds, reverse=True)
    assert not found.rows[0].fits
    assert found.rows[-1].fits
    assert found.pairs == 6


def test_too_few_pairs_say_nothing(tmp_path):
    with pytest.raises(Inconclusive, match=f"only {LEAST_PAIRS - 1} of {LEAST_PAIRS - 1} pairs"):
        spread_of(measured(tmp_path, LEAST_PAIRS - 1, jitter=wobble))
