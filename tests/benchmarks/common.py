"""What the benchmarks share: sessions on the bundled racer, a table for people, a line of JSON for scripts."""

from __future__ import annotations

import json
import math
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sweeper.app.prepare import Overrides, Prepared, prepare
from sweeper.inputs.study_file import Measure
from sweeper.inputs.trainer_config import TrainerConfig, read_trainer_config
from sweeper.measure.contention import contention, disturbance
from sweeper.measure.cycles import cutting
from sweeper.measure.rate import Rule
from sweeper.model.folder import TrialFolder
from sweeper.model.session import SessionRecord, Watcher
from sweeper.model.trial import Params
from sweeper.plan.trial_plan import TrialPlan, plan_trial
from sweeper.report.words.reasons import reason_text
from sweeper.session.memory import MemoryRules
from sweeper.session.ports import free_block
from sweeper.session.turns import Contender, Sessions

SHORT = bool(os.environ.get("SHORT"))
MEASURE = Measure()
"""What a study asks of a session where its file is silent."""
MIN_SECONDS, MAX_SECONDS = MEASURE.limits(0.0 if SHORT else 1200.0)
"""Of a session that is measured as in a study of twenty minutes, the shortest there is for SHORT."""
OVERNIGHT_MAX_SECONDS = MEASURE.limits(0.0 if SHORT else 8 * 3600.0)[1]
"""The limit in a study of eight hours; MIN_SECONDS is the same there."""
ATTEMPTS = 3
"""At a session that other programs disturb, as in a study."""
CONFIG = {
    "behaviors": {
        "Car": {
            "trainer_type": "ppo",
            "hyperparameters": {"batch_size": 128, "buffer_size": 2048, "num_epoch": 3},
            "network_settings": {"hidden_units": 64, "num_layers": 2, "normalize": True},
            "time_horizon": 64,
        }
    }
}


@dataclass(frozen=True)
class Case:
    """A configuration of learner and racer under a name."""

    name: str
    params: Params
    env_args: tuple[str, ...] = ()


def params(envs: int = 1, areas: int = 16, batch: int = 128, threaded: bool = False) -> dict[str, Any]:
    return {"num_envs": envs, "num_areas": areas, "batch_size": batch, "threaded": threaded}


@cache
def _trainer_config() -> TrainerConfig:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "car.yaml"
        path.write_text(yaml.safe_dump(CONFIG))
        return read_trainer_config(path)


def rule_of(
    case: Case,
    precision: float = MEASURE.precision,
    max_seconds: float = MAX_SECONDS,
    min_seconds: float = MIN_SECONDS,
) -> Rule:
    """How a session of this configuration is measured."""
    return Rule(precision, max_seconds, cutting(_trainer_config().behaviors_with(case.params)), 1, min_seconds)


class Bench:
    """A workplace for real sessions on the racer. Use as a context manager."""

    def __init__(self, **measure: Any) -> None:
        self._scratch = tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True)
        self.root = Path(self._scratch.name)
        (self.root / "car.yaml").write_text(yaml.safe_dump(CONFIG))
        study = {
            "version": 1, "name": "bench", "trainer_config": "car.yaml", "env_path": "demo:racer",
            "baseline": params(), "engine": {"no_graphics": True}, "space": {"num_envs": [1, 2]},
            "measure": {"max_seconds": MAX_SECONDS, **measure},
        }  # fmt: skip
        (self.root / "study.yaml").write_text(yaml.safe_dump(study))
        self.prepared: Prepared = prepare(self.root / "study.yaml", Overrides())
        self.cores = self.prepared.machine.usable_cores
        self._number = 0

    def __enter__(self) -> Bench:
        say = f"\r{{stage}} {{seconds:.0f}} s{20 * ' '}\r" if sys.stderr.isatty() else ""
        self.sessions = Sessions(
            MemoryRules(self.prepared.cap_bytes, 0, lambda: 1),
            self.cores,
            lambda: False,
            lambda glimpse: print(
                say.format(stage=glimpse.stage, seconds=glimpse.seconds), end="", file=sys.stderr, flush=True
            ),
        )
        self.sessions.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.sessions.__exit__(*error)
        self._scratch.cleanup()

    def plan(self, case: Case) -> TrialPlan:
        """A fresh plan; every session has a seed of its own."""
        self._number += 1
        spec = self.prepared.subject.study.spec.model_copy(update={"env_args": list(case.env_args)})
        return plan_trial(
            replace(self.prepared.subject.study, spec=spec),
            self.prepared.subject.config,
            self.prepared.subject.launch,
            case.params,
            number=self._number,
            seed=self._number,
            base_port=free_block(int(case.params["num_envs"] or 1)),
            folder=TrialFolder(self.root / "trials" / f"{self._number:04d}"),
        )

    def run(self, case: Case, watch: Watcher, wait_seconds: float = 60.0) -> SessionRecord:
        return self.sessions.run(self.plan(case), watch, wait_seconds)

    def in_turn(
        self, contenders: Sequence[Contender], orders: Iterable[Sequence[int]], max_seconds: float = math.inf
    ) -> list[SessionRecord]:
        """Rounds of slices until `orders` or the time is over, start-up included."""
        started = time.monotonic()
        with self.sessions.in_turn(contenders, 0.0) as turns:
            for _ in turns.rounds(orders):
                if time.monotonic() - started > max_seconds:
                    break
            return turns.end()

    def disturbance(self, result: SessionRecord) -> str | None:
        """What others took of the machine over the whole session, if that was too much."""
        window = (result.load[0].seconds, result.load[-1].seconds)
        return reason_text(disturbance(contention(result.load, window, self.cores, busiest=result.busiest)))


def interleaved(items: Sequence[Any], times: int, seed: int = 1) -> Iterable[Any]:
    """Every item `times` times, in random order within each round."""
    chooser = random.Random(seed)
    for _ in range(times):
        yield from chooser.sample(list(items), len(items))


def percent(values: Iterable[float]) -> list[float]:
    return [100 * value for value in values]


def deviation_percent(rates: Sequence[float]) -> float | None:
    """Standard deviation of ln(rate), in per cent."""
    return 100 * statistics.stdev(math.log(rate) for rate in rates) if len(rates) > 1 else None


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows under a header, columns aligned."""
    texts = [list(map(str, header)), *([_cell(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(header))]
    for row in texts:
        print(
            "  ".join(
                cell.rjust(width) if index else cell.ljust(width)
                for index, (cell, width) in enumerate(zip(row, widths))
            )
        )
    print()


def finish(figures: Mapping[str, Any]) -> None:
    """The last line: all figures by name; what could not be measured is null."""
    print(json.dumps(_rounded(figures)))


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    return round(value, 3) if isinstance(value, float) else value


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
