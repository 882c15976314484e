"""One session's samples become a measurement."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.measure.cycles import BLOCK_SECONDS, Cutting, boundaries, cutting
from sweeper.measure.rate import GOOD_CYCLES, PATIENCE, StopRule, current_rate, measure, relative_standard_error
from sweeper.model.measurement import BehaviorCount, NoteKind, PerThousandSteps, Phases, Sample
from sweeper.model.session import Progress
from sweeper.trainer_config import Behavior
from tests.unit.builders import sample, session_of

CYCLES = Cutting()


def behavior(trainer: str = "ppo", threaded: bool = False, buffer: int = 2048) -> Behavior:
    return Behavior("Car", trainer, 128, buffer, None, threaded, 64, 3)


def regular(count: int, steps: int = 2048, seconds: float = 2.0) -> list[Sample]:
    return session_of([(steps, seconds)] * count)


def two(at: float, a: tuple[int, int], b: tuple[int, int], updated: str | None) -> Sample:
    counts = {"A": BehaviorCount(a[0], a[0], a[1]), "B": BehaviorCount(b[0], b[0], b[1])}
    return Sample(at, "update" if updated else "tick", counts, {}, updated)


def test_cycles_for_on_policy_blocks_for_the_rest() -> None:
    assert cutting([behavior(), behavior("poca")]) == Cutting()
    assert cutting([behavior("sac", buffer=50_000)]) == Cutting(0, BLOCK_SECONDS)
    assert cutting([behavior(threaded=True, buffer=512), behavior()]) == Cutting(512, BLOCK_SECONDS)
    assert Cutting().has_cycles
    assert not Cutting(min_seconds=2.0).has_cycles


def test_boundaries_are_the_updates() -> None:
    samples = regular(3)
    samples.insert(3, sample(103.0, 3000, 1, "tick"))
    assert [edge.seconds for edge in boundaries(samples, CYCLES)] == [102.0, 104.0, 106.0]


def test_no_boundaries_without_updates_or_before_every_behaviour_updated() -> None:
    assert boundaries([], CYCLES) == []
    assert boundaries([sample(1.0, 500, 0, "tick")], CYCLES) == []
    assert boundaries([two(1, (100, 1), (50, 0), "A"), two(2, (200, 2), (90, 0), "A")], CYCLES) == []


def test_a_behaviour_without_steps_does_not_count() -> None:
    samples = [two(1, (100, 1), (0, 0), "A"), two(2, (200, 2), (0, 0), "A")]
    assert len(boundaries(samples, CYCLES)) == 2


def test_the_slowest_behaviour_ends_a_cycle() -> None:
    samples = [
        two(1, (100, 1), (10, 0), "A"),
        two(2, (200, 2), (60, 1), "B"),
        two(3, (300, 3), (70, 1), "A"),
        two(4, (400, 4), (120, 2), "B"),
        two(5, (500, 5), (130, 2), "A"),
        two(6, (600, 6), (180, 3), "B"),
        two(8, (800, 8), (240, 4), "B"),
    ]
    assert [edge.seconds for edge in boundaries(samples, CYCLES)] == [2, 4, 6, 8]
    found = measure(samples, CYCLES, 0.025, 1)
    assert found is not None
    assert (found.steps, found.measured_seconds) == ((800 + 240) - (400 + 120), 4)
    assert found.steps_per_second == 130.0
    assert found.updates_per_1000_steps.policy == pytest.approx(1000 * (12 - 6) / 520)


def test_blocks_are_at_least_so_long_and_so_large() -> None:
    samples = [sample(0.5 * index, 100 * index, index) for index in range(1, 30)]
    edges = boundaries(samples, Cutting(min_seconds=2.0))
    assert {b.seconds - a.seconds for a, b in pairwise(edges)} == {2.0}
    edges = boundaries(samples, Cutting(min_steps=750, min_seconds=2.0))
    assert {b.steps - a.steps for a, b in pairwise(edges)} == {800}


def test_regular_cycles_give_the_exact_rate() -> None:
    found = measure(regular(10), CYCLES, 0.025, 1)
    assert found is not None
    assert found.steps_per_second == 1024.0
    assert found.interval == (1024.0, 1024.0)
    assert found.relative_standard_error == 0.0
    assert (found.cycles, found.steps, found.measured_seconds) == (8, 8 * 2048, 16.0)
    assert found.warmup_seconds == 4.0  # the first buffer, and one cycle
    assert found.updates_per_1000_steps == PerThousandSteps(
        gradient=None, policy=1000 / 2048, parts={"policy updates of Car": 1000 / 2048}
    )
    assert found.notes == ()
    assert (found.phases, found.agents) == (None, None)


def test_the_first_cycles_do_not_count() -> None:
    samples = session_of([(2048, 60.0), (2048, 9.0)] + [(2048, 2.0)] * 8)
    found = measure(samples, CYCLES, 0.025, 1)
    assert found is not None
    assert found.steps_per_second == 1024.0
    assert found.warmup_seconds == 69.0


def test_a_window_cut_elsewhere_would_be_off() -> None:
    """Steps arrive while collecting (1 s) and stop while updating (1 s): a tick's window is wrong by up to a cycle."""
    samples = regular(6)
    for tick in range(6):
        at = 102.0 + 2 * tick
        samples.append(sample(at + 1.0, 2048 * (tick + 2), tick + 1, "tick"))
    samples.sort(key=lambda item: item.seconds)
    found = measure(samples, CYCLES, 0.025, 1)
    assert found is not None
    assert found.steps_per_second == 1024.0
    first, last = samples[3], samples[-2]
    assert (first.kind, last.kind) == ("tick", "update")
    naive = (last.steps - first.steps) / (last.seconds - first.seconds)
    assert abs(naive / 1024.0 - 1) > 0.05


