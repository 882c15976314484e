"""From a finding to its sentence, by a table of the kinds that may stand in a place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sweeper.model.findings import Finding, FindingKind

Values = Mapping[str, Any]
Sentences = Mapping[FindingKind, Callable[[Values], str]]


def sentence(finding: Finding, sentences: Sentences) -> str:
    """What an earlier version said, or what its table makes of the values.

    A file may hold a kind without its numbers, which only a hand can have made so: then it is named and no more.
    """
    if isinstance(said := finding.values.get("text"), str):
        return said
    try:
        return sentences[finding.kind](finding.values)
    except (KeyError, TypeError, ValueError):
        return f"{finding.kind.value}, without its numbers"
