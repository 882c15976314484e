"""The one distribution that intervals and tests need."""

from __future__ import annotations

import math

LARGEST = 1e15
"""Bounds go no farther: results.json has no numbers beyond 2^63."""


def t_quantile(degrees: float, level: float = 0.975) -> float:
    """Quantile of Student's t with `degrees` of freedom, at least 1."""
    from scipy.special import stdtrit  # scipy.stats takes seconds to import

    return float(stdtrit(degrees, level))


def t_tail(degrees: float, value: float) -> float:
    """Probability that Student's t with `degrees` of freedom is above `value`."""
    from scipy.special import stdtr

    return float(stdtr(degrees, -value))


def bounded_exp(value: float) -> float:
    """e to the power of `value`, kept between 1 / LARGEST and LARGEST."""
    return math.exp(max(-math.log(LARGEST), min(value, math.log(LARGEST))))
