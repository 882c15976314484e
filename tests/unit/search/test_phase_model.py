"""What the phase model makes of sessions, room by room."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy
import pytest

from sweeper.model.findings import Finding, FindingKind
from sweeper.model.measurement import PerThousandSteps, Phases
from sweeper.model.trial import Outcome, Params, Stage, TrialResult, configuration_key
from sweeper.plan.space import Space
from sweeper.search.phase.coordinates import ActsOn, acts_on, coordinates
from sweeper.search.phase.cost import overheads, windows
from sweeper.search.phase.feasible import chances_to_fit, keep_guard
from sweeper.search.phase.gain import expected_regret, improvement, knowledge_gradient
from sweeper.search.phase.posterior import Posterior, believe
from sweeper.search.phase.readings import MOST, readings
from sweeper.search.sampler import PhaseSampler
from sweeper.study.history import History
from tests.helpers.builders import GIB, PPO, params_of, space_of, trial_of
from tests.helpers.world import World

STUDY = (
    "env_path: b\nbaseline: {num_envs: 1}\n"
    "space: {num_envs: [1, 2, 4, 8], num_areas: [1, 4], batch_size: [64, 128, 256], threaded: [false, true]}\n"
)
SPACE = space_of(STUDY)
ALL = list(SPACE.combinations())
PLACES = {configuration_key(params): place for place, params in enumerate(ALL)}


def believed(world: World) -> Posterior:
    return believe(coordinates(SPACE, ALL, 8), PLACES, readings(world.trials))


def place(*params: int, threaded: bool = False) -> int:
    return PLACES[configuration_key(params_of(*params, threaded=threaded))]


def pace(found: Posterior, at: int) -> float:
    return math.exp(float(found.mean[at]))


class TestCoordinates:
    def test_numbers_are_octaves_and_environments_count_from_the_cores(self) -> None:
        where = coordinates(SPACE, [params_of(1, 4, 256), params_of(8, 1, 64, threaded=True)], 8)
        assert [axis.knob for axis in where.axes] == ["num_envs", "num_areas", "batch_size"]
        assert where.points.tolist() == [[-3, 2, 8], [0, 0, 6]]
        assert where.threaded.tolist() == [0, 1]

    def test_words_have_no_order_and_zero_is_no_octave(self) -> None:
        params: list[Params] = [{"a": "linear", "b": 0.0}, {"a": "constant", "b": 0.5}]
        where = coordinates(replace(SPACE, baseline={"a": "linear", "b": 0.0}), params, 8)
        assert [axis.is_ordered for axis in where.axes] == [False, True]
        assert numpy.isfinite(where.points).all()

    def test_what_is_not_known_acts_on_both_phases(self) -> None:
        assert acts_on("num_areas") is ActsOn.COLLECTING
        assert acts_on("hyperparameters.num_epoch") is ActsOn.UPDATING
        assert acts_on("network_settings.hidden_units") == ActsOn.COLLECTING | ActsOn.UPDATING


class TestReadings:
    def test_phases_share_the_measured_pace(self) -> None:
        trial = trial_of(0, rate=500.0, phases=Phases(7.5, 0.0, 2.5, 0.0), measured_seconds=10.0, cycles=4)
        (found,) = readings([trial])
        assert math.exp(found.collecting or 0.0) == pytest.approx(0.0015)
        assert math.exp(found.updating or 0.0) == pytest.approx(0.0005)
        assert math.exp(found.total or 0.0) == pytest.approx(0.002)

    def test_overlapping_phases_cannot_be_told_apart(self) -> None:
        (found,) = readings([trial_of(0, params_of(threaded=True), phases=Phases(7.5, 0.0, 2.5, 0.0))])
        assert [kind for _, kind in found.rows] == [2]

    def test_of_one_that_was_outpaced_collecting_is_known_and_no_more(self) -> None:
        trial = trial_of(0, outcome=Outcome.OUTPACED, collecting_steps_per_second=500.0)
        (found,) = readings([trial])
        assert found.rows == [(pytest.approx(-math.log(500.0)), 0)]

    def test_a_phase_that_took_no_time_is_no_infinity(self) -> None:
        (found,) = readings([trial_of(0, phases=Phases(10.0, 0.0, 0.0, 0.0))])
        assert found.updating is not None
        assert math.isfinite(found.updating)

    def test_what_chooses_nobody_is_left_out(self) -> None:
        others = [
            trial_of(1, stage=Stage.CONFIRMATION),
            trial_of(2, slices=(1000.0,)),
            trial_of(3, outcome=Outcome.CRASHED),
        ]
        assert len(readings([trial_of(0), *others])) == 1

    def test_what_it_told_of_other_batch_sizes_scales_with_its_own_update(self) -> None:
        told = {"64": 0.6, "128": 0.4, "256": 0.3}
        (found,) = readings([trial_of(0, rate=500.0, phases=Phases(7.5, 0.0, 2.5, 0.0), update_seconds=told)])
        seconds = {key: math.exp(value) for key, value in found.updating_of.items()}
        expected = {64: 0.0005 * 0.6 / 0.4, 256: 0.0005 * 0.3 / 0.4}
        assert seconds == pytest.approx({configuration_key(params_of(batch=b)): s for b, s in expected.items()})

    def test_without_its_own_size_it_told_nothing(self) -> None:
        phases = Phases(7.5, 0.0, 2.5, 0.0)
        (found,) = readings([trial_of(0, phases=phases, update_seconds={"64": 0.6})])
        assert found.updating_of == {}

    def test_of_very_many_the_fastest_and_the_latest(self) -> None:
        trials = [trial_of(at, rate=1000.0 + (at == 5), phases=None) for at in range(3 * MOST)]
        found = readings(trials)
        assert len(found) == MOST
        assert any(one.total == pytest.approx(-math.log(1001)) for one in found)


class TestPosterior:
    def test_a_session_teaches_about_all_that_share_a_phase(self) -> None:
        world = World(SPACE, noise=0.0)
        for params in (params_of(1, 1, 128), params_of(8, 1, 128), params_of(1, 1, 64)):
            world.measure(params, seconds=60.0)
        # Never measured, each of its phases was.
        assert pace(believed(world), place(8, 1, 64)) == pytest.approx(world.pace(params_of(8, 1, 64)), rel=0.1)

    def test_one_session_tells_of_every_batch_size(self) -> None:
        known, unknown = (World(SPACE, noise=0.0, tells_sizes=tells) for tells in (True, False))
        for world in (known, unknown):
            world.measure(params_of(1, 1, 128), seconds=60.0)
        at = place(1, 1, 64)
        assert pace(believed(known), at) == pytest.approx(known.pace(params_of(1, 1, 64)), rel=0.05)
        assert believed(known).covariance[at, at] < 0.7 * believed(unknown).covariance[at, at]

    def test_what_was_measured_is_believed_and_better_known_than_the_rest(self) -> None:
        world = World(SPACE, noise=0.01)
        for params in (params_of(1), params_of(4, 4)):
            world.measure(params, seconds=60.0)
        found = believed(world)
        assert pace(found, place(4, 4, 128)) == pytest.approx(world.pace(params_of(4, 4)), rel=0.1)
        assert found.covariance[place(4, 4, 128), place(4, 4, 128)] < found.covariance[place(8, 1, 64), place(8, 1, 64)]

    def test_the_updates_time_gauges_the_machine_while_collecting_is_measured(self) -> None:
        def told(slow: float) -> float:
            world = World(SPACE, noise=0.0)
            for params in (params_of(1), params_of(1), params_of(2), params_of(2)):
                world.measure(params, seconds=20.0)
            session = world.measure(params_of(4), seconds=4.0)
            phases = session.phases
            assert phases is not None
            rate = (session.steps_per_second or 0.0) / slow
            share = phases.update_seconds / (phases.collect_seconds + phases.update_seconds)
            world.trials[-1] = replace(session, steps_per_second=rate, phases=Phases(1 - share, 0.0, share, 0.0))
            return pace(believed(world), place(4, 1, 128)) / world.pace(params_of(4))

        # A session in which all was slower by a fifth, the update too, is not all the configuration's doing.
        assert told(1.2) / told(1.0) < 1.16

    def test_threading_is_believed_to_save_part_of_the_smaller_phase(self) -> None:
        world = World(SPACE, noise=0.0)
        for _ in range(2):
            world.measure(params_of(8, 4, 128), seconds=60.0)
        found = believed(world)
        assert found.mean[place(8, 4, 128, threaded=True)] < found.mean[place(8, 4, 128)]
        world.measure(params_of(8, 4, 128, threaded=True), seconds=60.0)
        found = believed(world)
        expected = world.pace(params_of(8, 4, 128, threaded=True))
        assert pace(found, place(8, 4, 128, threaded=True)) == pytest.approx(expected, rel=0.06)

    def test_one_that_was_outpaced_teaches_how_fast_its_like_collect(self) -> None:
        def believed_of(*others: TrialResult) -> float:
            world = World(SPACE, noise=0.0)
            world.measure(params_of(8, 4), seconds=60.0)
            world.trials += others
            return pace(believed(world), place(1, 1, 64)) / world.pace(params_of(1, 1, 64))

        rate = 1 / World(SPACE).collecting(params_of(1, 1))
        fields = {"collecting_steps_per_second": rate}
        told = trial_of(1, params_of(1, 1), outcome=Outcome.OUTPACED, **fields)
        assert abs(math.log(believed_of(told))) < 0.5 * abs(math.log(believed_of()))

    def test_without_phases_the_rate_alone_is_believed(self) -> None:
        world = World(SPACE, noise=0.0, tells_phases=False)
        for params in (params_of(1), params_of(8), params_of(8, 4)):
            world.measure(params, seconds=60.0)
        assert pace(believed(world), place(8, 4, 128)) == pytest.approx(world.pace(params_of(8, 4)), rel=0.1)

    def test_covariances_are_covariances(self) -> None:
        world = World(SPACE)
        for params in ALL[::7]:
            world.measure(params)
        found = believed(world)
        assert numpy.allclose(found.covariance, found.covariance.T)
        assert numpy.linalg.eigvalsh(found.covariance).min() > -1e-9
        assert (found.reported[0, 0] > 0).all()


class TestGain:
    def posterior(self, mean: list[float], variance: list[float], threaded: bool = False) -> Posterior:
        covariance = numpy.diag(variance)
        teaching = numpy.stack([covariance, 0 * covariance])
        reported = numpy.zeros((2, 2, len(mean)))
        reported[0, 0] = variance
        return Posterior(numpy.array(mean), covariance, teaching, reported, 0.01)

    def test_nothing_is_regretted_where_all_is_known(self) -> None:
        found = self.posterior([0.0, 0.5], [1e-12, 1e-12])
        assert expected_regret(found, [0], numpy.array([True, True])) == pytest.approx(0.0, abs=1e-5)

    def test_regret_is_the_mean_of_the_largest_of_normals(self) -> None:
        found = self.posterior([0.0, 0.0], [0.04, 0.04])
        # E max(X, Y) - E X of two independent normals: s / sqrt(pi).
        assert expected_regret(found, [0], numpy.array([True, True])) == pytest.approx(
            0.2 / math.sqrt(math.pi), rel=0.25
        )
        assert expected_regret(found, [0], numpy.array([True, False])) == pytest.approx(0.0, abs=1e-12)

    def test_of_several_leaders_the_fastest_counts(self) -> None:
        found = self.posterior([0.0, 0.0], [0.04, 0.04])
        assert expected_regret(found, [0, 1], numpy.array([True, True])) == pytest.approx(0.0, abs=1e-12)

    def test_the_uncertain_rival_teaches_and_the_hopeless_one_does_not(self) -> None:
        found = self.posterior([0.0, 0.05, 3.0], [1e-6, 0.04, 0.04])
        allowed = numpy.array([True, True, True])
        window = windows(numpy.exp(found.mean), [], 10.0)
        gains = knowledge_gradient(found, numpy.arange(3), allowed, window)
        assert gains.argmax() == 1
        assert gains[2] == pytest.approx(0.0, abs=1e-9)

    def test_longer_sessions_teach_more(self) -> None:
        found = self.posterior([0.0, 0.02], [0.01, 0.01])
        gains = [
            knowledge_gradient(found, numpy.arange(2), numpy.ones(2, bool), windows(numpy.ones(2), trials, length))[1]
            for length in (4.0, 100.0)
            for trials in [[trial_of(0, rate=1.0, measured_seconds=10.0, cycles=10)]]
        ]
        assert gains[0] < gains[1]

    def test_improvement_of_a_normal(self) -> None:
        found = self.posterior([0.0, 0.0], [0.0, 0.04])
        assert improvement(found, numpy.arange(2), 0)[1] == pytest.approx(0.2 / math.sqrt(2 * math.pi), rel=1e-3)


class TestFeasible:
    def tried(self, *cases: tuple[Params, float]) -> History:
        trials = [trial_of(at, params, peak_memory_bytes=int(peak * GIB)) for at, (params, peak) in enumerate(cases)]
        return History(tuple(trials), params_of())

    def test_memory_grows_with_environments(self) -> None:
        history = self.tried((params_of(1), 1.5), (params_of(2), 2.5))
        chances = chances_to_fit([params_of(1), params_of(4), params_of(16)], history.candidates, 6 * GIB)
        assert chances[0] > 0.99
        assert chances[1] > 0.9
        assert chances[2] < 0.05

    def test_what_broke_the_cap_is_a_bound(self) -> None:
        broke = trial_of(1, params_of(8), outcome=Outcome.OVER_MEMORY, peak_memory_bytes=int(4.1 * GIB))
        history = History((trial_of(0, params_of(1)), broke), params_of())
        before = chances_to_fit([params_of(10)], history.candidates[:1], 4 * GIB)
        after = chances_to_fit([params_of(10)], history.candidates, 4 * GIB)
        assert after[0] < before[0] / 2

    def test_what_broke_the_cap_of_gpu_memory_is_none(self) -> None:
        gpu = Finding(FindingKind.OVER_GPU_MEMORY, {"peak_bytes": 8 * GIB})
        broke = trial_of(1, params_of(8), outcome=Outcome.OVER_MEMORY, peak_memory_bytes=2 * GIB, reason=gpu)
        history = History((trial_of(0, params_of(1)), broke), params_of())
        assert not history.candidates[1].was_cut and history.candidates[1].broke_cap
        assert chances_to_fit([params_of(8)], history.candidates, 4 * GIB)[0] > 0.99

    def test_the_guard_goes_with_the_inverse_of_the_batch(self) -> None:
        own = trial_of(0, params_of(batch=128), updates_per_1000_steps=PerThousandSteps(24.0, 0.5), stage=Stage.PILOT)
        history = History((own,), params_of(), min_updates=0.25)
        sizes = [params_of(batch=size) for size in (64, 512, 1024)]
        for space in (space_of(), PhaseSampler({"batch_size": [64, 512]}, 8)._space):
            assert keep_guard(sizes, history, space).tolist() == [True, True, False]
        off = replace(history, min_updates=None)
        assert keep_guard([params_of(batch=4096)], off, space_of()).tolist() == [True]

    def test_the_guard_counts_whole_minibatches(self) -> None:
        """Of ten in a buffer, four times the batch leaves two: a fifth of the updates; a quarter is asked for."""
        text = PPO.replace("2048", "1280")
        own = trial_of(0, params_of(), updates_per_1000_steps=PerThousandSteps(23.4, 1000 / 1280), stage=Stage.PILOT)
        history = History((own,), params_of(), min_updates=0.25)
        sizes = [params_of(areas=2, batch=size) for size in (128, 256, 512)]
        assert keep_guard(sizes, history, space_of(config=text)).tolist() == [True, True, False]
        # Where bursts bring 1,536 steps into every update, three minibatches are left, and a quarter of the updates.
        bursts = trial_of(1, params_of(areas=2), updates_per_1000_steps=PerThousandSteps(23.4, 1000 / 1536))
        more = replace(history, results=(own, bursts))
        assert keep_guard(sizes, more, space_of(config=text)).tolist() == [True, True, True]

    def test_a_larger_buffer_makes_fewer_policies(self) -> None:
        """Four times the buffer is a quarter of the policy updates, eight times an eighth."""
        space = space_of("env_path: b\nspace: {hyperparameters.buffer_size: [2048, 8192, 16384]}\n")
        sizes = [{**space.baseline, "hyperparameters.buffer_size": size} for size in (8192, 16384)]
        for policy, keeps in ((1000 / 2048, [True, False]), (1000 / 8192, [True, True])):
            updates = PerThousandSteps(23.4, policy)
            own = trial_of(0, space.baseline, updates_per_1000_steps=updates, stage=Stage.PILOT)
            history = History((own,), space.baseline, min_updates=0.25)
            assert keep_guard(sizes, history, space).tolist() == keeps

    def test_bursts_that_were_refused_are_not_tried_with_another_batch(self) -> None:
        own = trial_of(0, params_of(), updates_per_1000_steps=PerThousandSteps(24.0, 0.5), stage=Stage.PILOT)
        refused = trial_of(
            1, params_of(areas=16), outcome=Outcome.TOO_FEW_UPDATES, updates_per_1000_steps=PerThousandSteps(24.0, 0.1)
        )
        history = History((own, refused), params_of(), min_updates=0.25)
        found = keep_guard([params_of(areas=16, batch=256), params_of(areas=8, batch=256)], history, space_of())
        assert found.tolist() == [False, True]

    def test_a_trainer_that_updates_with_its_steps_has_any_batch(self) -> None:
        text = PPO.replace("ppo", "sac")
        own = trial_of(0, params_of(), updates_per_1000_steps=PerThousandSteps(90.0, 90.0), stage=Stage.PILOT)
        history = History((own,), params_of(), min_updates=0.25)
        assert keep_guard([params_of(batch=1024)], history, space_of(config=text)).tolist() == [True]

    def test_what_kept_the_guard_once_keeps_it(self) -> None:
        own = trial_of(0, params_of(), updates_per_1000_steps=PerThousandSteps(24.0, 0.5), stage=Stage.PILOT)
        kept = trial_of(1, params_of(batch=1024), updates_per_1000_steps=PerThousandSteps(5.6, 0.5))
        history = History((own, kept), params_of(), min_updates=0.25)
        assert keep_guard([params_of(batch=1024)], history, space_of()).tolist() == [True]


class TestCost:
    def test_starting_more_environments_takes_longer_where_it_was_seen(self) -> None:
        def trial(number: int, envs: int, seconds: float) -> TrialResult:
            return trial_of(
                number, params_of(envs), total_seconds=seconds + 10, measured_seconds=8.0, warmup_seconds=2.0
            )

        assert overheads([params_of(8)], [trial(0, 1, 10.0)]).tolist() == [10.0]
        assert overheads([params_of(8)], [trial(0, 1, 10.0), trial(1, 4, 16.0)]).tolist() == [24.0]

    def test_slow_settings_measure_whole_cycles(self) -> None:
        trials = [trial_of(0, rate=1000.0, measured_seconds=8.0, cycles=4)]  # 2,000 steps a cycle
        found = windows(numpy.array([0.01, 0.0001]), trials, 4.0)
        assert found.seconds.tolist() == [20.0, pytest.approx(4.1)]
        assert found.cycles[0] == 1  # a long one
        assert found.cycles[1] == pytest.approx(20.5)


def test_spaces_of_one_knob_and_of_none_that_acts() -> None:
    for text in ("{num_envs: [1, 2]}", "{threaded: [false, true]}", "{hyperparameters.learning_rate: [0.001, 0.0003]}"):
        space: Space = space_of(f"env_path: b\nbaseline: {{num_envs: 1}}\nspace: {text}\n")
        configurations = [space.baseline, *space.combinations()]
        places = {configuration_key(params): at for at, params in enumerate(configurations)}
        trial = trial_of(0, space.baseline, phases=Phases(8.0, 0.0, 2.0, 0.0))
        found = believe(coordinates(space, configurations, 4), places, readings([trial]))
        assert numpy.isfinite(found.mean).all()
