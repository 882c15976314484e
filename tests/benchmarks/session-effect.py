"""What belongs to a session and is in none of its slices: identical sessions alive together, run in turn.

A two-way layout of ln(rate), sessions by rounds: the session's own variance is what its mean differs by beyond what its
slices scatter, (MS sessions - MS residual) / rounds, with a 95 % interval from the F distribution (Searle, Casella and
McCulloch, Variance Components, 3.6). For a player that burns a core, and for one that waits.
"""

from __future__ import annotations

import math
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[2]))

from sweeper.measure.slices import measure_slices
from sweeper.session.turns import Contender
from tests.benchmarks.common import SHORT, Bench, Case, finish, params, rule_of, table

SESSIONS = 4 if SHORT else 6
ROUNDS = 6 if SHORT else 16
CYCLES = 3
WORK = ("spin", "sleep")


Logs = npt.NDArray[np.float64]


def rates(bench: Bench, work: str) -> Logs | None:
    """ln(rate), a row for each session and a column for each round; None where the sessions did not last."""
    case = Case(work, params(2, 16), ("--work", work, "--step-ms", "0.3"))
    cut = rule_of(case).cut
    contenders = [Contender(f"{work} {number}", bench.plan(case), cut, 1, CYCLES) for number in range(SESSIONS)]
    chooser = random.Random(3)
    orders = [chooser.sample(range(SESSIONS), SESSIONS) for _ in range(ROUNDS)]
    found = [measure_slices(record.samples, record.slices, cut, 1, 2) for record in bench.in_turn(contenders, orders)]
    if any(one is None for one in found):
        return None
    return np.log([one[1] for one in found if one is not None])


def effect(logs: Logs) -> dict[str, Any]:
    """The session's own standard deviation with its interval, and the slices', in per cent."""
    sessions, rounds = logs.shape
    by_session, by_round, grand = logs.mean(axis=1), logs.mean(axis=0), logs.mean()
    between = rounds * float(((by_session - grand) ** 2).sum()) / (sessions - 1)
    residuals = logs - by_session[:, None] - by_round[None, :] + grand
    degrees = (sessions - 1) * (rounds - 1)
    within = float((residuals**2).sum()) / degrees
    ratio = between / within

    def deviation(quantile: float) -> float:
        return 100 * math.sqrt(max(0.0, (ratio / stats.f.ppf(quantile, sessions - 1, degrees) - 1) / rounds * within))

    return {
        "session_effect_percent": 100 * math.sqrt(max(0.0, (between - within) / rounds)),
        "interval": [deviation(0.975), deviation(0.025)],
        "slice_percent": 100 * math.sqrt(within),
        "rounds_percent": 100 * float(np.std(by_round, ddof=1)),
        "p": float(stats.f.sf(ratio, sessions - 1, degrees)),
    }


def main() -> None:
    figures: dict[str, object] = {"sessions": SESSIONS, "rounds": ROUNDS}
    rows: list[tuple[Any, ...]] = []
    with Bench() as bench:
        for work in WORK:
            logs = rates(bench, work)
            if logs is None:
                figures[work] = None
                rows.append((work, *[None] * 6))
                continue
            found = effect(logs)
            figures[work] = found
            others = (found["slice_percent"], found["rounds_percent"], found["p"])
            rows.append((work, found["session_effect_percent"], *found["interval"], *others))
    table(("player", "session's own %", "from", "to", "slice %", "between rounds %", "p"), rows)
    finish(figures)


if __name__ == "__main__":
    main()
