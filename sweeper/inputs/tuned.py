"""The user's trainer config with tuned values: the lines of what changes, and every other byte as it was."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from typing import Any

from sweeper.inputs.defaults import resolved
from sweeper.inputs.splice import same, splice
from sweeper.inputs.trainer_config import LAUNCH_KNOBS, TrainerConfig, put_params
from sweeper.model.trial import Params, ParamValue

_NOT_A_NEW_TRAINING = ("resume", "load_model", "force", "inference")
"""Keys of checkpoint_settings that no flag takes back; a trial goes without them, and trains anew."""


def tuned_text(
    config: TrainerConfig,
    params: Params,
    *,
    searched: Collection[str] = (),
    engine: Mapping[str, ParamValue] | None = None,
    in_editor: bool = False,
    initializes: bool = False,
) -> str:
    """The text of `config` with `params` put in; `mlagents-learn` accepts it as it is.

    A knob that was not `searched` and says what the learner would do anyway is not added. Environments and areas belong
    on the command line; where the file names them, they follow too, so that file and command line do not contradict
    each other. What trials were run without, and no flag takes back, is switched off, with a comment that says so.

    Args:
        engine: the study's engine settings; those that a flag can say are left to the command line.
        in_editor: the study has no build, so that none may be launched.
        initializes: the command line names the trained run that trials started from.

    Raises:
        InvalidInput: the file cannot be changed there with the rest kept; says where.
    """
    wanted = copy.deepcopy(config.data)
    put_params(wanted, _needed(config, params, searched))
    notes: dict[tuple[Any, ...], str] = {}
    env = wanted.get("env_settings") or {}
    for knob in LAUNCH_KNOBS:
        if knob in env and params.get(knob) is not None:
            env[knob] = params[knob]
    if in_editor and env.get("env_path"):
        env["env_path"] = None
        notes["env_settings", "env_path"] = "sweeper: measured in the Editor"
    checkpoint = wanted.get("checkpoint_settings") or {}
    for key in _NOT_A_NEW_TRAINING:
        if checkpoint.get(key):
            checkpoint[key] = False
            notes["checkpoint_settings", key] = "sweeper: switched off, so that this trains anew"
    if checkpoint.get("initialize_from") and not initializes:
        checkpoint["initialize_from"] = None
        notes["checkpoint_settings", "initialize_from"] = "sweeper: measured untrained"
    graphics = wanted.get("engine_settings") or {}
    if (engine or {}).get("no_graphics") is False and graphics.get("no_graphics"):
        graphics["no_graphics"] = False  # the learner has a switch, which can only say true
        notes["engine_settings", "no_graphics"] = "sweeper: as measured"
    if same(config.data, wanted):
        return config.source.byte_order_mark + config.text
    text = splice(config.text, wanted, notes)
    if text is None:
        place = _first_change(config.data, wanted)
        message = "cannot be changed here with the rest of the file kept as it is"
        raise config.source.error(place, message, "write it out, without anchors, aliases and text over several lines")
    return config.source.byte_order_mark + text


def _needed(config: TrainerConfig, params: Params, searched: Collection[str]) -> dict[str, ParamValue]:
    """The parameters that make a difference to what the file says, or must be said because they were searched."""
    needed = {}
    for knob, value in params.items():
        if knob in LAUNCH_KNOBS or (knob not in searched and same(config.value(knob), value)):
            continue
        changed = config.with_params({knob: value})
        if not same(resolved(config.data), resolved(changed)) or not same(
            config.data.get("default_settings"), changed.get("default_settings")
        ):
            needed[knob] = value
    return needed


def _first_change(found: Any, wanted: Any) -> tuple[Any, ...]:
    """Where two mappings begin to differ."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        for key, value in wanted.items():
            if key not in found:
                return (key,)
            if not same(found[key], value):
                return (key, *_first_change(found[key], value))
    return ()
