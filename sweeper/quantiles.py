"""The one distribution that intervals need."""

from __future__ import annotations


def t_quantile(degrees: float, level: float = 0.975) -> float:
    """Quantile of Student's t with `degrees` of freedom, at least 1."""
    from scipy.special import stdtrit  # scipy.stats takes seconds to import

    return float(stdtrit(degrees, level))
