"""What the storage holds, as our values: distributions of knobs, results of trials, the identity of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial

from sweeper.errors import NotComparable
from sweeper.model.identity import differences
from sweeper.model.study import trials_from_json
from sweeper.model.trial import ParamValue, TrialResult

RESULT = "sweeper:result"
"""The user attribute of a trial that holds its result."""
OTHER_HINT = "--fresh moves the old folder aside and starts anew; a new name or --out keeps both"


def results_of(trials: Sequence[FrozenTrial]) -> dict[int, TrialResult]:
    """Finished trials by number.

    Raises:
        NotComparable: one of them cannot be read.
    """
    told = [trial for trial in trials if trial.state.is_finished() and RESULT in trial.user_attrs]
    found = [(trial.number, trial.user_attrs[RESULT]) for trial in told]
    try:
        results = trials_from_json([data for _, data in found])
    except ValueError as error:
        raise NotComparable(f"a trial of this study cannot be read: {error}", OTHER_HINT) from None
    return {number: result for (number, _), result in zip(found, results)}


def compare(found: Mapping[str, Any], asked: Mapping[str, Any], folder: Path) -> None:
    """Refuse another study.

    Raises:
        NotComparable: says in what it differs.
    """
    if changed := differences(found, asked):
        details = "; ".join(changed)
        raise NotComparable(f"{folder} holds results that must not be mixed with this study: {details}", OTHER_HINT)


def distribution_of(values: Sequence[ParamValue]) -> BaseDistribution:
    """The distribution that holds every value of a knob."""
    numbers = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
    if len(numbers) < len(values):
        return CategoricalDistribution(list(dict.fromkeys(values)))
    if all(isinstance(value, int) for value in numbers):
        return IntDistribution(int(min(numbers)), int(max(numbers)))
    return FloatDistribution(float(min(numbers)), float(max(numbers)))
