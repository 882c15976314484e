"""What a study's trials say together: the recommendation, its speed-up, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sweeper.app.prepare import Prepared
from sweeper.compare.confirm import Blocks, challengers, confirmed
from sweeper.compare.guard import makes_no_fewer
from sweeper.compare.noise import areas_are_inert, between_percent
from sweeper.compare.pool import Configuration, leaders, pool
from sweeper.model.measurement import Note, NoteKind
from sweeper.model.study import Baseline, Best, NoFewerUpdates, Noise, Speedup, StudyInfo, StudyResult, Verdict
from sweeper.model.trial import Purpose, TrialResult, configuration_key
from sweeper.trial_plan import launch_command

FROM_CONFIRMATION = "confirmation sessions"
FROM_SESSION = "within one session"


@dataclass(frozen=True)
class Facts:
    """What a conclusion needs beside the trials."""

    started_at: str
    spent_seconds: float
    memory_cap_bytes: int
    stopped_because: str | None


def conclude(prepared: Prepared, results: Sequence[TrialResult], facts: Facts) -> StudyResult:
    """Everything there is to know about the study so far."""
    configurations = pool(results)
    baseline_key = configuration_key(prepared.space.baseline)
    baseline = next((item for item in configurations if item.key == baseline_key), None)
    best = _best(prepared, results, configurations, baseline)
    verdict = best.verdict if best else (Verdict.NONE_FEASIBLE if facts.stopped_because and results else None)
    return StudyResult(
        study=_info(prepared, facts),
        machine=prepared.machine,
        memory_cap_bytes=facts.memory_cap_bytes,
        warnings=(*prepared.notes, *_warnings(configurations)),
        noise=Noise(between_percent=between_percent(configurations), drift_percent_per_hour=None),
        baseline=_baseline(prepared, results, baseline),
        best=best,
        best_with_no_fewer_updates=_no_fewer(configurations, baseline, best),
        trials=tuple(results),
        verdict=verdict,
    )


def _best(
    prepared: Prepared,
    results: Sequence[TrialResult],
    configurations: Sequence[Configuration],
    baseline: Configuration | None,
) -> Best | None:
    ranking = leaders(configurations)
    if not ranking:
        return None
    own = baseline if baseline in ranking else None
    rivals = challengers(results, configuration_key(prepared.space.baseline))
    blocks = confirmed(results, [item.key for item in (*([own] if own else []), *rivals)])
    if own and rivals and blocks.are_enough:
        return _confirmed_best(prepared, own, rivals, blocks)
    top = ranking[0]
    if top is own:
        # Nothing was even seen to be faster, which needs no confirmation.
        verdict = Verdict.KEEP_YOURS if rivals else Verdict.UNCONFIRMED
        return _as_best(prepared, top, verdict=verdict)
    return _as_best(prepared, top, speedup=_pooled_speedup(top, own), verdict=Verdict.UNCONFIRMED)


def _confirmed_best(prepared: Prepared, own: Configuration, rivals: Sequence[Configuration], blocks: Blocks) -> Best:
    """The faster challenger where it is shown to be faster than the user's own; of two that tie, the smaller."""
    better = [item for item in rivals if blocks.ratio(item.key, own.key).interval[0] > 1]
    if not better:
        # A tie with the user's own settings means: keep them.
        tied = [item for item in rivals if blocks.ratio(item.key, own.key).interval[1] > 1]
        return _as_best(prepared, own, blocks=blocks, tied_with=tied, verdict=Verdict.KEEP_YOURS)
    fastest = max(better, key=lambda item: blocks.mean(item.key))
    tied = [item for item in better if item is not fastest and blocks.ratio(fastest.key, item.key).interval[0] <= 1]
    chosen = min([fastest, *tied], key=lambda item: item.peak_memory_bytes or float("inf"))
    ratio = blocks.ratio(chosen.key, own.key)
    others = [item for item in [fastest, *tied] if item is not chosen]
    speedup = Speedup(ratio.estimate, ratio.interval)
    return _as_best(prepared, chosen, blocks=blocks, speedup=speedup, tied_with=others, verdict=Verdict.BETTER)


def _as_best(
    prepared: Prepared,
    item: Configuration,
    *,
    verdict: Verdict,
    blocks: Blocks | None = None,
    speedup: Speedup | None = None,
    tied_with: Sequence[Configuration] = (),
) -> Best:
    session = max(item.measured, key=lambda trial: (trial.purpose is Purpose.CONFIRM, trial.number))
    best = Best(
        trial=session.number,
        params=item.params,
        steps_per_second=item.steps_per_second or 0.0,
        interval=session.interval if len(item.measured) == 1 else None,
        interval_from=FROM_SESSION,
        peak_memory_bytes=item.peak_memory_bytes,
        updates_per_1000_steps=item.updates_per_1000_steps,
        bottleneck=session.bottleneck,
        speedup=speedup,
        tied_with=tuple(other.params for other in tied_with),
        command=launch_command(prepared.study, prepared.launch, item.params, str(prepared.folder.best.absolute())),
        verdict=verdict,
    )
    if blocks is None:
        return best
    return replace(
        best,
        steps_per_second=blocks.mean(item.key),
        interval=blocks.rate_interval(item.key),
        interval_from=FROM_CONFIRMATION,
    )


def _no_fewer(
    configurations: Sequence[Configuration], baseline: Configuration | None, best: Best | None
) -> NoFewerUpdates | None:
    updates = baseline.updates_per_1000_steps if baseline else None
    if best is not None and makes_no_fewer(best.updates_per_1000_steps, updates):
        return NoFewerUpdates(best.params, best.steps_per_second, best.speedup)
    for item in leaders(configurations):
        if makes_no_fewer(item.updates_per_1000_steps, updates):
            speedup = _pooled_speedup(item, baseline) if item is not baseline else None
            return NoFewerUpdates(item.params, item.steps_per_second or 0.0, speedup)
    return None


def _pooled_speedup(item: Configuration, own: Configuration | None) -> Speedup | None:
    if own is None or not own.steps_per_second or not item.steps_per_second:
        return None
    return Speedup(item.steps_per_second / own.steps_per_second, None)


def _baseline(prepared: Prepared, results: Sequence[TrialResult], item: Configuration | None) -> Baseline | None:
    first = next((trial.number for trial in results if trial.purpose is Purpose.BASELINE), None)
    if first is None:
        return None
    rate = item.steps_per_second if item else None
    return Baseline(first, prepared.space.baseline_stated, dict(prepared.space.baseline), rate)


def _info(prepared: Prepared, facts: Facts) -> StudyInfo:
    spec = prepared.study.spec
    return StudyInfo(
        name=spec.name,
        file=str(prepared.study.path.absolute()),
        started_at=facts.started_at,
        seconds=facts.spent_seconds,
        budget=prepared.budget.seconds,
        trial_limit=prepared.budget.trials,
        stopped_because=facts.stopped_because,
        trainer_config=str(prepared.config.path),
        env_path=str(prepared.launch.build) if prepared.launch.build else None,
        space=dict(prepared.space.knobs),
        min_updates=spec.min_updates,
    )


def _warnings(configurations: Sequence[Configuration]) -> tuple[Note, ...]:
    if not areas_are_inert(configurations):
        return ()
    text = (
        "num_areas seems to have changed nothing: an exchange brought as many decisions whatever it was set to. "
        "It acts only if the scene has a TrainingAreaReplicator."
    )
    return (Note(NoteKind.AREAS_INERT, text),)
