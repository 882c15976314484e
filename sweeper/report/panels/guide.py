"""The parallel-training guide's rules of thumb: what held on this machine, and what did not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sweeper.model.study import StudyResult
from sweeper.report.words.guide_rules import rule_text


def contents(result: StudyResult) -> Mapping[str, Any] | None:
    """None where no trial says anything of them."""
    if not result.guide:
        return None
    told = [rule for rule in result.guide if rule.held is not None]
    return {
        "rules": [rule_text(rule, result.machine.usable_cores) for rule in result.guide],
        "held": sum(rule.held is True for rule in told),
        "told": len(told),
    }