@given(st.integers(3, 12), st.floats(0.01, 100), st.integers(100, 100_000))
@settings(deadline=None, max_examples=50)
def test_any_regular_session_is_exact(count: int, seconds: float, steps: int) -> None:
    found = measure(regular(count + 1, steps, seconds), CYCLES, 0.025, 1)
    assert found is not None
    assert found.steps_per_second == pytest.approx(steps / seconds, rel=1e-9)
    assert found.cycles == count - 1


def test_never_a_measurement_without_updates() -> None:
    ticks = [sample(100.0 + index, 1000 * index, 0, "tick") for index in range(60)]
    assert measure(ticks, CYCLES, 0.025, 1) is None
    assert measure([], CYCLES, 0.025, 1) is None
    assert current_rate(ticks, CYCLES) is None


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_too_few_cycles_are_no_measurement(count: int) -> None:
    assert measure(regular(count), CYCLES, 0.025, 1) is None


def test_steps_that_stand_still_are_no_measurement() -> None:
    samples = [sample(100.0, 1, 0, "tick")] + [sample(100.0 + index, 500, index) for index in range(1, 9)]
    assert measure(samples, CYCLES, 0.025, 1) is None


def test_few_cycles_are_said() -> None:
    found = measure(regular(5), CYCLES, 0.025, 1)
    assert found is not None
    assert found.cycles == 3
    assert [note.kind for note in found.notes] == [NoteKind.TOO_FEW_CYCLES]
    assert "Only 3 whole cycles" in found.notes[0].text


def test_noise_above_the_precision_is_said() -> None:
    samples = session_of([(2048, 2.0), (2048, 2.0)] + [(2048, 1.0), (2048, 3.0)] * 5)
    found = measure(samples, CYCLES, 0.025, 1)
    assert found is not None
    assert [note.kind for note in found.notes] == [NoteKind.NOT_PRECISE]


def test_blocks_are_said() -> None:
    found = measure(regular(12), Cutting(min_seconds=2.0), 0.025, 1)
    assert found is not None
    assert [note.kind for note in found.notes] == [NoteKind.BLOCKS_NOT_CYCLES]


def test_standard_error_by_hand() -> None:
    edges = [sample(0, 0, 1), sample(1.0, 100, 2), sample(3.0, 300, 3), sample(4.0, 440, 4)]
    # r = 110; residuals -10, -20, 30: sqrt(3 / 2 * 1400) / 4 / 110
    assert relative_standard_error(edges) == pytest.approx((1.5 * 1400) ** 0.5 / 4 / 110)
    assert relative_standard_error(edges[:2]) is None
    assert relative_standard_error([]) is None


