"""How the learner fills behaviours from `default_settings`, which are never only what is written.

As mlagents 1.1.0 does it (`mlagents/trainers/settings.py`): where there are default settings, an empty mapping too,
every behaviour begins as a whole entry of theirs, with a trainer, PPO where none is named, and with every
hyperparameter of that trainer.
"""

from __future__ import annotations

import copy
from typing import Any

from sweeper.errors import InvalidInput
from sweeper.inputs.yaml_text import YamlText

DEFAULT_TRAINER = "ppo"
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


def resolved(data: dict[str, Any], source: YamlText | None = None) -> dict[str, dict[str, Any]]:
    """Every behaviour's entry with `default_settings` filled in; one without a name where there are only those.

    Raises:
        InvalidInput: entries that are none, or that the learner refuses beside the default settings.
    """
    defaults, behaviors = data.get("default_settings"), data.get("behaviors") or {}
    if not isinstance(behaviors, dict):
        raise _at(source, ("behaviors",), "must be a mapping of behaviour names to their settings")
    if defaults is not None:
        if "hyperparameters" in defaults and "trainer_type" not in defaults:
            where = ("default_settings", "hyperparameters")
            raise _at(source, where, "given without a trainer_type, which the learner refuses")
        defaults = {"trainer_type": DEFAULT_TRAINER, **defaults}
    if not behaviors:
        if defaults is None:
            raise _at(source, ("behaviors",), "a trainer config needs at least one behaviour under `behaviors:`")
        return {"": defaults}
    for name, entry in behaviors.items():
        if entry is None:
            raise _at(source, ("behaviors", name), "this behaviour is empty, which the learner refuses", _EMPTY)
        if not isinstance(entry, dict):
            raise _at(source, ("behaviors", name), "must be a mapping of settings")
        if defaults is not None:
            _check_trainers(source, name, defaults["trainer_type"], entry.get("trainer_type"))
    return {str(name): _merged(defaults or {}, entry) for name, entry in behaviors.items()}


_EMPTY = "for the defaults alone, write {} behind its name"


def _check_trainers(source: YamlText | None, name: Any, default: Any, own: Any) -> None:
    if not (isinstance(default, str) and isinstance(own, str)):
        return
    brought, known = HYPERPARAMETERS.get(default), HYPERPARAMETERS.get(own)
    strange = [key for key in brought or () if known is not None and key not in known]
    if strange:
        message = (
            f"default_settings fills every behaviour with all hyperparameters of {default}, with {strange[0]} too, "
            f"which is none of {own}'s: the learner refuses that"
        )
        hint = f"leave default_settings out and write its settings into each behaviour, or keep to {default} everywhere"
        raise _at(source, ("behaviors", name, "trainer_type"), message, hint)


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = copy.deepcopy(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = _merged(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def _at(source: YamlText | None, where: tuple[Any, ...], message: str, hint: str | None = None) -> InvalidInput:
    return source.error(where, message, hint) if source else InvalidInput(message, hint)
