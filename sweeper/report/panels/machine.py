"""The machine that the numbers belong to, and what the study took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sweeper import __version__
from sweeper.model.study import StudyResult


def contents(result: StudyResult) -> Mapping[str, Any]:
    """Always shown."""
    return {"machine": result.machine, "version": __version__}
