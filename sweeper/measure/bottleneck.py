"""What holds a configuration back, from where its learner spent the measured time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sweeper.model.measurement import Phases

EXHAUSTED = 0.9
"""Share of the usable cores at which more processes only wait for each other."""
PLAYERS_BUSY = 0.5
"""Share of the workers' time in which a player computes, above which waiting for players means the players."""


class Bottleneck(str, Enum):
    """What to work on. Values are part of `results.json`."""

    PLAYERS = "players"
    CORES = "cores"
    COMMUNICATION = "communication"
    INFERENCE = "inference"
    UPDATE = "update"


@dataclass(frozen=True)
class Finding:
    """The bottleneck, and the sentence that says why and what would help."""

    kind: Bottleneck
    text: str


def bottleneck(
    phases: Phases | None, seconds: float, cores: float | None, usable_cores: int, threaded: bool = False
) -> Finding | None:
    """The largest part of the learner's main loop; None where its timers are unknown.

    The main process spins while it waits for players, so its CPU use says nothing: its timers do. Where it waits,
    the workers' timers tell whether players compute or messages travel, and the CPU time of the whole tree whether any
    core is left for them.
    """
    if phases is None or seconds <= 0:
        return None
    shares = {
        Bottleneck.UPDATE: phases.update_seconds / seconds,
        Bottleneck.INFERENCE: (phases.infer_seconds + (0.0 if threaded else phases.process_seconds)) / seconds,
        Bottleneck.PLAYERS: phases.wait_seconds / seconds,
    }
    kind = max(shares, key=lambda name: shares[name])
    parts = (
        f"policy updates take {shares[Bottleneck.UPDATE]:.0%} of the time, choosing actions and processing "
        f"trajectories {shares[Bottleneck.INFERENCE]:.0%}, waiting for players {shares[Bottleneck.PLAYERS]:.0%}"
    )
    if kind is not Bottleneck.PLAYERS:
        return Finding(kind, f"{_HEADS[kind]}: {parts}. {_REMEDIES[kind]}")
    if cores is not None and cores >= EXHAUSTED * usable_cores:
        kind, parts = Bottleneck.CORES, f"{parts}; {cores:.1f} of {usable_cores} cores are busy"
    elif (busy := _players_busy(phases)) is not None:
        kind = Bottleneck.PLAYERS if busy >= PLAYERS_BUSY else Bottleneck.COMMUNICATION
        parts = f"{parts}; a player computes in {busy:.0%} of its worker's time"
    return Finding(kind, f"{_HEADS[kind]}: {parts}. {_REMEDIES[kind]}")


def _players_busy(phases: Phases) -> float | None:
    if not phases.worker_seconds or phases.player_seconds is None:
        return None
    return min(1.0, phases.player_seconds / phases.worker_seconds)


_HEADS = {
    Bottleneck.PLAYERS: "The players are the bottleneck",
    Bottleneck.CORES: "All cores are busy",
    Bottleneck.COMMUNICATION: "Passing messages is the bottleneck",
    Bottleneck.INFERENCE: "The learner's one main process is the bottleneck",
    Bottleneck.UPDATE: "Policy updates are the bottleneck",
}
_REMEDIES = {
    Bottleneck.PLAYERS: "More environments or areas help, or a cheaper simulation step.",
    Bottleneck.CORES: "More environments do not help; more areas, a cheaper simulation step or more cores do.",
    Bottleneck.COMMUNICATION: "More areas and fewer environments help, or smaller observations.",
    Bottleneck.INFERENCE: "More environments do not help: it serves them one after the other. More areas and fewer "
    "environments do, or a smaller network.",
    Bottleneck.UPDATE: "More environments or areas do not help; a larger batch_size, fewer epochs, a smaller network "
    "or a GPU do.",
}
