import numpy as np
import pytest

from sweeper.racer.cars import (
    ACTION_SIZE,
    EPISODE_STEPS,
    OBSERVATION_SIZE,
    OFF_TRACK_REWARD,
    REWARD_PER_METRE,
    STEP_SECONDS,
    Cars,
)
from sweeper.racer.parameters import LIMITS, Constant, Gaussian, Parameters, Ranges
from sweeper.racer.track import make_track

TRACK = make_track()
SPEED, SINE, OFFSET = 9, 10, 12
"""Places in the observation."""


def make_cars(areas: int = 1, seed: int = 0, **values: float) -> Cars:
    parameters = Parameters()
    for name, value in values.items():
        assert parameters.set(name, Constant(value))
    return Cars(TRACK, areas, seed, parameters)


def chauffeur(seen: np.ndarray) -> np.ndarray:
    """A decent driver: towards the free side, as fast as the way ahead is long."""
    steering = 2 * (seen[:, 5] - seen[:, 3]) - 2 * seen[:, SINE] - 0.8 * seen[:, OFFSET]
    throttle = np.where(seen[:, SPEED] * 20 < 3 + seen[:, 4] * 40, 1.0, -1.0)
    return np.stack([steering, throttle], axis=1)


def everywhere(areas: int, steering: float, throttle: float) -> np.ndarray:
    return np.tile([steering, throttle], (areas, 1))


def test_shapes_and_ranges():
    cars = make_cars(areas=5)
    seen = cars.reset()
    assert seen.shape == (5, OBSERVATION_SIZE)
    step = cars.step(np.zeros((5, ACTION_SIZE)))
    assert step.observation.shape == (5, OBSERVATION_SIZE)
    assert step.reward.shape == (5,)
    assert step.last_observation.shape == (0, OBSERVATION_SIZE)
    assert len(step.ended) == len(step.interrupted) == 0
    assert np.abs(step.observation).max() <= 1.001


def test_progress_is_rewarded_by_the_metre():
    cars = make_cars(max_speed=10.0)
    seen = cars.reset()
    for _ in range(60):  # up to speed
        step = cars.step(np.stack([-seen[:, SINE] - seen[:, OFFSET], [1.0]], axis=1))
        seen = step.observation
    metres = seen[0, SPEED] * 10.0 * STEP_SECONDS
    assert step.reward[0] == pytest.approx(REWARD_PER_METRE * metres, rel=0.15)


def test_standing_still_earns_nothing():
    cars = make_cars()
    for _ in range(30):
        step = cars.step(everywhere(1, 0, -1))
    assert step.reward[0] == pytest.approx(0.0, abs=1e-9)
    assert step.observation[0, SPEED] == 0.0


def test_the_wrong_way_costs():
    cars = make_cars(track_width=14.0, grip=60.0)
    rewards = []
    for _ in range(60):  # round and round on the spot
        step = cars.step(everywhere(1, 1.0, 0.3 if step_is_slow(cars) else -0.3))
        rewards.append(step.reward[0])
        if len(step.ended):
            break
    assert min(rewards) < 0


def step_is_slow(cars: Cars) -> bool:
    return bool(cars._speed[0] < 4)


def test_leaving_the_track_ends_the_episode_in_that_area_only():
    cars = make_cars(areas=3)
    seen = cars.reset()
    for _ in range(200):
        actions = chauffeur(seen)
        actions[1] = [1.0, 1.0]
        step = cars.step(actions)
        if len(step.ended):
            break
        seen = step.observation
    assert step.ended.tolist() == [1]
    assert step.interrupted.tolist() == [False]
    assert step.reward[1] < OFF_TRACK_REWARD / 2 and (step.reward[[0, 2]] >= 0).all()
    assert abs(step.last_observation[0, OFFSET]) > 1, "it saw itself leave"
    assert abs(step.observation[1, OFFSET]) <= 0.5, "and is on the track again"


