"""What speed-ups are over: the user's own settings, or the smallest that fits where those break the memory cap."""

from __future__ import annotations

from sweeper.model.study import StudyResult
from sweeper.model.trial import Params, configuration_key


def reference_params(result: StudyResult) -> Params | None:
    """None while nothing is known of either."""
    if result.reference is not None:
        return result.reference
    return result.baseline.params if result.baseline is not None else None


def is_reference(params: Params, result: StudyResult) -> bool:
    """Whether speed-ups are over these."""
    found = reference_params(result)
    return found is not None and configuration_key(found) == configuration_key(params)


def own_break_cap(result: StudyResult) -> bool:
    """Whether something else stands in for the user's own settings."""
    return result.baseline is not None and not is_reference(result.baseline.params, result)


def reference_name(result: StudyResult) -> str:
    """As in `times as fast as your settings`."""
    return "the smallest that fits" if own_break_cap(result) else "your settings"


def of_reference(result: StudyResult) -> str:
    """As in `times their speed`."""
    return "its" if own_break_cap(result) else "their"


def mark_of(params: Params, result: StudyResult) -> str:
    """What a table says beside them, `yours`; nothing beside others."""
    if not is_reference(params, result):
        return ""
    return "smallest that fits" if own_break_cap(result) else "yours"
