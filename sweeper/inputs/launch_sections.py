"""The sections of a trainer config that say how to launch, which trials replace and people's own runs need.

Keys and kinds are those of mlagents 1.1.0, `mlagents/trainers/settings.py`.
"""

from __future__ import annotations

from sweeper.inputs.whole_numbers import check
from sweeper.inputs.yaml_text import YamlText, did_you_mean

SECTIONS = {
    "checkpoint_settings": (
        "run_id", "initialize_from", "load_model", "resume", "force", "train_model", "inference", "results_dir",
    ),
    "env_settings": (
        "env_path", "env_args", "base_port", "num_envs", "num_areas", "timeout_wait", "seed", "max_lifetime_restarts",
        "restarts_rate_limit_n", "restarts_rate_limit_period_s",
    ),
    "engine_settings": (
        "width", "height", "quality_level", "time_scale", "target_frame_rate", "capture_frame_rate", "no_graphics",
        "no_graphics_monitor",
    ),
    "torch_settings": ("device",),
}  # fmt: skip
_LENIENT = ("torch_settings",)
"""Where the learner passes over keys that it does not know."""
_NOT_WHOLE = ("env_path", "env_args", "time_scale", "no_graphics", "no_graphics_monitor")
_WHOLE = {
    section: [key for key in SECTIONS[section] if key not in _NOT_WHOLE]
    for section in ("env_settings", "engine_settings")
}


def check_sections(source: YamlText) -> None:
    """Refuse what the learner refuses, and what a trial, which goes without these sections, would never show.

    Raises:
        InvalidInput: an unknown key, a section without a key, or a whole number that is text to the learner.
    """
    for section, known in SECTIONS.items():
        if section not in source.data:
            continue
        entries = source.data[section]
        if entries is None:
            raise source.error((section,), "this section is empty, which the learner refuses", "remove its line too")
        if not isinstance(entries, dict):
            raise source.error((section,), "must be a mapping")
        for key in entries:
            if key not in known and section not in _LENIENT:
                raise source.error((section, key), f"unknown key{section_of(key) or did_you_mean(key, known)}")
        check(source, (section,), _WHOLE.get(section, ()))


def section_of(key: object) -> str:
    """` (it belongs under env_settings)`, or nothing where no section has such a key."""
    found = [section for section, known in SECTIONS.items() if key in known]
    return f" (it belongs under {found[0]})" if found else ""
