"""How soon does a search know the fastest? Strategies on recorded surfaces, and on builds that do not follow any model.

Recorded: `tests/benchmarks/surfaces/*.json`, made by `record-surfaces`; every strategy gets the recorded sessions as
they are and pays what they took. Simulated: the two phases of each build are formulas (tests/helpers/world.py), a
session's phases share an error of 1.5 % and what the machine's wandering by 6 % leaves over its length, and each cycle
has one of 8 %; start-up, warm-up and end are charged. Finals and anchors, which a study has beside, are left out.
`seconds_to_2_percent`: until what is taken for the fastest is within 2 % of the best that fits and stays there;
infinite where that was never so (null).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from sweeper.app.replay import compared, read_surfaces
from sweeper.app.stop import StopSignal
from sweeper.model.replay import Course, Moment, figures
from sweeper.model.trial import Params, Purpose
from sweeper.search.proposal import Question, Settled
from sweeper.search.strategies import STRATEGIES
from sweeper.study.history import History
from tests.benchmarks.common import SHORT, finish, table
from tests.helpers.builders import GIB, space_of
from tests.helpers.world import World, collecting, number, updating

SEEDS = 4 if SHORT else 25
SECONDS = 1800.0
CORES = 8
NOISE: dict[str, Any] = {"noise": 0.015, "wandering": 0.06, "white": 0.08}
"""Of a session, of the machine over ten seconds, of a cycle, as recorded (docs/sources.md, 12)."""
WHOLE_SECONDS = 20.0
"""That a session of a strategy measures which has no brief ones; in a study of half an hour it is 45."""
STUDY = (
    "env_path: b\nbaseline: {num_envs: 1}\n"
    "space: {num_envs: [1, 2, 3, 4, 6, 8, 12, 16], num_areas: [1, 2, 4, 8, 16], batch_size: [64, 128, 256, 512]}\n"
)
RECORDED_SEEDS = 8 if SHORT else 100
FEWER_SEEDS = {"tpe": 4 if SHORT else 20}
"""Of what thinks long: for a hundred searches of all eight on one surface it would take half of the time."""
RECORDED_NAMES = ("phase", "structured-gp", "tpe", "random", "grid", "autotune", "quick", "halving")
COLUMNS = {
    "seconds_to_10_percent": "to 10 %, s",
    "seconds_to_2_percent": "to 2 %, s",
    "seconds_to_2_percent_p90": "p90",
    "ended_seconds": "ended",
    "regret_percent": "regret %",
    "regret_percent_p90": "p90",
    "claimed_over_true_percent": "claimed %",
    "infeasible_percent": "infeasible %",
}
NAMES = ("phase", "tpe", "random", "grid") if SHORT else ("phase", "tpe", "gp", "random", "grid")


def waits(params: Params) -> float:
    """Players that wait for their own frames, and cost the learner little."""
    envs, areas = number(params, "num_envs"), number(params, "num_areas")
    return (0.004 / (envs * areas) + 0.0004 / areas + 0.0001) * (1 + 0.03 * max(0.0, envs - 8))


BUILDS: dict[str, dict[str, Any]] = {
    "burns": {},
    "waits": {"collecting": waits},
    "costly updates": {"updating": lambda p: 4 * updating(p)},
    "memory-bound": {
        "memory": lambda p: 0.7 + number(p, "num_envs") * (0.4 + 0.05 * number(p, "num_areas")),
        "cap": 6.0,
    },
    "areas are inert": {"collecting": lambda p: 0.003 / min(number(p, "num_envs"), 8.0) + 0.0002},
    "a jump": {"collecting": lambda p: collecting(p) * (1.6 if number(p, "num_areas") > 4 else 1.0)},
    "a dip": {"collecting": lambda p: collecting(p) * (1.5 if 3 <= number(p, "num_envs") <= 6 else 1.0)},
}


def search(build: str, name: str, seed: int) -> tuple[Course, float]:
    """One search until it settles or SECONDS are spent, and the most seconds that it thought about a question."""
    strategy = STRATEGIES[name]
    world = World(space_of(STUDY, cores=CORES, cap=64 * GIB), seed=seed, **NOISE, **BUILDS[build])
    whole = WHOLE_SECONDS if not strategy.is_brief else 4.0
    world.measure(world.space.baseline, whole, Purpose.BASELINE)
    best, thinking, settled = world.best_pace(), 0.0, False
    moments: list[Moment] = []
    while world.now < SECONDS and not settled:
        history = History(tuple(world.trials), world.space.baseline)
        question = Question(world.space, history, int(world.cap * GIB), CORES, seed)
        begin = time.perf_counter()
        history = replace(history, expected=strategy.expected(question))
        answer = strategy.propose(question)
        thinking = max(thinking, time.perf_counter() - begin)
        leader = history.ranked[0]
        pace = world.pace(leader.params)
        moments.append(Moment(world.now, 1 - best / pace, history.speed(leader) * pace - 1))
        settled = isinstance(answer, Settled)
        if not isinstance(answer, Settled):
            world.measure(answer.params, answer.measure_seconds or whole)
    broke = sum(not trial.is_ok for trial in world.trials)
    return Course(tuple(moments), broke / len(world.trials), settled), thinking


def ratio_to_best_other(by_strategy: dict[str, Any]) -> float | None:
    """Seconds to 2 % of `phase` over those of the best other; None where one of them never got there."""
    seconds = {name: row["seconds_to_2_percent"] for name, row in by_strategy.items()}
    others = [found for name, found in seconds.items() if name != "phase" and found is not None]
    return seconds["phase"] / min(others) if seconds["phase"] and others else None


def recorded() -> dict[str, dict[str, Any]]:
    """Figures by surface and strategy."""
    surfaces = read_surfaces(sorted((Path(__file__).parent / "surfaces").glob("*.json")))
    found: dict[str, dict[str, Any]] = {}
    rows: list[Sequence[Any]] = []
    for surface in surfaces:
        one = found.setdefault(surface.name, {})
        for name in RECORDED_NAMES:
            seeds = FEWER_SEEDS.get(name, RECORDED_SEEDS)
            (comparison,) = compared([surface], [name], seeds, SECONDS, lambda *_: None, StopSignal())
            one[name] = {**figures(comparison.courses[name]), "searches": seeds}
            rows.append((surface.name, name, *(one[name][column] for column in COLUMNS), seeds))
            print(".", end="", flush=True)
        one["ratio_to_best_other"] = ratio_to_best_other({name: one[name] for name in RECORDED_NAMES})
        told = surface.summary()
        one["error_percent"], one["not_told_from_best"] = 100 * (told.error or 0.0), told.rivals
    if rows:
        print(f"\nrecorded sessions, searches of {SECONDS:.0f} s at most")
        table(("surface", "strategy", *COLUMNS.values(), "searches"), rows)
    return found


def simulated() -> dict[str, dict[str, Any]]:
    """Figures by build and strategy."""
    found: dict[str, dict[str, Any]] = {}
    rows: list[Sequence[Any]] = []
    shown = (*COLUMNS, "thinking_seconds_max")
    with ProcessPoolExecutor() as pool:
        for build in BUILDS:
            one = found.setdefault(build, {})
            for name in NAMES:
                courses, thinking = zip(*pool.map(partial(search, build, name), range(SEEDS)))
                one[name] = {**figures(courses), "thinking_seconds_max": max(thinking)}
                rows.append((build, name, *(one[name][column] for column in shown)))
                print(".", end="", flush=True)
            one["ratio_to_best_other"] = ratio_to_best_other({name: one[name] for name in NAMES})
    print(f"\n{SEEDS} searches a row, of {SECONDS:.0f} s at most; simulated builds")
    table(("build", "strategy", *COLUMNS.values(), "thinking, s"), rows)
    return found


def main() -> None:
    by_surface, by_build = recorded(), simulated()
    finish({"searches": SEEDS, "by_build": by_build, "recorded_searches": RECORDED_SEEDS, "by_surface": by_surface})


if __name__ == "__main__":
    main()
