"""Builders of the values that unit tests pass around; no process, no learner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sweeper.app.prepare import Prepared
from sweeper.inputs.study_file import Study, StudyFile
from sweeper.inputs.trainer_config import TrainerConfig, _behaviors
from sweeper.inputs.yaml_text import parse_yaml
from sweeper.model.findings import Finding, FindingKind
from sweeper.model.folder import StudyFolder, TrialFolder
from sweeper.model.identity import content
from sweeper.model.machine import Machine
from sweeper.model.measurement import BehaviorCount, PerThousandSteps, Sample
from sweeper.model.session import SessionEnd, SessionRecord
from sweeper.model.trial import Outcome, ParamValue, Purpose, Stage, TrialResult
from sweeper.plan.space import Space, build_space
from sweeper.plan.subject import Subject
from sweeper.plan.trial_plan import Launch, TrialPlan
from sweeper.search.proposal import Strategy
from sweeper.search.strategies import STRATEGIES
from sweeper.session.learner import Learner

GIB = 1024**3
STRATEGY = STRATEGIES["tpe"]
"""Of studies that are not about searching: its sessions are whole, and it has finals."""
ALL_FLAGS = frozenset(
    f"--{name}"
    for name in (
        "run-id", "results-dir", "env", "num-envs", "num-areas", "base-port", "seed", "timeout-wait",
        "max-lifetime-restarts", "initialize-from", "env-args",
    )
)  # fmt: skip
PPO = """\
behaviors:
  Car:
    trainer_type: ppo
    hyperparameters:
      batch_size: 128
      buffer_size: 2048
"""
STUDY_HEAD = "version: 1\nname: racer\ntrainer_config: car.yaml\n"


def study_of(text: str = "env_path: build.x86_64\n", head: str = STUDY_HEAD) -> Study:
    source = parse_yaml(Path("/somewhere/study.yaml"), head + text, "study file")
    return Study(StudyFile.model_validate(source.data), source)


def config_of(text: str = PPO) -> TrainerConfig:
    path = Path("/somewhere/car.yaml")
    source = parse_yaml(path, text, "trainer config")
    return TrainerConfig(path, text, source.data, _behaviors(source.data, source), source)


def space_of(
    study: str = "env_path: build.x86_64\n", config: str = PPO, cores: int = 8, cap: int = 8 * GIB, areas: bool = True
) -> Space:
    return build_space(study_of(study), config_of(config), cores, cap, areas)


def machine_of(**fields: Any) -> Machine:
    defaults: dict[str, Any] = {
        "key": "m1",
        "cpu_model": "Test CPU",
        "physical_cores": 4,
        "usable_cores": 8,
        "memory_bytes": 16 * GIB,
        "available_memory_bytes": 12 * GIB,
        "gpus": (),
        "os": "Linux x86_64",
        "python": "3.10.12",
        "mlagents": "1.1.0",
        "torch": "2.8.0",
        "packages": {"mlagents": "1.1.0", "torch": "2.8.0"},
    }
    return Machine(**{**defaults, **fields})


def prepared_of(
    study: str = "env_path: build.x86_64\nbaseline: {num_envs: 1}\n"
    "space: {num_envs: [1, 2, 4], num_areas: [1, 4], batch_size: [64, 128, 256]}\n",
    config: str = PPO,
    root: Path = Path("/somewhere/reports/racer"),
    strategy: Strategy | None = None,
) -> Prepared:
    found, trainer = study_of(study), config_of(config)
    packages = {"mlagents": "1.1.0", "torch": "2.8.0"}
    launch = Launch(
        "/bin/mlagents-learn", "mlagents-learn", Path("/somewhere/build.x86_64") if found.has_build else None, ALL_FLAGS
    )
    return Prepared(
        subject=Subject(found, trainer, launch, {"build.x86_64": content("1")}, packages),
        learner=Learner(Path("/bin/mlagents-learn"), ALL_FLAGS, packages),
        machine=machine_of(),
        space=build_space(found, trainer, 8, 8 * GIB, True),
        cap_bytes=8 * GIB,
        budget=found.spec.budget,
        until=None,
        folder=StudyFolder(root),
        strategy=strategy or STRATEGY,
    )


def params_of(envs: int = 1, areas: int = 1, batch: int = 128, threaded: bool = False) -> dict[str, ParamValue]:
    return {"num_envs": envs, "num_areas": areas, "batch_size": batch, "threaded": threaded}


def trial_of(
    number: int = 0,
    params: Mapping[str, ParamValue] | None = None,
    rate: float | None = 1000.0,
    purpose: Purpose = Purpose.SEARCH,
    outcome: Outcome = Outcome.OK,
    **fields: Any,
) -> TrialResult:
    defaults: dict[str, Any] = {
        "started_at": "2026-01-01T00:00:00+00:00",
        "total_seconds": 30.0,
        "seed": number,
        "peak_memory_bytes": GIB,
        "memory_source": "pss",
        "updates_per_1000_steps": PerThousandSteps(gradient=20.0, policy=0.5),
    }
    stages = {Purpose.BASELINE: Stage.PILOT, Purpose.CONFIRM: Stage.CONFIRMATION}
    fields.setdefault("stage", stages.get(purpose, Stage.SEARCH))
    measured = outcome in (Outcome.OK, Outcome.TOO_FEW_UPDATES)
    return TrialResult(
        number=number,
        params=dict(params if params is not None else params_of()),
        purpose=purpose,
        outcome=outcome,
        steps_per_second=rate if measured else None,
        **{**defaults, **fields},
    )


def said(text: str, kind: FindingKind = FindingKind.SAID) -> Finding:
    """What an earlier version wrote, of which only the sentence is left."""
    return Finding(kind, {"text": text})


def plan_of(params: Mapping[str, ParamValue] | None = None, number: int = 3) -> TrialPlan:
    return TrialPlan(
        number=number,
        params=dict(params or params_of()),
        seed=11,
        base_port=6000,
        folder=TrialFolder(Path("/somewhere/trials/0003")),
        config_text="behaviors: {}\n",
        argv=("mlagents-learn", "config.yaml"),
        max_startup_seconds=60.0,
        max_stall_seconds=60.0,
    )


def sample(
    seconds: float,
    steps: int,
    updates: int,
    kind: str = "update",
    behavior: str = "Car",
    decisions: int | None = None,
    timers: Mapping[str, tuple[float, int]] | None = None,
) -> Sample:
    count = BehaviorCount(steps, steps if decisions is None else decisions, updates)
    return Sample(seconds, kind, {behavior: count}, timers or {}, behavior if kind == "update" else None)


def session_of(cycles: Sequence[tuple[float, float]], start: float = 100.0) -> list[Sample]:
    """Samples of a session with one behaviour: a first decision at `start`, then an update a (steps, seconds)."""
    samples = [Sample(start - 1, "hello"), sample(start, 0, 0, "tick", decisions=1)]
    at, steps = start, 0.0
    for number, (more, seconds) in enumerate(cycles, 1):
        at, steps = at + seconds, steps + more
        samples.append(sample(at, round(steps), number))
    return samples


def record_of(end: SessionEnd, samples: Sequence[Sample] = (), log: Sequence[str] = (), **fields: Any) -> SessionRecord:
    defaults: dict[str, Any] = {
        "started_at": 90.0,
        "total_seconds": 45.0,
        "peak_memory_bytes": GIB,
        "memory_source": "pss",
        "exit_code": 0,
    }
    return SessionRecord(end=end, samples=tuple(samples), log_tail=tuple(log), **{**defaults, **fields})
