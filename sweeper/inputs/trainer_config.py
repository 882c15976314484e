"""An ML-Agents trainer config: what it says about the knobs, and how parameters are put into it.

The defaults are those of mlagents 1.1.0, `mlagents/trainers/settings.py`.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweeper.errors import InvalidInput
from sweeper.inputs import quantities
from sweeper.inputs.launch_sections import check_sections
from sweeper.inputs.whole_numbers import check_behaviors
from sweeper.inputs.yaml_text import YamlText, did_you_mean, read_yaml
from sweeper.model.trial import Params, ParamValue
from sweeper.outside import shown

TOP_LEVEL_KEYS = (
    "default_settings", "behaviors", "env_settings", "engine_settings", "environment_parameters",
    "checkpoint_settings", "torch_settings", "debug",
)  # fmt: skip
BEHAVIOR_KEYS = (
    "trainer_type", "hyperparameters", "checkpoint_interval", "network_settings", "reward_signals", "init_path",
    "keep_checkpoints", "even_checkpoints", "max_steps", "time_horizon", "summary_freq", "threaded", "self_play",
    "behavioral_cloning", "framework",
)  # fmt: skip
MAX_WHOLE = 2**53
"""Exact as a float; nothing that is counted or kept in memory gets there."""
ON_POLICY = ("ppo", "poca")
_COMMON = ("batch_size", "buffer_size", "learning_rate", "learning_rate_schedule")
_PPO = (*_COMMON, "num_epoch", "beta", "epsilon", "lambd", "shared_critic", "beta_schedule", "epsilon_schedule")
HYPERPARAMETERS = {
    "ppo": _PPO,
    "poca": tuple(key for key in _PPO if key != "shared_critic"),
    "sac": (
        *_COMMON, "buffer_init_steps", "tau", "steps_per_update", "save_replay_buffer", "init_entcoef",
        "reward_signal_steps_per_update",
    ),
}  # fmt: skip
"""What the built-in trainers accept; a plug-in's trainer is not checked."""
_DEFAULT_BATCH = {"sac": 128}
_DEFAULT_BUFFER = {"sac": 50000}
KNOB_PATHS = {"batch_size": "hyperparameters.batch_size", "threaded": "threaded"}
"""Knobs that live in every behaviour's entry, by their short names."""
LAUNCH_KNOBS = ("num_envs", "num_areas")
"""Knobs that are flags of the learner."""


@dataclass(frozen=True)
class Behavior:
    """The settings of one behaviour that decide speed and legality, defaults filled in."""

    name: str
    trainer_type: str
    batch_size: int
    buffer_size: int
    sequence_length: int | None
    threaded: bool
    time_horizon: int
    num_epoch: int
    buffer_init_steps: int = 0
    team_change: int | None = None
    """Steps after which self-play lets another team learn; None without self-play."""

    @property
    def steps_to_update(self) -> int:
        """Steps of its own before the first policy update, at the least."""
        return max(self.batch_size, self.buffer_init_steps) if self.trainer_type == "sac" else self.buffer_size

    @property
    def on_policy(self) -> bool:
        """PPO and POCA empty their buffer at every update; SAC keeps it."""
        return self.trainer_type in ON_POLICY


@dataclass(frozen=True)
class TrainerConfig:
    """A trainer config as read. `behaviors` holds one nameless entry where only `default_settings` is given."""

    path: Path
    text: str
    data: dict[str, Any]
    behaviors: tuple[Behavior, ...]
    source: YamlText

    def with_params(self, params: Params) -> dict[str, Any]:
        """A copy of the data with the knobs of the trainer set in every behaviour, and in the defaults where given."""
        data = copy.deepcopy(self.data)
        put_params(data, params)
        return data

    def behaviors_with(self, params: Params) -> tuple[Behavior, ...]:
        """The behaviours as they would be with `params`."""
        return _behaviors(self.with_params(params), self.source)

    def value(self, knob: str) -> ParamValue:
        """What the config says about a knob; None where behaviours differ or do not say."""
        if knob in LAUNCH_KNOBS:
            env = self.data.get("env_settings") or {}
            return _whole(self.source, ("env_settings", knob), env.get(knob, 1))
        if knob in KNOB_PATHS:
            found = {getattr(behavior, knob) for behavior in self.behaviors}
        else:
            found = {_hashable(_get(entry, knob)) for entry in resolved(self.data).values()}
            if found == {None} and knob == "hyperparameters.buffer_size":
                found = {behavior.buffer_size for behavior in self.behaviors}
        return found.pop() if len(found) == 1 else None


def read_trainer_config(path: Path) -> TrainerConfig:
    """Read an ML-Agents trainer config.

    Raises:
        InvalidInput: unreadable, or something in it that the learner would refuse and that we must understand.
    """
    source = read_yaml(path, "trainer config")
    for key in source.data:
        if key not in TOP_LEVEL_KEYS:
            raise source.error((key,), f"unknown key in a trainer config{did_you_mean(key, TOP_LEVEL_KEYS)}")
    check_sections(source)
    check_behaviors(source)
    if not isinstance(source.data.get("default_settings") or {}, dict):
        raise source.error(("default_settings",), "must be a mapping")
    return TrainerConfig(path, source.text, source.data, _behaviors(source.data, source), source)


def put_params(data: dict[str, Any], params: Params) -> None:
    """Set the knobs of the trainer in `data`, a trainer config as read by any YAML library, in place."""
    trainer = (data.get("default_settings") or {}).get("trainer_type", "ppo")
    for entry in _entries(data):
        for path, value in trainer_paths(params).items():
            _set(entry, path, value, trainer)


