"""One trial on paper: the trainer config, the command line and the paths. Pure: starts nothing, writes nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sweeper.inputs.study_file import Study
from sweeper.inputs.trainer_config import TrainerConfig
from sweeper.model.folder import TrialFolder
from sweeper.model.trial import LearnerStart, Params
from sweeper.shells import TAKES_THE_REST

OUT_OF_REACH = 2**40
"""Steps that no trial gets to: it neither ends by itself nor writes a checkpoint while it is measured."""
SUMMARY_STEPS = 10_000
"""Summary frequency of off-policy trainers, whose buffers say nothing about a cycle."""
MIN_TIMEOUT_WAIT_SECONDS = 60
"""The learner's own default; below 10 it spins (mlagents_envs/rpc_communicator.py)."""


@dataclass(frozen=True)
class Launch:
    """What is the same for all trials of a study: which learner and build, and which flags the learner knows.

    `command`: the learner as people can type it. `env`: what it is told to launch, where that is not the plain path.
    """

    learner: str
    command: str
    build: Path | None
    flags: Collection[str]
    env: str | None = None


@dataclass(frozen=True)
class TrialPlan:
    """Everything that decides a session. `batch_sizes`: of which it is to tell what an update would take.

    `max_play_wait_seconds`: for somebody who presses Play in the Unity Editor; 0 where there is a build.
    """

    number: int
    params: Params
    seed: int
    base_port: int
    folder: TrialFolder
    config_text: str
    argv: tuple[str, ...]
    max_startup_seconds: float
    max_stall_seconds: float
    in_editor: bool = False
    max_play_wait_seconds: float = 0.0
    learner_start: LearnerStart = LearnerStart.COLD
    batch_sizes: tuple[int, ...] = ()


def plan_trial(
    study: Study,
    config: TrainerConfig,
    launch: Launch,
    params: Params,
    *,
    number: int,
    seed: int,
    base_port: int,
    folder: TrialFolder,
    stands_still_seconds: float = 0.0,
) -> TrialPlan:
    """The plan of one trial; flags that the learner does not know are left out.

    `stands_still_seconds`: how long it may be suspended, which neither learner nor players may take for a dead partner.
    """
    measure = study.spec.measure
    play_wait = measure.max_play_wait_seconds if launch.build is None else 0.0
    # We give up on whoever does not press Play before the learner does: it would take them for a broken player.
    patience = play_wait + measure.max_startup_seconds
    timeout = int(max(MIN_TIMEOUT_WAIT_SECONDS, patience, stands_still_seconds))
    flags = [
        "--run-id=trial",
        f"--results-dir={folder.results_dir}",
        *_launch_flags(study, launch, params),
        f"--seed={seed}",
        f"--timeout-wait={timeout}",
        # A crashed player would be restarted without a word, and its trial measured as if nothing had happened.
        "--max-lifetime-restarts=0",
    ]
    if launch.build is not None:
        flags.append(f"--base-port={base_port}")
    known = tuple(flag for flag in flags if flag.split("=")[0] in launch.flags)
    return TrialPlan(
        number=number,
        params=params,
        seed=seed,
        base_port=base_port,
        folder=folder,
        config_text=dump_config(trial_config(study, config, params)),
        argv=(launch.learner, str(folder.config), *known, *_env_args(study, launch)),
        max_startup_seconds=measure.max_startup_seconds,
        max_stall_seconds=measure.max_stall_seconds,
        in_editor=launch.build is None,
        max_play_wait_seconds=play_wait,
    )


def launch_command(
    study: Study, launch: Launch, params: Params, config_path: str, run_id: str | None = None
) -> tuple[str, ...]:
    """The command that trains with `params`, for people to copy; `config_path` holds the tuned trainer config.

    `run_id`: the study's name where it is None.

    A switch of the engine that the study turns off has no flag: the tuned trainer config says it.
    """
    flags = [f"--run-id={run_id or study.spec.name}", *_launch_flags(study, launch, params), *_engine_flags(study)]
    return (launch.command, config_path, *flags, *_env_args(study, launch))


def trial_config(study: Study, config: TrainerConfig, params: Params) -> dict[str, Any]:
    """The trainer config of a trial: the user's, with the knobs, and with nothing that disturbs measuring."""
    data = config.with_params(params)
    for name, behavior in zip(data.get("behaviors") or {}, config.behaviors_with(params)):
        _quiet(data["behaviors"][name], behavior.buffer_size if behavior.on_policy else SUMMARY_STEPS)
    if data.get("default_settings") is not None:
        _quiet(data["default_settings"], SUMMARY_STEPS)
    # What the command line decides must not be said here too: `resume: true` could not be taken back by a flag.
    data.pop("checkpoint_settings", None)
    env = data.pop("env_settings", None) or {}
    if env.get("env_args") and not study.spec.env_args:
        data["env_settings"] = {"env_args": env["env_args"]}
    engine = {key: value for key, value in study.spec.engine.model_dump().items() if value is not None}
    if engine:
        data["engine_settings"] = {**(data.get("engine_settings") or {}), **engine}
    return data


def dump_config(data: dict[str, Any]) -> str:
    """YAML text of a trainer config, in its own order."""
    return yaml.safe_dump(data, sort_keys=False, default_flow_style=False)


def _quiet(entry: dict[str, Any], summary_freq: int) -> None:
    entry["max_steps"] = OUT_OF_REACH
    entry["checkpoint_interval"] = OUT_OF_REACH
    entry["even_checkpoints"] = False
    entry["summary_freq"] = summary_freq


def _launch_flags(study: Study, launch: Launch, params: Params) -> list[str]:
    flags = []
    if launch.build is not None:
        flags.append(f"--env={launch.env or launch.build}")
        flags.append(f"--num-envs={params.get('num_envs', 1)}")
    if "--num-areas" in launch.flags:
        flags.append(f"--num-areas={params.get('num_areas', 1)}")
    if study.spec.initialize_from:
        flags.append(f"--initialize-from={study.resolve(study.spec.initialize_from)}")
    return flags


def _engine_flags(study: Study) -> list[str]:
    flags = []
    for key, value in study.spec.engine.model_dump().items():
        name = "--" + key.replace("_", "-")
        if value is True:
            flags.append(name)
        elif value is not None and value is not False:
            flags.append(f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}")
    return flags


def _env_args(study: Study, launch: Launch) -> tuple[str, ...]:
    # It takes all that follows, so it comes last.
    return (TAKES_THE_REST, *study.spec.env_args) if study.spec.env_args and launch.build is not None else ()
