"""What the learner's counters say between two samples: updates, agents, and where the time went."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sweeper.model.measurement import BehaviorCount, PerThousandSteps, Phases, Sample

UPDATE_TIMER = "_update_policy"
"""Of policy updates, all gradient steps of one together."""


def updates(first: Sample, last: Sample) -> PerThousandSteps:
    """Updates per 1,000 agent steps from `first` to `last`."""
    steps = last.steps - first.steps
    timed = last.timers if first.timers else {}
    gradient = {name: _delta(first, last, name)[1] for name in timed if name.endswith(".update")}
    policy = last.policy_updates - first.policy_updates
    parts = {f"gradient updates by {name.removesuffix('.update')}": 1000 * n / steps for name, n in gradient.items()}
    for name, count in last.behaviors.items():
        before = first.behaviors.get(name, BehaviorCount())
        if count.steps > before.steps:
            own = (count.policy_updates - before.policy_updates) / (count.steps - before.steps)
            parts[f"policy updates of {name}"] = 1000 * own
    return PerThousandSteps(
        gradient=1000 * sum(gradient.values()) / steps if gradient else None,
        policy=1000 * policy / steps,
        parts=parts,
    )


def agents(first: Sample, last: Sample, envs: int) -> float | None:
    """Decisions per exchange with a player, over all players; None where the learner did not tell."""
    exchanges = _delta(first, last, "UnityEnvironment.step")[1] if first.timers else 0
    return (last.decisions - first.decisions) / exchanges * envs if exchanges else None


def longest_silence(samples: Sequence[Sample]) -> float | None:
    """Seconds between the two neighbouring moments of progress, in steps or updates, that are farthest apart.

    None with fewer than two such moments.
    """
    progress = [(sample.seconds, (sample.steps, sample.decisions, sample.policy_updates)) for sample in samples]
    moments = [seconds for (_, before), (seconds, now) in pairwise(progress) if now != before]
    return max((after - before for before, after in pairwise(moments)), default=None)


def phases(samples: Sequence[Sample], first: Sample, last: Sample) -> Phases | None:
    """Where the time from `first` to `last`, two of `samples`, went; None where the learner's timers are unknown."""
    if not first.timers or UPDATE_TIMER not in last.timers or "env_step" not in last.timers:
        return None
    update = _delta(*_update_edges(samples, first, last), UPDATE_TIMER)[0]
    has_workers = "worker_root" in last.timers
    return Phases(
        collect_seconds=max(0.0, last.seconds - first.seconds - update),
        infer_seconds=_delta(first, last, "SubprocessEnvManager._take_step")[0],
        update_seconds=update,
        wait_seconds=_delta(first, last, "env_step.self")[0],
        process_seconds=_delta(first, last, "process_trajectory")[0],
        worker_seconds=_delta(first, last, "worker_root")[0] if has_workers else None,
        player_seconds=_delta(first, last, "communicator.exchange")[0] if has_workers else None,
    )


def update_seconds(samples: Sequence[Sample]) -> dict[str, float] | None:
    """What a policy update would take by batch size, of all behaviours that told; None where none did."""
    told = [sample.update_seconds for sample in samples if sample.update_seconds]
    sizes = set.intersection(*(set(one) for one in told)) if told else set()
    return {str(size): sum(one[size] for one in told) for size in sorted(sizes)} or None


def _update_edges(samples: Sequence[Sample], first: Sample, last: Sample) -> tuple[Sample, Sample]:
    """The samples between which UPDATE_TIMER grows by the updates that ended after `first` and until `last`.

    A policy update is reported from within its own timer, so its time shows in the next sample. Where nothing came
    after `last`, the update at `first` stands in for the one there.
    """
    told = [sample for sample in samples if sample.timers]
    after_first = next((sample for sample in told if sample.seconds > first.seconds), None)
    after_last = next((sample for sample in told if sample.seconds > last.seconds), None)
    return (first, last) if after_first is None or after_last is None else (after_first, after_last)


def _delta(first: Sample, last: Sample, timer: str) -> tuple[float, int]:
    before, after = first.timers.get(timer, (0.0, 0)), last.timers.get(timer, (0.0, 0))
    return after[0] - before[0], after[1] - before[1]
