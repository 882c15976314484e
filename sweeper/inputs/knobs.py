"""The names of knobs: of launching, short ones, and paths in a behaviour of the trainer config."""

from __future__ import annotations

from sweeper.inputs.trainer_config import BEHAVIOR_KEYS, KNOB_PATHS, LAUNCH_KNOBS
from sweeper.inputs.yaml_text import did_you_mean
from sweeper.outside import is_plain

KNOBS = (*LAUNCH_KNOBS, *KNOB_PATHS)
MAX_CHARACTERS = 4096
"""Of a path or an argument."""
_SECTIONS = {
    "hyperparameters": "hyperparameters.buffer_size",
    "network_settings": "network_settings.hidden_units",
    "reward_signals": "reward_signals.extrinsic.gamma",
    "self_play": "self_play.team_change",
    "behavioral_cloning": "behavioral_cloning.strength",
}
"""With a setting in each, for an example."""
_SET_BY_SWEEPER = (
    "max_steps", "checkpoint_interval", "even_checkpoints", "summary_freq", "init_path", "keep_checkpoints",
)  # fmt: skip
_HINT = f"the knobs are {', '.join(KNOBS)}, or a path in a behaviour such as hyperparameters.buffer_size"


def fault_of_knob(knob: str) -> tuple[str, str | None] | None:
    """Why no study has a knob of this name, and how to mend it; None where it may."""
    if knob in KNOBS:
        return None
    for name, path in KNOB_PATHS.items():
        if knob == path:
            return f"write the short name '{name}'", None
    if len(knob) > MAX_CHARACTERS or not is_plain(knob):
        return "a knob's name has no control characters", _HINT
    head, _, rest = knob.partition(".")
    if head in _SECTIONS and not rest:
        return f"a section, not a setting; name one that is in it, such as {_SECTIONS[head]}", _HINT
    if head not in BEHAVIOR_KEYS:
        known = (*KNOBS, *(key for key in BEHAVIOR_KEYS if key not in _SECTIONS), *_SECTIONS.values())
        return f"unknown knob{did_you_mean(knob, known)}", _HINT
    if knob in _SET_BY_SWEEPER:
        return "this setting is out of a trial's hands: sweeper sets it so that it does not disturb", None
    return None
