"""The guide's table from made-up rounds: speed-ups, what each environment adds, and the knee."""

from __future__ import annotations

import pytest

from sweeper.compare.guide_table import knee, row
from sweeper.model.findings import Bottleneck
from sweeper.model.guide import GUIDE
from sweeper.report.words.guide import knee_text
from tests.helpers.builders import params_of, trial_of

SPEEDS = {(1, 1): 1.0, (2, 1): 1.9, (4, 1): 3.4, (8, 1): 3.5, (4, 2): 5.0}


def rounds(speeds, drift=(1.0, 0.8, 1.2)):
    """Each round has a machine of its own speed."""
    return {
        place: [
            trial_of(0, params_of(*place), 1000.0 * times * speed, bottleneck=Bottleneck.CORES) if times else None
            for speed in drift
        ]
        for place, times in speeds.items()
    }


def rows(speeds):
    found = rounds(speeds)
    return tuple(row(place, params_of(*place), found, None if speeds[place] else "over memory") for place in GUIDE)


def test_speed_ups_are_over_the_same_round_whatever_the_machine_does():
    table = {(one.envs, one.areas): one for one in rows(SPEEDS)}
    assert table[(4, 2)].speedup.estimate == pytest.approx(5.0)
    low, high = table[(4, 2)].speedup.interval
    assert high - low < 0.01
    assert table[(2, 1)].added.estimate == pytest.approx(0.9)
    assert table[(4, 1)].added.estimate == pytest.approx((3.4 / 1.9) ** 0.5 - 1)
    assert table[(2, 1)].guide == 1.8


def test_the_knee_is_where_another_environment_adds_less_than_five_per_cent():
    last, after = knee(rows(SPEEDS))
    assert last == 4
    assert (after.envs, after.bottleneck) == (8, Bottleneck.CORES)


def test_a_table_that_goes_on_rising_has_no_knee_yet():
    assert knee(rows({**SPEEDS, (8, 1): 6.0})) == (8, None)


def result_of(table):
    from sweeper.model.guide import GuideResult
    from tests.helpers.builders import machine_of

    last, after = knee(table)
    because = None if after is None else after.bottleneck
    return GuideResult("racer", "2026-01-01T00:00:00+00:00", 60.0, machine_of(), table, 3, last, because, ())


def test_a_row_that_never_runs_says_why_and_ends_the_table():
    table = rows({**SPEEDS, (8, 1): 0.0})
    assert [one.failed for one in table if one.envs == 8] == ["over memory"]
    assert knee_text(result_of(table)) == "On these 8 cores 4 could be measured and 8 could not: over memory."


def test_nothing_is_said_where_nothing_was_measured():
    table = rows(dict.fromkeys(SPEEDS, 0.0))
    assert knee(table) == (None, None)
    assert knee_text(result_of(table)) == "Nothing could be measured on these 8 cores."


def test_the_knee_is_told_in_a_sentence():
    assert knee_text(result_of(rows(SPEEDS))) == (
        "On these 8 cores another environment adds less than 5% after 4, because all cores are busy there."
    )
    assert knee_text(result_of(rows({**SPEEDS, (8, 1): 6.0}))) == (
        "On these 8 cores every environment up to 8 adds 5% or more; more may pay as well."
    )