def test_the_interval_is_students() -> None:
    cycles = [(2048, 2.0)] * 2 + [(2048, 1.9), (2048, 2.1), (2048, 2.0), (2048, 2.05)]
    found = measure(session_of(cycles), CYCLES, 0.025, 1)
    assert found is not None
    assert found.relative_standard_error is not None
    assert found.interval is not None
    half = found.steps_per_second * found.relative_standard_error * 3.182446  # t of 3 degrees, 97.5 %
    assert found.interval == pytest.approx((found.steps_per_second - half, found.steps_per_second + half), rel=1e-6)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    chooser, covered, sessions = random.Random(5), 0, 500
    for _ in range(sessions):
        cycles = [
            (2048 + chooser.randint(0, 256), 2.0 * chooser.lognormvariate(0.0, 0.08))
            for _ in range(chooser.randint(8, 12) + 2)
        ]
        found = measure(session_of(cycles), CYCLES, 0.025, 1)
        assert found is not None
        assert found.interval is not None
        truth = (2048 + 128) / (2.0 * 2.718281828 ** (0.08**2 / 2))
        covered += found.interval[0] <= truth <= found.interval[1]
    assert 0.90 <= covered / sessions <= 0.98


def test_phases_agents_and_gradient_steps_come_from_the_timers() -> None:
    def at(number: int) -> dict[str, tuple[float, int]]:
        return {
            "_update_policy": (0.5 * number, number),
            "env_step": (3.0 * number, 10 * number),
            "env_step.self": (1.0 * number, 10 * number),
            "SubprocessEnvManager._take_step": (0.25 * number, 10 * number),
            "TorchPPOOptimizer.update": (0.4 * number, 48 * number),
            "UnityEnvironment.step": (0.9 * number, 128 * number),
        }

    samples = [sample(98.0, 1, 0, "tick")]
    samples += [sample(100.0 + 2 * number, 2048 * number, number, timers=at(number)) for number in range(1, 7)]
    found = measure(samples, CYCLES, 0.025, envs=2)
    assert found is not None
    assert found.cycles == 4
    assert found.phases == Phases(collect_seconds=6.0, infer_seconds=1.0, update_seconds=2.0, wait_seconds=4.0)
    assert found.agents == 2048 / 128 * 2
    assert found.updates_per_1000_steps.gradient == 1000 * 4 * 48 / (4 * 2048)


def test_current_rate() -> None:
    assert current_rate(regular(1), CYCLES) is None
    assert current_rate(regular(2), CYCLES) == 1024.0
    slow_first = session_of([(2048, 2.0), (2048, 8.0), (2048, 2.0), (2048, 2.0)])
    assert current_rate(slow_first, CYCLES) == 1024.0


class TestStopRule:
    rule = StopRule(precision=0.025, max_seconds=30.0, cut=CYCLES)

    def progress(self, cycles: Sequence[tuple[float, float]]) -> list[Progress]:
        samples = session_of(cycles)
        return [self.rule(samples[: count + 2]) for count in range(1, len(cycles) + 1)]

    def test_nothing_has_started(self) -> None:
        assert self.rule([]) is Progress.GO_ON
        assert self.rule([Sample(1.0, "hello"), Sample(900.0, "trainer")]) is Progress.GO_ON

    def test_enough_as_soon_as_it_is_precise(self) -> None:
        answers = self.progress([(2048, 2.0)] * (GOOD_CYCLES + 2))
        assert answers[:-1] == [Progress.GO_ON] * (GOOD_CYCLES + 1)
        assert answers[-1] is Progress.ENOUGH

    def test_noise_goes_on_until_time_is_up(self) -> None:
        answers = self.progress([(2048, 1.0), (2048, 3.0)] * 10)
        assert answers.index(Progress.ENOUGH) == 15  # 29 s after 15 cycles, 32 s after 16

    def test_few_long_cycles_end_with_the_time(self) -> None:
        answers = self.progress([(2048, 9.0)] * 4)
        assert answers == [Progress.GO_ON] * 3 + [Progress.ENOUGH]

    def test_cycles_too_long_to_get_two_are_hopeless(self) -> None:
        answers = self.progress([(2048, 29.0)] * 3)
        assert answers == [Progress.GO_ON] * 3
        assert self.progress([(2048, 15.0 * PATIENCE)] * 2) == [Progress.GO_ON, Progress.HOPELESS]

    def test_no_update_at_all_is_hopeless(self) -> None:
        limit = int(30 * PATIENCE)
        ticks = [sample(100.0 + index, 100 * index, 0, "tick") for index in range(1, limit + 10)]
        answers = [self.rule(ticks[:count]) for count in range(1, limit + 10)]
        assert answers.index(Progress.HOPELESS) == limit
        assert set(answers[:limit]) == {Progress.GO_ON}


def test_current_rate_of_no_time() -> None:
    assert current_rate([sample(1.0, 10, 1), sample(1.0, 20, 2)], CYCLES) is None
