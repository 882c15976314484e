"""Ways to search that others use, for replays: what a search of ours has to beat (docs/sources.md, 4 to 8)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy

from sweeper.model.trial import Params, ParamValue, configuration_key
from sweeper.search import optunas
from sweeper.search.guesses import counts
from sweeper.search.phase.coordinates import Array, coordinates
from sweeper.search.phase.feasible import chances_to_fit, keep_guard
from sweeper.search.phase.gain import expected_improvement
from sweeper.search.proposal import Answer, Because, Proposal, Question, Settled, Strategy
from sweeper.search.replay.staged import halving, quick, survivors, walked
from sweeper.search.strategies import STRATEGIES

LENGTH, AMPLITUDE, NOISE, LEVEL = 2.0, 0.8, 0.06, 3.0
"""Of a Gaussian process on ln(steps/s): octaves, deviations about the level, of a session, and of the level."""
LEAST_CHANCE = 0.05
SEEN_AGAIN = 0.3
"""What is left of the expected improvement of a configuration that was visited."""
ENOUGH = 0.003
"""Expected improvement, relative, below which the process has nothing to propose."""


def autotune(question: Question) -> Answer:
    """A list of sensible settings, each once: as many environments as cores with every number of areas, then fewer.

    PufferLib's autotune, its workers taken for environments and its environments for areas; it never varies the batch.
    """
    space, history = question.space, question.history
    envs = [value for value in counts(space, "num_envs") if value <= question.usable_cores] or [1]
    areas = counts(space, "num_areas") or [1]
    middle = min(areas, key=lambda value: abs(value - 4))
    listed = [(envs[-1], area) for area in areas] + [(count, middle) for count in reversed(envs)]
    for count, area in listed:
        chosen: dict[str, ParamValue] = {"num_envs": count, "num_areas": area}
        params = {**space.baseline, **{knob: value for knob, value in chosen.items() if knob in space.knobs}}
        if configuration_key(params) not in history.by_key and space.problem(params) is None:
            return Proposal(params, Because.SAMPLED)
    return Settled()


def structured_gp(question: Question) -> Answer:
    """A Gaussian process on rates with a structured start, by expected improvement under the chance to fit."""
    if (guess := optunas.first_guess(question)) is not None:
        return guess
    known = question.history.by_key
    places = _places(question)
    mean, deviation = _believed(question, places)
    chances = chances_to_fit(places, question.history.candidates, question.cap_bytes)
    may = (chances >= LEAST_CHANCE) & keep_guard(places, question.history, question.space)
    for at, params in enumerate(places):
        found = known.get(configuration_key(params))
        may[at] &= found is None or found.is_feasible
    if not may.any():
        return optunas.random(question)
    seen = numpy.array([configuration_key(params) in known for params in places])
    best = max(mean[seen & may], default=float(mean[may].max()))
    gain = expected_improvement(mean - best, deviation) * may * chances * numpy.where(seen, SEEN_AGAIN, 1.0)
    at = int(numpy.argmax(gain))
    return Proposal(places[at], Because.SAMPLED) if gain[at] > ENOUGH else Settled(float(gain[at]))


def structured_gp_expected(question: Question) -> Mapping[str, float]:
    """The process's own mean of what was measured."""
    if not question.history.ranked:
        return {}
    places = _places(question)
    mean, _ = _believed(question, places)
    by_key = {configuration_key(params): math.exp(value) for params, value in zip(places, mean)}
    return {item.key: by_key[item.key] for item in question.history.ranked}


def _places(question: Question) -> list[Params]:
    tried = {item.key: item.params for item in question.history.candidates}
    return [*tried.values(), *(p for p in question.space.legal if configuration_key(p) not in tried)]


def _believed(question: Question, places: list[Params]) -> tuple[Array, Array]:
    """Mean and deviation of ln(steps/s), each (n,)."""
    where = coordinates(question.space, places, question.usable_cores)
    points = numpy.column_stack([where.points, where.threaded])
    apart = ((points[:, None, :] - points[None, :, :]) / LENGTH) ** 2
    covariance = LEVEL**2 + AMPLITUDE**2 * numpy.exp(-0.5 * apart.sum(axis=2))
    at = {configuration_key(params): place for place, params in enumerate(places)}
    read = [
        (at[trial.key], math.log(trial.steps_per_second or 1.0)) for trial in question.history.counted if trial.is_ok
    ]
    rows = numpy.array([place for place, _ in read], dtype=int)
    values = numpy.array([value for _, value in read])
    level = values.mean() if len(values) else 0.0
    joint = covariance[numpy.ix_(rows, rows)] + NOISE**2 * numpy.eye(len(rows))
    gain = numpy.linalg.solve(joint, covariance[rows]).T
    mean = level + gain @ (values - level)
    variance = numpy.diag(covariance) - numpy.einsum("nr,rn->n", gain, covariance[rows])
    return mean, numpy.sqrt(numpy.maximum(variance, 1e-12))


RIVALS: Mapping[str, Strategy] = {
    "autotune": Strategy(autotune),
    "structured-gp": Strategy(structured_gp, structured_gp_expected),
    "quick": Strategy(walked(quick), survivors),
    "halving": Strategy(walked(halving), survivors),
}
"""By the names that `sweeper replay --strategy` knows beside those of a study."""
ALL: Mapping[str, Strategy] = {**STRATEGIES, **RIVALS}
