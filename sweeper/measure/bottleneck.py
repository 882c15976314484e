"""What holds a configuration back, from where its learner spent the measured time."""

from __future__ import annotations

from dataclasses import replace

from sweeper.model.findings import Bottleneck, BottleneckFigures
from sweeper.model.measurement import Phases

EXHAUSTED = 0.9
"""Share of the usable cores at which more processes only wait for each other."""
PLAYERS_BUSY = 0.5
"""Share of the workers' time in which a player computes, above which waiting for players means the players."""


def bottleneck(
    phases: Phases | None, seconds: float, cores: float | None, usable_cores: int, threaded: bool = False
) -> tuple[Bottleneck, BottleneckFigures] | None:
    """The largest part of the learner's main loop, and by what it was named; None where its timers are unknown.

    The main process spins while it waits for players, so its CPU use says nothing: its timers do. Where it waits,
    the workers' timers tell whether players compute or messages travel, and the CPU time of the whole tree whether any
    core is left for them.
    """
    if phases is None or seconds <= 0:
        return None
    figures = BottleneckFigures(
        update_share=phases.update_seconds / seconds,
        infer_share=(phases.infer_seconds + (0.0 if threaded else phases.process_seconds)) / seconds,
        wait_share=phases.wait_seconds / seconds,
    )
    shares = {
        Bottleneck.UPDATE: figures.update_share,
        Bottleneck.INFERENCE: figures.infer_share,
        Bottleneck.PLAYERS: figures.wait_share,
    }
    kind = max(shares, key=lambda name: shares[name])
    if kind is not Bottleneck.PLAYERS:
        return kind, figures
    if cores is not None and cores >= EXHAUSTED * usable_cores:
        return Bottleneck.CORES, replace(figures, cores=cores, usable_cores=usable_cores)
    busy = _players_busy(phases)
    if busy is None:
        return kind, figures
    kind = Bottleneck.PLAYERS if busy >= PLAYERS_BUSY else Bottleneck.COMMUNICATION
    return kind, replace(figures, player_share=busy)


def _players_busy(phases: Phases) -> float | None:
    if not phases.worker_seconds or phases.player_seconds is None:
        return None
    return min(1.0, phases.player_seconds / phases.worker_seconds)
