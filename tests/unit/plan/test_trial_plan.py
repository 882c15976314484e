"""One trial on paper."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from sweeper.model.folder import TrialFolder
from sweeper.model.identity import SET_BY_TRIALS, differences
from sweeper.plan.trial_plan import (
    OUT_OF_REACH,
    SUMMARY_STEPS,
    Launch,
    TrialPlan,
    launch_command,
    plan_trial,
    trial_config,
)
from tests.helpers.builders import ALL_FLAGS, PPO, config_of, params_of, prepared_of, study_of

BUILD = Path("/builds/racer.x86_64")
FOLDER = TrialFolder(Path("/r/trials/0007"))


def planned(
    study: str = "env_path: b\n", config: str = PPO, flags: frozenset[str] = ALL_FLAGS, build: Path | None = BUILD
) -> TrialPlan:
    return plan_trial(
        study_of(study),
        config_of(config),
        Launch("/bin/mlagents-learn", "mlagents-learn", build, flags),
        params_of(4, 2, 256, True),
        number=7,
        seed=11,
        base_port=6000,
        folder=FOLDER,
    )


def test_argv_in_order() -> None:
    plan = planned("env_path: b\nenv_args: [--laps, '3']\n")
    assert plan.argv == (
        "/bin/mlagents-learn",
        "/r/trials/0007/config.yaml",
        "--run-id=trial",
        "--results-dir=/r/trials/0007/learner",
        "--env=/builds/racer.x86_64",
        "--num-envs=4",
        "--num-areas=2",
        "--seed=11",
        "--timeout-wait=180",
        "--max-lifetime-restarts=0",
        "--base-port=6000",
        "--env-args",
        "--laps",
        "3",
    )


def test_the_rest_of_the_plan() -> None:
    plan = planned("measure: {max_startup_seconds: 30, max_stall_seconds: 40}\n")
    assert (plan.number, plan.seed, plan.base_port, plan.folder) == (7, 11, 6000, FOLDER)
    assert (plan.max_startup_seconds, plan.max_stall_seconds) == (30.0, 40.0)
    assert "--timeout-wait=60" in plan.argv  # never below the learner's own


def test_the_editor_has_neither_build_nor_port_nor_environments() -> None:
    plan = planned("env_args: [--laps]\n", build=None)
    assert not [flag for flag in plan.argv if flag.startswith(("--env", "--num-envs", "--base-port"))]
    assert "--num-areas=2" in plan.argv


def test_in_the_editor_the_learner_waits_longer_for_play_than_we_do() -> None:
    text = "measure: {max_startup_seconds: 100, max_play_wait_seconds: 5m}\n"
    plan = planned(text, build=None)
    assert plan.max_play_wait_seconds == 300.0
    assert "--timeout-wait=400" in plan.argv
    with_build = planned(text)
    assert with_build.max_play_wait_seconds == 0.0
    assert "--timeout-wait=100" in with_build.argv


def test_flags_that_the_learner_does_not_know_are_left_out() -> None:
    old = ALL_FLAGS - {"--num-areas", "--max-lifetime-restarts", "--timeout-wait"}
    argv = planned(flags=old).argv
    assert [flag.split("=")[0] for flag in argv[2:]] == [
        "--run-id", "--results-dir", "--env", "--num-envs", "--seed", "--base-port",
    ]  # fmt: skip


def test_a_trained_run_to_start_from() -> None:
    assert "--initialize-from=/somewhere/runs/old" in planned("env_path: b\ninitialize_from: runs/old\n").argv


def test_the_config_is_quiet_and_holds_the_knobs() -> None:
    text = PPO.replace(
        "trainer_type: ppo", "trainer_type: ppo\n    max_steps: 5\n    summary_freq: 1\n    even_checkpoints: true"
    )
    car = yaml.safe_load(planned(config=text).config_text)["behaviors"]["Car"]
    assert car == {
        "trainer_type": "ppo",
        "max_steps": OUT_OF_REACH,
        "summary_freq": 2048,
        "even_checkpoints": False,
        "hyperparameters": {"batch_size": 256, "buffer_size": 2048},
        "threaded": True,
        "checkpoint_interval": OUT_OF_REACH,
    }


def test_what_a_trial_replaces_makes_no_other_study() -> None:
    plain, quiet = config_of().data["behaviors"]["Car"], trial_config(study_of(), config_of(), {})["behaviors"]["Car"]
    assert {key for key in quiet if plain.get(key) != quiet[key]} == set(SET_BY_TRIALS)
    changed = PPO.replace("buffer_size: 2048", "buffer_size: 1024")
    one, other = (
        prepared_of(config=text, study="env_path: b\nspace: {num_envs: [1]}\n").identity() for text in (PPO, changed)
    )
    assert differences(one, other) == [
        "trainer config: behaviors.Car.hyperparameters.buffer_size was 2048, is now 1024"
    ]


def test_summary_follows_the_buffer_only_on_policy() -> None:
    data = trial_config(study_of(), config_of(PPO + "  Bot: {trainer_type: sac}\n"), params_of())
    assert data["behaviors"]["Car"]["summary_freq"] == 2048
    assert data["behaviors"]["Bot"]["summary_freq"] == SUMMARY_STEPS


@pytest.mark.parametrize("defaults", ["{time_horizon: 32}", "{}"])
def test_defaults_are_quiet_too(defaults: str) -> None:
    data = trial_config(study_of(), config_of(f"{PPO}default_settings: {defaults}\n"), params_of())
    assert data["default_settings"]["summary_freq"] == SUMMARY_STEPS
    assert data["default_settings"]["max_steps"] == OUT_OF_REACH


def test_what_the_command_line_decides_is_dropped() -> None:
    text = PPO + (
        "checkpoint_settings: {resume: true, run_id: mine}\n"
        "env_settings: {num_envs: 9, env_path: x, seed: 5, env_args: [--level, '3']}\n"
        "torch_settings: {device: cpu}\nenvironment_parameters: {wind: 3.0}\n"
    )
    data = trial_config(study_of(), config_of(text), params_of())
    assert "checkpoint_settings" not in data
    assert data["env_settings"] == {"env_args": ["--level", "3"]}
    assert data["torch_settings"] == {"device": "cpu"}
    assert data["environment_parameters"] == {"wind": 3.0}


@pytest.mark.parametrize("section", ["null", "{num_envs: 2}", "{}"])
def test_no_empty_env_settings_are_left(section: str) -> None:
    # `env_settings: null` beside a flag of the learner is a TypeError there.
    data = trial_config(study_of(), config_of(PPO + f"env_settings: {section}\n"), params_of())
    assert "env_settings" not in data


def test_the_users_engine_settings_are_kept_under_the_studys() -> None:
    text = PPO + "engine_settings: {time_scale: 10, width: 84}\n"
    study = study_of("engine: {time_scale: 20, no_graphics: true}\n")
    assert trial_config(study, config_of(text), params_of())["engine_settings"] == {
        "time_scale": 20.0, "width": 84, "no_graphics": True,
    }  # fmt: skip
    assert trial_config(study_of(), config_of(text), params_of())["engine_settings"] == {"time_scale": 10, "width": 84}
    assert "engine_settings" not in trial_config(study_of(), config_of(), params_of())


def test_the_users_data_stays_untouched() -> None:
    config = config_of(PPO + "checkpoint_settings: {resume: true}\nenv_settings: {num_envs: 9}\n")
    before = copy.deepcopy(config.data)
    trial_config(study_of("engine: {time_scale: 5}\n"), config, params_of(2, 2, 64, True))
    assert config.data == before


def test_an_empty_behaviour_beside_one_that_differs() -> None:
    text = "behaviors:\n  A: {}\n  B: {trainer_type: ppo, threaded: true, hyperparameters: {batch_size: 64}}\n"
    params = {"num_envs": 1, "num_areas": 1, "batch_size": None, "threaded": None}
    assert trial_config(study_of(), config_of(text), params)["behaviors"]["A"]["max_steps"] == OUT_OF_REACH


def test_the_command_for_people() -> None:
    study = study_of("env_path: b\nengine: {no_graphics: true, time_scale: 20, width: 84}\nenv_args: [-x]\n")
    launch = Launch("/bin/mlagents-learn", "mlagents-learn", BUILD, ALL_FLAGS)
    assert launch_command(study, launch, params_of(4, 2), "best.yaml") == (
        "mlagents-learn", "best.yaml", "--run-id=racer", "--env=/builds/racer.x86_64", "--num-envs=4", "--num-areas=2",
        "--no-graphics", "--time-scale=20", "--width=84", "--env-args", "-x",
    )  # fmt: skip
