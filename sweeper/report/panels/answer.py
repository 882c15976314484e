"""The answer: what is recommended, its figures, how to train with it, and what to know before all else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sweeper.model.study import StudyResult
from sweeper.report.words.answer import headline, is_recommended, title
from sweeper.report.words.errors import source_text
from sweeper.report.words.reference import is_reference, reference_name
from sweeper.report.words.values import command_text, moment_text


def contents(result: StudyResult) -> Mapping[str, Any]:
    """Never None: an answer is always shown, be it that there is none yet."""
    best, same = result.best, result.best_with_no_fewer_updates
    return {
        "best": best,
        "title": title(result),
        "started": moment_text(result.study.started_at),
        "headline": headline(result),
        "is_recommended": is_recommended(result),
        "reference": reference_name(result),
        "source": source_text(best.interval_from) if best else "",
        "command": command_text(best.command) if best else "",
        "same": same if same and best and same.params != best.params else None,
        "same_is_reference": same is not None and is_reference(same.params, result),
    }
