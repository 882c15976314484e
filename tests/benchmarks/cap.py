"""How far above the memory cap does a growing player get, by who keeps the cap?

A scripted learner with one player that takes memory at a given rate; the cap is kept by sampling alone, and by the
kernel where this machine lets us have a control group.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[2]))

from sweeper.app.prepare import Overrides
from sweeper.app.run import run_study
from sweeper.app.stop import StopSignal
from sweeper.errors import SweeperError
from sweeper.model.events import ignore
from sweeper.session import live
from sweeper.session.cap import keep_cap
from tests.benchmarks.common import SHORT, finish, table
from tests.conftest import MEASURE, STANDIN, Workshop

CAP_MIB = 600
RATES_MB_PER_S = (10, 100, 1000) if SHORT else (10, 50, 100, 250, 500, 1000, 2000)
START_MIB = 500
"""Held from the start, so that slow growth gets to the cap in time."""


def trial(root: Path, rate: int, kernel: bool) -> dict[str, Any]:
    shop = Workshop(root)
    start = START_MIB if rate <= 50 else 100
    shop.scenario(memory_mb_per_env=start, grow_mb_per_second=rate, start_seconds=1.0)
    shop.config()
    shop.study(
        memory_cap=f"{CAP_MIB}MiB", budget={"time": "120s", "trials": 1}, space={"num_envs": [1]},
        measure={**MEASURE, "precision": "0.01%", "max_seconds": 60},
    )  # fmt: skip
    keeper = nullcontext() if kernel else patch.object(live, "keep_cap", lambda *arguments: None)
    with keeper, suppress(SweeperError):  # a baseline above the cap is no study, but its trial is recorded
        run_study(root / "study.yaml", Overrides(out=shop.folder), False, ignore, StopSignal())
    trial: dict[str, Any] = shop.results()["trials"][0]
    return trial


def main() -> None:
    os.environ["PATH"] = os.pathsep.join((str(STANDIN), os.environ["PATH"]))
    keeper = keep_cap("bench", CAP_MIB << 20)
    kernel = keeper.mechanism if keeper else None
    if keeper:
        keeper.remove()
    figures: dict[str, Any] = {"sampling": {}, **({kernel: {}} if kernel else {}), "ok_above_cap": 0}
    rows = []
    for mechanism in ["sampling", *([kernel] if kernel else [])]:
        for rate in RATES_MB_PER_S:
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                found = trial(Path(folder), rate, kernel=mechanism != "sampling")
            peak = found["peak_memory_bytes"] or 0
            over = 100 * max(0.0, peak / (CAP_MIB << 20) - 1)
            figures[mechanism][str(rate)] = over
            figures["ok_above_cap"] += found["outcome"] == "ok" and peak > CAP_MIB << 20
            rows.append((mechanism, str(rate), found["outcome"], str(found["memory_cap_kept_by"]), peak / 2**20, over))
    table(("kept by", "growth MB/s", "outcome", "who acted", "peak seen MiB", "over the cap %"), rows)
    print(f"cap {CAP_MIB} MiB; kernel mechanism here: {kernel or 'none'}; peaks are the tool's own PSS readings")
    finish(
        {name: {"overshoot_percent": value} if isinstance(value, dict) else value for name, value in figures.items()}
    )


if __name__ == "__main__":
    main()
