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

from sweeper.inputs import quantities
from sweeper.inputs.asked import Asked
from sweeper.inputs.defaults import DEFAULT_TRAINER, HYPERPARAMETERS, resolved
from sweeper.inputs.launch_sections import check_sections, section_of
from sweeper.inputs.older_configs import check_age, meant_by, place_of
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
    def self_play(self) -> bool:
        """Whether self-play is on; an empty section of it switches it on."""
        return self.team_change is not None

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

    @property
    def initial_run(self) -> Path | None:
        """The trained run that it starts from, as the learner joins it; relative to the learner's current folder."""
        checkpoint = self.data.get("checkpoint_settings") or {}
        name, results = checkpoint.get("initialize_from"), checkpoint.get("results_dir", "results")
        return Path(results, name) if isinstance(name, str) and isinstance(results, str) and name else None

    def with_params(self, params: Params) -> dict[str, Any]:
        """A copy of the data with the knobs of the trainer set in every behaviour, and in the defaults where given."""
        data = copy.deepcopy(self.data)
        put_params(data, params)
        return data

    def behaviors_with(self, params: Params) -> tuple[Behavior, ...]:
        """The behaviours as they would be with `params`; raises InvalidInput about these, without a place."""
        return _behaviors(self.with_params(params), Asked.of(self.source))

    def place(self, behavior: str, path: str) -> tuple[str, ...]:
        """Where a setting of a behaviour stands: in its own entry, or in the defaults that fill it."""
        return _place(self.source, behavior, tuple(path.split(".")))

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
    check_age(source)
    for key in source.data:
        if key not in TOP_LEVEL_KEYS:
            hint = "correct the key, or name a trainer config: one has `behaviors:`"
            raise source.error((key,), f"unknown key in a trainer config{_belongs(key)}", hint)
    check_sections(source)
    check_behaviors(source)
    if not isinstance(source.data.get("default_settings"), (dict, type(None))):
        raise source.error(("default_settings",), "must be a mapping")
    return TrainerConfig(path, source.text, source.data, _behaviors(source.data, source), source)


def _belongs(key: Any) -> str:
    if key in BEHAVIOR_KEYS:
        return f" ({key} belongs in a behaviour, under `behaviors:`)"
    return section_of(key) or did_you_mean(key, TOP_LEVEL_KEYS)


def put_params(data: dict[str, Any], params: Params) -> None:
    """Set the knobs of the trainer in `data`, a trainer config as read by any YAML library, in place.

    Behaviours that leave a knob to the defaults go on doing so: then it is set there.
    """
    defaults = data.get("default_settings")
    behaviors = data.get("behaviors") or {}
    for path, value in trainer_paths(params).items():
        is_default = defaults is not None and (not behaviors or _says(defaults, path))
        for name, entry in behaviors.items():
            if entry is None:
                entry = behaviors[name] = {}
            if defaults is None or _says(entry, path):
                _set(entry, path, value, fills_trainer=defaults is None)
            else:
                is_default = True
        if is_default and defaults is not None:
            _set(defaults, path, value, fills_trainer=True)


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
        return _place(source, name, path)

    for key in entry:
        if key not in BEHAVIOR_KEYS:
            hint = place_of(str(key), "") or meant_by(str(key), "", BEHAVIOR_KEYS)
            raise source.error(where(key), f"unknown key in a behaviour{hint}")
    trainer = entry.get("trainer_type", DEFAULT_TRAINER)
    if not isinstance(trainer, str):
        raise source.error(where("trainer_type"), f"expected ppo, sac, poca or a plug-in's name, not {shown(trainer)}")
    if trainer not in HYPERPARAMETERS and trainer.lower() in HYPERPARAMETERS:
        raise source.error(where("trainer_type"), f"the learner knows no '{trainer}'; write {trainer.lower()}")
    for key in ("hyperparameters", "network_settings"):
        if not isinstance(entry.get(key, {}), dict):
            raise source.error(where(key), "must be a mapping")
    memory = _get(entry, "network_settings.memory")
    if not isinstance(memory, (dict, type(None))):
        raise source.error(where("network_settings", "memory"), "must be a mapping")
    hyper = entry.get("hyperparameters", {})
    known = HYPERPARAMETERS.get(trainer, tuple(hyper))
    for key in hyper:
        if key not in known:
            hint = place_of(str(key), "hyperparameters") or meant_by(str(key), "hyperparameters", known)
            raise source.error(where("hyperparameters", key), f"unknown hyperparameter{hint}")
    if "hyperparameters" in entry and "trainer_type" not in entry:
        raise source.error(where("hyperparameters"), "given without a trainer_type, which the learner refuses")

    def whole(section: Mapping[str, Any], key: str, default: int, *prefix: str) -> int:
        return _whole(source, where(*prefix, key), section.get(key, default))

    return Behavior(
        name=name,
        trainer_type=trainer,
        batch_size=whole(hyper, "batch_size", _DEFAULT_BATCH.get(trainer, 1024), "hyperparameters"),
        buffer_size=whole(hyper, "buffer_size", _DEFAULT_BUFFER.get(trainer, 10240), "hyperparameters"),
        # An empty section switches it on.
        sequence_length=None if memory is None else whole(memory, "sequence_length", 64, "network_settings", "memory"),
        threaded=bool(entry.get("threaded", False)),
        time_horizon=whole(entry, "time_horizon", 64),
        num_epoch=whole(hyper, "num_epoch", 3, "hyperparameters"),
        buffer_init_steps=_or_zero(hyper.get("buffer_init_steps")),
        team_change=_team_change(entry.get("self_play")),
    )


def _place(source: YamlText, name: str, path: tuple[str, ...]) -> tuple[str, ...]:
    own = ("behaviors", name, *path)
    return own if name and source.has(own) else ("default_settings", *path)


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


def _says(entry: dict[str, Any], path: str) -> bool:
    """Whether a behaviour's own entry decides about `path`, be it by switching off a section on the way."""
    section: Any = entry
    for part in path.split("."):
        if not isinstance(section, dict):
            return True
        if part not in section:
            return False
        section = section[part]
    return True


def _set(entry: dict[str, Any], path: str, value: ParamValue, fills_trainer: bool) -> None:
    *parents, last = path.split(".")
    if fills_trainer and parents[:1] == ["hyperparameters"]:
        # The learner refuses hyperparameters in an entry that does not name its trainer.
        entry.setdefault("trainer_type", DEFAULT_TRAINER)
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
