"""What the learner's counters say between two samples: updates, agents, and where the time went."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sweeper.model.measurement import BehaviorCount, PerThousandSteps, Phases, Sample

UPDATE_TIMER = "_update_policy"
"""Of policy updates, all gradient steps of one together."""
GRADIENT_TIMER = ".update"
"""With which the names of those end that count gradient updates."""
POLICY = "policy updates"


def updates(samples: Sequence[Sample], first: Sample, last: Sample) -> PerThousandSteps:
    """Updates per 1,000 agent steps from `first` to `last`, two of `samples`.

    Where several behaviours learn, a cycle ends with the slowest one's update and cuts those of the others anywhere,
    and a whole update more or less weighs much in two cycles. So each is counted over its own whole cycles, from its
    last update until `first` to its last until `last`, and weighs with its share of the steps.
    """
    steps = last.steps - first.steps
    names = [name for name, count in last.behaviors.items() if count.steps > _count(first, name).steps]
    spans = {name: _span(samples, name, first, last) for name in names}
    learnt = {name: _learnt(samples, name, *spans[name], alone=len(names) == 1) for name in names}
    weights = {name: (last.behaviors[name].steps - _count(first, name).steps) / steps for name in names}
    timed = last.timers if first.timers else {}
    gradient = {
        timer: sum(weights[name] * learnt[name].get(timer, 0.0) for name in names)
        for timer in timed
        if timer.endswith(GRADIENT_TIMER)
    }
    policy = {name: learnt[name][POLICY] for name in names}
    parts = {f"gradient updates by {timer.removesuffix(GRADIENT_TIMER)}": rate for timer, rate in gradient.items()}
    return PerThousandSteps(
        gradient=sum(gradient.values()) if gradient else None,
        policy=sum(weights[name] * rate for name, rate in policy.items()),
        parts={**parts, **{f"policy updates of {name}": rate for name, rate in policy.items()}},
    )


def _span(samples: Sequence[Sample], name: str, first: Sample, last: Sample) -> tuple[Sample, Sample]:
    """The own updates of a behaviour that are its edges; `first` and `last` where it has none there."""
    own = [one for one in samples if one.kind == "update" and one.updated == name and one.seconds <= last.seconds]
    before = [sample for sample in own if sample.seconds <= first.seconds]
    start = before[-1] if before else own[0] if own else first
    end = own[-1] if own else last
    is_whole = _count(end, name).steps > _count(start, name).steps
    return (start, end) if is_whole else (first, last)


def _learnt(samples: Sequence[Sample], name: str, start: Sample, end: Sample, alone: bool) -> dict[str, float]:
    """Of one behaviour, per 1,000 of its own steps: policy updates, and gradient updates by timer.

    Timers do not tell whose gradient updates they count; those since the update before, anybody's, are its own.
    """
    steps = _count(end, name).steps - _count(start, name).steps
    found = {POLICY: 1000 * (_count(end, name).policy_updates - _count(start, name).policy_updates) / steps}
    ends = (one for one in samples if one.kind == "update" and one.timers)
    inside = [one for one in ends if start.seconds <= one.seconds <= end.seconds]
    pairs = [(start, end)] if alone or not inside else pairwise(inside)
    for before, after in pairs:
        if alone or after.updated == name:
            for timer in after.timers:
                if timer.endswith(GRADIENT_TIMER):
                    found[timer] = found.get(timer, 0.0) + 1000 * _delta(before, after, timer)[1] / steps
    return found


def _count(sample: Sample, name: str) -> BehaviorCount:
    return sample.behaviors.get(name, BehaviorCount())


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
