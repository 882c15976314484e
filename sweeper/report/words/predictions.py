"""How good the predictions of peak memory were."""

from __future__ import annotations

from sweeper.model.study import StudyResult
from sweeper.model.trial import Outcome


def prediction_text(result: StudyResult) -> str | None:
    """How good the predictions of peak memory were, and what was not launched because of them; None without any."""
    checked = [t for t in result.trials if t.predicted_memory_bytes and t.peak_memory_bytes and t.is_ok]
    vetoed = sum(trial.outcome is Outcome.VETOED for trial in result.trials)
    texts = []
    if vetoed:
        subject = "1 configuration was" if vetoed == 1 else f"{vetoed} configurations were"
        it = "it was" if vetoed == 1 else "they were"
        texts.append(f"{subject} not launched because {it} sure to break the cap.")
    if checked:
        held = sum(_holds(trial.predicted_memory_bytes, trial.peak_memory_bytes) for trial in checked)
        texts.append(
            f"{held} of {len(checked)} measured peaks fell into the interval (99 %) predicted before the trial."
        )
    elif vetoed:
        texts.append("No prediction could be checked against a measurement yet.")
    return " ".join(texts) or None


def _holds(interval: tuple[float, float] | None, value: float | None) -> bool:
    return interval is not None and value is not None and interval[0] <= value <= interval[1]
