"""Every fault at every moment, at random instants: nothing left behind, no finished trial lost, resume works.

PER_CELL=n injections for each pair of fault and moment against the scripted learner; the complete form has 16, which is
more than 1,000 in all, SHORT=1 has one. REAL=1 strikes the real mlagents-learn on the racer instead, one for each pair.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.common import SHORT, finish, table
from tests.benchmarks.injection import FAULTS, MOMENTS, REAL_FAULTS, Injected, inject

REAL = bool(os.environ.get("REAL"))
PER_CELL = int(os.environ.get("PER_CELL", "1" if SHORT or REAL else "16"))
WORKERS = int(os.environ.get("WORKERS", "2"))


def one(cell: tuple[str, str, int]) -> Injected:
    fault, moment, seed = cell
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        try:
            found = inject(fault, moment, seed, Path(folder), REAL)
        except Exception as error:  # the table must come, and say so
            found = Injected(fault, moment, [f"the injection failed: {error!r}"])
    if not found.is_clean:
        print(found, flush=True)
    return found


def main() -> None:
    faults = REAL_FAULTS if REAL else FAULTS
    cells = [(fault, moment, number) for number in range(PER_CELL) for fault in faults for moment in MOMENTS]
    random.Random(5).shuffle(cells)
    started = time.monotonic()
    outcomes: list[Injected] = []
    with ThreadPoolExecutor(WORKERS) as pool:
        for found in pool.map(one, cells):
            outcomes.append(found)
            if len(outcomes) % 50 == 0:
                print(f"{len(outcomes)} of {len(cells)} in {time.monotonic() - started:.0f} s", flush=True)
    rows: list[list[object]] = []
    for fault in faults:
        own = [[found for found in outcomes if (found.fault, found.moment) == (fault, moment)] for moment in MOMENTS]
        rows.append([fault, *(f"{sum(found.is_clean for found in cell)}/{len(cell)}" for cell in own)])
    table(("clean endings", *MOMENTS), rows)
    finish(
        {
            "learner": "mlagents-learn" if REAL else "scripted",
            "injections": len(outcomes),
            "fewest_per_cell": PER_CELL,
            "leftover_processes": sum(found.processes for found in outcomes),
            "leftover_ports": sum(found.ports for found in outcomes),
            "leftover_files": sum(found.files for found in outcomes),
            "lost_trials": sum(found.lost for found in outcomes),
            "failed_resumes": sum(found.resume_failed for found in outcomes),
            "anything_else": sum(bool(found.wrong) and not found.resume_failed for found in outcomes),
        }
    )


if __name__ == "__main__":
    main()
