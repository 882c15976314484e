"""Sections that trials go without, and numbers that only people read: refused where they stand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sweeper.errors import InvalidInput
from sweeper.inputs.trainer_config import TrainerConfig
from tests.helpers.builders import PPO

Config = Callable[[str], TrainerConfig]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (
            "env_settings:\n  # env_path: Builds/Game\n",
            ":7: env_settings: this section is empty, which the learner ref",
        ),
        ("env_settings: [1]\n", ":7: env_settings: must be a mapping"),
        (
            "env_settings:\n  num_envs: 2\n  no_graphics: true\n",
            ":9: env_settings.no_graphics: unknown key (it belongs under engine_settings)",
        ),
        ("checkpoint_settings:\n  runid: car\n", ":8: checkpoint_settings.runid: unknown key (did you mean 'run_id'?)"),
        (
            "engine_settings:\n  timescale: 20\n",
            ":8: engine_settings.timescale: unknown key (did you mean 'time_scale'",
        ),
        ("torch_settings:\n", ":7: torch_settings: this section is empty, which the learner refuses"),
        (
            "env_settings: {seed: 1e3}\n",
            ":7: env_settings.seed: the learner takes '1e3' for text, not for a whole numb",
        ),
    ],
)
def test_what_a_trial_would_not_show(config_file: Config, section: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        config_file(PPO + section)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "2048",
            "1e4",
            ".hyperparameters.buffer_size: the learner takes '1e4' for text, not for a whole number; write 100",
        ),
        (
            "2048",
            "5.0e3",
            ".hyperparameters.buffer_size: the learner takes '5.0e3' for text, not for a whole number; wri",
        ),
        ("128", "0.5e1", "write 5"),
        ("2048", "1.0e+4", None),
        ("2048", "'4096'", None),
        ("2048", "4_096", None),
    ],
)
def test_whole_numbers_are_the_learners(config_file: Config, old: str, new: str, message: str | None) -> None:
    if message is None:
        config_file(PPO.replace(old, new))
        return
    with pytest.raises(InvalidInput) as caught:
        config_file(PPO.replace(old, new))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "entry",
    [
        "time_horizon: 1e3", "network_settings: {hidden_units: 1e2}", "self_play: {save_steps: 5e4}",
        "network_settings: {memory: {sequence_length: 6e1}}", "reward_signals: {curiosity: {encoding_size: 1e2}}",
    ],
)  # fmt: skip
def test_in_every_section_of_a_behaviour_and_of_the_defaults(config_file: Config, entry: str) -> None:
    for text in (f"{PPO}    {entry}\n", f"default_settings: {{{entry}}}\n{PPO}"):
        with pytest.raises(InvalidInput, match="for text, not for a whole number"):
            config_file(text)


def test_what_the_learner_passes_over_is_no_mistake(config_file: Config) -> None:
    config_file(PPO + "torch_settings: {device: cpu, num_threads: null}\n")


def test_steps_and_rates_may_be_written_as_people_do(config_file: Config) -> None:
    config_file(PPO + "      learning_rate: 3e-4\n    max_steps: 5e5\n")
