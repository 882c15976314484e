"""A check as one JSON document, format `sweeper.check`."""

from __future__ import annotations

import json

from sweeper.model.gate import CheckResult
from sweeper.model.study import to_json
from sweeper.report.check.words import headline, why_text


def as_json(result: CheckResult) -> str:
    """The values, and beside them the sentences."""
    data = to_json(result)
    return json.dumps({"headline": headline(result), "why_text": why_text(result), **data}, indent=1) + "\n"
