"""How soon does a search know the fastest? Strategies on recorded surfaces, and on builds that do not follow any model.

Recorded: `tests/benchmarks/surfaces/*.json`, made by `record-surfaces`; every strategy gets the recorded sessions as
they are and pays what they took. Simulated: the two phases of each build are formulas (tests/helpers/world.py), a
session's phases share an error of 4 %, and each has one of its own; start-up, warm-up and end are charged. Every
strategy is asked through the same questions as in a study. `seconds_to_2_percent`: until what is taken for the fastest
is within 2 % of the best that fits and stays there; infinite where that was never so (null).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from sweeper.app.replay import compared, read_surfaces
from sweeper.model.replay import Course, Moment, figures
from sweeper.model.trial import Params, Purpose
from sweeper.search.proposal import Question, Settled, Strategy
from sweeper.search.strategies import STRATEGIES
from sweeper.study.history import History
from tests.benchmarks.common import SHORT, finish, table
from tests.helpers.builders import GIB, space_of
from tests.helpers.world import World, collecting, number, updating

SEEDS = 4 if SHORT else 25
SECONDS = 1800.0
CORES = 8
NOISE = 0.04
WHOLE_SECONDS = 20.0
"""That a session of a strategy measures which has no brief ones; kind to them: in a study of half an hour it is 45."""
STUDY = (
    "env_path: b\nbaseline: {num_envs: 1}\n"
    "space: {num_envs: [1, 2, 3, 4, 6, 8, 12, 16], num_areas: [1, 2, 4, 8, 16], batch_size: [64, 128, 256, 512]}\n"
)
RECORDED_SEEDS = 8 if SHORT else 100
RECORDED_NAMES = ("phase", "structured-gp", "tpe", "random", "grid", "autotune", "quick", "halving")
COLUMNS = {
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


def search(build: dict[str, Any], strategy: Strategy, seed: int) -> tuple[Course, float]:
    """One search until it settles or SECONDS are spent, and the most seconds that it thought about a question."""
    world = World(space_of(STUDY, cores=CORES, cap=64 * GIB), noise=NOISE, seed=seed, **build)
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
    for comparison in compared(surfaces, RECORDED_NAMES, RECORDED_SEEDS, SECONDS, lambda *_: None):
        name = comparison.surface.name
        found[name] = {strategy: figures(courses) for strategy, courses in comparison.courses.items()}
        rows += [(name, strategy, *(row[column] for column in COLUMNS)) for strategy, row in found[name].items()]
        found[name]["ratio_to_best_other"] = ratio_to_best_other(found[name])
    if rows:
        print(f"{RECORDED_SEEDS} searches a row, of {SECONDS:.0f} s at most; recorded sessions")
        table(("surface", "strategy", *COLUMNS.values()), rows)
    return found


def main() -> None:
    by_surface = recorded()
    by_build: dict[str, dict[str, Any]] = {}
    rows: list[Sequence[Any]] = []
    shown = (*COLUMNS, "thinking_seconds_max")
    for name, build in BUILDS.items():
        by_strategy = by_build.setdefault(name, {})
        for strategy in NAMES:
            courses, thinking = zip(*(search(build, STRATEGIES[strategy], seed) for seed in range(SEEDS)))
            by_strategy[strategy] = {**figures(courses), "thinking_seconds_max": max(thinking)}
            rows.append((name, strategy, *(by_strategy[strategy][column] for column in shown)))
            print(".", end="", flush=True)
        by_strategy["ratio_to_best_other"] = ratio_to_best_other(by_strategy)
    print(f"\n{SEEDS} searches a row, of {SECONDS:.0f} s at most; simulated builds")
    table(("build", "strategy", *COLUMNS.values(), "thinking, s"), rows)
    finish({"searches": SEEDS, "by_build": by_build, "recorded_searches": RECORDED_SEEDS, "by_surface": by_surface})


if __name__ == "__main__":
    main()