def trainer_paths(params: Params) -> dict[str, ParamValue]:
    """The parameters that live in the trainer config, by their path in a behaviour's entry. None means: leave it."""
    return {
        KNOB_PATHS.get(knob, knob): value
        for knob, value in params.items()
        if knob not in LAUNCH_KNOBS and value is not None
    }


def _behaviors(data: dict[str, Any], source: YamlText) -> tuple[Behavior, ...]:
    return tuple(_behavior(name, entry, source) for name, entry in resolved(data, source).items())


def _behavior(name: str, entry: dict[str, Any], source: YamlText) -> Behavior:
    def where(*path: str) -> tuple[str, ...]:
        """Where a setting stands: in the behaviour's own entry, or in the defaults that fill it."""
        own = ("behaviors", name, *path)
        return own if name and source.has(own) else ("default_settings", *path)

    for key in entry:
        if key not in BEHAVIOR_KEYS:
            raise source.error(where(key), f"unknown key in a behaviour{did_you_mean(key, BEHAVIOR_KEYS)}")
    trainer = entry.get("trainer_type", "ppo")
    if not isinstance(trainer, str):
        raise source.error(where("trainer_type"), f"expected ppo, sac, poca or a plug-in's name, not {shown(trainer)}")
    for path in (("hyperparameters",), ("network_settings",), ("network_settings", "memory")):
        if not isinstance(_get(entry, ".".join(path)) or {}, dict):
            raise source.error(where(*path), "must be a mapping")
    hyper = entry.get("hyperparameters") or {}
    memory = _get(entry, "network_settings.memory") or {}
    known = HYPERPARAMETERS.get(trainer, tuple(hyper))
    for key in hyper:
        if key not in known:
            raise source.error(where("hyperparameters", key), f"unknown hyperparameter{did_you_mean(key, known)}")
    if hyper and "trainer_type" not in entry:
        raise source.error(where("hyperparameters"), "given without a trainer_type, which the learner refuses")

    def whole(section: Mapping[str, Any], key: str, default: int, *prefix: str) -> int:
        return _whole(source, where(*prefix, key), section.get(key, default))

    return Behavior(
        name=name,
        trainer_type=trainer,
        batch_size=whole(hyper, "batch_size", _DEFAULT_BATCH.get(trainer, 1024), "hyperparameters"),
        buffer_size=whole(hyper, "buffer_size", _DEFAULT_BUFFER.get(trainer, 10240), "hyperparameters"),
        sequence_length=whole(memory, "sequence_length", 64, "network_settings", "memory") if memory else None,
        threaded=bool(entry.get("threaded", False)),
        time_horizon=whole(entry, "time_horizon", 64),
        num_epoch=whole(hyper, "num_epoch", 3, "hyperparameters"),
        buffer_init_steps=_or_zero(hyper.get("buffer_init_steps")),
        team_change=_team_change(entry.get("self_play")),
    )


def _team_change(self_play: Any) -> int | None:
    if not isinstance(self_play, dict):
        return None
    return _or_zero(self_play.get("team_change")) or 5 * (_or_zero(self_play.get("save_steps")) or 20_000)


def _or_zero(value: Any) -> int:
    """A count that decides no number of ours; what is none is for the learner to refuse."""
    try:
        return int(quantities.number(value))
    except ValueError:
        return 0


def resolved(data: dict[str, Any], source: YamlText | None = None) -> dict[str, dict[str, Any]]:
    """Every behaviour's entry with `default_settings` filled in, as the learner merges them."""
    defaults = data.get("default_settings") or {}
    behaviors = data.get("behaviors") or {}
    if not isinstance(behaviors, dict):
        raise _at(source, ("behaviors",), "must be a mapping of behaviour names to their settings")
    if not behaviors:
        if not defaults:
            raise _at(source, ("behaviors",), "a trainer config needs at least one behaviour under `behaviors:`")
        return {"": defaults}
    for name, entry in behaviors.items():
        if entry is not None and not isinstance(entry, dict):
            raise _at(source, ("behaviors", name), "must be a mapping of settings")
    return {str(name): _merged(defaults, entry or {}) for name, entry in behaviors.items()}


def _entries(data: dict[str, Any]) -> list[dict[str, Any]]:
    entries = []
    for name, entry in (data.get("behaviors") or {}).items():
        if entry is None:
            entry = data["behaviors"][name] = {}
        entries.append(entry)
    if data.get("default_settings"):
        entries.append(data["default_settings"])
    return entries


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = copy.deepcopy(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = _merged(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def _set(entry: dict[str, Any], path: str, value: ParamValue, trainer: str) -> None:
    *parents, last = path.split(".")
    if parents and parents[0] == "hyperparameters":
        # The learner refuses hyperparameters in an entry that does not name its trainer.
        entry.setdefault("trainer_type", trainer)
    for parent in parents:
        if not isinstance(entry.get(parent), dict):
            entry[parent] = {}
        entry = entry[parent]
    entry[last] = value


def _get(entry: Mapping[str, Any], path: str) -> Any:
    value: Any = entry
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value


def _hashable(value: Any) -> ParamValue:
    if isinstance(value, str):
        try:
            return quantities.number(value)  # YAML reads 5e5 as text
        except ValueError:
            return value
    return value if isinstance(value, (bool, int, float)) and math.isfinite(value) else None


def _whole(source: YamlText, where: tuple[str, ...], value: Any) -> int:
    try:
        result = int(quantities.number(value))
    except ValueError as error:
        raise source.error(where, str(error)) from None
    if result < 1:
        raise source.error(where, f"must be at least 1, not {shown(value)}")
    if result > MAX_WHOLE:
        raise source.error(where, f"must be {MAX_WHOLE:,} at most, not {shown(value)}")
    return result


def _at(source: YamlText | None, where: tuple[str, ...], message: str) -> InvalidInput:
    return source.error(where, message) if source else InvalidInput(message)
