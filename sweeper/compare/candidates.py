"""A candidate is all trials with the same parameters; here its trials become one number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from sweeper.model.findings import FindingKind
from sweeper.model.measurement import PerThousandSteps
from sweeper.model.trial import Outcome, Params, Purpose, TrialResult, configuration_key


@dataclass(frozen=True)
class Candidate:
    """Trials of the same parameters, pooled.

    `steps_per_second` is the geometric mean of its measured sessions. A candidate is feasible while no fewer of its
    sessions were measured than failed: one may have been killed from outside, and is measured again then.
    """

    params: Params
    trials: tuple[TrialResult, ...]

    @cached_property
    def key(self) -> str:
        """Equal for equal parameters."""
        return configuration_key(self.params)

    @cached_property
    def measured(self) -> tuple[TrialResult, ...]:
        """Sessions with a number."""
        return tuple(trial for trial in self.trials if trial.is_ok)

    @cached_property
    def failures(self) -> tuple[TrialResult, ...]:
        """Sessions that failed by the configuration's own doing."""
        return tuple(trial for trial in self.trials if trial.outcome.is_infeasible)

    @cached_property
    def is_feasible(self) -> bool:
        """Whether it may be recommended. Breaking the memory cap once is enough to lose that."""
        return not self.broke_cap and len(self.measured) >= max(1, len(self.failures))

    @cached_property
    def broke_cap(self) -> bool:
        """Whether a session of it broke the memory cap."""
        return any(trial.outcome is Outcome.OVER_MEMORY for trial in self.trials)

    @cached_property
    def was_cut(self) -> bool:
        """Whether a session of it was ended for its memory, so that its peak is not known; GPU memory is another."""
        cut = (trial for trial in self.trials if trial.outcome is Outcome.OVER_MEMORY)
        return any(trial.reason is None or trial.reason.kind is not FindingKind.OVER_GPU_MEMORY for trial in cut)

    @cached_property
    def rates(self) -> tuple[float, ...]:
        """Agent steps per second of its measured sessions, in order."""
        return tuple(trial.steps_per_second or 0.0 for trial in self.measured)

    @cached_property
    def steps_per_second(self) -> float | None:
        """Pooled over its measured sessions; None without any."""
        return geometric_mean(self.rates)

    @cached_property
    def peak_memory_bytes(self) -> int | None:
        """Highest peak of any of its sessions; those that ended before an update saw none."""
        whole = [trial for trial in self.trials if trial.outcome is not Outcome.OUTPACED]
        return max((trial.peak_memory_bytes for trial in whole if trial.peak_memory_bytes), default=None)

    @cached_property
    def updates_per_1000_steps(self) -> PerThousandSteps | None:
        """Mean over its measured sessions."""
        found = [t.updates_per_1000_steps for t in self.measured if t.updates_per_1000_steps is not None]
        if not found:
            return None
        gradients = [updates.gradient for updates in found if updates.gradient is not None]
        return PerThousandSteps(
            gradient=sum(gradients) / len(gradients) if gradients else None,
            policy=sum(updates.policy for updates in found) / len(found),
            parts={name: sum(u.parts.get(name, 0.0) for u in found) / len(found) for name in found[0].parts},
        )


def pool(trials: Iterable[TrialResult]) -> tuple[Candidate, ...]:
    """Candidates in the order of their first trial. Disturbed and interrupted sessions say nothing.

    Nor do attempts at the user's own settings that ended a run, once the user has mended what they ran into.
    """
    by_key: dict[str, list[TrialResult]] = {}
    for trial in trials:
        if trial.outcome not in (Outcome.DISTURBED, Outcome.INTERRUPTED):
            by_key.setdefault(trial.key, []).append(trial)
    return tuple(Candidate(group[0].params, _since_it_ran(group)) for group in by_key.values())


def ranked(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Feasible candidates, fastest first."""
    feasible = [item for item in candidates if item.is_feasible and item.steps_per_second]
    return tuple(sorted(feasible, key=lambda item: item.steps_per_second or 0.0, reverse=True))


def geometric_mean(rates: Sequence[float]) -> float | None:
    """None without rates."""
    return math.exp(sum(math.log(rate) for rate in rates) / len(rates)) if rates else None


def _since_it_ran(group: Sequence[TrialResult]) -> tuple[TrialResult, ...]:
    first = next((index for index, trial in enumerate(group) if trial.is_ok), 0)
    mended = (Outcome.CRASHED, Outcome.TIMEOUT, Outcome.NO_STEPS)
    earlier = [t for t in group[:first] if t.purpose is not Purpose.BASELINE or t.outcome not in mended]
    return (*earlier, *group[first:])
