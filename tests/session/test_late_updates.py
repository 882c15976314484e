"""Buffers that take longer to fill than a session is meant to last, on the scripted learner."""

from __future__ import annotations

import re
from typing import Any

from tests.conftest import MEASURE

BUDGET = {"time": "150s", "trials": 1}
SHORT = {**MEASURE, "max_seconds": 1}


def test_a_first_update_that_is_late_is_no_lack_of_learning(workshop: Any) -> None:
    """500 steps a second into a buffer of 400,000: the update is due after 13 minutes, and the budget has not three."""
    workshop.config(buffer_size=400_000)
    workshop.scenario(rate=500.0)
    workshop.study(budget=BUDGET, measure=SHORT)
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 6, done.stderr
    assert "your own settings are too slow to measure" in done.stderr
    assert re.search(r"an update of Car, which takes 400,000 steps, comes every 1\dm", done.stderr), done.stderr
    (trial,) = workshop.results()["trials"]
    assert trial["outcome"] == "timeout"


def test_it_is_waited_for_where_the_budget_allows(workshop: Any) -> None:
    """Two updates of 7.5 s each: more than twelve times the limit, and a tenth of the budget."""
    workshop.config(buffer_size=15_000)
    workshop.study(budget=BUDGET, measure=SHORT)
    done = workshop.sweeper("run", "study.yaml")
    assert done.returncode == 0, done.stderr
    (trial,) = workshop.results()["trials"]
    assert (trial["outcome"], trial["cycles"]) == ("ok", 1)
