"""Sessions that ran in turn with others: only their slices count."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from sweeper.measure.cycles import Cutting
from sweeper.measure.rate import Rule, measure
from sweeper.measure.ratio import ratio
from sweeper.measure.slices import measure_slices
from sweeper.model.measurement import Measurement, Method, PerThousandSteps, Phases, Sample
from sweeper.quantiles import t_quantile
from tests.helpers.builders import sample, session_of

PACE, OVERHEAD = 2048, 50.0


def timers(number: int) -> dict[str, tuple[float, int]]:
    return {
        "_update_policy": (0.5 * number, number),
        "env_step": (1.4 * number, 1),
        "env_step.self": (0.75 * number, 1),
        "process_trajectory": (0.125 * number, 1),
        "SubprocessEnvManager._take_step": (0.25 * number, 1),
        "TorchPPOOptimizer.update": (0.4 * number, 48 * number),
        "UnityEnvironment.step": (0.9 * number, 64 * number),
    }


def suspended(seconds: Sequence[float], every: int = 2, timed: bool = True) -> list[Sample]:
    """A cycle of 2,048 steps for each of `seconds`; after every `every`-th the session stood still for a while."""
    found, at = [sample(99.0, 1, 0, "tick")], 100.0
    for number, duration in enumerate(seconds, 1):
        at += duration + (OVERHEAD if number > 1 and (number - 1) % every == 0 else 0.0)
        found.append(sample(at, PACE * number, number, timers=timers(number) if timed else None))
    return found


def sliced(samples: Sequence[Sample], every: int = 2) -> list[tuple[float, float]]:
    """First and last edge of each slice: the edge before a suspension ends one, the edge after it begins another."""
    edges = [one.seconds for one in samples if one.kind == "update"]
    return [(edges[index], edges[index + every - 1]) for index in range(0, len(edges) - every + 1, every)]


def measured(
    samples: Sequence[Sample], slices: Sequence[tuple[float, float]], envs: int = 1
) -> tuple[Measurement, tuple[float, ...]]:
    found = measure_slices(samples, slices, Cutting(), 1, envs)
    assert found is not None
    return found


def test_only_slices_count() -> None:
    samples = suspended([2.0] * 8)
    slices = sliced(samples)
    found, rates = measured(samples, slices)
    assert len(slices) == 4
    assert found.steps_per_second == 1024.0
    assert rates == (1024.0,) * 4
    assert found.interval == (1024.0, 1024.0)
    assert (found.steps, found.measured_seconds, found.cycles) == (4 * PACE, 8.0, 4)
    assert (found.method, found.warmup_cycles) == (Method.SLICES, 1)
    assert found.window == (slices[0][0], slices[-1][1])
    assert found.warmup_seconds == slices[0][0] - 99.0
    whole = measure(samples, Rule(0.025, 1e9, Cutting(), 1), 1)
    assert whole is not None and whole.steps_per_second < 120


def test_rates_and_interval() -> None:
    samples = suspended([2.0, 2.0, 2.0, 1.6, 2.0, 2.2, 2.0, 1.9, 2.0, 2.1])
    found, rates = measured(samples, sliced(samples))
    seconds = [2.0, 1.6, 2.2, 1.9, 2.1]
    assert rates == pytest.approx([PACE / one for one in seconds])
    assert found.steps_per_second == pytest.approx(5 * PACE / sum(seconds))
    oracle = ratio([(PACE, one) for one in seconds])
    assert oracle is not None
    half = found.steps_per_second * oracle.relative_error * t_quantile(4)
    assert found.interval == pytest.approx((found.steps_per_second - half, found.steps_per_second + half))
    assert found.relative_standard_error == pytest.approx(oracle.relative_error)


def test_longer_slices_weigh_more() -> None:
    samples = session_of([(2048, 2.0), (2048, 2.0), (2048, 2.0), (2048, 2.0), (2048, 4.0)])
    found, rates = measured(samples, [(102.0, 108.0), (108.0, 112.0)])
    assert rates == (1024.0, 512.0)
    assert found.steps_per_second == 4 * 2048 / 10
    assert found.cycles == 4


def test_updates_over_the_whole_phases_over_the_slices() -> None:
    samples = suspended([2.0] * 8)
    found, _ = measured(samples, sliced(samples), envs=2)
    per_cycle = 1000 / PACE
    assert found.updates_per_1000_steps == PerThousandSteps(
        gradient=48 * per_cycle,
        policy=per_cycle,
        parts={"gradient updates by TorchPPOOptimizer": 48 * per_cycle, "policy updates of Car": per_cycle},
    )
    assert found.agents == PACE / 64 * 2
    # Four slices of a cycle each: the cycles that a suspension cut add neither time nor timers.
    assert found.phases == Phases(
        collect_seconds=6.0, infer_seconds=1.0, update_seconds=2.0, wait_seconds=3.0, process_seconds=0.5
    )


def test_phases_are_known_for_all_slices_or_none() -> None:
    samples = suspended([2.0] * 8)
    slices = sliced(samples)
    third = next(index for index, one in enumerate(samples) if one.seconds == slices[2][1])
    samples[third] = Sample(samples[third].seconds, "update", samples[third].behaviors, {}, "Car")
    assert measured(samples, slices)[0].phases is None
    blind = suspended([2.0] * 8, timed=False)
    assert measured(blind, sliced(blind))[0].phases is None


def test_updates_that_fell_between_slices_count() -> None:
    samples = [sample(99.0, 1, 0, "tick")]
    samples += [sample(101, 1000, 1), sample(103, 2000, 2), sample(150, 5000, 9), sample(152, 6000, 10)]
    found, rates = measured(samples, [(101, 103), (150, 152)])
    assert rates == (500.0, 500.0)
    assert found.updates_per_1000_steps is not None
    assert found.updates_per_1000_steps.policy == 1000 * 9 / 5000


def test_fewer_than_two_slices_are_no_measurement() -> None:
    samples = suspended([2.0] * 8)
    slices = sliced(samples)
    assert measure_slices(samples, [], Cutting(), 1, 1) is None
    assert measure_slices(samples, slices[:1], Cutting(), 1, 1) is None
    assert measure_slices(samples, slices[:2], Cutting(), 1, 1) is not None


@pytest.mark.parametrize("where", [0, 3])
def test_a_slice_without_steps_or_time_is_no_measurement(where: int) -> None:
    samples = suspended([2.0] * 8)
    slices = sliced(samples)
    slices[where] = (slices[where][0], slices[where][0])
    assert measure_slices(samples, slices, Cutting(), 1, 1) is None


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng, covered, sessions = np.random.default_rng(9), 0, 1000
    for _ in range(sessions):
        samples = suspended((2.0 * np.exp(0.08 * rng.standard_normal(20) - 0.0032)).tolist(), timed=False)
        found, rates = measured(samples, sliced(samples))
        assert found.interval is not None and len(rates) == 10
        covered += found.interval[0] <= PACE / 2.0 <= found.interval[1]
    assert 0.90 <= covered / sessions <= 0.98
