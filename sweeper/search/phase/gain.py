"""What is left to gain, and what a session of each configuration would add to it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy

from sweeper.search.phase.coordinates import Array
from sweeper.search.phase.cost import Window
from sweeper.search.phase.posterior import WANDERING, WANDERING_SECONDS, Posterior
from sweeper.search.phase.readings import WHITE

DRAWS = 256
"""Of the posterior, for the expected regret."""
NODES = 32
"""Of the two numbers that a session would report."""
AT_ONCE = 64
"""Candidates thought about together; more would only take memory."""


def expected_regret(found: Posterior, leaders: Sequence[int], allowed: Array) -> float:
    """By how much, in ln(steps/s), the fastest of those `allowed` is expected to be faster than that of `leaders`."""
    random = numpy.random.default_rng(0)
    size = int(allowed.sum())
    covariance = found.covariance[numpy.ix_(allowed, allowed)]
    values, vectors = numpy.linalg.eigh(covariance)
    root = vectors * numpy.sqrt(numpy.maximum(values, 0.0))
    draws = found.mean[allowed][:, None] + root @ random.standard_normal((size, DRAWS))
    own = draws[[int(allowed[:leader].sum()) for leader in leaders]]
    return float((own.min(axis=0) - draws.min(axis=0)).mean())


def knowledge_gradient(found: Posterior, candidates: Array, allowed: Array, window: Window) -> Array:
    """Expected gain, in ln(steps/s), of the best posterior mean from one more session of each candidate.

    `candidates`: their places. `allowed`: which configurations may be the best. `window`: what a session of each
    configuration would measure. (Frazier, Powell and Dayanik, The Knowledge-Gradient Policy for Correlated Normal
    Beliefs, INFORMS Journal on Computing 21(4), 2009; here two numbers a session, so by quasi-random draws.)
    """
    nodes = _nodes()
    mean = found.mean[allowed]
    gains = numpy.zeros(len(candidates))
    for first in range(0, len(candidates), AT_ONCE):
        some = candidates[first : first + AT_ONCE]
        moves = _moves(found, some, allowed, window)
        moved = mean[None, :, None] + moves[0].T[:, :, None] * nodes[0] + moves[1].T[:, :, None] * nodes[1]
        best = moved.min(axis=1)
        gains[first : first + AT_ONCE] = mean.min() - best.mean(axis=1)
    return numpy.maximum(gains, 0.0)


def _moves(found: Posterior, some: Array, allowed: Array, window: Window) -> tuple[Array, Array]:
    """By how much a deviation of each of two independent numbers moves the posterior means: (allowed, some) each."""
    shared = found.error**2 + WANDERING**2 * numpy.minimum(1.0, 2 * WANDERING_SECONDS / window.seconds[some])
    own = WHITE**2 / window.cycles[some]
    a = found.reported[0, 0, some] + shared + own
    is_apart = found.reported[1, 1, some] > 0
    b = numpy.where(is_apart, found.reported[0, 1, some] + shared, 0.0)
    c = numpy.where(is_apart, found.reported[1, 1, some] + shared + own, 1.0)
    # Cholesky of [[a, b], [b, c]], candidate by candidate.
    first = numpy.sqrt(a)
    low = b / first
    second = numpy.sqrt(numpy.maximum(c - low**2, 1e-12))
    toward = found.teaching[:, :, some][:, allowed]
    one = toward[0] / first
    return one, (toward[1] - one * low) / second


def _nodes() -> Array:
    """Standard normal pairs, each with its opposite, of exactly unit covariance; the same every time."""
    half = numpy.random.default_rng(1).standard_normal((2, NODES // 2))
    root = numpy.linalg.cholesky(half @ half.T / (NODES // 2))
    half = numpy.linalg.solve(root, half)
    return numpy.concatenate([half, -half], axis=1)


def improvement(found: Posterior, candidates: Array, leader: int) -> Array:
    """Expected improvement of each candidate over `leader`, in ln(steps/s)."""
    ahead = found.mean[leader] - found.mean[candidates]
    variance = (
        numpy.diag(found.covariance)[candidates]
        + found.covariance[leader, leader]
        - 2 * found.covariance[leader, candidates]
    )
    return expected_improvement(ahead, numpy.sqrt(numpy.maximum(variance, 1e-12)))


def expected_improvement(ahead: Array, deviation: Array) -> Array:
    """Of Gaussians that are so far `ahead` of the best, with that `deviation`; arrays of one shape (Mockus 1974)."""
    scaled = ahead / deviation
    below = numpy.array([0.5 * math.erfc(-one / math.sqrt(2)) for one in scaled])
    return ahead * below + deviation * numpy.exp(-0.5 * scaled**2) / math.sqrt(2 * math.pi)
