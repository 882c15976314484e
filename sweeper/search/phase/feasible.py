"""How likely a configuration keeps the memory cap, and whether it keeps the learning guard."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy

from sweeper.compare.candidates import Candidate
from sweeper.inputs.study_limits import ROOM_FOR_BURSTS
from sweeper.model.trial import Params, ParamValue, configuration_key
from sweeper.plan.space import Space
from sweeper.search.phase.coordinates import BATCH, SWITCH, Array
from sweeper.study.history import History

Setting = tuple[tuple[str, ParamValue], ...]
MIB = 1024**2
PRIORS = ((600 * MIB, 500 * MIB), (400 * MIB, 600 * MIB), (20 * MIB, 60 * MIB))
"""Mean and deviation: of the learner, of an environment, and of an area in each environment; builds differ much."""
PEAK_ERROR = 0.04
"""Of a peak, about a sum of those."""
BOUND_ERROR = 0.15
"""Of what a session needed that was ended at the cap; taken for a tenth more than the cap."""


def chances_to_fit(configurations: Sequence[Params], tried: Sequence[Candidate], cap_bytes: int) -> Array:
    """Probability that each peak stays below the cap: Bayesian linear regression on the terms of PRIORS."""
    seen = [item for item in tried if item.peak_memory_bytes]
    peaks = numpy.array([_peak(item, cap_bytes) for item in seen])
    errors = numpy.array([(BOUND_ERROR if item.was_cut else PEAK_ERROR) for item in seen]) * peaks
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


def keep_guard(configurations: Sequence[Params], history: History, space: Space) -> Array:
    """Whether each is expected to make the updates for each step that the learning guard asks for.

    As its settings decide it; how many steps an update sees is read from sessions with as many agents, or from those of
    the user's own settings. What was measured and kept the guard keeps it.
    """
    required = history.required
    if required is None or history.min_updates is None:
        return numpy.ones(len(configurations), dtype=bool)
    least = ROOM_FOR_BURSTS * history.min_updates
    steps, work = _steps_of_updates(history), _work(history)
    own = steps.get(_beside(history.own, BATCH, SWITCH))

    def keeps(params: Params) -> bool:
        item = history.by_key.get(configuration_key(params))
        if item is not None and item.is_feasible:
            return True
        seen = steps.get(_beside(params, BATCH, SWITCH))
        if seen is not None and 1000 / seen < ROOM_FOR_BURSTS * required.policy:
            return False
        share = space.update_share(params, seen or own)
        if share is not None:
            return share >= least
        batch, done = params.get(BATCH), work.get(_beside(params, BATCH, SWITCH, "num_envs", "num_areas"))
        is_known = done is not None and isinstance(batch, (int, float)) and required.gradient is not None
        return not is_known or float(done or 0) / float(batch or 1) >= ROOM_FOR_BURSTS * float(required.gradient or 0)

    return numpy.array([keeps(params) for params in configurations], dtype=bool)


def _steps_of_updates(history: History) -> dict[Setting, float]:
    """Steps that an update saw, by all that may decide it; where one behaviour learns."""
    found = {}
    for trial in history.counted:
        updates = trial.updates_per_1000_steps
        if updates is not None and updates.policy > 0 and sum("policy" in name for name in updates.parts) <= 1:
            found[_beside(trial.params, BATCH, SWITCH)] = 1000 / updates.policy
    return found


def _work(history: History) -> dict[Setting, float]:
    """Gradient updates times the batch size, which is the same for all of them where nothing else is known."""
    found = {}
    for item in history.candidates:
        updates, batch = item.updates_per_1000_steps, item.params.get(BATCH)
        if updates is not None and updates.gradient and isinstance(batch, (int, float)):
            found[_beside(item.params, BATCH, SWITCH, "num_envs", "num_areas")] = updates.gradient * batch
    return found


def _beside(params: Params, *knobs: str) -> Setting:
    """All parameters but these."""
    return tuple((knob, value) for knob, value in sorted(params.items()) if knob not in knobs)


def _peak(item: Candidate, cap_bytes: int) -> float:
    peak = float(item.peak_memory_bytes or 0)
    return max(1.1 * cap_bytes, peak) if item.was_cut else peak


def _terms(configurations: Sequence[Params]) -> Array:
    envs = numpy.array([_count(params, "num_envs") for params in configurations])
    areas = numpy.array([_count(params, "num_areas") for params in configurations])
    return numpy.column_stack([numpy.ones(len(envs)), envs, envs * areas])


def _count(params: Params, knob: str) -> float:
    value = params.get(knob)
    return float(value) if isinstance(value, (int, float)) else 1.0
