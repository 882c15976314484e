"""What the gate's benches share: one build of the racer, and whole checks of it, kept as they end.

A check takes minutes. `.bench/gate.jsonl` has a line for each that ended, so that a bench goes on where it was stopped;
`gate-recorded` reads the pairs of the unchanged ones. Checks of another player, settings or buffer do not count.
`GATE_FILE` names another file: `tests/benchmarks/recorded/gate.jsonl` was recorded on two shared cores.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from sweeper.model.gate import CheckResult
from tests.benchmarks.common import CONFIG

FILE = Path(os.environ.get("GATE_FILE", ".bench/gate.jsonl"))
SLOWER = 0.05
WORK, STEP_MS = "sleep", 2.0
SETTINGS = {"num_envs": 1, "num_areas": 16}
"""A player that waits, alone: on two cores its pairs differ by 2 to 3 %, those of two that compute by 7 %."""
BUFFER_SIZE = 256
"""Short cycles, so that a restart is little else than slices."""
SUBJECT = f"{WORK} {STEP_MS} ms, {SETTINGS['num_envs']} x {SETTINGS['num_areas']}, buffer {BUFFER_SIZE}"
"""What is checked, in a word; a check of anything else is none of these."""


@dataclass(frozen=True)
class Kept:
    """A check that ended. `subject`: of which build. `differences`: ln(candidate / baseline) of the pairs that count;
    `slices` of each, if alive together. `memory_growth`: a share."""

    subject: str
    kind: str
    step_ms: float
    verdict: str
    seconds: float
    differences: tuple[float, ...]
    slices: tuple[tuple[float, ...], ...]
    void: int
    memory_growth: float | None


def study(root: Path, name: str, step_ms: float) -> Path:
    """A study file of the racer whose step costs so much."""
    config = json.loads(json.dumps(CONFIG))
    config["behaviors"]["Car"]["hyperparameters"]["buffer_size"] = BUFFER_SIZE
    (root / "car.yaml").write_text(yaml.safe_dump(config))
    path = root / f"{name}.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "version": 1, "name": "gate", "trainer_config": "car.yaml", "env_path": "demo:racer",
                "baseline": SETTINGS, "engine": {"no_graphics": True}, "memory_cap": "6GiB",
                "env_args": ["--work", WORK, "--step-ms", f"{step_ms:.4f}"],
            }
        )
    )  # fmt: skip
    return path


def keep(kind: str, step_ms: float, result: CheckResult) -> Kept:
    """Add a line for this check."""
    counted = [pair for pair in result.pairs if pair.difference is not None]
    found = Kept(
        SUBJECT,
        kind,
        step_ms,
        result.verdict.value,
        result.seconds,
        tuple(pair.difference or 0.0 for pair in counted),
        tuple(pair.slices for pair in counted),
        sum(pair.void is not None for pair in result.pairs),
        result.memory_growth.estimate if result.memory_growth else None,
    )
    FILE.parent.mkdir(exist_ok=True)
    with FILE.open("a") as file:
        file.write(json.dumps(asdict(found)) + "\n")
    return found


def kept(kind: str) -> Sequence[Kept]:
    """All of a kind and of SUBJECT, in order of time."""
    lines = FILE.read_text().splitlines() if FILE.exists() else []
    found = [json.loads(line) for line in lines]
    return [
        Kept(**{**one, "differences": tuple(one["differences"]), "slices": tuple(map(tuple, one["slices"]))})
        for one in found
        if (one["subject"], one["kind"]) == (SUBJECT, kind)
    ]
