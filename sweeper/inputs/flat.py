"""A trainer config as plain values by their paths, so that two of them can be told apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sweeper.inputs import quantities
from sweeper.inputs.trainer_config import LAUNCH_KNOBS, TrainerConfig

_MOST = 2**63
"""No number of a results.json goes as far."""
_LAUNCH_ONLY = ("checkpoint_settings", "env_settings")
_KEPT = ("env_args", *LAUNCH_KNOBS)
"""Of env_settings, that a trial or the user's own settings follow."""


def flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The settings of a trainer config by their paths, JSON types; numbers are equal however they are written."""
    found: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict) and value:
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = _json(value)
    return found


def measured_settings(config: TrainerConfig) -> dict[str, Any]:
    """What a study measures of a trainer config, flat: without what only says how to launch and what to keep."""
    env = {key: value for key, value in (config.data.get("env_settings") or {}).items() if key in _KEPT}
    data = {key: value for key, value in config.data.items() if key not in _LAUNCH_ONLY}
    return flat({**data, **({"env_settings": env} if env else {})})


def _json(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_json(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _json(one) for key, one in value.items()}
    try:
        number = quantities.number(value)
    except ValueError:
        return value if isinstance(value, bool) or value is None else str(value)
    return number if abs(number) < _MOST else str(value)
