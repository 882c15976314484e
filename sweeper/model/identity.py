"""What makes the numbers of a study comparable, and how two of that differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Identity = Mapping[str, Any]
"""JSON types, by what they are of; where that has parts, they are told apart by name."""
CONTENT = "content:"
"""Before a digest, whose letters tell people nothing."""
MOST_PARTS = 4
SET_BY_TRIALS = ("max_steps", "checkpoint_interval", "even_checkpoints", "summary_freq")
"""Settings of a behaviour that every trial replaces; what they follow is a part of its own."""


def content(digest: str) -> str:
    """The value of a part that is known by its content, such as a file."""
    return CONTENT + digest


def differences(before: Identity, after: Identity) -> list[str]:
    """What was asked for and is not as it was, for people; of things with parts, which parts."""
    told = [(name, _users(before.get(name)), _users(after[name])) for name in after]
    return [_difference(name, old, new) for name, old, new in told if old != new]


def _users(value: Any) -> Any:
    """What people decide of a part; of things with parts, without those that trials replace."""
    if not isinstance(value, Mapping):
        return value
    return {part: found for part, found in value.items() if part.rpartition(".")[2] not in SET_BY_TRIALS}


def _difference(name: str, before: Any, after: Any) -> str:
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return f"{name} {_change(before, after)}"
    parts = [
        f"{part} {_change(before[part], after[part]) if part in before and part in after else _came(part in after)}"
        for part in sorted({*before, *after})
        if part not in before or part not in after or before[part] != after[part]
    ]
    more = f" and {len(parts) - MOST_PARTS} more" if len(parts) > MOST_PARTS else ""
    return f"{name}: {', '.join(parts[:MOST_PARTS])}{more}"


def _came(is_there: bool) -> str:
    return "is new" if is_there else "is gone"


def _change(before: Any, after: Any) -> str:
    if isinstance(after, str) and after.startswith(CONTENT):
        return "changed"
    if isinstance(before, str) and isinstance(after, dict):
        return "was kept by an earlier version in a form that cannot be compared"
    return f"was {_short(before)}, is now {_short(after)}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."
