"""Whole numbers of a trainer config that YAML reads as text: `1e4` and `5.0e3`, at which the learner's `int()` fails.

Where mlagents 1.1.0 wants whole numbers is from `mlagents/trainers/settings.py`; `max_steps` it reads as a float first.
"""

from __future__ import annotations

from collections.abc import Iterable

from sweeper.inputs import quantities
from sweeper.inputs.yaml_text import YamlText

_IN_A_BEHAVIOUR: dict[tuple[str, ...], tuple[str, ...]] = {
    (): ("checkpoint_interval", "keep_checkpoints", "time_horizon", "summary_freq"),
    ("hyperparameters",): ("batch_size", "buffer_size", "num_epoch", "buffer_init_steps"),
    ("network_settings",): ("hidden_units", "num_layers"),
    ("network_settings", "memory"): ("memory_size", "sequence_length"),
    ("self_play",): ("save_steps", "team_change", "swap_steps", "window"),
    ("behavioral_cloning",): ("steps", "samples_per_update", "num_epoch", "batch_size"),
    **{("reward_signals", signal): ("encoding_size",) for signal in ("gail", "curiosity", "rnd")},
}

_MOST = 2**53
"""What is above is refused as no setting at all."""


def is_whole(path: str) -> bool:
    """Whether the learner wants a whole number at this place in a behaviour, keys joined by dots."""
    *section, key = path.split(".")
    return key in _IN_A_BEHAVIOUR.get(tuple(section), ())


def check_behaviors(source: YamlText) -> None:
    """Refuse whole numbers that are text to the learner, in every behaviour and in the defaults.

    Raises:
        InvalidInput: names the first one, and how to write it.
    """
    behaviors = source.data.get("behaviors")
    names = list(behaviors) if isinstance(behaviors, dict) else []
    for place in (("default_settings",), *(("behaviors", name) for name in names)):
        for section, keys in _IN_A_BEHAVIOUR.items():
            check(source, (*place, *section), keys)


def check(source: YamlText, section: tuple[str, ...], keys: Iterable[str]) -> None:
    """Refuse text where the learner wants a whole number, of `keys` in `section`; raises as check_behaviors."""
    entries = source.data
    for part in section:
        entries = entries.get(part)  # type: ignore[assignment]
        if not isinstance(entries, dict):
            return
    for key in keys:
        text = entries.get(key)
        if isinstance(text, str) and (number := _not_the_learners(text)) is not None:
            written = f"{number}" if isinstance(number, int) else "a whole number"
            message = f"the learner takes '{text}' for text, not for a whole number; write {written}"
            raise source.error((*section, key), message)


def _not_the_learners(text: str) -> int | float | None:
    """The number that people read in `text` where `int()` reads none; None for what is no such number to anybody."""
    try:
        int(text)
    except ValueError:
        try:
            number = quantities.number(text)
        except ValueError:
            return None  # whoever needs it says so
        return number if abs(number) <= _MOST else None
    return None
