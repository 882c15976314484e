"""Whether the machine kept its speed, by the time of a gradient step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from sweeper.measure.cycles import Cutting
from sweeper.measure.rate import Rule, measure
from sweeper.measure.steadiness import MAX_CHANGE, MIN_GRADIENT_STEPS, STRETCH_SECONDS, speed_change, steadiness_notes
from sweeper.model.findings import FindingKind
from sweeper.model.measurement import Sample
from tests.helpers.builders import sample

CYCLE_SECONDS, GRADIENT_STEPS = 2.0, 48
ALL = (0.0, 1e9)


def session(step_seconds: Callable[[float], float], seconds: float = 100.0, name: str = "Torch.update") -> list[Sample]:
    """An update every CYCLE_SECONDS with GRADIENT_STEPS steps, each of which takes what it takes at that time."""
    found, total = [], 0.0
    for number in range(1, int(seconds / CYCLE_SECONDS) + 1):
        at = CYCLE_SECONDS * number
        total += GRADIENT_STEPS * step_seconds(at)
        timers = {name: (total, GRADIENT_STEPS * number), "env_step": (at, number)}
        found.append(sample(at, 2048 * number, number, timers=timers))
    return found


def steps(*changes: tuple[float, float]) -> Callable[[float], float]:
    """Seconds of a gradient step, from each moment on."""
    return lambda at: next(seconds for start, seconds in reversed(changes) if at > start)


def test_a_machine_that_keeps_its_speed() -> None:
    samples = session(lambda _: 0.004)
    found = speed_change(samples, ALL)
    assert found is not None
    assert found.ratio == pytest.approx(1)
    assert steadiness_notes(samples, ALL) == []


def test_one_that_slows_down_is_told_with_its_figures() -> None:
    samples = session(steps((0, 0.004), (62, 0.0075)))
    found = speed_change(samples, ALL)
    assert found is not None
    assert (found.fastest_seconds, found.slowest_seconds) == pytest.approx((0.004, 0.0075))
    (note,) = steadiness_notes(samples, ALL)
    assert note.kind is FindingKind.MACHINE_UNSTEADY
    assert note.values == pytest.approx({"fastest_seconds": 0.004, "slowest_seconds": 0.0075})


@pytest.mark.parametrize(("factor", "is_told"), [(MAX_CHANGE - 0.01, False), (MAX_CHANGE + 0.01, True)])
def test_the_limit(factor: float, is_told: bool) -> None:
    samples = session(steps((0, 0.004 * factor), (62, 0.004)))
    assert bool(steadiness_notes(samples, ALL)) is is_told


def test_what_lies_outside_the_window_says_nothing() -> None:
    samples = session(steps((0, 0.02), (20, 0.004), (80, 0.02)))
    found = speed_change(samples, (20.0, 80.0))
    assert found is not None
    assert found.ratio == pytest.approx(1)


def test_where_several_behaviours_learn_the_work_differs() -> None:
    samples = session(steps((0, 0.004), (62, 0.008)))
    both = [replace(one, behaviors={**one.behaviors, "Truck": one.behaviors["Car"]}) for one in samples]
    assert speed_change(samples, ALL) is not None
    assert speed_change(both, ALL) is None


def without_timers(samples: Sequence[Sample]) -> list[Sample]:
    return [sample(one.seconds, one.steps, one.policy_updates) for one in samples]


@pytest.mark.parametrize(
    "samples",
    [
        [],
        without_timers(session(lambda _: 0.004)),
        session(lambda _: 0.004, seconds=1.9 * STRETCH_SECONDS),
        session(lambda _: 0.0),
        session(lambda _: 0.004, name="somebody.else"),
    ],
)
def test_too_little_to_tell(samples: list[Sample]) -> None:
    assert speed_change(samples, ALL) is None
    assert steadiness_notes(samples, ALL) == []


def test_a_stretch_with_few_gradient_steps_grows() -> None:
    """An update every 30 s with few steps each, every other one slow: two of them make a stretch."""
    few = MIN_GRADIENT_STEPS - 1
    totals = [0.1, 0.4, 0.5, 0.8, 0.9]
    samples = [sample(30.0 * n, 9 * n, n, timers={"A.update": (totals[n - 1], few * n)}) for n in range(1, 6)]
    found = speed_change(samples, ALL)
    assert found is not None
    assert (found.fastest_seconds, found.slowest_seconds) == pytest.approx((0.2 / few, 0.2 / few))


def test_nothing_is_left_over() -> None:
    """Of 59 s, the last 19 too: two equal stretches, not two of 20 s and a rest."""
    samples = session(steps((0, 0.004), (44, 0.008)), seconds=60.0)
    found = speed_change(samples, ALL)
    assert found is not None
    assert found.slowest_seconds > 0.006


def test_a_measurement_says_so() -> None:
    samples = [sample(0.0, 0, 0, "tick", decisions=1), *session(steps((0, 0.004), (62, 0.008)))]
    found = measure(samples, Rule(0.02, 90.0, Cutting(), 1), envs=1)
    assert found is not None
    assert FindingKind.MACHINE_UNSTEADY in [note.kind for note in found.notes]
