"""One session's samples become a measurement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeper.inputs.trainer_config import Behavior
from sweeper.measure.counters import UPDATE_TIMER
from sweeper.measure.cycles import BLOCK_SECONDS, Cutting, boundaries, cut_for, cutting
from sweeper.measure.flags import GOOD_CYCLES
from sweeper.measure.rate import Rule, current_rate, measure
from sweeper.model.findings import Finding, FindingKind
from sweeper.model.measurement import BehaviorCount, Measurement, Method, PerThousandSteps, Phases, Sample
from sweeper.model.session import Progress
from tests.helpers.builders import sample, session_of

CYCLES = Cutting()
RULE = Rule(precision=0.025, max_seconds=30.0, cut=CYCLES, warmup_cycles=1)


def behavior(trainer: str = "ppo", threaded: bool = False, buffer: int = 2048) -> Behavior:
    return Behavior("Car", trainer, 128, buffer, None, threaded, 64, 3)


def regular(count: int, steps: int = 2048, seconds: float = 2.0) -> list[Sample]:
    return session_of([(steps, seconds)] * count)


def two(at: float, a: tuple[int, int], b: tuple[int, int], updated: str | None) -> Sample:
    counts = {"A": BehaviorCount(a[0], a[0], a[1]), "B": BehaviorCount(b[0], b[0], b[1])}
    return Sample(at, "update" if updated else "tick", counts, {}, updated)


def measured(samples: Sequence[Sample], rule: Rule = RULE, envs: int = 1) -> Measurement:
    found = measure(samples, rule, envs)
    assert found is not None
    return found


def kinds(found: Measurement) -> list[FindingKind]:
    return [note.kind for note in found.notes]


class TestCycles:
    def test_cycles_for_on_policy_blocks_for_the_rest(self) -> None:
        assert cutting([behavior(), behavior("poca", buffer=4096)]) == Cutting(buffer_steps=4096)
        assert cutting([]) == Cutting()
        assert cutting([behavior("sac", buffer=50_000)]) == Cutting(0, BLOCK_SECONDS)
        assert cutting([behavior(threaded=True, buffer=512), behavior()]) == Cutting(512, BLOCK_SECONDS)
        assert Cutting().method is Method.CYCLES
        assert Cutting(min_seconds=2.0).method is Method.BLOCKS
        assert Cutting(min_seconds=2.0, edge="summary").method is Method.CONSOLE

    def test_what_the_learner_printed_is_cut_at_summaries(self) -> None:
        cut = Cutting(512, 2.0)
        assert cut_for([Sample(1.0, "summary")], cut) == Cutting(512, 2.0, "summary")
        assert cut_for([Sample(1.0, "hello"), Sample(2.0, "summary")], cut) is cut
        assert cut_for([], cut) is cut

    def test_summaries_may_come_more_often_than_updates(self) -> None:
        printed = [Sample(1.0, "summary")]
        assert cut_for(printed, Cutting(buffer_steps=2048)) == Cutting(2048, 0.0, "summary", 2048)
        assert cut_for(printed, Cutting(512, 2.0, buffer_steps=256)).min_steps == 512
        counts = [{"Car": BehaviorCount(steps=500 * at)} for at in range(1, 40)]
        samples = [Sample(0.5 * at, "summary", count, updated="Car") for at, count in enumerate(counts)]
        edges = boundaries(samples, cut_for(samples, Cutting(buffer_steps=2048)))
        assert {b.steps - a.steps for a, b in pairwise(edges)} == {2500}

    def test_boundaries_are_the_updates(self) -> None:
        samples = regular(3)
        samples.insert(3, sample(103.0, 3000, 1, "tick"))
        assert [edge.seconds for edge in boundaries(samples, CYCLES)] == [102.0, 104.0, 106.0]

    def test_none_without_updates_or_before_every_behaviour_updated(self) -> None:
        assert boundaries([], CYCLES) == []
        assert boundaries([sample(1.0, 500, 0, "tick")], CYCLES) == []
        assert boundaries([two(1, (100, 1), (50, 0), "A"), two(2, (200, 2), (90, 0), "A")], CYCLES) == []

    def test_a_behaviour_without_steps_does_not_count(self) -> None:
        samples = [two(1, (100, 1), (0, 0), "A"), two(2, (200, 2), (0, 0), "A")]
        assert len(boundaries(samples, CYCLES)) == 2

    def test_the_slowest_behaviour_ends_a_cycle(self) -> None:
        samples = [
            two(1, (100, 1), (10, 0), "A"),
            two(2, (200, 2), (60, 1), "B"),
            two(3, (300, 3), (70, 1), "A"),
            two(4, (400, 4), (120, 2), "B"),
            two(5, (500, 5), (130, 2), "A"),
            two(6, (600, 6), (180, 3), "B"),
            two(6.5, (650, 7), (180, 3), "A"),
            two(7, (700, 8), (190, 3), "A"),
            two(8, (800, 8), (240, 4), "B"),
        ]
        assert [edge.seconds for edge in boundaries(samples, CYCLES)] == [2, 4, 6, 8]
        found = measured(samples)
        assert (found.steps, found.measured_seconds) == ((800 + 240) - (400 + 120), 4)
        assert found.steps_per_second == 130.0
        assert found.updates_per_1000_steps == PerThousandSteps(
            gradient=None,
            policy=pytest.approx(1000 * (5 + 2) / 520),
            parts={"policy updates of A": 1000 * 5 / 400, "policy updates of B": pytest.approx(1000 * 2 / 120)},
        )

    def test_updates_at_unlike_rates_are_counted_over_their_own_cycles(self) -> None:
        """A updates every 12 s with 30 gradient updates, B every 10 s with 6; both collect 100 steps a second.

        Between two edges of B, A updated once in 20 s: counted there it would learn 40 % less than it does.
        """
        times = sorted([(at, "A") for at in range(5, 100, 12)] + [(at, "B") for at in range(10, 50, 10)])
        samples, counts, gradient = [], Counter[str](), 0
        for at, name in times[:8]:
            counts[name] += 1
            gradient += {"A": 30, "B": 6}[name]
            behaviors = {one: BehaviorCount(100 * at, 100 * at, counts[one]) for one in ("A", "B")}
            samples.append(Sample(at, "update", behaviors, {"PPO.update": (0.0, gradient)}, name))
        found = measure(samples, replace(RULE, warmup_cycles=0), 1)
        assert found is not None
        told = found.updates_per_1000_steps
        assert told is not None
        assert told.parts["policy updates of A"] == pytest.approx(1 / 1.2)
        assert told.parts["policy updates of B"] == pytest.approx(1.0)
        assert told.policy == pytest.approx((1 / 1.2 + 1) / 2)
        assert told.gradient == pytest.approx((30 / 1.2 + 6) / 2)
        assert told.parts["gradient updates by PPO"] == told.gradient

    def test_blocks_are_at_least_so_long_and_so_large(self) -> None:
        samples = [sample(0.5 * index, 100 * index, index) for index in range(1, 30)]
        edges = boundaries(samples, Cutting(min_seconds=2.0))
        assert {b.seconds - a.seconds for a, b in pairwise(edges)} == {2.0}
        edges = boundaries(samples, Cutting(min_steps=750, min_seconds=2.0))
        assert {b.steps - a.steps for a, b in pairwise(edges)} == {800}

    def test_current_rate(self) -> None:
        assert current_rate(regular(1), CYCLES) is None
        assert current_rate(regular(2), CYCLES) == 1024.0
        slow_first = session_of([(2048, 2.0), (2048, 8.0), (2048, 2.0), (2048, 2.0)])
        assert current_rate(slow_first, CYCLES) == 1024.0
        assert current_rate([sample(1.0, 10, 1), sample(1.0, 20, 2)], CYCLES) is None


class TestMeasure:
    def test_regular_cycles_give_the_exact_rate(self) -> None:
        found = measured(regular(10))
        assert found.steps_per_second == 1024.0
        assert found.interval == (1024.0, 1024.0)
        assert found.relative_standard_error == 0.0
        assert (found.cycles, found.steps, found.measured_seconds) == (8, 8 * 2048, 16.0)
        assert found.warmup_seconds == 4.0  # the first buffer, and one cycle
        assert (found.window, found.warmup_cycles, found.method) == ((104.0, 120.0), 1, Method.CYCLES)
        assert found.notes == ()
        assert (found.phases, found.agents) == (None, None)

    @pytest.mark.parametrize("warmup", [1, None])
    def test_the_first_cycles_do_not_count(self, warmup: int | None) -> None:
        samples = session_of([(2048, 60.0), (2048, 9.0)] + [(2048, 2.0)] * 8)
        found = measured(samples, Rule(0.025, 300.0, CYCLES, warmup))
        assert found.steps_per_second == 1024.0
        assert found.warmup_seconds == 69.0

    def test_the_pilot_finds_its_warm_up_and_a_fixed_one_is_kept(self) -> None:
        slow_start = session_of([(2048, 6.0), (2048, 4.0), (2048, 3.5), (2048, 3.0)] + [(2048, 1.99), (2048, 2.01)] * 6)
        pilot = measured(slow_start, Rule(0.025, 300.0, CYCLES))
        assert (pilot.warmup_cycles, pilot.cycles) == (3, 12)
        assert pilot.steps_per_second == pytest.approx(1024.0)
        for warmup in (1, 2, 5):
            fixed = measured(slow_start, Rule(0.025, 300.0, CYCLES, warmup))
            assert (fixed.warmup_cycles, fixed.cycles) == (warmup, 15 - warmup)
        assert measured(slow_start, Rule(0.025, 300.0, CYCLES, 1)).steps_per_second < 980
        assert measure(slow_start, Rule(0.025, 300.0, CYCLES, 14), 1) is None

    def test_a_window_cut_elsewhere_would_be_off(self) -> None:
        """Steps arrive while collecting (1 s) and stop while updating (1 s): a tick's window is wrong by a cycle."""
        samples = regular(6)
        samples += [sample(103.0 + 2 * tick, 2048 * (tick + 2), tick + 1, "tick") for tick in range(6)]
        samples.sort(key=lambda item: item.seconds)
        assert measured(samples).steps_per_second == 1024.0
        first, last = samples[3], samples[-2]
        assert (first.kind, last.kind) == ("tick", "update")
        naive = (last.steps - first.steps) / (last.seconds - first.seconds)
        assert abs(naive / 1024.0 - 1) > 0.05

    @given(st.integers(3, 12), st.floats(0.01, 100), st.integers(100, 100_000))
    @settings(deadline=None, max_examples=50)
    def test_any_regular_session_is_exact(self, count: int, seconds: float, steps: int) -> None:
        found = measured(regular(count + 1, steps, seconds))
        assert found.steps_per_second == pytest.approx(steps / seconds, rel=1e-9)
        assert found.cycles == count - 1

    def test_never_a_measurement_without_updates(self) -> None:
        ticks = [sample(100.0 + index, 1000 * index, 0, "tick") for index in range(60)]
        assert measure(ticks, RULE, 1) is None
        assert measure([], RULE, 1) is None
        assert current_rate(ticks, CYCLES) is None

    @pytest.mark.parametrize("count", [0, 1, 2, 3])
    def test_too_few_cycles_are_no_measurement(self, count: int) -> None:
        assert measure(regular(count), RULE, 1) is None

    def test_steps_that_stand_still_are_no_measurement(self) -> None:
        samples = [sample(100.0, 1, 0, "tick")] + [sample(100.0 + index, 500, index) for index in range(1, 9)]
        assert measure(samples, RULE, 1) is None

    def test_few_cycles_are_said(self) -> None:
        found = measured(regular(5))
        assert found.cycles == 3
        assert found.notes == (Finding(FindingKind.TOO_FEW_CYCLES, {"cycles": 3, "good_cycles": GOOD_CYCLES}),)

    def test_noise_above_the_precision_is_said(self) -> None:
        samples = session_of([(2048, 2.0), (2048, 2.0)] + [(2048, 1.0), (2048, 3.0)] * 5)
        assert kinds(measured(samples)) == [FindingKind.NOT_PRECISE]
        assert kinds(measured(samples, Rule(0.5, 30.0, CYCLES, 1))) == []

    def test_blocks_are_said(self) -> None:
        found = measured(regular(12), Rule(0.025, 30.0, Cutting(min_seconds=2.0), 1))
        assert (found.method, kinds(found)) == (Method.BLOCKS, [FindingKind.BLOCKS_NOT_CYCLES])

    def test_trend_and_outliers_are_said(self) -> None:
        slower = session_of([(2048, 2.0 + 0.1 * index) for index in range(12)])
        assert FindingKind.TREND in kinds(measured(slower))
        cycles = [(2048, 1.99), (2048, 2.01), (2048, 2.0)] * 5
        cycles[8] = (2048, 9.0)
        assert FindingKind.OUTLIER_CYCLES in kinds(measured(session_of(cycles)))

    def test_the_interval_is_students(self) -> None:
        cycles = [(2048, 2.0)] * 2 + [(2048, 1.9), (2048, 2.1), (2048, 2.0), (2048, 2.05)]
        found = measured(session_of(cycles))
        assert found.relative_standard_error is not None
        half = found.steps_per_second * found.relative_standard_error * 3.182446  # t of 3 degrees, 97.5 %
        assert found.interval == pytest.approx((found.steps_per_second - half, found.steps_per_second + half), rel=1e-6)

    def test_an_interval_never_falls_below_nothing(self) -> None:
        found = measured(session_of([(2048, 2.0)] * 2 + [(2048, 0.1), (2048, 60.0)]), Rule(0.025, 30.0, CYCLES, 1))
        assert found.interval is not None and found.interval[0] == 0.0

    def test_the_time_of_updates_is_that_of_the_cycles_they_end(self) -> None:
        """The learner closes an update's timer after it was reported: the next sample tells its time."""
        took = [0.5, 0.5, 1.5, 0.25, 0.75, 1.0, 0.5, 0.125]
        samples = [sample(98.0, 1, 0, "tick")]
        for number in range(1, 8):
            timers = {"_update_policy": (sum(took[:number]), number), "env_step": (3.0 * number, 10 * number)}
            samples.append(sample(100.0 + 2 * number, 2048 * number, number, timers=timers))
        found = measured(samples)
        assert (found.cycles, found.window) == (5, (samples[2].seconds, samples[7].seconds))
        assert found.phases is not None and found.phases.update_seconds == sum(took[2:7])
        timers = {"_update_policy": (sum(took), 8), "env_step": (24.0, 80)}
        told = measured([*samples, replace(samples[7], seconds=115.0, kind="tick", timers=timers)])
        assert told.phases is not None and told.phases.update_seconds == sum(took[3:8])

    def test_phases_agents_and_gradient_steps_come_from_the_timers(self) -> None:
        def at(number: int) -> dict[str, tuple[float, int]]:
            return {
                "_update_policy": (0.5 * number, number),
                "env_step": (3.0 * number, 10 * number),
                "env_step.self": (1.0 * number, 10 * number),
                "process_trajectory": (0.125 * number, 10 * number),
                "SubprocessEnvManager._take_step": (0.25 * number, 10 * number),
                "TorchPPOOptimizer.update": (0.4 * number, 48 * number),
                "UnityEnvironment.step": (0.9 * number, 128 * number),
                "communicator.exchange": (0.75 * number, 128 * number),
                "worker_root": (1.5 * number, 128 * number),
            }

        samples = [sample(98.0, 1, 0, "tick")]
        samples += [sample(100.0 + 2 * number, 2048 * number, number, timers=at(number)) for number in range(1, 7)]
        found = measured(samples, envs=2)
        assert found.cycles == 4
        assert found.phases == Phases(
            collect_seconds=6.0, infer_seconds=1.0, update_seconds=2.0, wait_seconds=4.0, process_seconds=0.5,
            worker_seconds=6.0, player_seconds=3.0,
        )  # fmt: skip
        assert found.agents == 2048 / 128 * 2
        assert found.updates_per_1000_steps is not None
        assert found.updates_per_1000_steps.gradient == 1000 * 4 * 48 / (4 * 2048)
        edges = [index for index, one in enumerate(samples) if one.seconds == found.window[0]]
        samples[edges[0]] = replace(samples[edges[0]], timers={})  # the learner was changing them at this instant
        untold = measured(samples, envs=2)
        assert (untold.phases, untold.agents) == (None, None)
        assert untold.updates_per_1000_steps is not None and untold.updates_per_1000_steps.gradient is None


