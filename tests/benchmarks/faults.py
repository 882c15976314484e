"""Every fault at every moment, at random instants: nothing left behind, no finished trial lost, resume works.

Against the scripted learner. PER_CELL=n injections for each pair of fault and moment (the complete form has 21, more than
1,000 in all; SHORT=1 has one), two at a time.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import psutil  # noqa: E402

from tests.benchmarks.common import SHORT, finish, table  # noqa: E402
from tests.conftest import MEASURE, Workshop  # noqa: E402

PER_CELL = int(os.environ.get("PER_CELL", "1" if SHORT else "21"))
WORKERS = 2
ENDING_SECONDS = 15.0
MOMENTS = ("before start", "starting", "warming up", "measuring", "stopping", "writing")
SIGNALS = {"ctrl-c": [signal.SIGINT], "ctrl-c twice": [signal.SIGINT] * 2, "sigterm": [signal.SIGTERM], "sighup": [signal.SIGHUP]}  # noqa: E501
FAULTS = (*SIGNALS, "kill tool", "kill tool and guardian", "kill learner", "kill player")
TOOL_SURVIVES = ("kill learner", "kill player")


@dataclass
class Outcome:
    fault: str
    moment: str
    wrong: list[str] = field(default_factory=list)
    processes: int = 0
    files: int = 0
    lost: int = 0
    resume_failed: bool = False


def inject(fault: str, moment: str, seed: int) -> Outcome:
    chooser = random.Random(f"{fault} {moment} {seed}")
    found = Outcome(fault, moment)
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        shop = Workshop(Path(folder))
        shop.scenario(rate=2000.0, start_seconds=chooser.uniform(0.2, 0.6))
        shop.config()
        shop.study(measure={**MEASURE, "max_seconds": 1.5}, budget={"time": "90s", "trials": 3}, space={"num_envs": [1, 2, 3]})
        process = shop.start("run", "study.yaml", start_new_session=True)
        try:
            reached(shop, process, moment, trial=chooser.choice([0, 1]))
            time.sleep(chooser.uniform(0, 0.3))
            before = finished(shop)
            strike(shop, process, fault)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=120 if fault in TOOL_SURVIVES else ENDING_SECONDS)
            if process.poll() is None:
                found.wrong.append("the tool did not end")
                process.kill()
            check(shop, fault, before, found)
        finally:
            for left in shop.leftovers():
                left.kill()
    return found


def reached(shop: Workshop, process: subprocess.Popen[str], moment: str, trial: int) -> None:
    """Wait for a moment of the first or second trial, or for the end of the run."""
    folder = shop.folder / "trials" / f"{trial:04d}"
    samples, log = folder / "samples.jsonl", folder / "learner.log"

    def text(path: Path) -> str:
        with contextlib.suppress(OSError):
            return path.read_text(errors="replace")
        return ""

    conditions: dict[str, Callable[[], bool]] = {
        "before start": lambda: True,
        "starting": folder.exists,
        "warming up": lambda: '"tick"' in text(samples) or '"update"' in text(samples),
        "measuring": lambda: text(samples).count('"update"') >= 4,
        "stopping": lambda: "Learning was interrupted" in text(log),
        "writing": lambda: len(finished(shop)) > trial,
    }
    deadline = time.monotonic() + 60
    while not conditions[moment]() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)


def strike(shop: Workshop, process: subprocess.Popen[str], fault: str) -> None:
    with contextlib.suppress(psutil.Error, ProcessLookupError):
        children = psutil.Process(process.pid).children()
        guardians = [child for child in children if "guardian" in " ".join(child.cmdline())]
        learners = [child for child in children if child not in guardians]
        if fault in SIGNALS:
            for number in SIGNALS[fault]:
                process.send_signal(number)
                time.sleep(0.05)
        elif fault == "kill learner":
            for child in learners:
                child.kill()
        elif fault == "kill player":
            for child in learners:
                for player in child.children()[:1]:
                    player.kill()
        else:
            process.kill()
            if fault == "kill tool and guardian":
                for child in guardians:
                    child.kill()


def finished(shop: Workshop) -> list[dict[str, object]]:
    with contextlib.suppress(OSError, ValueError):
        return list(shop.results()["trials"])
    return []


def check(shop: Workshop, fault: str, before: list[dict[str, object]], found: Outcome) -> None:
    deadline = time.monotonic() + ENDING_SECONDS
    while (shop.leftovers() or scratch(shop)) and time.monotonic() < deadline:
        time.sleep(0.2)
    if fault != "kill tool and guardian":  # there, what the probe cannot end is the next run's to clean
        found.processes += len(shop.leftovers())
        found.files += len(scratch(shop))
    again = shop.sweeper("run", "study.yaml", "--trials=4")
    if again.returncode != 0:
        found.resume_failed = True
        found.wrong.append(f"resume ended with {again.returncode}: {again.stderr[-300:]}")
    found.processes += len(shop.leftovers())
    found.files += len(scratch(shop))
    found.lost += sum(trial not in finished(shop) for trial in before)


def scratch(shop: Workshop) -> list[Path]:
    """Temporary folders, and half-written files."""
    left = [path for path in (shop.root / "tmp").glob("sweeper-*") if path.is_dir()]
    return left + [path for path in shop.folder.glob(".*") if path.name not in (".lock", ".pid")]


def main() -> None:
    cells = [(fault, moment, number) for number in range(PER_CELL) for fault in FAULTS for moment in MOMENTS]
    random.Random(5).shuffle(cells)
    with ThreadPoolExecutor(WORKERS) as pool:
        outcomes = list(pool.map(lambda cell: inject(*cell), cells))
    rows = []
    for fault in FAULTS:
        row: list[object] = [fault]
        for moment in MOMENTS:
            own = [one for one in outcomes if (one.fault, one.moment) == (fault, moment)]
            bad = sum(bool(one.wrong or one.processes or one.files or one.lost) for one in own)
            row.append(f"{len(own) - bad}/{len(own)}")
        rows.append(row)
    table(("clean endings", *MOMENTS), rows)
    for one in outcomes:
        if one.wrong or one.processes or one.files or one.lost:
            print(one)
    finish(
        {
            "injections": len(outcomes),
            "fewest_per_cell": PER_CELL,
            "leftover_processes": sum(one.processes for one in outcomes),
            "leftover_files": sum(one.files for one in outcomes),
            "lost_trials": sum(one.lost for one in outcomes),
            "failed_resumes": sum(one.resume_failed for one in outcomes),
            "tools_that_did_not_end": sum("the tool did not end" in one.wrong for one in outcomes),
        }
    )


if __name__ == "__main__":
    main()
