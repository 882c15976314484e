"""Why: what holds the compared settings back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sweeper.model.study import StudyResult
from sweeper.report.words.bottlenecks import why


def contents(result: StudyResult) -> Mapping[str, Any] | None:
    """None where no learner's timers told."""
    found = why(result)
    return {"found": found} if found else None
