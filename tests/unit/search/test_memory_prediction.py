"""Predicting the peak of an untried configuration, and vetoing a sure failure."""

from __future__ import annotations

import random

import pytest

from sweeper.compare.candidates import pool
from sweeper.model.trial import Outcome, Params
from sweeper.search.memory import is_sure_to_break, predict_peak, smaller_that_broke
from tests.helpers.builders import GIB, params_of, trial_of

MIB = 1024**2


def peak(envs: int, areas: int, chooser: random.Random | None = None, error: float = 0.02) -> int:
    exact = 500 + 120 * envs + 10 * envs * areas
    return round(exact * (chooser.gauss(1, error) if chooser else 1.0) * MIB)


def tried(points, chooser=None, error=0.02):
    return pool(
        trial_of(number, params_of(envs, areas), peak_memory_bytes=peak(envs, areas, chooser, error))
        for number, (envs, areas) in enumerate(points)
    )


POINTS = [(1, 1), (2, 16), (1, 16), (2, 1), (4, 4), (4, 1), (3, 8)]


def test_nothing_is_said_of_next_to_nothing() -> None:
    assert predict_peak(params_of(8, 16), []) is None
    assert predict_peak(params_of(8, 16), tried(POINTS[:5])) is None


def test_a_sum_is_found() -> None:
    found = predict_peak(params_of(16, 16), tried(POINTS))
    assert found is not None
    assert found[0] < peak(16, 16) < found[1]
    assert found[1] - found[0] < 0.9 * peak(16, 16)


def test_what_never_varied_is_not_known_to_matter() -> None:
    """Only environments were varied: an interval for another number of areas is for what is known, and says so late."""
    found = predict_peak(params_of(8, 1), tried([(envs, 1) for envs in (1, 2, 3, 4, 5, 6)]))
    assert found is not None
    assert found[0] < peak(8, 1) < found[1]


def test_the_interval_holds_what_it_says() -> None:
    chooser = random.Random(3)
    held, studies = 0, 400
    for _ in range(studies):
        target = (chooser.choice([2, 6, 8]), chooser.choice([1, 4, 16]))
        found = predict_peak(params_of(*target), tried(POINTS, chooser, 0.03))
        assert found is not None
        held += found[0] <= peak(*target, chooser, 0.03) <= found[1]
    assert held / studies >= 0.96


def test_one_that_was_stopped_at_the_cap_has_no_peak() -> None:
    """What it would have needed is not known: as a point it would flatten the slope."""
    trials = [trial_of(n, params_of(*p), peak_memory_bytes=peak(*p)) for n, p in enumerate(POINTS)]
    stopped = trial_of(9, params_of(16, 16), outcome=Outcome.OVER_MEMORY, peak_memory_bytes=2000 * MIB)
    assert predict_peak(params_of(12, 16), pool([*trials, stopped])) == predict_peak(params_of(12, 16), pool(trials))


@pytest.mark.parametrize(
    ("params", "sure"),
    [
        (params_of(8, 4), True),
        (params_of(12, 4), True),
        (params_of(8, 16), True),
        (params_of(12, 1), False),
        (params_of(4, 16), False),
        (params_of(8, 4, batch=64), False),
        (params_of(8, 4, threaded=True), False),
    ],
)
def test_what_is_larger_than_what_broke_the_cap_breaks_it(params: Params, sure: bool) -> None:
    broke = trial_of(3, params_of(8, 4), outcome=Outcome.OVER_MEMORY, peak_memory_bytes=9 * GIB)
    found = smaller_that_broke(params, pool([trial_of(1, params_of(1, 1)), broke]), 8 * GIB)
    assert (found is not None) is sure


@pytest.mark.parametrize("seen", [None, 2 * GIB])
def test_nobody_is_vetoed_for_a_peak_that_nobody_measured(seen: int | None) -> None:
    """As where the system's killer acted, for whatever reason."""
    broke = trial_of(3, params_of(1), outcome=Outcome.OVER_MEMORY, peak_memory_bytes=seen)
    assert smaller_that_broke(params_of(8, 16), pool([broke]), 8 * GIB) is None


def test_failures_say_nothing_about_memory() -> None:
    crashed = [
        trial_of(n, params_of(*p), outcome=Outcome.CRASHED, peak_memory_bytes=peak(*p)) for n, p in enumerate(POINTS)
    ]
    assert predict_peak(params_of(8, 16), pool(crashed)) is None


@pytest.mark.parametrize(("cap", "sure"), [(9.0, False), (10.5, False), (8.0, True)])
def test_sure_means_even_the_low_end(cap: float, sure: bool) -> None:
    assert is_sure_to_break((8.5, 12.0), round(cap)) is sure
    assert not is_sure_to_break(None, 1)
