"""How to read this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sweeper.model.study import StudyResult
from sweeper.report.words.reference import reference_name


def contents(result: StudyResult) -> Mapping[str, Any]:
    """Always shown."""
    share = result.study.min_updates
    return {"guard_percent": None if share is None else 100 * share, "reference": reference_name(result)}
