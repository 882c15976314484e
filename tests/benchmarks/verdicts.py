"""How often is the answer right? Whole studies in simulation: the real course and the real rules, sessions drawn.

The user's own settings and 23 others; the fastest is so many times as fast as the user's own as the row says, the
others lie below it; where nothing is faster (1.0), several are exactly as fast. Sessions scatter by the row's noise,
about a machine that wanders by 4 % from one time to the next; slices by 7 % about a session that has a part of its own;
of all sessions 8 % are voided by other programs. The search proposes in random order: what is looked at is the verdict.
"""

from __future__ import annotations

import math
import random
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from sweeper.inputs.study_limits import Budget
from sweeper.model.load import LoadSample
from sweeper.model.session import SessionRecord, Watcher
from sweeper.model.study import StudyResult, Verdict
from sweeper.model.trial import Stage, configuration_key
from sweeper.plan.space import Space
from sweeper.plan.trial_plan import TrialPlan
from sweeper.search.proposal import Answer, Because, Proposal, Question, Settled, Strategy
from tests.benchmarks.common import SHORT, finish, table
from tests.benchmarks.replay import Memory, Replay, SliceNoise, conclude_replay
from tests.helpers.builders import prepared_of

REPLAYS = 20 if SHORT else 200
STUDY = (
    "env_path: build.x86_64\nbaseline: {num_envs: 1, num_areas: 1, batch_size: 128}\n"
    "space: {num_envs: [1, 2, 3, 4, 6, 8], num_areas: [1, 4, 8, 16], batch_size: [128]}\n"
)
SPEEDUPS = (1.0, 1.05, 1.1, 1.3, 2.0, 5.0)
BUDGETS = {"5 min": 300.0, "20 min": 1200.0, "a night": 8 * 3600.0}
WANDERING = 0.04
VOIDED = 0.08
SLICE_DEVIATION = 0.07
SESSION_SECONDS = {"5 min": 25.0, "20 min": 60.0, "a night": 90.0}
"""Start-up included; sessions are as long as the budget allows."""
CORES = 8


@dataclass(frozen=True)
class Kind:
    """How sessions scatter, as standard deviations of ln(rate). `effect`: a session's own, in slices; None without."""

    name: str
    noise: float
    effect: float | None = None


KINDS = (
    Kind("whole, 6 %", 0.06),
    Kind("whole, 10 %", 0.10),
    Kind("slices, effect 0", 0.06, 0.0),
    Kind("slices, effect 1.6 %", 0.06, 0.016),
    Kind("slices, effect 3 %", 0.06, 0.03),
)


class Simulated(Replay):
    """Draws sessions; each time has a speed of its own, and some are voided."""

    def __init__(self, store: Memory, true: Mapping[str, float], kind: Kind, seconds: float, chooser: random.Random):
        self._chooser = chooser
        self._phase = chooser.uniform(0, 2 * math.pi)
        noise = None
        if kind.effect is not None:
            effect = kind.effect
            noise = SliceNoise(
                lambda key: true[key],
                lambda: math.exp(chooser.gauss(0, effect)),
                lambda: math.exp(chooser.gauss(0, SLICE_DEVIATION)),
            )
        super().__init__(
            store,
            lambda key, _: true[key] * math.exp(chooser.gauss(0, kind.noise) + self._time()),
            dict.fromkeys(true, seconds),
            noise,
        )

    def run(self, plan: TrialPlan, watch: Watcher, max_wait_seconds: float) -> SessionRecord:
        record = super().run(plan, watch, max_wait_seconds)
        if self._chooser.random() >= VOIDED:
            return record
        edges = (record.started_at, record.started_at + record.total_seconds)
        return replace(record, load=tuple(LoadSample(at, 0.0, 0.5 * CORES * (at - edges[0])) for at in edges))

    def _time(self) -> float:
        """What the machine does at this time: common to sessions within minutes of each other."""
        return WANDERING * math.sin(self._phase + self.now / 97.0) * math.sqrt(2)


