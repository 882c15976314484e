"""What failed, and why, with the learner's last lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sweeper.model.study import StudyResult
from sweeper.report.words.reasons import OUTCOME_WORDS, reason_text


def contents(result: StudyResult) -> Mapping[str, Any] | None:
    """None where everything ran."""
    found = [(trial, reason_text(trial.reason)) for trial in result.trials if trial.outcome.is_infeasible]
    return {"found": found, "outcome_words": OUTCOME_WORDS} if found else None
