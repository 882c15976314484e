"""Not seen in the time allowed is not the same as never."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sweeper.measure.first_update import Pace, never_update, pace
from sweeper.model.measurement import BehaviorCount, Sample
from tests.helpers.builders import sample

BUFFER = 10_240


def collecting(*steps: int, updates: int = 0) -> list[Sample]:
    """A tick every ten seconds."""
    return [sample(100.0 + 10 * at, found, updates, "tick") for at, found in enumerate(steps)]


class TestNever:
    @pytest.mark.parametrize(
        ("steps", "never"),
        [
            ([1, 5000, BUFFER], ()),  # not yet full
            ([1, 5000, BUFFER + 200], ()),  # its update may be under way
            ([1, 5000, 4 * BUFFER, 4 * BUFFER], ()),  # one burst overfills it
            ([1, BUFFER + 200, 2 * BUFFER + 100], ()),
            ([1, BUFFER + 200, 2 * BUFFER + 200], ("Car",)),
        ],
    )
    def test_steps_after_a_full_buffer_are_the_proof(self, steps: Sequence[int], never: tuple[str, ...]) -> None:
        assert never_update(collecting(*steps), {"Car": BUFFER}) == never

    def test_who_has_updated_learns(self) -> None:
        assert never_update(collecting(1, BUFFER + 1, 9 * BUFFER, updates=1), {"Car": BUFFER}) == ()

    def test_what_is_not_known_proves_nothing(self) -> None:
        assert never_update(collecting(1, BUFFER + 1, 9 * BUFFER), {}) == ()
        assert never_update([], {"Car": BUFFER}) == ()

    def test_defaults_describe_every_behaviour(self) -> None:
        assert never_update(collecting(1, BUFFER + 1, 9 * BUFFER), {"": BUFFER}) == ("Car",)


class TestPace:
    def test_a_buffer_at_this_speed(self) -> None:
        """What came before the first reading took none of the time that is seen."""
        assert pace(collecting(500, 2000, 3500), {"Car": 400_000}) == Pace("Car", 400_000, 20 * 400_000 / 3000)

    def test_updates_that_were_seen_say_it_themselves(self) -> None:
        assert pace(collecting(1, 1500, 3000, updates=2), {"Car": 1000}) == Pace("Car", 1000, 10.0)

    def test_the_slowest_behaviour(self) -> None:
        counts = {"A": BehaviorCount(1000, 1000), "B": BehaviorCount(100, 100), "Waits": BehaviorCount()}
        before = {"A": BehaviorCount(0, 1), "B": BehaviorCount(0, 1), "Waits": BehaviorCount()}
        samples = [Sample(100.0, "tick", before), Sample(110.0, "tick", counts)]
        assert pace(samples, {"A": 1000, "B": 1000, "Waits": 1000}) == Pace("B", 1000, 100.0)

    def test_decisions_stand_in_before_a_trajectory_has_ended(self) -> None:
        samples = [sample(100.0 + at, 0, 0, "tick", decisions=50 * at + 1) for at in range(11)]
        assert pace(samples, {"Car": 5000}) == Pace("Car", 5000, 100.0)

    def test_nothing_tells(self) -> None:
        assert pace([], {"Car": 5}) is None
        assert pace([Sample(1.0, "hello")], {"Car": 5}) is None
        assert pace(collecting(1, 2), {}) is None
