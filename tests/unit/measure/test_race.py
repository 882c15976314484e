"""Sessions that end while they fill their first buffer, because they cannot become the fastest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweeper.measure.cycles import Cutting
from sweeper.measure.race import OPTIMISM, RACE_SECONDS, SETTLING_SECONDS, collecting_rate, is_outpaced
from sweeper.measure.rate import Rule
from sweeper.model.measurement import Sample
from sweeper.model.session import Progress
from tests.helpers.builders import sample

FILL = {"Car": 10_000}
RULE = Rule(0.025, 120.0, Cutting(), 1, min_seconds=4.0, is_brief=True, least_cycles=1, rival=1000.0, fill=FILL)


def filling(rate: float, seconds: float, settling: float | None = None) -> list[Sample]:
    """Ticks twice a second; `settling`: decisions a second in the first one, if fewer. Steps lag far behind."""
    first = rate if settling is None else settling
    ticks = [0.5 * number for number in range(int(2 * seconds) + 1)]
    made = [min(at, SETTLING_SECONDS) * first + max(0.0, at - SETTLING_SECONDS) * rate for at in ticks]
    return [sample(100.0 + at, 0, 0, "tick", decisions=1 + round(done)) for at, done in zip(ticks, made)]


LONG_ENOUGH = SETTLING_SECONDS + RACE_SECONDS + 1.0


class TestTheRate:
    def test_of_decisions_once_players_have_settled(self) -> None:
        assert collecting_rate(filling(400.0, LONG_ENOUGH, settling=50.0), FILL) == pytest.approx(400.0, rel=0.01)

    def test_not_known_before_some_seconds_of_it(self) -> None:
        assert collecting_rate(filling(400.0, SETTLING_SECONDS + RACE_SECONDS - 0.5), FILL) is None
        assert collecting_rate([], FILL) is None
        assert collecting_rate([Sample(1.0, "hello")], FILL) is None

    def test_the_first_update_is_no_part_of_it(self) -> None:
        """While it goes on nothing is collected, and what comes after it is another story."""
        found = filling(400.0, LONG_ENOUGH)
        silent = [replace(found[-1], seconds=found[-1].seconds + after) for after in (1.0, 5.0, 9.0)]
        later = [sample(120.0 + at, 2048, 1, "tick", decisions=5000 + 10 * at) for at in range(9)]
        assert collecting_rate([*found, *silent, *later], FILL) == pytest.approx(400.0, rel=0.01)

    def test_nor_is_one_that_goes_on_beside_collecting(self) -> None:
        """With `threaded` it begins when the buffer is full, and collecting slows down."""
        found = filling(400.0, LONG_ENOUGH)
        full = {"Car": found[-1].decisions}
        crawl = [sample(found[-1].seconds + at, 0, 0, "tick", decisions=full["Car"] + 10 * at) for at in range(1, 9)]
        assert collecting_rate([*found, *crawl], full) == pytest.approx(400.0, rel=0.01)


class TestTheRace:
    @pytest.mark.parametrize(("rate", "ends"), [(1000.0 / OPTIMISM * 0.98, True), (1000.0 / OPTIMISM * 1.02, False)])
    def test_ends_what_cannot_come_near_the_fastest(self, rate: float, ends: bool) -> None:
        found = filling(rate, LONG_ENOUGH)
        assert is_outpaced(found, FILL, 1000.0) is ends
        assert RULE(found) is (Progress.OUTPACED if ends else Progress.GO_ON)

    def test_against_nobody_everyone_finishes(self) -> None:
        assert replace(RULE, rival=None)(filling(10.0, LONG_ENOUGH)) is Progress.GO_ON

    def test_samples_from_the_console_are_in_no_race(self) -> None:
        lines = [sample(100.0 + at, 10 * at, 0, "summary", decisions=0) for at in range(20)]
        assert RULE(lines) is Progress.GO_ON
