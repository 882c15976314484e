"""What measuring costs: our plug-in in the learner, our monitor beside it, and both against a run without either."""

from __future__ import annotations

import math
import os
import statistics
import sys
import tempfile
import time
import types
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[2]))

from sweeper import learner
from sweeper.measure.cycles import Cutting
from sweeper.model.measurement import Sample
from sweeper.model.session import Progress
from sweeper.plan.trial_plan import TrialPlan
from sweeper.quantiles import t_quantile
from sweeper.session import live, session, setting_out
from sweeper.session.console import ConsoleFile
from sweeper.session.turns import Contender
from tests.benchmarks.common import SHORT, Bench, Case, finish, params, table

CALLS = 200_000 if SHORT else 2_000_000
DECISIONS_PER_SECOND = 20_000
ENVS = 8
MONITOR_SECONDS = 15 if SHORT else 40
PAIR_MINUTES = 1.0 if SHORT else 6.0


def plugin_microseconds() -> float:
    """Of one agent decision, its share of ticks and updates included: all calls of a second at DECISIONS_PER_SECOND."""
    sys.path.insert(0, str(learner.INSIDE))
    import sweeper_probe  # type: ignore[import-not-found]

    with tempfile.TemporaryDirectory() as folder:
        recorder = sweeper_probe.Recorder(str(Path(folder) / "samples.jsonl"))
        started = time.perf_counter()
        for number in range(CALLS):
            recorder.on_add_stat("Car?team=0", "Policy/Entropy", 1.0)
            if number % 64 == 0:  # a trajectory
                recorder.on_add_stat("Car", "Step", number)
            if number % 2048 == 0:
                recorder._last_update.clear()
                recorder.on_add_stat("Car", "Losses/Policy Loss", 0.1)
            if number % DECISIONS_PER_SECOND == 0:
                recorder._write([recorder._sample("tick")])
        seconds = time.perf_counter() - started
        # The calls alone: a loop that does the same counting without a recorder.
        started = time.perf_counter()
        for number in range(CALLS):
            nothing("Car?team=0", "Policy/Entropy", 1.0)
            if number % 64 == 0:
                nothing("Car", "Step", number)
        return 1e6 * (seconds - (time.perf_counter() - started)) / CALLS


def nothing(category: str, key: str, value: float, aggregation: object = None) -> None:
    pass


def monitor(bench: Bench) -> dict[str, float | None]:
    """CPU time of this process while it watches a learner with ENVS players, per wall second."""
    case = Case("monitored", params(ENVS, 4), ("--work", "sleep", "--step-ms", "1"))
    marks: list[tuple[float, float]] = []

    def watch(samples: Sequence[Sample]) -> Progress:
        if samples[-1].policy_updates:
            marks.append((time.monotonic(), time.process_time()))
        return Progress.ENOUGH if marks and marks[-1][0] - marks[0][0] >= MONITOR_SECONDS else Progress.GO_ON

    bench.run(case, watch, 0.0)
    wall, cpu = (marks[-1][index] - marks[0][index] for index in (0, 1))
    return {"monitor_core_percent": 100 * cpu / wall, "seconds": wall}


class Bare(live.LiveSession):
    """A session that is followed by what the learner prints; ours and a bare one must be read in the same way."""

    def read_samples(self) -> list[Sample]:
        if not isinstance(self._file, ConsoleFile):
            self._file = ConsoleFile(self.plan.folder.learner_log)
        return super().read_samples()


def paired(bench: Bench) -> list[float]:
    """ln(without / with) of rounds of slices: A has plug-in and monitor, B neither."""
    case = Case("paired", params(1, 16))
    edges = Cutting(edge="summary")
    contenders = [Contender(name, bench.plan(case), edges, 1, 4) for name in ("with", "without")]
    orders = [[0, 1] if index % 2 == 0 else [1, 0] for index in range(400)]
    environment, drive = setting_out.environment_of, bench.sessions.drive

    def environment_of(plan: TrialPlan, *rest: Any) -> dict[str, str]:
        without_probe = patch.object(learner, "INSIDE", Path(os.devnull))
        with without_probe if plan is contenders[1].plan else nullcontext():
            return environment(plan, *rest)

    def drive_one(session: live.LiveSession, watch: Any, readings: Any, *rest: Any) -> Any:
        nobody_watches = patch.object(readings, "are_due", lambda now: False)
        with nobody_watches if session.plan is contenders[1].plan else nullcontext():
            return drive(session, watch, readings, *rest)

    with (
        patch.object(live, "environment_of", environment_of),
        patch.object(bench.sessions, "drive", drive_one),
        patch.object(session, "LiveSession", Bare),
    ):
        records = bench.in_turn(contenders, orders, 60 * PAIR_MINUTES)
    rates = []
    for record in records:
        at = {sample.seconds: sample.steps for sample in record.samples}
        rates.append([(at[end] - at[begin]) / (end - begin) for begin, end in record.slices])
    return [math.log(b / a) for a, b in zip(*rates)]


def main() -> None:
    sys.modules.setdefault("mlagents", types.ModuleType("mlagents"))
    for name in ("mlagents.trainers", "mlagents.trainers.stats"):
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["mlagents.trainers.stats"].StatsWriter = object  # type: ignore[attr-defined]
    microseconds = plugin_microseconds()
    plugin_percent = 100 * microseconds * 1e-6 * DECISIONS_PER_SECOND
    with Bench() as bench:
        watched = monitor(bench)
        differences = paired(bench)
    mean = statistics.mean(differences) if differences else None
    error = statistics.stdev(differences) / math.sqrt(len(differences)) if len(differences) > 2 else None
    bound = 100 * (mean + t_quantile(len(differences) - 1) * error) if mean is not None and error is not None else None
    core = watched["monitor_core_percent"] or 0.0
    table(
        ("", "figure"),
        [
            ("plug-in, microseconds a decision", microseconds),
            (f"plug-in, % of a core at {DECISIONS_PER_SECOND:,} decisions/s", plugin_percent),
            (f"monitor, % of one core at {ENVS} environments", core),
            ("monitor, % of this machine", core / bench.cores),
            (f"paired, without over with, mean % of {len(differences)} rounds", None if mean is None else 100 * mean),
            ("paired, upper 95 % bound of the cost, %", bound),
        ],
    )
    finish(
        {
            "plugin_microseconds_per_decision": microseconds,
            "plugin_percent": plugin_percent,
            "monitor_percent": core / bench.cores,
            "monitor_core_percent": core,
            "paired_bound_percent": bound,
            "paired_mean_percent": None if mean is None else 100 * mean,
            "paired_rounds": len(differences),
        }
    )


if __name__ == "__main__":
    main()
