"""Whole studies on this machine, ours beside plain TPE with whole sessions; then both winners in a paired check.

`PLAYER` names a build, the racer where it is not set; `MINUTES` the budgets ("5,20"), `RUNS` how often each (1),
`STRATEGIES` who (phase,tpe). The space is the derived one, the user's own settings are the smallest. What ended is
kept under `.bench/live`, so that a bench goes on where it was stopped. `phase_over_tpe`: of the winners, by the check,
with its 95 % interval; null where both named the same, or one named none.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import yaml

from sweeper.app.check.run import Told, Wishes, run_check
from sweeper.app.outputs import read_results
from sweeper.app.stop import StopSignal
from sweeper.cli.main import main as sweeper
from sweeper.errors import ExitCode
from sweeper.model.folder import StudyFolder
from sweeper.model.gate import Change
from sweeper.model.study import StudyResult
from sweeper.model.trial import Purpose
from tests.benchmarks.common import CONFIG, SHORT, finish, table

PLAYER = os.environ.get("PLAYER", "demo:racer")
MINUTES = tuple(float(text) for text in os.environ.get("MINUTES", "2" if SHORT else "5,20").split(","))
RUNS = int(os.environ.get("RUNS", 1))
STRATEGIES = os.environ.get("STRATEGIES", "phase,tpe").split(",")
CHECK_SECONDS = 120.0 if SHORT else 900.0
FOLDER = Path(".bench/live")


def study(place: Path, strategy: str, minutes: float) -> StudyResult:
    """The study in `place`, which is run to its end where it is not there."""
    folder = StudyFolder(place / "study")
    place.mkdir(parents=True, exist_ok=True)
    behavior = CONFIG["behaviors"]["Car"]
    (place / "any.yaml").write_text(yaml.safe_dump({"default_settings": behavior}))  # of whatever behaviours it has
    content = {
        "version": 1, "name": f"{strategy}-{minutes:g}", "trainer_config": "any.yaml", "sampler": strategy,
        "env_path": PLAYER if PLAYER.startswith("demo:") else str(Path(PLAYER).absolute()),
        "baseline": {"num_envs": 1, "num_areas": 1}, "engine": {"no_graphics": True}, "budget": f"{minutes:g}m",
    }  # fmt: skip
    (place / "study.yaml").write_text(yaml.safe_dump(content))
    if not (place / "ended").exists():
        try:
            sweeper(["run", str(place / "study.yaml"), f"--out={folder.root}"])
        except SystemExit as end:
            if end.code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED):
                raise
        (place / "ended").touch()
    return read_results(folder)


def paired(before: Path, after: Path) -> Change | None:
    """How much faster the best of one study is than that of another; None where they are the same or one has none."""
    best = [read_results(StudyFolder(place / "study")).best for place in (before, after)]
    if best[0] is None or best[1] is None or best[0].params == best[1].params:
        return None
    told = Told(lambda text: print(f"  {text}", file=sys.stderr, flush=True), lambda pair, look, seconds: None)
    words = [(f"folder:{place / 'study'}",) for place in (before, after)]
    # No more memory is a matter of the cap, which both kept.
    wishes = Wishes(words[0], words[1], 0.02, CHECK_SECONDS, 10.0, folder=after / "check")
    return run_check(wishes, told, StopSignal()).result.change


def row(found: StudyResult, strategy: str, minutes: float) -> dict[str, Any]:
    """What a study came to."""
    tried = {str(sorted(trial.params.items())) for trial in found.trials if trial.is_ok}
    best, speedup = found.best, found.best.speedup if found.best else None
    return {
        "minutes": minutes,
        "strategy": strategy,
        "verdict": found.verdict.value if found.verdict else None,
        "seconds": found.study.seconds,
        "configurations": len(tried),
        "sessions": len(found.trials),
        "searching": sum(trial.purpose is Purpose.SEARCH for trial in found.trials),
        "times": speedup.estimate if speedup else None,
        "low": speedup.interval[0] if speedup and speedup.interval else None,
        "best": " x ".join(str(best.params.get(knob)) for knob in ("num_envs", "num_areas", "batch_size", "threaded"))
        if best
        else None,
    }


def main() -> None:
    rows: list[dict[str, Any]] = []
    ratios: list[dict[str, Any]] = []
    name = Path(PLAYER).stem.replace(":", "-")
    for number in range(RUNS):
        for minutes in MINUTES:
            places = {one: FOLDER / name / f"{minutes:g}m-{number}-{one}" for one in STRATEGIES}
            order = STRATEGIES[:: 1 if number % 2 == 0 else -1]  # hours differ
            rows += [row(study(places[one], one, minutes), one, minutes) for one in order]
            if len(STRATEGIES) == 2:
                change = paired(places[STRATEGIES[1]], places[STRATEGIES[0]])
                ratios.append({"minutes": minutes, **_percent(change)})
    header: Sequence[str] = tuple(rows[0])
    table(header, [tuple(one.values()) for one in rows])
    finish({"player": name, "studies": rows, f"{STRATEGIES[0]}_over_{STRATEGIES[-1]}": ratios})


def _percent(change: Change | None) -> dict[str, Any]:
    if change is None:
        return {"percent": None}
    return {"percent": 100 * change.estimate, "low": 100 * change.interval[0], "high": 100 * change.interval[1]}


if __name__ == "__main__":
    main()