def test_an_episode_is_cut_off():
    cars = make_cars(areas=2)
    for _ in range(EPISODE_STEPS - 1):
        assert not len(cars.step(everywhere(2, 0, -1)).ended)
    step = cars.step(everywhere(2, 0, -1))
    assert step.ended.tolist() == [0, 1]
    assert step.interrupted.tolist() == [True, True]
    assert not len(cars.step(everywhere(2, 0, -1)).ended)


def test_good_driving_pays():
    cars = make_cars(areas=8)
    seen, total, crashes = cars.reset(), 0.0, 0
    for _ in range(EPISODE_STEPS):
        step = cars.step(chauffeur(seen))
        seen = step.observation
        total += step.reward.sum() / 8
        crashes += (~step.interrupted).sum()
    assert crashes == 0
    assert total > 20


def race(seed: int, areas: int = 4) -> np.ndarray:
    cars, actions = make_cars(areas, seed), np.random.default_rng(1).uniform(-1, 1, (150, areas, 2))
    return np.array([np.column_stack((step.observation, step.reward)) for step in map(cars.step, actions)])


def test_a_seed_determines_the_race():
    assert np.array_equal(race(3), race(3))
    assert not np.array_equal(race(3), race(4))
    assert np.array_equal(race(-7), race(-7)), "trainers may send any int32"


def test_all_areas_are_stepped_and_differ():
    cars = make_cars(areas=16)
    before = cars.reset()
    after = cars.step(everywhere(16, 0, 1)).observation
    assert (after[:, SPEED] > before[:, SPEED]).all()
    assert len(np.unique(after[:, SPEED])) == 16


def test_actions_are_clipped_and_never_break_the_simulation():
    wild, tame = make_cars(seed=1), make_cars(seed=1)
    for _ in range(5):
        a, b = wild.step(everywhere(1, 50.0, 9.0)), tame.step(everywhere(1, 1.0, 1.0))
        assert np.array_equal(a.observation, b.observation)
    assert np.isfinite(wild.step(everywhere(1, np.nan, np.inf)).observation).all()


@pytest.mark.parametrize("value", [0.0, -5.0, 1e30, float("inf"), float("-inf"), float("nan")])
@pytest.mark.parametrize("name", LIMITS)
def test_no_parameter_breaks_the_simulation(name, value):
    cars = make_cars(areas=3, **{name: value})
    actions = np.random.default_rng(0).uniform(-1, 1, (100, 3, 2))
    for action in actions:
        step = cars.step(action)
        assert np.isfinite(step.observation).all() and np.isfinite(step.reward).all()


def test_a_parameter_counts_from_the_next_episode_on():
    parameters = Parameters()
    cars = Cars(TRACK, 1, 0, parameters)
    parameters.set("max_speed", Constant(5.0))
    cars.step(everywhere(1, 0, 1))
    assert cars._max_speed[0] == LIMITS["max_speed"][0]
    cars.reset()
    assert cars._max_speed[0] == 5.0


def test_every_area_draws_its_own_value_from_a_sampler():
    parameters = Parameters()
    parameters.set("track_width", Ranges([(6.0, 12.0)], seed=2))
    widths = 2 * Cars(TRACK, 50, 0, parameters)._half_width
    assert widths.min() >= 6.0 and widths.max() <= 12.0 and len(np.unique(widths)) == 50


def test_samplers_draw_what_they_say():
    two = Ranges([(0.0, 1.0), (10.0, 13.0)], seed=-3).draw(4000)
    assert (((two >= 0) & (two < 1)) | ((two >= 10) & (two < 13))).all()
    assert (two >= 10).mean() == pytest.approx(0.75, abs=0.05)
    assert Ranges([(2.0, 2.0)], seed=0).draw(3).tolist() == [2.0, 2.0, 2.0]
    normal = Gaussian(5.0, -2.0, seed=0).draw(4000)
    assert normal.mean() == pytest.approx(5.0, abs=0.2) and normal.std() == pytest.approx(2.0, abs=0.2)
    assert np.array_equal(Gaussian(0, 1, 9).draw(5), Gaussian(0, 1, 9).draw(5))
    with pytest.raises(ValueError, match="range"):
        Ranges([], seed=0)


def test_unknown_parameters_are_refused():
    assert not Parameters().set("gravity", Constant(1.0))
