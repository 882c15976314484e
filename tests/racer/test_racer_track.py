import numpy as np
import pytest

from sweeper.racer.sensors import RAY_ANGLES, RAY_RANGE, wall_distances
from sweeper.racer.track import MAX_HALF_WIDTH, Track, make_track

TRACK = make_track()


@pytest.fixture(scope="module")
def track() -> Track:
    return TRACK


def test_points_are_evenly_spaced_and_the_line_is_closed(track):
    gaps = np.hypot(np.roll(track.x, -1) - track.x, np.roll(track.y, -1) - track.y)
    assert gaps == pytest.approx(track.spacing, rel=0.01)
    assert gaps.sum() == pytest.approx(track.length, rel=0.001)


def test_it_turns_once_around_without_bends_tighter_than_its_walls(track):
    turns = np.diff(np.unwrap(np.append(track.heading, track.heading[0] + 2 * np.pi)))
    assert turns.sum() == pytest.approx(2 * np.pi)
    assert np.abs(turns / track.spacing).max() < 1 / MAX_HALF_WIDTH
    assert turns.min() < 0 < turns.max(), "bends both ways"


def test_no_two_stretches_share_ground(track):
    apart = np.hypot(track.x[:, None] - track.x, track.y[:, None] - track.y)
    steps = np.abs(np.arange(len(track.x))[:, None] - np.arange(len(track.x)))
    far_along = np.minimum(steps, len(track.x) - steps) * track.spacing > np.pi * MAX_HALF_WIDTH
    assert apart[far_along].min() > 2 * MAX_HALF_WIDTH


@pytest.mark.parametrize("offset", [-3.0, 0.0, 0.7, 4.0])
def test_locate_finds_place_and_signed_offset(track, offset):
    index = np.arange(0, len(track.x), 7)
    x = track.x[index] - offset * np.sin(track.heading[index])
    y = track.y[index] + offset * np.cos(track.heading[index])
    found, along, found_offset = track.locate(x, y, (index + 5) % len(track.x), reach=16)
    assert found.tolist() == index.tolist()
    assert np.abs(track.wrap(along - index * track.spacing)).max() < 1e-9
    assert found_offset == pytest.approx(offset)


def test_locate_wraps_at_the_start_line(track):
    just_before = (track.x[:1] - 0.1 * np.cos(track.heading[:1]), track.y[:1] - 0.1 * np.sin(track.heading[:1]))
    _, along, _ = track.locate(*just_before, np.array([len(track.x) - 2]), reach=16)
    assert along[0] == pytest.approx(track.length - 0.1)


def test_wrap_takes_the_short_way(track):
    assert track.wrap(np.array([track.length - 1.0, -track.length + 1.0, 2.0])) == pytest.approx([-1.0, 1.0, 2.0])


@pytest.mark.parametrize("offset", [-6.0, -4.5, 3.0, 5.0])
def test_centre_distance_is_right_to_a_decimetre_near_the_walls(track, offset):
    x = track.x - offset * np.sin(track.heading)
    y = track.y + offset * np.cos(track.heading)
    assert track.centre_distance(x, y) == pytest.approx(abs(offset), abs=0.1)


def test_centre_distance_is_outside_beyond_the_grid(track):
    far = np.array([[-1e6, 0.0], [1e6, 1e6]])
    assert (track.centre_distance(far, far[::-1]) > MAX_HALF_WIDTH).sum() == 4


def _rays(place: np.ndarray, half_width: float) -> np.ndarray:
    return wall_distances(TRACK, TRACK.x[place], TRACK.y[place], TRACK.heading[place], np.full(len(place), half_width))


def test_side_rays_from_the_middle_measure_the_half_width():
    place = np.arange(0, 512, 11)
    rays = _rays(place, 4.5)
    assert rays.shape == (len(place), len(RAY_ANGLES))
    assert rays[:, [0, -1]] == pytest.approx(4.5, abs=0.15)


def test_rays_end_at_the_wall_and_at_their_range():
    place = np.arange(0, 512, 11)
    rays = _rays(place, 4.5)
    assert rays.min() > 0 and rays.max() <= RAY_RANGE
    angle = TRACK.heading[place][:, None] + RAY_ANGLES
    at_end = TRACK.centre_distance(
        TRACK.x[place][:, None] + rays * np.cos(angle), TRACK.y[place][:, None] + rays * np.sin(angle)
    )
    within = rays < RAY_RANGE
    assert at_end[within] == pytest.approx(4.5, abs=0.5)


def test_a_car_off_the_track_sees_walls_at_no_distance():
    place = np.array([0])
    rays = wall_distances(TRACK, TRACK.x[place] + 6, TRACK.y[place], TRACK.heading[place], np.array([4.0]))
    assert rays == pytest.approx(0.0)
