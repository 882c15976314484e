"""Trainer configs of ML-Agents before 0.20, and settings that stand where they stood then: where each belongs now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sweeper.inputs.defaults import HYPERPARAMETERS
from sweeper.inputs.yaml_text import YamlText, did_you_mean

_PLACES = {
    "trainer": "trainer_type",
    **{key: f"hyperparameters.{key}" for known in HYPERPARAMETERS.values() for key in known},
    **{
        key: f"network_settings.{key}"
        for key in ("normalize", "hidden_units", "num_layers", "vis_encode_type", "goal_conditioning_type")
    },
    "memory": "network_settings.memory",
    "use_recurrent": "network_settings.memory",
    "sequence_length": "network_settings.memory.sequence_length",
    "memory_size": "network_settings.memory.memory_size",
    "gamma": "reward_signals.extrinsic.gamma",
    "pretraining": "behavioral_cloning",
    **{key: key for key in ("time_horizon", "max_steps", "summary_freq", "threaded", "self_play", "keep_checkpoints")},
}
"""Where a setting belongs in a behaviour, by the name that it has or had."""
_SECTIONS = {"curriculum": "environment_parameters", "parameter_randomization": "environment_parameters"}
"""Of ML-Agents 0.17 to 0.19."""
_OLD_MARKS = ("trainer", "use_recurrent", "pretraining", "summary_path", "use_curiosity")
_NEW_SECTIONS = ("hyperparameters", "network_settings", "reward_signals", "self_play", "behavioral_cloning")
_OLD_LESSONS = ("thresholds", "parameters")
_UPGRADE = (
    "ML-Agents brings it up to date: `python -m mlagents.trainers.upgrade_config OLD.yaml NEW.yaml`, with "
    "--curriculum and --sampler for its other files"
)


def check_age(source: YamlText) -> None:
    """Refuse a config of before 0.20, and say so.

    Raises:
        InvalidInput: it is one, or a file of curricula or samplers of that time.
    """
    for key, new in _SECTIONS.items():
        if key in source.data:
            raise source.error((key,), f"since ML-Agents 0.20 this is `{new}`, and the learner refuses this", _UPGRADE)
    if "behaviors" in source.data or "default_settings" in source.data:
        return
    for key, entry in source.data.items():
        if key == "resampling-interval" or (isinstance(entry, dict) and "sampler-type" in entry):
            raise source.error(
                (key,), "this is a sampler file of ML-Agents before 0.20, not a trainer config", _UPGRADE
            )
        if not isinstance(entry, dict):
            continue
        if all(mark in entry for mark in _OLD_LESSONS):
            raise source.error((key,), "this is a curriculum of ML-Agents before 0.20, not a trainer config", _UPGRADE)
        if any(mark in entry for mark in _OLD_MARKS) or (key not in _NEW_SECTIONS and _is_flat(entry)):
            message = "this is a trainer config of ML-Agents before 0.20, which today's learner refuses"
            raise source.error((key,), message, _UPGRADE)
        if "trainer_type" in entry or "hyperparameters" in entry:
            message = "a behaviour stands under `behaviors:`, since ML-Agents 0.20; here nothing names it"
            raise source.error((key,), message, f"write `behaviors:` above it and indent what follows, or: {_UPGRADE}")


def place_of(key: str, here: str) -> str:
    """` (in a behaviour it is hyperparameters.beta)`, for a setting in a wrong section, `here`; else nothing."""
    place = _PLACES.get(key)
    if place is None or place == f"{here}.{key}".lstrip("."):
        return ""
    old = ", since ML-Agents 0.20" if key in _OLD_MARKS else ""
    return f" (in a behaviour it is {place}{old})"


def meant_by(key: str, here: str, known: Iterable[str]) -> str:
    """` (did you mean 'gamma'? in a behaviour it is ...)`, of what is `known` here and of what belongs elsewhere."""
    known = list(known)
    elsewhere = {other: place for other in _PLACES if (place := place_of(other, here)) and other not in known}
    hint = did_you_mean(key, (*known, *elsewhere))
    near = hint.split("'")[1] if hint else ""
    return f"{hint[:-1]} {elsewhere[near].strip(' ()')})" if near in elsewhere else hint


def _is_flat(entry: dict[Any, Any]) -> bool:
    """Whether it mixes settings of several sections of today."""
    return len({_PLACES[key].rpartition(".")[0] for key in entry if key in _PLACES}) > 1
