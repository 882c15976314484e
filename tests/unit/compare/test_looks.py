"""When a contender counts as faster, however often one looks."""

from __future__ import annotations

import pytest

from sweeper.compare.looks import ERROR, LOOKS, MIN_ROUNDS, MOST_ROUNDS, level, rejected, rounds_to_show


def test_levels_grow_and_add_up_to_the_error() -> None:
    levels = [level(rounds) for rounds in LOOKS]
    assert levels == sorted(levels)
    assert sum(levels) == pytest.approx(ERROR)
    assert all(level(rounds) == 0 for rounds in range(1, LOOKS[-1]) if rounds not in LOOKS)


@pytest.mark.parametrize("last", range(MIN_ROUNDS, LOOKS[-1] + 1))
def test_the_last_look_has_what_is_left(last: int) -> None:
    spent = sum(level(rounds) for rounds in range(1, last))
    assert spent + level(last, is_last=True) == pytest.approx(ERROR)


def test_a_single_round_gets_no_more_because_it_is_the_last() -> None:
    assert level(1, is_last=True) == level(1)


def test_holm() -> None:
    assert rejected({}, 0.05) == set()
    assert rejected({"a": 0.04}, 0.05) == {"a"}
    assert rejected({"a": 0.024, "b": 0.049}, 0.05) == {"a", "b"}
    assert rejected({"a": 0.026, "b": 0.026}, 0.05) == set()  # the better of two has half the level
    assert rejected({"a": 0.001, "b": 0.06}, 0.05) == {"a"}


def test_the_larger_the_sooner() -> None:
    found = [rounds_to_show(effect, 0.08, 6, 2) for effect in (1.6, 0.7, 0.3, 0.1, 0.0)]
    assert found == sorted(found)
    assert found[0] == LOOKS[0]
    assert found[-2] > LOOKS[-1]
    assert found[-1] == MOST_ROUNDS
