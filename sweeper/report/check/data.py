"""A check as one JSON document, format `sweeper.check`."""

from __future__ import annotations

import json

from sweeper.model.gate import CheckResult
from sweeper.model.study import to_json
from sweeper.report.check.words import headline, notes, why_text


def as_json(result: CheckResult) -> str:
    """The values, and beside them the sentences."""
    sentences = {
        "headline": headline(result),
        "why_text": why_text(result),
        "notes": notes(result.baseline, result.candidate),
    }
    return json.dumps({**sentences, **to_json(result)}, indent=1) + "\n"
