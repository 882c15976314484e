"""How likely a configuration keeps the memory cap, and whether it keeps the learning guard."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy

from sweeper.compare.candidates import Candidate
from sweeper.compare.guard import ROOM_FOR_BURSTS
from sweeper.model.trial import Outcome, Params
from sweeper.search.phase.coordinates import SWITCH, Array
from sweeper.study.history import History

MIB = 1024**2
PRIORS = ((600 * MIB, 500 * MIB), (400 * MIB, 600 * MIB), (20 * MIB, 60 * MIB))
"""Mean and deviation: of the learner, of an environment, and of an area in each environment; builds differ much."""
PEAK_ERROR = 0.04
"""Of a peak, about a sum of those."""
BOUND_ERROR = 0.15
"""Of what a session needed that was ended at the cap; taken for a tenth more than it had."""


def chances_to_fit(configurations: Sequence[Params], tried: Sequence[Candidate], cap_bytes: int) -> Array:
    """Probability that each peak stays below the cap: Bayesian linear regression on the terms of PRIORS."""
    seen = [item for item in tried if item.peak_memory_bytes]
    peaks = numpy.array([_peak(item, cap_bytes) for item in seen])
    errors = numpy.array([(BOUND_ERROR if item.broke_cap else PEAK_ERROR) for item in seen]) * peaks
    mean = numpy.array([float(prior[0]) for prior in PRIORS])
    covariance = numpy.diag([float(prior[1]) ** 2 for prior in PRIORS])
    if seen:
        terms = _terms([item.params for item in seen])
        joint = terms @ covariance @ terms.T + numpy.diag(errors**2)
        gain = numpy.linalg.solve(joint, terms @ covariance).T
        mean, covariance = mean + gain @ (peaks - terms @ mean), covariance - gain @ terms @ covariance
    wanted = _terms(configurations)
    expected = wanted @ mean
    variance = numpy.einsum("np,pq,nq->n", wanted, covariance, wanted) + (PEAK_ERROR * expected) ** 2
    sure = numpy.sqrt(2 * numpy.maximum(variance, 1.0))
    return numpy.array([0.5 * math.erfc(-(cap_bytes - one) / deviation) for one, deviation in zip(expected, sure)])


def keep_guard(configurations: Sequence[Params], history: History) -> Array:
    """Whether each is expected to make the updates for each step that the learning guard asks for.

    Gradient steps go with the inverse of the batch size; other knobs are looked up in sessions that had the same.
    """
    required = history.required
    if required is None or not required.gradient:
        return numpy.ones(len(configurations), dtype=bool)
    seen: dict[tuple[object, ...], float] = {}
    for item in history.candidates:
        found = item.updates_per_1000_steps
        batch = item.params.get("batch_size")
        if found is not None and found.gradient and isinstance(batch, (int, float)):
            seen[_learning(item.params)] = found.gradient * batch
    keeps = []
    for params in configurations:
        work, batch = seen.get(_learning(params)), params.get("batch_size")
        known = work is not None and isinstance(batch, (int, float))
        keeps.append(not known or float(work or 0.0) / float(batch or 1) >= ROOM_FOR_BURSTS * required.gradient)
    return numpy.array(keeps, dtype=bool)


def _learning(params: Params) -> tuple[object, ...]:
    """All that decides how often is learnt, but the batch size."""
    beside = ("num_envs", "num_areas", "batch_size", SWITCH)
    return tuple((knob, value) for knob, value in sorted(params.items()) if knob not in beside)


def _peak(item: Candidate, cap_bytes: int) -> float:
    peak = float(item.peak_memory_bytes or 0)
    is_cut = any(trial.outcome is Outcome.OVER_MEMORY for trial in item.trials)
    return max(1.1 * cap_bytes, peak) if is_cut else peak


def _terms(configurations: Sequence[Params]) -> Array:
    envs = numpy.array([_count(params, "num_envs") for params in configurations])
    areas = numpy.array([_count(params, "num_areas") for params in configurations])
    return numpy.column_stack([numpy.ones(len(envs)), envs, envs * areas])


def _count(params: Params, knob: str) -> float:
    value = params.get(knob)
    return float(value) if isinstance(value, (int, float)) else 1.0
