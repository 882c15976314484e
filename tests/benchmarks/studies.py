"""Whole studies in simulation, from the user's own settings to the verdict: is the answer right, and how soon?

The real loop, search, measuring rules and confirmation; sessions come sample by sample from builds whose two phases are
formulas, on a machine that wanders as the recorded one does (tests/helpers/simulated_builds.py). The user's own
settings are those of the space whose best is as many times as fast as the row says. `tpe` is beside it with whole
sessions, as studies had them before the phase model. Regret is what the best of the space is faster than what is named;
claimed is the reported speed over the true one; both as medians, with the 90th percentile of the regret.
"""

from __future__ import annotations

import math
import os
import random
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from sweeper.app.drive import Drive
from sweeper.app.prepare import Prepared
from sweeper.app.stop import StopSignal
from sweeper.app.trials import Trials
from sweeper.errors import SweeperError
from sweeper.inputs.study_limits import Budget
from sweeper.model.events import ignore
from sweeper.model.study import Verdict
from sweeper.model.trial import Params
from sweeper.search.strategies import STRATEGIES
from sweeper.study.answer import conclude
from tests.benchmarks.common import SHORT, finish, table
from tests.helpers.builders import GIB, prepared_of
from tests.helpers.scripted import MemoryStore
from tests.helpers.simulated_builds import Build, SimulatedRunner
from tests.helpers.world import collecting, number, updating

STUDIES = int(os.environ.get("STUDIES", 2 if SHORT else 20))
SPACE = (
    "env_path: build.x86_64\nmin_updates: 'off'\n"
    "baseline: {{num_envs: {num_envs}, num_areas: {num_areas}, batch_size: {batch_size}, threaded: {threaded}}}\n"
    "space: {{num_envs: [1, 2, 3, 4, 6], num_areas: [1, 2, 4, 8], batch_size: [64, 128, 256, 512], "
    "threaded: [false, true]}}\n"
)
"""160 combinations."""
SMALLEST: Params = {"num_envs": 1, "num_areas": 1, "batch_size": 64, "threaded": False}
CAP_BYTES = 4 * GIB
MINUTES = (5, 20)
POSSIBLE = (1.0, 1.1, 1.3, 2.0, math.inf)
"""Times as fast as the user's own that the best is; infinite: the user has the smallest of everything. At 1 the user
has the best, and `better` is wrong."""
NAMES = os.environ.get("STRATEGIES", "phase,tpe").split(",")
VERDICTS = ("better", "unconfirmed", "keep_yours")


def _waits(params: Params) -> float:
    envs, areas = number(params, "num_envs"), number(params, "num_areas")
    return 0.008 / (envs * areas) + 0.0012 / areas + 0.0002


def _slow_cycles(params: Params) -> float:
    return 3 * _waits(params)


def _crowded(params: Params) -> float:
    """More than four areas cost more than they bring."""
    return collecting(params) * (1.6 if number(params, "num_areas") > 4 else 1.0)


def _heavy(params: Params) -> float:
    return GIB * (0.7 + number(params, "num_envs") * (0.4 + 0.05 * number(params, "num_areas")))


BUILDS = {
    "burns": Build(collecting, updating),
    "waits": Build(_waits, updating),
    "slow cycles": Build(_slow_cycles, updating),
    "costly updates": Build(collecting, lambda p: 4 * updating(p)),
    "a jump": Build(_crowded, updating),
    "memory-bound": Build(_waits, updating, _heavy),
}


@dataclass(frozen=True)
class Row:
    build: str
    possible: float
    minutes: int
    strategy: str


@dataclass(frozen=True)
class Found:
    """What one study came to. `regret`, `claimed`: shares; None where it named nothing of its own."""

    verdict: str
    regret: float
    claimed: float | None
    seconds: float
    trials: int


def prepared_for(own: Params) -> Prepared:
    return prepared_of(SPACE.format(**{**own, "threaded": str(own["threaded"]).lower()}))


