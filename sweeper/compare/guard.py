"""The learning guard, and the constraints that every configuration carries.

A bigger batch is always "faster", because it makes fewer updates: 12,000 steps with a buffer of 2,048 make 900
optimizer steps at batch 32, 12 at batch 2,048, and none, without a word, at 4,096.
"""

from __future__ import annotations

from sweeper.inputs.study_limits import ROOM_FOR_BURSTS
from sweeper.model.findings import Finding, FindingKind
from sweeper.model.measurement import PerThousandSteps
from sweeper.model.trial import Outcome, TrialResult

MAX_VIOLATION = 10.0
"""TPE sums violations, so one of them must not drown the others."""
NO_FEWER = 0.98
"""Updates per step differ by a burst or two between sessions of one configuration."""


def shortfall(updates: PerThousandSteps, required: PerThousandSteps | None) -> Finding | None:
    """Why `updates` are too few; None where they are enough. Without any policy update they never are."""
    if updates.policy <= 0:
        return Finding(FindingKind.LEARNS_NOTHING)
    if required is None:
        return None
    if _falls_short(updates.policy, required.policy):
        return Finding(FindingKind.TOO_FEW_POLICY_UPDATES, _figures(updates.policy, required.policy))
    gradient, asked = updates.gradient, required.gradient
    if gradient is not None and asked is not None and _falls_short(gradient, asked):
        return Finding(FindingKind.TOO_FEW_GRADIENT_UPDATES, _figures(gradient, asked))
    for name, (actual, least) in _parts(updates, required).items():
        if _falls_short(actual, least):
            return Finding(FindingKind.TOO_FEW_UPDATES_OF, {"name": name, **_figures(actual, least)})
    return None


def _falls_short(actual: float, least: float) -> bool:
    return actual < ROOM_FOR_BURSTS * least


def _figures(actual: float, least: float) -> dict[str, float]:
    return {"actual_per_1000": actual, "required_per_1000": least}


def requirement(baseline: PerThousandSteps | None, min_updates: float | None) -> PerThousandSteps | None:
    """The least updates per 1,000 steps that a configuration may make; None with the guard off."""
    if baseline is None or min_updates is None:
        return None
    gradient = None if baseline.gradient is None else baseline.gradient * min_updates
    parts = {name: value * min_updates for name, value in baseline.parts.items()}
    return PerThousandSteps(gradient=gradient, policy=baseline.policy * min_updates, parts=parts)


def constraints(result: TrialResult, cap_bytes: int, required: PerThousandSteps | None) -> dict[str, float]:
    """Dimensionless constraints, feasible at 0 and below, the same three for every trial.

    memory: peak / cap - 1, the predicted peak's where it was not launched. updates: required / actual - 1, bounded.
    failed: 0 or 1.
    """
    peak: float | None = result.peak_memory_bytes
    if result.outcome is Outcome.VETOED and result.predicted_memory_bytes is not None:
        peak = sum(result.predicted_memory_bytes) / 2
    memory = 0.0 if peak is None else min(peak / cap_bytes - 1, MAX_VIOLATION)
    breaks_cap = result.outcome in (Outcome.OVER_MEMORY, Outcome.VETOED)
    failed = result.outcome.is_infeasible and not breaks_cap and result.outcome is not Outcome.TOO_FEW_UPDATES
    return {
        "memory": max(memory, 0.01) if breaks_cap else min(memory, 0.0),
        "updates": _updates_violation(result, required),
        "failed": 1.0 if failed else 0.0,
    }


def makes_no_fewer(updates: PerThousandSteps | None, baseline: PerThousandSteps | None) -> bool:
    """True where a configuration updates at least as often per step as the user's own."""
    if updates is None or baseline is None or updates.policy < NO_FEWER * baseline.policy:
        return False
    if any(actual < NO_FEWER * least for actual, least in _parts(updates, baseline).values()):
        return False
    if baseline.gradient is None or updates.gradient is None:
        return baseline.gradient is None
    return updates.gradient >= NO_FEWER * baseline.gradient


def _updates_violation(result: TrialResult, required: PerThousandSteps | None) -> float:
    if result.outcome is not Outcome.TOO_FEW_UPDATES:
        return 0.0
    updates = result.updates_per_1000_steps
    if updates is None or required is None or updates.policy <= 0:
        return MAX_VIOLATION
    ratios = [required.policy / updates.policy]
    if required.gradient is not None and updates.gradient is not None:
        ratios.append(required.gradient / updates.gradient if updates.gradient > 0 else MAX_VIOLATION)
    for actual, least in _parts(updates, required).values():
        ratios.append(least / actual if actual > 0 else MAX_VIOLATION)
    return max(0.01, min(max(ratios) - 1, MAX_VIOLATION))


def _parts(updates: PerThousandSteps, required: PerThousandSteps) -> dict[str, tuple[float, float]]:
    """Actual and required by behaviour and optimizer: one that learns a lot must not hide one that does not."""
    return {name: (updates.parts.get(name, 0.0), least) for name, least in required.parts.items()}
