"""A study on a quiet machine, and the same one with a core burner that starts in the middle of it.

No disturbed number may enter the ranking, and both must choose the same configuration. Sessions that were running while
the burner was are counted: without any, nothing was tried.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import yaml

from tests.benchmarks.common import CONFIG, SHORT, finish, params, table

BURN_AFTER_TRIALS = 2
"""The baseline and one more: on a slow machine there are not many others before the confirmation."""
BURN_SECONDS = 45 if SHORT else 90
BUDGET = "5m" if SHORT else "10m"
BURNERS = 1
BURN = f"import time\nend = time.monotonic() + {BURN_SECONDS}\nwhile time.monotonic() < end: pass"


def study(root: Path, name: str) -> Path:
    (root / "car.yaml").write_text(yaml.safe_dump(CONFIG))
    path = root / f"{name}.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "version": 1, "name": name, "trainer_config": "car.yaml", "env_path": "demo:racer", "budget": BUDGET,
                "baseline": params(1, 4), "engine": {"no_graphics": True},
                "space": {"num_envs": [1, 2], "num_areas": [4, 16]},
                "measure": {"precision": "3%", "min_seconds": 5, "max_seconds": 12},
            }
        )
    )  # fmt: skip
    return path


def run(root: Path, name: str, burn: bool) -> tuple[dict[str, Any], list[tuple[float, float]]]:
    """The results, and when the burner ran."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sweeper", "run", str(study(root, name)), f"--out={root / name}"],
        stdout=subprocess.DEVNULL,
    )
    results = root / name / "results.json"
    burnt: list[tuple[float, float]] = []
    while process.poll() is None:
        time.sleep(0.5)
        if (
            burn
            and not burnt
            and results.exists()
            and len(json.loads(results.read_text())["trials"]) >= BURN_AFTER_TRIALS
        ):
            burners = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(BURNERS)]
            started = time.time()
            for burner in burners:
                burner.wait()
            burnt.append((started, time.time()))
    return json.loads(results.read_text()), burnt


def overlap(trial: dict[str, Any], burnt: list[tuple[float, float]]) -> float:
    """Share of a trial's session that fell into the burning, by this program's own clock."""
    start = (
        datetime.fromisoformat(trial["started_at"]).astimezone(timezone.utc).timestamp()
        + trial["contention"]["waited_seconds"]
    )
    end = start + trial["total_seconds"]
    inside = sum(max(0.0, min(end, b) - max(start, a)) for a, b in burnt)
    return float(inside / (end - start))


def agreement(quiet: dict[str, Any] | None, burnt: dict[str, Any] | None) -> tuple[bool, bool]:
    """Whether both chose the same configuration, and whether that or the burnt one said that it cannot tell the two."""
    if quiet is None or burnt is None:
        return False, False
    same = quiet["params"] == burnt["params"]
    return same, same or quiet["params"] in burnt["tied_with"]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        quiet, _ = run(Path(folder), "quiet", burn=False)
        burnt, times = run(Path(folder), "burnt", burn=True)
    rows = [
        (trial["number"], trial["purpose"], str(trial["params"]["num_envs"]), str(trial["params"]["num_areas"]),
         trial["outcome"], trial["steps_per_second"], trial["contention"]["others_percent"],
         100 * overlap(trial, times), trial["contention"]["waited_seconds"])
        for trial in burnt["trials"]
    ]  # fmt: skip
    table(("trial", "purpose", "envs", "areas", "outcome", "steps/s", "others' CPU %", "burner on %", "waited s"), rows)
    ranked = sum(trial["outcome"] == "ok" and overlap(trial, times) > 0.5 for trial in burnt["trials"])
    voids = {
        f"{item['params']['num_envs']} x {item['params']['num_areas']}":
            100 * item["disturbed"] / (item["disturbed"] + item["sessions"])
        for item in burnt["configurations"] if item["disturbed"] + item["sessions"]
    }  # fmt: skip
    met = sum(overlap(trial, times) > 0 for trial in burnt["trials"])
    void_quiet = sum(trial["outcome"] == "disturbed" for trial in quiet["trials"])
    same, same_or_tied = agreement(quiet["best"], burnt["best"])
    for name, result in (("quiet", quiet), ("burnt", burnt)):
        best = result["best"]
        print(f"{name}: {result['verdict']}, {best and best['params']}, speed-up {best and best['speedup']}")
        print(f"  tied with {best and best['tied_with']}; warnings: {[note['text'] for note in result['warnings']]}")
    finish(
        {
            "disturbed_trials_ranked": ranked,
            "same_winner": same,
            "same_winner_or_tied_with_it": same_or_tied,
            "void_percent_by_configuration": voids,
            "disturbed_while_quiet": void_quiet,
            "trials": len(burnt["trials"]),
            "sessions_beside_the_burner": met,
            "disturbed": sum(trial["outcome"] == "disturbed" for trial in burnt["trials"]),
        }
    )


if __name__ == "__main__":
    main()
