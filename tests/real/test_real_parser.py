"""The parser of the real mlagents 1.1.0, on what people write: what it says, and where we say the same before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeper.errors import InvalidInput
from sweeper.inputs.trainer_config import read_trainer_config
from sweeper.session.parser import Question, ask_parser
from tests.conftest import SCRIPTS
from tests.helpers.builders import PPO

pytestmark = pytest.mark.real_learner
LEARNER = SCRIPTS / "mlagents-learn"
DEFAULTS = "default_settings: {time_horizon: 32}\n"
CAR = "behaviors:\n  Car:\n    "
BOTH_ACCEPT = [
    PPO,
    "\ufeff" + PPO.replace("\n", "\r\n"),
    CAR.rstrip() + " {}\n",
    DEFAULTS + CAR + "hyperparameters: {batch_size: 64}\n",
    "default_settings: {}\n" + CAR + "hyperparameters: {batch_size: 64}\n",
    "default_settings: {trainer_type: poca}\n" + CAR + "trainer_type: ppo\n",
    PPO + "    max_steps: 5e5\n    self_play: {}\n    network_settings: {memory: {}}\n    framework: pytorch\n",
    PPO + "torch_settings: {device: cpu, num_threads: null}\nenvironment_parameters: null\n",
    PPO + "env_settings: {num_envs: 2}\n",
]
BOTH_REFUSE = [
    CAR.rstrip() + "\n",
    CAR + "hyperparameters: {batch_size: 64}\n",
    CAR + "trainer_type: PPO\n",
    CAR + "network_settings:\n",
    PPO.replace("2048", "1e4"),
    PPO.replace("2048", "5.0e3"),
    PPO + "    time_horizon: 1e3\n",
    PPO + "    reward_signals: {curiosity: {encoding_size: 1e2}}\n",
    DEFAULTS + CAR + "trainer_type: sac\n",
    DEFAULTS + CAR + "trainer_type: poca\n",
    "default_settings: {hyperparameters: {batch_size: 64}}\n" + CAR.rstrip() + " {}\n",
    PPO + "env_settings:\n",
    PPO + "torch_settings:\n",
    PPO + "env_settings: {no_graphics: true}\n",
    PPO + "checkpoint_settings: {runid: car}\n",
    PPO + "engine_settings: {timescale: 20}\n",
    "default:\n  trainer: ppo\n",
    PPO + "curriculum: {}\n",
]
ONLY_ITS_OWN = {
    PPO + "    reward_signals: {extrinsc: {}}\n": ("behaviors", "Car", "reward_signals", "extrinsc"),
    PPO + "    network_settings: {vis_encode_type: cnn}\n": (
        "behaviors", "Car", "network_settings", "vis_encode_type",
    ),
    PPO + "    behavioral_cloning: {steps: 5}\n": ("behaviors", "Car", "behavioral_cloning"),
    PPO + "environment_parameters:\n  mass: 5\n  size: {}\n": ("environment_parameters", "size"),
    PPO.replace("128", "[128]"): ("behaviors", "Car", "hyperparameters", "batch_size"),
}  # fmt: skip


def refuse(path: Path, text: str) -> bool:
    path.write_bytes(text.encode())
    try:
        read_trainer_config(path)
    except InvalidInput:
        return True
    return False


def test_we_read_as_it_does(tmp_path: Path) -> None:
    texts = [*BOTH_ACCEPT, *BOTH_REFUSE, *ONLY_ITS_OWN]
    answers = dict(zip(texts, ask_parser(LEARNER, [Question(text, ("--env=build",)) for text in texts])))
    assert [text for text in BOTH_ACCEPT if answers[text] is not None] == []
    assert [text for text in BOTH_REFUSE if answers[text] is None] == []
    assert {text: refusal.path for text in ONLY_ITS_OWN if (refusal := answers[text])} == ONLY_ITS_OWN
    assert [text for text in BOTH_ACCEPT if refuse(tmp_path / "car.yaml", text)] == []
    assert [text for text in BOTH_REFUSE if not refuse(tmp_path / "car.yaml", text)] == []
