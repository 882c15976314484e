"""Every trial with its numbers, and what to know about single ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sweeper.model.study import StudyResult
from sweeper.report.words.bottlenecks import bottleneck_text
from sweeper.report.words.reasons import OUTCOME_WORDS


def contents(result: StudyResult) -> Mapping[str, Any] | None:
    """None before the first trial has ended."""
    if not result.trials:
        return None
    return {
        "knobs": list(dict.fromkeys(knob for trial in result.trials for knob in trial.params)),
        "outcome_words": OUTCOME_WORDS,
        "bottleneck_text": bottleneck_text,
        "noted": [trial for trial in result.trials if trial.warnings],
    }
