"""What an update would take with other batch sizes, with a trainer whose steps cost what a script says."""

from __future__ import annotations

import importlib.util
import sys
import types
from typing import Any

import pytest

from sweeper.learner import INSIDE

BUFFER = 2000
STEP, SAMPLE, SHUFFLE = 0.01, 0.0001, 0.004
"""Seconds: of a gradient step, of each sample in it, and of shuffling the buffer."""


class Buffer(dict[str, Any]):
    num_experiences = BUFFER

    def __init__(self, now: list[float]) -> None:
        super().__init__(advantages=self)
        self._now = now
        self.asked: list[tuple[int, int]] = []

    def get_batch(self) -> list[float]:
        return [1.0, 3.0]

    def set(self, values: Any) -> None:
        self.values = values

    def shuffle(self, sequence_length: int) -> None:
        self._now[0] += SHUFFLE

    def make_mini_batch(self, first: int, last: int) -> int:
        self.asked.append((first, last))
        return last - first


class Trainer:
    brain_name = "Car"

    def __init__(self, now: list[float]) -> None:
        self.update_buffer, self.optimizer = Buffer(now), self
        vector = types.SimpleNamespace(shape=(8,))
        behavior = types.SimpleNamespace(observation_specs=[vector])
        self.policy = types.SimpleNamespace(sequence_length=1, behavior_spec=behavior)
        self.hyperparameters = types.SimpleNamespace(num_epoch=3)
        self.updates = 0
        self._now = now

    def update(self, minibatch: int, n_sequences: int) -> dict[str, float]:
        assert minibatch == n_sequences
        self._now[0] += STEP + SAMPLE * minibatch
        return {}

    def update_reward_signals(self, minibatch: int) -> dict[str, float]:
        return {}

    def _update_policy(self) -> bool:
        self.updates += 1
        return True


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch, now: list[float]) -> Any:
    for name in ("mlagents", "mlagents.trainers", "mlagents.trainers.trainer"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    keys: Any = types.ModuleType("buffer")
    keys.BufferKey = types.SimpleNamespace(ADVANTAGES="advantages")
    trainers: Any = types.ModuleType("on_policy_trainer")
    trainers.OnPolicyTrainer = type("OnPolicyTrainer", (Trainer,), {})
    monkeypatch.setitem(sys.modules, "mlagents.trainers.buffer", keys)
    monkeypatch.setitem(sys.modules, "mlagents.trainers.trainer.on_policy_trainer", trainers)
    spec = importlib.util.spec_from_file_location("batches_under_test", INSIDE / "sweeper_batches.py")
    assert spec is not None and spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    return module


def trainer_of(now: list[float]) -> Any:
    return sys.modules["mlagents.trainers.trainer.on_policy_trainer"].OnPolicyTrainer(now)  # type: ignore[attr-defined]


def test_an_update_is_epochs_of_shuffling_and_of_whole_minibatches(batches: Any, now: list[float]) -> None:
    found = batches.update_seconds(trainer_of(now), [64, 256, 512])
    expected = {size: 3 * (SHUFFLE + BUFFER // size * (STEP + SAMPLE * size)) for size in (64, 256, 512)}
    assert found == pytest.approx(expected)


def test_minibatches_lie_within_the_buffer_and_no_size_beyond_it_is_tried(batches: Any, now: list[float]) -> None:
    trainer = trainer_of(now)
    assert set(batches.update_seconds(trainer, [900, BUFFER, 2 * BUFFER])) == {900, BUFFER}
    assert all(0 <= first < last <= BUFFER for first, last in trainer.update_buffer.asked)


def test_sequences_are_left_alone(batches: Any, now: list[float]) -> None:
    trainer = trainer_of(now)
    trainer.policy.sequence_length = 16
    assert batches.update_seconds(trainer, [64]) == {}


def test_images_are_left_alone_for_their_memory(batches: Any, now: list[float]) -> None:
    trainer = trainer_of(now)
    trainer.policy.behavior_spec.observation_specs.append(types.SimpleNamespace(shape=(3, 84, 84)))
    assert batches.update_seconds(trainer, [64]) == {}


def test_the_first_update_of_each_trainer_is_preceded_by_it_once(
    batches: Any, now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(batches.SIZES, "64,128")
    told: list[tuple[str, list[int]]] = []
    batches.watch(lambda name, seconds: told.append((name, sorted(seconds))))
    one, other = trainer_of(now), trainer_of(now)
    assert [one._update_policy(), one._update_policy(), other._update_policy()] == [True] * 3
    assert told == [("Car", [64, 128])] * 2
    assert (one.updates, other.updates) == (2, 1)


def test_a_trainer_that_is_another_updates_all_the_same(
    batches: Any, now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(batches.SIZES, "64")
    batches.watch(lambda *_: pytest.fail("nothing can be told"))
    trainer = trainer_of(now)
    del trainer.update_buffer
    assert trainer._update_policy()


def test_a_learner_without_such_trainers_is_left_alone(batches: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(batches.SIZES, "64")
    monkeypatch.setitem(sys.modules, "mlagents.trainers.trainer.on_policy_trainer", None)
    batches.watch(lambda *_: None)


def test_without_sizes_nothing_is_touched(batches: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kind: Any = sys.modules["mlagents.trainers.trainer.on_policy_trainer"]
    before = kind.OnPolicyTrainer._update_policy
    monkeypatch.setenv(batches.SIZES, "")
    batches.watch(lambda *_: None)
    assert kind.OnPolicyTrainer._update_policy is before