def surface(space: Space, speedup: float, chooser: random.Random) -> dict[str, float]:
    """True steps per second by configuration: one is the fastest, a quarter are nearly or exactly so."""
    own = configuration_key(space.baseline)
    others = [configuration_key(params) for params in space.combinations() if configuration_key(params) != own]
    chooser.shuffle(others)
    near = max(1, len(others) // 4)
    shares = [1.0, *(chooser.uniform(0.93, 1.0) for _ in range(near)), *(chooser.uniform(0.3, 0.93) for _ in others)]
    if speedup == 1.0:
        shares[:near] = [1.0] * near
    return {own: 1000.0, **{key: 1000.0 * speedup * share for key, share in zip(others, shares)}}


def study(kind: Kind, speedup: float, budget: str, seed: int) -> tuple[StudyResult, dict[str, float], float]:
    """One study; its result, the truth, and the share of the budget that the confirmation took."""
    chooser = random.Random(seed)
    prepared = replace(prepared_of(STUDY), budget=Budget(BUDGETS[budget]))
    true = surface(prepared.space, speedup, chooser)
    store = Memory()
    runner = Simulated(store, true, kind, SESSION_SECONDS[budget], chooser)
    prepared = replace(prepared, strategy=Strategy(_in_random_order(prepared.space, chooser)))
    result = conclude_replay(prepared, store, runner)
    confirmed = sum(trial.cost_seconds or 0.0 for trial in result.trials if trial.stage is Stage.CONFIRMATION)
    return result, true, confirmed / BUDGETS[budget]


def _in_random_order(space: Space, chooser: random.Random) -> Callable[[Question], Answer]:
    legal = list(space.combinations())
    chooser.shuffle(legal)

    def propose(question: Question) -> Answer:
        known = frozenset(question.history.by_key) | question.history.given_up
        found = next((params for params in legal if configuration_key(params) not in known), None)
        return Settled() if found is None else Proposal(found, Because.SAMPLED)

    return propose


def figures(kind: Kind, speedup: float, budget: str) -> dict[str, float | None]:
    """Shares over all replays, in per cent; what is claimed and lost where the answer was `better`."""
    verdicts, claimed, covered, regret, shares, false = [], [], [], [], [], 0
    for seed in range(REPLAYS):
        result, true, share = study(kind, speedup, budget, seed)
        shares.append(share)
        verdicts.append(result.verdict)
        if result.best is None:
            continue
        own = true[configuration_key(prepared_of(STUDY).space.baseline)]
        chosen = true[configuration_key(result.best.params)] / own
        recommended = chosen if result.verdict is Verdict.BETTER else 1.0
        regret.append(1 - recommended / max(1.0, max(true.values()) / own))
        if result.verdict is Verdict.BETTER and result.best.speedup is not None:
            false += chosen <= 1
            claimed.append(math.log(result.best.speedup.estimate / chosen))
            low, high = result.best.speedup.interval or (0.0, math.inf)
            covered.append(low <= chosen <= high)
    return {
        "better_percent": 100 * verdicts.count(Verdict.BETTER) / REPLAYS,
        "keep_percent": 100 * verdicts.count(Verdict.KEEP_YOURS) / REPLAYS,
        "open_percent": 100 * verdicts.count(Verdict.UNCONFIRMED) / REPLAYS,
        "false_better_percent": 100 * false / REPLAYS,
        "claimed_over_true_percent": 100 * statistics.mean(claimed) if claimed else None,
        "covered_percent": 100 * sum(covered) / len(covered) if covered else None,
        "regret_percent": 100 * statistics.median(regret) if regret else None,
        "confirmation_percent_of_budget": 100 * statistics.mean(shares),
    }


def cells() -> Iterator[tuple[str, Kind, float]]:
    """Every budget, kind and speed-up."""
    for budget in BUDGETS:
        for kind in KINDS:
            for speedup in SPEEDUPS:
                yield budget, kind, speedup


def computed() -> Iterator[tuple[tuple[str, Kind, float], dict[str, float | None]]]:
    """The figures of every cell, a process on every core."""
    with ProcessPoolExecutor() as pool:
        asked = [(cell, pool.submit(figures, cell[1], cell[2], cell[0])) for cell in cells()]
        for cell, answer in asked:
            yield cell, answer.result()


def main() -> None:
    found: dict[str, dict[str, dict[str, dict[str, float | None]]]] = {}
    rows: list[Sequence[Any]] = []
    for (budget, kind, speedup), one in computed():
        found.setdefault(budget, {}).setdefault(kind.name, {})[str(speedup)] = one
        rows.append((budget, kind.name, speedup, *one.values()))
        print(".", end="", flush=True)
    print(f"\n{REPLAYS} studies a row; figures in per cent")
    columns = ("better", "keep", "open", "false", "claimed", "covered", "regret", "confirmation")
    table(("budget", "sessions", "true", *columns), rows)
    worst = max(row[3 + columns.index("false")] for row in rows)
    finish({"studies_per_cell": REPLAYS, "false_better_percent_max": worst, "by_budget": found})


if __name__ == "__main__":
    main()
