"""What holds a configuration back, by what that is known, and what would help."""

from __future__ import annotations

from sweeper.model.findings import Bottleneck, BottleneckFigures
from sweeper.model.study import StudyResult
from sweeper.model.trial import TrialResult
from sweeper.report.words.answer import is_recommended
from sweeper.report.words.reference import is_reference, own_break_cap
from sweeper.troubles.beforehand import SLOW_CORES, SLOW_MAIN, SLOW_MESSAGES, SLOW_PLAYERS, SLOW_UPDATES

_HEADS = {
    Bottleneck.PLAYERS: "The players are the bottleneck",
    Bottleneck.CORES: "All cores are busy",
    Bottleneck.COMMUNICATION: "Passing messages is the bottleneck",
    Bottleneck.INFERENCE: "The learner's one main process is the bottleneck",
    Bottleneck.UPDATE: "Policy updates are the bottleneck",
}
_REMEDIES = {
    Bottleneck.PLAYERS: SLOW_PLAYERS,
    Bottleneck.CORES: SLOW_CORES,
    Bottleneck.COMMUNICATION: SLOW_MESSAGES,
    Bottleneck.INFERENCE: SLOW_MAIN,
    Bottleneck.UPDATE: SLOW_UPDATES,
}


def bottleneck_text(trial: TrialResult) -> str | None:
    """Why it is as fast as it is; None where the learner's timers did not tell.

    Earlier versions kept no figures.
    """
    if trial.bottleneck is None:
        return None
    figures = "" if trial.bottleneck_figures is None else f": {_parts(trial.bottleneck_figures)}"
    return f"{_HEADS[trial.bottleneck]}{figures}. {_REMEDIES[trial.bottleneck].told()}"


def _parts(figures: BottleneckFigures) -> str:
    parts = (
        f"policy updates take {figures.update_share:.0%} of the time, choosing actions and processing trajectories "
        f"{figures.infer_share:.0%}, waiting for players {figures.wait_share:.0%}"
    )
    if figures.cores is not None:
        parts += f"; {figures.cores:.1f} of {figures.usable_cores} cores are busy"
    if figures.player_share is not None:
        parts += f"; a player computes in {figures.player_share:.0%} of its worker's time"
    return parts


def why(result: StudyResult) -> list[tuple[str, str]]:
    """What holds the settings back that speed-ups are over, and the answer's where they are others: name, sentence."""
    named: list[tuple[str, TrialResult | None]] = []
    trials = {trial.number: trial for trial in result.trials}
    if own_break_cap(result):
        of_it = [trial for trial in result.trials if trial.is_ok and is_reference(trial.params, result)]
        named.append(("The smallest that fits", of_it[-1] if of_it else None))
    elif result.baseline is not None:
        named.append(("Your settings", trials.get(result.baseline.trial)))
    if result.best is not None and not is_reference(result.best.params, result):
        name = "The recommended settings" if is_recommended(result) else "What looks fastest"
        named.append((name, trials.get(result.best.trial)))
    return [(name, text) for name, trial in named if trial is not None and (text := bottleneck_text(trial))]
