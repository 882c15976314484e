"""What an untried configuration will need, from the peaks of those tried: good enough not to launch a sure failure.

Memory of a learner with its players is nearly a sum: so much for the learner, so much for each environment, more for
each area in each environment, and for the buffer. Ordinary least squares on those terms, with the prediction interval
of a linear model (Draper and Smith, Applied Regression Analysis, 3.1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sweeper.compare.candidates import Candidate
from sweeper.model.findings import Finding, FindingKind
from sweeper.model.trial import Outcome, Params, ParamValue
from sweeper.quantiles import t_quantile

SPARE_POINTS = 3
"""More configurations than terms, before a prediction is worth anything."""
LEAST_ERROR = 0.03
"""Of the peak: a fit that happens to be perfect is not believed beyond what sampling can see."""
CERTAINTY = 0.995
"""One-sided: a configuration is not launched where so sure a bound lies above the cap."""

Interval = tuple[float, float]


@dataclass(frozen=True)
class Veto:
    """Why a configuration is not launched, and the interval of its peak in bytes where that is known."""

    reason: Finding
    prediction: Interval | None


def veto(params: Params, tried: Sequence[Candidate], cap_bytes: int) -> Veto | None:
    """Why `params` is sure to break the cap; None where that is not sure."""
    prediction = predict_peak(params, tried)
    if prediction is not None and is_sure_to_break(prediction, cap_bytes):
        low, high = (round(bound) for bound in prediction)
        values = {"low_bytes": low, "high_bytes": high, "cap_bytes": cap_bytes}
        return Veto(Finding(FindingKind.WOULD_BREAK_CAP, values), prediction)
    smaller = smaller_that_broke(params, tried, cap_bytes)
    if smaller is None:
        return None
    return Veto(Finding(FindingKind.SMALLER_BROKE_CAP, {"trial": smaller.trials[-1].number}), prediction)


def predict_peak(params: Params, tried: Sequence[Candidate]) -> Interval | None:
    """Interval of the peak of `params` in bytes, 99 % two-sided; None where too little was tried to say.

    Only whole peaks count: what a configuration that was stopped at the cap would have needed is not known.
    """
    import numpy

    known = [item for item in tried if item.peak_memory_bytes and _has_whole_peak(item)]
    if len(known) <= SPARE_POINTS:
        return None
    matrix, terms = _design([item.params for item in known])
    if len(known) < len(terms) + 1 + SPARE_POINTS:
        return None
    peaks = numpy.array([float(item.peak_memory_bytes or 0) for item in known])
    point = numpy.array([1.0, *(term(params) for term in terms)])
    solution, *_ = numpy.linalg.lstsq(matrix, peaks, rcond=None)
    degrees = len(known) - matrix.shape[1]
    residuals = peaks - matrix @ solution
    variance = max(float(residuals @ residuals) / degrees, (LEAST_ERROR * float(peaks.mean())) ** 2)
    leverage = float(point @ numpy.linalg.pinv(matrix.T @ matrix) @ point)
    middle = float(point @ solution)
    half = t_quantile(degrees, CERTAINTY) * math.sqrt(variance * (1 + leverage))
    return max(0.0, middle - half), middle + half


def is_sure_to_break(prediction: Interval | None, cap_bytes: int) -> bool:
    """Whether even the low end of a prediction is above the cap."""
    return prediction is not None and prediction[0] > cap_bytes


def smaller_that_broke(params: Params, tried: Sequence[Candidate], cap_bytes: int) -> Candidate | None:
    """A candidate that was seen above the cap and is no larger in any number; `params` is then sure to break it too."""
    broke = (item for item in tried if item.broke_cap and (item.peak_memory_bytes or 0) > cap_bytes)
    return next((item for item in broke if _is_no_larger(item.params, params)), None)


def _is_no_larger(one: Params, other: Params) -> bool:
    return one.keys() == other.keys() and all(
        value <= other[knob] if _is_number(value) and _is_number(other[knob]) else value == other[knob]  # type: ignore[operator]
        for knob, value in one.items()
    )


def _is_number(value: ParamValue) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _has_whole_peak(item: Candidate) -> bool:
    outcomes = {trial.outcome for trial in item.trials}
    return Outcome.OVER_MEMORY not in outcomes and bool(outcomes & {Outcome.OK, Outcome.TOO_FEW_UPDATES})


def _design(tried: Sequence[Params]) -> tuple[Any, list[_Term]]:
    """A row for each, and the terms of its columns after the first: those that what was tried can tell apart."""
    import numpy

    matrix = numpy.ones((len(tried), 1))
    terms = []
    for term in _TERMS:
        wider = numpy.column_stack([matrix, [term(params) for params in tried]])
        if numpy.linalg.matrix_rank(wider) == wider.shape[1]:
            matrix = wider
            terms.append(term)
    return matrix, terms


class _Term:
    """A product of knobs; 1 for a knob that is not there."""

    def __init__(self, *knobs: str) -> None:
        self._knobs = knobs

    def __call__(self, params: Params) -> float:
        product = 1.0
        for knob in self._knobs:
            value = params.get(knob)
            product *= float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 1.0
        return product


_TERMS = (_Term("num_envs"), _Term("num_envs", "num_areas"), _Term("hyperparameters.buffer_size"))
