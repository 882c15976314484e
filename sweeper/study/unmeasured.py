"""What it means that a session saw too few whole cycles in the time allowed: too slow, or never any update at all."""

from __future__ import annotations

from collections.abc import Sequence

from sweeper.inputs.trainer_config import Behavior
from sweeper.measure.first_update import fill_of, never_update, pace
from sweeper.model.findings import Finding, FindingKind, Value
from sweeper.model.session import SessionRecord
from sweeper.model.trial import Outcome


def without_cycles(record: SessionRecord, behaviors: Sequence[Behavior]) -> tuple[Outcome, Finding]:
    """The outcome and its reason; `behaviors` as they were with the trial's parameters."""
    if record.from_console:
        return Outcome.TIMEOUT, Finding(FindingKind.TOO_SLOW, {"from_console": True})
    fill = {behavior.name: behavior.steps_to_update for behavior in behaviors}
    counts = record.samples[-1].behaviors if record.samples else {}
    values: dict[str, Value]
    if never := never_update(record.samples, fill):
        values = {"name": never[0], "steps": counts[never[0]].steps, "fill_steps": fill_of(fill, never[0])}
        return Outcome.TOO_FEW_UPDATES, Finding(FindingKind.NO_UPDATE, values)
    idle = tuple(name for name, count in counts.items() if count.steps and not count.policy_updates)
    values = {"from_console": False, "idle": idle}
    if (found := pace(record.samples, fill)) is not None:
        values |= {"update_of": found.behavior, "update_steps": found.steps, "update_seconds": found.seconds}
    turns = [behavior.team_change for behavior in behaviors if behavior.team_change]
    if turns and len(behaviors) > 1:
        values["team_change"] = min(turns)
    return Outcome.TIMEOUT, Finding(FindingKind.TOO_SLOW, values)
