"""What earlier versions wrote, brought to today's form: the one place that knows what is no longer written.

Before stages were recorded, a trial's purpose and block told them: blocks of search trials were rounds of finals,
blocks of confirming ones rounds of the confirmation, and sessions of the user's own settings before any search were
pilots. Before findings were values with their numbers, their sentences were kept: `text` of a warning, `message` of a
trial.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_INTERVALS = {
    "slices of one confirmation session each": "confirmation sessions",
    "slices of one confirmation session each, which also chose it": "confirmation sessions, which also chose it",
}
_MESSAGES = {"running in turn with others did not work": "turns_broken"}
_TOO_SLOW = " in the time allowed"
_VALUES = {"lost_rounds": "lost_slices", "rounds": "slices"}
"""Of the study's warning of disturbed slices, which it called rounds."""


def upgrade_study(data: dict[str, Any]) -> None:
    """Bring the JSON of a StudyResult up to date, in place; what is not of its form is left for validation."""
    trials = data.get("trials")
    _upgrade_warnings(data)
    if isinstance(trials, list):
        upgrade_trials([trial for trial in trials if isinstance(trial, dict)])
    configurations = data.get("configurations")
    for item in (data.get("best"), data.get("baseline"), *(configurations if isinstance(configurations, list) else ())):
        if isinstance(item, dict) and isinstance(item.get("interval_from"), str):
            item["interval_from"] = _INTERVALS.get(item["interval_from"], item["interval_from"])


def upgrade_trials(trials: Sequence[dict[str, Any]]) -> None:
    """Bring the JSON of a study's trials, in order, up to date, in place."""
    searched = False
    for trial in trials:
        upgrade_findings(trial)
        if "stage" not in trial:
            trial["round"] = trial.get("block")
            trial["stage"] = _stage(trial, searched)
        searched = searched or trial.get("purpose") == "search"


def upgrade_findings(trial: dict[str, Any]) -> None:
    """Bring the findings in the JSON of one trial up to date, in place."""
    _upgrade_warnings(trial)
    message = trial.get("message")
    if "reason" not in trial and isinstance(message, str):
        kind = _MESSAGES.get(message, "too_slow" if _TOO_SLOW in message else "said")
        trial["reason"] = {"kind": kind, "values": {"text": message}}


def _upgrade_warnings(data: dict[str, Any]) -> None:
    warnings = data.get("warnings")
    for item in warnings if isinstance(warnings, list) else ():
        if isinstance(item, dict) and "values" not in item and isinstance(item.get("text"), str):
            item["values"] = {"text": item["text"]}
        if isinstance(item, dict) and isinstance(values := item.get("values"), dict) and "lost_rounds" in values:
            item["values"] = {_VALUES.get(name, name): value for name, value in values.items()}


def _stage(trial: dict[str, Any], searched: bool) -> str:
    if trial.get("purpose") == "confirm":
        return "confirmation"
    if trial.get("purpose") == "search":
        return "search" if trial.get("block") is None else "finals"
    return "search" if searched else "pilot"
