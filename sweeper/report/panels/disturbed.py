"""Which configurations other programs disturbed, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sweeper.model.study import StudyResult


def contents(result: StudyResult) -> Mapping[str, Any] | None:
    """None on a machine that was left alone."""
    found = [item for item in result.configurations if item.disturbed]
    if not found:
        return None
    return {"found": found, "knobs": list(dict.fromkeys(knob for item in found for knob in item.params))}
