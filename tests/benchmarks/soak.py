"""Hundreds of short trials in one process: nothing of it may grow, nor what a trial leaves on the disk."""

from __future__ import annotations

import gc
import os
import statistics
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import psutil

from sweeper.app.clock import now
from sweeper.app.prepare import Overrides, prepare
from sweeper.app.stop import StopSignal
from sweeper.app.study_folder import open_folder
from sweeper.app.trials import Trials
from sweeper.model.events import ignore
from sweeper.model.trial import Purpose, Stage
from sweeper.session.memory import MemoryRules
from sweeper.session.turns import Sessions
from sweeper.store import Store
from sweeper.study.course import Measure, Why
from tests.benchmarks.common import SHORT, finish, table
from tests.conftest import MEASURE, STANDIN, Workshop

TRIALS = 40 if SHORT else 300
SETTLED = 10
"""Trials until imports and caches are what they will be."""
WINDOW = 10
"""Trials over which a figure is the median: an allocator gives memory back when it likes."""


def state(temporary: Path) -> dict[str, float]:
    gc.collect()
    process = psutil.Process()
    return {
        "memory_mib": process.memory_full_info().uss / 2**20,
        "descriptors": process.num_fds(),
        "threads": threading.active_count(),
        "children": len(process.children(recursive=True)),
        "temporary": len(list(temporary.iterdir())),
    }


def kib(folder: Path) -> float:
    """What a study folder takes: its database, and for each trial a config, logs and samples, which are kept."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1024


def median_of(states: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(one[name] for one in states) for name in states[0]}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        shop = Workshop(Path(folder))
        shop.scenario(rate=50000.0, update_seconds=0.005)
        shop.config()
        study = shop.study(measure={**MEASURE, "precision": "50%", "max_seconds": 0.3})
        os.environ["PATH"] = os.pathsep.join((str(STANDIN), os.environ["PATH"]))
        temporary = Path(folder) / "tmp"
        temporary.mkdir()
        os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
        prepared = prepare(study, Overrides(out=shop.folder))
        open_folder(prepared.folder)
        store = Store.open(
            prepared.folder.storage, "shop", prepared.identity(), prepared.knob_values(), now(), prepared.cap_bytes
        )
        stop = StopSignal()
        rules = MemoryRules(prepared.cap_bytes, 0, lambda: 1)
        with Sessions(rules, prepared.machine.usable_cores, stop.asked, lambda glimpse: None) as sessions:
            trials = Trials(
                replace(prepared, budget=replace(prepared.budget, seconds=1e9, trials=None)),
                store, sessions, stop, ignore, lambda: None,
            )  # fmt: skip
            states: list[dict[str, float]] = []
            disk = [kib(prepared.folder.root)]
            for number in range(TRIALS):
                params = {**prepared.space.baseline, "num_envs": 1 + number % 4}
                trials.run(Measure(params, Purpose.SEARCH, Stage.SEARCH, Why.SEARCH))
                states.append(state(temporary))
                disk.append(kib(prepared.folder.root))
                if number % 50 == 49:
                    print(number + 1, states[-1], flush=True)
        before, after = median_of(states[SETTLED : SETTLED + WINDOW]), median_of(states[-WINDOW:])
        first, last = (
            (disk[end] - disk[begin]) / WINDOW for begin, end in ((SETTLED, SETTLED + WINDOW), (-1 - WINDOW, -1))
        )
        before["disk_kib_per_trial"], after["disk_kib_per_trial"] = first, last
        outcomes = {trial.outcome.value for trial in trials.history}
    table(("", f"after {SETTLED} trials", f"after {TRIALS}"), [(name, before[name], after[name]) for name in before])
    print("outcomes:", ", ".join(sorted(outcomes)))
    finish(
        {
            "trials": TRIALS,
            "memory_growth_percent": 100 * (after["memory_mib"] / before["memory_mib"] - 1),
            "descriptor_growth": after["descriptors"] - before["descriptors"],
            "thread_growth": after["threads"] - before["threads"],
            "temporary_growth": after["temporary"] - before["temporary"],
            "disk_kib_per_trial": [first, last],
            "outcomes": sorted(outcomes),
        }
    )


if __name__ == "__main__":
    main()