def own_settings(build: Build, possible: float) -> Params:
    """Those whose best is closest to `possible` times as fast, the one with the fewest environments of like ones."""
    combinations = prepared_for(SMALLEST).space.combinations()
    feasible = [params for params in combinations if build.memory(params) <= CAP_BYTES]
    best = min(map(build.pace, feasible))

    def distance(params: Params) -> tuple[float, float]:
        times = build.pace(params) / best
        return (round(abs(math.log(times / possible)), 2) if possible < math.inf else -times), number(
            params, "num_envs"
        )

    return min(feasible, key=distance)


def study(row: Row, seed: int) -> Found:
    build = BUILDS[row.build]
    own = own_settings(build, row.possible)
    prepared = replace(
        prepared_for(own), strategy=STRATEGIES[row.strategy], budget=Budget(60.0 * row.minutes, None)
    )  # fmt: skip
    store: Any = MemoryStore(cap_bytes=CAP_BYTES)
    runner = SimulatedRunner(build, random.Random(f"{row} {seed}"), CAP_BYTES)
    trials = Trials(prepared, store, runner, StopSignal(), ignore, lambda: None, runner.clock)
    reason = Drive(trials).run()
    facts = prepared.facts("2026-01-01T00:00:00+00:00", store.spent_seconds, CAP_BYTES, reason)
    result = conclude(facts, prepared.history(list(store.results())))
    assert result.best is not None and result.verdict is not None
    fits = [params for params in prepared.space.legal if build.memory(params) <= CAP_BYTES]
    pace = build.pace(result.best.params)
    return Found(
        result.verdict.value,
        1 - min(map(build.pace, fits)) / pace,
        (result.best.steps_per_second or 0.0) * pace - 1 if result.verdict is Verdict.BETTER else None,
        store.spent_seconds,
        len(store.results()),
    )


def _study(row: Row, seed: int) -> Found | str:
    try:
        return study(row, seed)
    except SweeperError as error:
        return str(error)


def summary(founds: Sequence[Found]) -> dict[str, Any]:
    """Figures of a row, shares in per cent."""
    verdicts = [found.verdict for found in founds]
    regrets = sorted(100 * found.regret for found in founds)
    claims = [100 * found.claimed for found in founds if found.claimed is not None]
    return {
        **{f"{name}_percent": 100 * verdicts.count(name) / len(founds) for name in VERDICTS},
        "regret_percent": statistics.median(regrets),
        "regret_percent_p90": regrets[math.ceil(0.9 * len(regrets)) - 1],
        "within_5_percent": 100 * sum(regret <= 5 for regret in regrets) / len(regrets),
        "claimed_over_true_percent": statistics.median(claims) if claims else None,
        "seconds": statistics.median(found.seconds for found in founds),
        "trials": statistics.median(found.trials for found in founds),
    }  # fmt: skip


def main() -> None:
    builds = os.environ.get("ONLY", ",".join(BUILDS)).split(",")
    rows = [
        Row(build, possible, minutes, name)
        for build in builds
        for possible in POSSIBLE
        for minutes in MINUTES
        for name in NAMES
    ]
    tasks = [(row, seed) for row in rows for seed in range(STUDIES)]
    with ProcessPoolExecutor() as pool:
        done = list(pool.map(_study, *zip(*tasks), chunksize=2))
    found: dict[Row, list[Found]] = {row: [] for row in rows}
    failed: list[str] = []
    for (row, _), one in zip(tasks, done):
        if isinstance(one, Found):
            found[row].append(one)
        else:
            failed.append(f"{row}: {one}")
    figures = {row: summary(founds) for row, founds in found.items() if founds}
    print(f"{STUDIES} studies a row of 160 combinations; {len(failed)} ended without an answer")
    print("\n".join(failed))
    header = ("build", "possible", "min", "strategy", "better %", "open %", "keep %", "regret %", "p90", "within 5 %")
    table(
        (*header, "claimed %", "seconds", "trials"),
        [(row.build, row.possible, row.minutes, row.strategy, *one.values()) for row, one in figures.items()],
    )
    finish(
        {
            "studies": STUDIES,
            "rows": [
                {"build": row.build, "possible": row.possible, "minutes": row.minutes, "strategy": row.strategy, **one}
                for row, one in figures.items()
            ],
            "failed": len(failed),
        }
    )


if __name__ == "__main__":
    main()