class TestBriefSessions:
    """Sessions of a search that asks another one rather than know this one better."""

    RULE = Rule(0.025, 120.0, CYCLES, 1, 4.0, is_brief=True, least_cycles=1, long_cycle_seconds=2.0)
    PILOT = replace(RULE, warmup_cycles=None, long_cycle_seconds=5.0)
    WHOLE = Rule(0.05, 30.0, CYCLES, 1, 4.0)

    def test_two_cycles_are_enough_whatever_their_precision(self) -> None:
        samples = session_of([(2048, 2.0), (2048, 1.9), (2048, 1.0), (2048, 3.5)])
        assert self.RULE(samples[:-1]) is Progress.GO_ON
        assert self.RULE(samples) is Progress.ENOUGH
        assert replace(self.RULE, is_brief=False)(samples) is Progress.GO_ON
        assert kinds(measured(samples, self.RULE)) == []

    def test_of_one_long_cycle_the_error_is_not_known(self) -> None:
        samples = session_of([(2048, 9.0), (2048, 8.0)])
        assert self.RULE(samples) is Progress.ENOUGH
        found = measured(samples, self.RULE)
        assert found.steps_per_second == 2048 / 8.0
        assert (found.interval, found.relative_standard_error, found.cycles) == (None, None, 1)

    @pytest.mark.parametrize("cut", [CYCLES, Cutting(min_steps=2048, min_seconds=2.0)])
    def test_long_cycles_have_no_warm_up_to_drop(self, cut: Cutting) -> None:
        """Whether updates run beside collecting or not; where 10 s are asked for, a second one is all that it takes."""
        rule = replace(self.RULE, cut=cut)
        one = session_of([(2048, 9.0), (2048, 8.0)])
        assert rule(one) is Progress.ENOUGH
        longer = replace(rule, min_seconds=10.0)
        assert longer(one) is Progress.GO_ON
        two = session_of([(2048, 9.0), (2048, 8.0), (2048, 8.4)])
        assert longer(two) is Progress.ENOUGH
        found = measured(two, longer)
        assert (found.cycles, found.steps_per_second) == (2, pytest.approx(4096 / 16.4))

    def test_blocks_of_a_replay_buffer_are_no_cycles(self) -> None:
        rule = replace(self.RULE, cut=Cutting(min_seconds=2.0))
        assert rule(session_of([(2048, 9.0), (2048, 8.0)])) is Progress.GO_ON

    def test_one_short_cycle_waits_for_another(self) -> None:
        assert measure(session_of([(2048, 9.0), (2048, 1.9)]), self.RULE, 1) is None

    def test_cycles_of_some_seconds_are_taken_as_they_come_until_the_time_asked_for(self) -> None:
        one, two = ([(2048, 9.0), *[(2048, 2.5)] * count] for count in (1, 2))
        assert self.RULE(session_of(one)) is Progress.GO_ON
        assert self.RULE(session_of(two)) is Progress.ENOUGH
        assert measured(session_of(two), self.RULE).cycles == 2

    def test_decisions_are_counted_where_steps_come_in_bursts(self) -> None:
        """Trajectories in flight at both ends: 5,120 steps arrived, and 5,656 were made."""
        ends = [(100.0, 0, 1), (106.0, 5120, 6168), (112.2, 10240, 11824)]
        samples = [
            sample(at, steps, number, "update" if number else "tick", decisions=decisions)
            for number, (at, steps, decisions) in enumerate(ends)
        ]
        assert measured(samples, self.RULE).steps_per_second == pytest.approx(5656 / 6.2)
        with_self_play = replace(self.RULE, cut=Cutting(in_decisions=False))
        assert measured(samples, with_self_play).steps_per_second == pytest.approx(5120 / 6.2)
        more = [*samples, sample(118.0, 15360, 3, decisions=17000)]
        assert measured(more, self.RULE).steps_per_second == pytest.approx((17000 - 6168) / 12.0)
        untold = [replace(one, behaviors={"Car": replace(one.behaviors["Car"], decisions=0)}) for one in samples[1:]]
        assert measured([samples[0], *untold], self.RULE).steps_per_second == pytest.approx(5120 / 6.2)

    def test_a_pilot_finds_its_warm_up_unless_cycles_are_very_long(self) -> None:
        short = session_of([(2048, 9.0), (2048, 4.5)])
        assert self.PILOT(short) is Progress.GO_ON
        assert measure(short, self.PILOT, 1) is None
        assert measured(session_of([(2048, 9.0), (2048, 8.0)]), self.PILOT).cycles == 1

    @given(
        st.lists(st.floats(0.3, 12.0), min_size=1, max_size=12),
        st.sampled_from([RULE, PILOT, WHOLE, replace(WHOLE, warmup_cycles=None)]),
        st.sampled_from([CYCLES, Cutting(min_steps=2048, min_seconds=2.0), Cutting(min_seconds=2.0)]),
        st.sampled_from([4.0, 10.0, 25.0]),
    )
    def test_what_ended_because_enough_was_seen_has_a_number(
        self, seconds: list[float], rule: Rule, cut: Cutting, least: float
    ) -> None:
        asked = replace(rule, cut=cut, min_seconds=least)
        samples = session_of([(2048, one) for one in seconds])
        for count in range(1, len(samples) + 1):
            if asked(samples[:count]) is Progress.ENOUGH:
                assert measure(samples[:count], asked, 1) is not None

    def test_a_pilot_has_two_cycles_for_it_is_evidence(self) -> None:
        rule = replace(self.RULE, least_cycles=2)
        assert rule(session_of([(2048, 9.0), (2048, 8.0)])) is Progress.GO_ON

    def test_it_waits_until_the_last_updates_time_is_told(self) -> None:
        timers = {UPDATE_TIMER: (1.0, 1)}
        samples = [replace(one, timers=timers) for one in session_of([(2048, 9.0), (2048, 8.0)])]
        assert self.RULE(samples) is Progress.GO_ON
        tick = replace(samples[-1], kind="tick", seconds=samples[-1].seconds + 0.5)
        assert self.RULE([*samples, tick]) is Progress.ENOUGH


def test_a_short_limit_does_not_make_slow_settings_too_slow() -> None:
    samples = session_of([(2048, 30.0), (2048, 30.0)])
    assert Rule(0.025, 10.0, CYCLES, 1)(samples) is Progress.GO_ON
    assert Rule(0.025, 10.0, CYCLES, 1)(session_of([(2048, 60.0), (2048, 61.0)])) is Progress.HOPELESS
