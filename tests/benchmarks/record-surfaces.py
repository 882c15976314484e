"""Records surfaces for `make bench NAME=search`: real sessions of builds that differ in kind, pass after pass.

It fills the time that the machine has nothing else to do, and may be stopped and started again at any moment: each
surface is an ordinary study whose folder lies under `.bench/surfaces`, and what it has is written to
`tests/benchmarks/surfaces/NAME.json`, without logs. `HOURS` bounds a run (1 where it is not set), `ONLY` names one.
"""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import yaml

from sweeper.app.manner import Manner
from sweeper.app.outputs import read_results
from sweeper.app.trials import Trials
from sweeper.cli.main import main as sweeper
from sweeper.model.folder import StudyFolder
from sweeper.model.study import StudyResult, to_json
from sweeper.model.trial import Stage, configuration_key
from sweeper.search import strategies
from sweeper.search.proposal import Answer, Because, Proposal, Question, Settled, Strategy
from tests.benchmarks.common import CONFIG

PASSES = 3
MEASURE_SECONDS = 3.0
FOLDER, KEPT = Path(".bench/surfaces"), Path(__file__).parent / "surfaces"
SPACE = {"num_envs": [1, 2, 3, 4, 6], "num_areas": [1, 4, 16], "batch_size": [64, 128, 256, 512]}
"""60 configurations."""
BUFFER_SIZE, TIME_HORIZON = 512, 16
"""Short cycles: the slowest of 900 sessions then takes seconds, and the phases are what they are."""


@dataclass(frozen=True)
class Build:
    """Options of the player, and what a study of it states beside SPACE.

    `is_awkward`: tests/helpers/awkward_player.py instead of the racer.
    """

    env_args: tuple[str, ...]
    study: Mapping[str, Any]
    network: Mapping[str, Any]
    is_awkward: bool


def _build(env_args: str, network: Mapping[str, Any] | None = None, is_awkward: bool = False, **study: Any) -> Build:
    return Build(tuple(env_args.split()), study, network or {}, is_awkward)


BUILDS = {
    "spin": _build("--work spin --step-ms 0.5"),
    "sleep": _build("--work sleep --step-ms 1"),
    "heavy": _build(
        "--work sleep --step-ms 0.3 --memory-mb 300", {"hidden_units": 256, "num_layers": 3}, memory_cap="1900MiB"
    ),
    "dip": _build("--work sleep --step-ms 1 --dip 3-4:2", is_awkward=True),
    "jump": _build("--work spin --step-ms 0.3 --jump 16:1.6", is_awkward=True),
}


def passes(question: Question) -> Answer:
    """Every configuration once in random order, then all again in another; what never runs is tried once."""
    counts = {item.key: len(item.trials) for item in question.history.candidates}
    lost = question.history.given_up | {i.key for i in question.history.candidates if not i.is_feasible}
    for number in range(PASSES):
        for params in random.Random(number).sample(question.space.legal, len(question.space.legal)):
            key = configuration_key(params)
            if counts.get(key, 0) <= number and key not in lost:
                return Proposal(params, Because.SAMPLED, MEASURE_SECONDS)
    _end.recorded = True
    os.kill(os.getpid(), signal.SIGINT)  # what would follow confirms
    return Settled()


class _End:
    """Why a run ends: the surface is recorded, or the time is up."""

    recorded = False


_end = _End()


def compact(result: StudyResult) -> dict[str, Any]:
    """What a replay needs, as JSON; where things lay on the machine is nobody's."""
    trials = [
        replace(trial, command=(), log_tail=(), contention=None, utilisation=None, warnings=(), diagnosis=None)
        for trial in result.trials
        if trial.stage is not Stage.CONFIRMATION
    ]
    study = replace(
        result.study, file="study.yaml", trainer_config="car.yaml", env_path=Path(result.study.env_path or "").name
    )
    baseline = result.baseline and replace(result.baseline, command=())
    kept = replace(
        result, study=study, baseline=baseline, trials=tuple(trials), configurations=(), warnings=(), best=None,
        best_with_no_fewer_updates=None, verdict=None,
    )  # fmt: skip
    data: dict[str, Any] = to_json(kept)
    data["trials"] = [{key: value for key, value in one.items() if not _is_nothing(value)} for one in data["trials"]]
    return data


def _is_nothing(value: Any) -> bool:
    return value is None or value is False or value in ([], {})


def record(name: str, build: Build) -> bool:
    """Go on with one surface, and write what there is; whether it is recorded."""
    _end.recorded = False
    root = FOLDER / name
    root.mkdir(parents=True, exist_ok=True)
    config = json.loads(json.dumps(CONFIG))
    behavior = config["behaviors"]["Car"]
    behavior["network_settings"].update(build.network)
    behavior["hyperparameters"]["buffer_size"], behavior["time_horizon"] = BUFFER_SIZE, TIME_HORIZON
    (root / "car.yaml").write_text(yaml.safe_dump(config))
    study = {
        "version": 1, "name": name, "trainer_config": "car.yaml", "sampler": "grid",
        "env_path": _awkward_player(root) if build.is_awkward else "demo:racer",
        "baseline": {"num_envs": 1, "num_areas": 1}, "engine": {"no_graphics": True}, "space": SPACE,
        "env_args": list(build.env_args), "min_updates": "off", **build.study,
    }  # fmt: skip
    (root / "study.yaml").write_text(yaml.safe_dump(study))
    folder = StudyFolder(root / "study")
    with suppress(SystemExit):
        sweeper(["run", str(root / "study.yaml"), f"--out={folder.root}", "--budget=48h"])
    if folder.results.exists():
        KEPT.mkdir(exist_ok=True)
        (KEPT / f"{name}.json").write_text(json.dumps(compact(read_results(folder)), separators=(",", ":")) + "\n")
    return _end.recorded


def _awkward_player(root: Path) -> str:
    """A file that a trainer can start."""
    player = root / "awkward.x86_64"
    script = Path(__file__).parents[1] / "helpers" / "awkward_player.py"
    player.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, str(script)])} "$@"\n')
    player.chmod(0o755)
    (root / "awkward_Data").mkdir(exist_ok=True)
    return player.name


def main() -> None:
    strategies.STRATEGIES["grid"] = Strategy(passes, is_brief=True)  # type: ignore[index]
    # What breaks the cap or is far behind is recorded too.
    Trials.veto = lambda trials, params: None  # type: ignore[method-assign, assignment]
    rule = Manner.rule
    Manner.rule = lambda *asked: replace(rule(*asked), rival=None)  # type: ignore[method-assign]
    signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    until = time.monotonic() + 3600 * float(os.environ.get("HOURS", 1))
    for name in [os.environ["ONLY"]] if "ONLY" in os.environ else BUILDS:
        left = until - time.monotonic()
        if left > 60:
            signal.alarm(int(left))
            if not record(name, BUILDS[name]):
                break
            signal.alarm(0)


if __name__ == "__main__":
    main()
