"""What the measured table says beside the guide's."""

from __future__ import annotations

from sweeper.model.findings import Bottleneck
from sweeper.model.guide import WORTH_IT, GuideResult

_BECAUSE = {
    Bottleneck.PLAYERS: "the players themselves are slow there",
    Bottleneck.CORES: "all cores are busy there",
    Bottleneck.COMMUNICATION: "passing messages takes the time there",
    Bottleneck.INFERENCE: "the learner's one main process serves them one after the other there",
    Bottleneck.UPDATE: "policy updates take the time there",
}


def knee_text(result: GuideResult) -> str:
    """Where more environments stop paying, and why."""
    cores = f"{result.machine.usable_cores} cores"
    if result.knee is None:
        return f"Nothing could be measured on these {cores}."
    after = next((row for row in result.rows if row.envs > result.knee and row.areas == 1), None)
    if after is None:
        return (
            f"On these {cores} every environment up to {result.knee} adds {WORTH_IT:.0%} or more; more may pay as well."
        )
    if after.added is None:
        why = after.failed or "none of its sessions counted"
        return f"On these {cores} {result.knee} could be measured and {after.envs} could not: {why}."
    because = "" if result.knee_because is None else f", because {_BECAUSE[result.knee_because]}"
    return f"On these {cores} another environment adds less than {WORTH_IT:.0%} after {result.knee}{because}."
