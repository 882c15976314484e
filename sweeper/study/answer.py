"""What a study's trials say together: the recommendation, its speed-up, and how sure that is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sweeper.app.prepare import Prepared
from sweeper.compare.confirm import WORTH_KNOWING, Blocks, challengers, confirmed, in_slices
from sweeper.compare.guard import makes_no_fewer
from sweeper.compare.noise import CHOICE, CONFIRMED, SLICED, Spread, confirmed_interval, interval, noise, spread
from sweeper.compare.pool import Configuration, leaders, pool
from sweeper.model.study import Baseline, Best, NoFewerUpdates, Pooled, Speedup, StudyInfo, StudyResult, Verdict
from sweeper.model.trial import Outcome, Purpose, TrialResult, configuration_key
from sweeper.plan.trial_plan import launch_command
from sweeper.study.notes import study_notes


@dataclass(frozen=True)
class Facts:
    """What a conclusion needs beside the trials.

    `cut_short`: by whoever runs the study, or by an error that leaves open whether anything is feasible.
    """

    started_at: str
    spent_seconds: float
    memory_cap_bytes: int
    stopped_because: str | None
    cut_short: bool = False


def conclude(prepared: Prepared, results: Sequence[TrialResult], facts: Facts) -> StudyResult:
    """Everything there is to know about the study so far."""
    configurations = pool(results)
    baseline_key = configuration_key(prepared.space.baseline)
    baseline = next((item for item in configurations if item.key == baseline_key), None)
    best = _best(prepared, results, configurations, baseline)
    is_settled = facts.stopped_because is not None and not facts.cut_short
    verdict = best.verdict if best else (Verdict.NONE_FEASIBLE if is_settled and configurations else None)
    found = noise(configurations, baseline_key)
    return StudyResult(
        study=_info(prepared, facts),
        machine=prepared.machine,
        memory_cap_bytes=facts.memory_cap_bytes,
        warnings=(*prepared.notes, *study_notes(configurations, results, found, facts.spent_seconds)),
        noise=found,
        baseline=_baseline(prepared, results, baseline, spread(configurations)),
        best=best,
        best_with_no_fewer_updates=_no_fewer(configurations, baseline, best),
        trials=tuple(results),
        verdict=verdict,
        configurations=_pooled(configurations, results),
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
    between = spread(configurations)
    if own and rivals and blocks.are_enough:
        best, chosen, chosen_before = _confirmed_best(prepared, own, rivals, blocks, between)
        source = SLICED if in_slices(results) else CONFIRMED
        return replace(
            best,
            steps_per_second=blocks.mean(chosen.key),
            interval=confirmed_interval(blocks, chosen.key, between),
            interval_from=source if chosen_before else source + CHOICE,
        )
    top = ranking[0]
    if top is own:
        # Nothing was even seen to be faster, which needs no confirmation.
        verdict = Verdict.KEEP_YOURS if rivals else Verdict.UNCONFIRMED
        return _as_best(prepared, top, between, verdict=verdict)
    return _as_best(prepared, top, between, speedup=_pooled_speedup(top, own), verdict=Verdict.UNCONFIRMED)


def _confirmed_best(
    prepared: Prepared, own: Configuration, rivals: Sequence[Configuration], blocks: Blocks, between: Spread | None
) -> tuple[Best, Configuration, bool]:
    """The answer, its configuration, and whether others than these sessions chose it.

    The challenger that is shown to be faster than the user's own; of those that tie with it, the smallest, but not one
    that looks much slower: what may well be lost is not given for memory that is under the cap anyhow.

    Earlier sessions chose the first of `rivals`; these only say how it does, and nothing they chose inflates their
    claim. Memory may choose another that ties with it. Where they have to choose by speed after all, because the first
    was not shown to be faster, another was shown to be faster still, or the smallest looks much slower, the claim says
    so.
    """
    better = [item for item in rivals if blocks.shows_faster(item.key, own.key)]
    if not better:
        return _none_better(prepared, own, rivals, blocks, between)
    chosen_before = rivals[0] in better
    first = rivals[0] if chosen_before else max(better, key=lambda item: blocks.mean(item.key))
    beaten_by = [item for item in better if item is not first and blocks.shows_faster(item.key, first.key)]
    if beaten_by:
        chosen_before, first = False, max(beaten_by, key=lambda item: blocks.mean(item.key))
    tied = [item for item in better if not blocks.shows_faster(first.key, item.key)]
    as_fast = [item for item in tied if blocks.ratio(first.key, item.key).estimate < WORTH_KNOWING]
    chosen = min(as_fast, key=_memory)
    chosen_before = chosen_before and chosen is min(tied, key=_memory)
    others = [item for item in tied if item is not chosen]
    speedup = _confirmed_speedup(blocks, chosen, own)
    best = _as_best(prepared, chosen, between, speedup=speedup, tied_with=others, verdict=Verdict.BETTER)
    return best, chosen, chosen_before


def _none_better(
    prepared: Prepared, own: Configuration, rivals: Sequence[Configuration], blocks: Blocks, between: Spread | None
) -> tuple[Best, Configuration, bool]:
    """As `_confirmed_best`, where nothing is shown to be faster: a tie means keep yours, unless one looks much faster.

    That is too much to call it a tie, and too uncertain to recommend it.
    """
    left_open = [item for item in rivals if blocks.ratio(item.key, own.key).estimate >= WORTH_KNOWING]
    if not left_open:
        tied = [item for item in rivals if blocks.ratio(item.key, own.key).interval[1] > 1]
        return _as_best(prepared, own, between, tied_with=tied, verdict=Verdict.KEEP_YOURS), own, True
    chosen = max(left_open, key=lambda item: blocks.mean(item.key))
    others = [item for item in (own, *left_open) if item is not chosen]
    tied = [item for item in others if not blocks.shows_faster(chosen.key, item.key)]
    speedup = _confirmed_speedup(blocks, chosen, own)
    best = _as_best(prepared, chosen, between, speedup=speedup, tied_with=tied, verdict=Verdict.UNCONFIRMED)
    return best, chosen, chosen is rivals[0]


def _memory(item: Configuration) -> float:
    return item.peak_memory_bytes or float("inf")


def _confirmed_speedup(blocks: Blocks, item: Configuration, own: Configuration) -> Speedup:
    ratio = blocks.ratio(item.key, own.key)
    return Speedup(ratio.estimate, ratio.interval)


def _as_best(
    prepared: Prepared,
    item: Configuration,
    between: Spread | None,
    *,
    verdict: Verdict,
    speedup: Speedup | None = None,
    tied_with: Sequence[Configuration] = (),
) -> Best:
    session = max(item.measured, key=lambda trial: (trial.purpose is Purpose.CONFIRM, trial.number))
    known = interval(item, between)
    return Best(
        trial=session.number,
        params=item.params,
        steps_per_second=item.steps_per_second or 0.0,
        interval=known[0] if known else None,
        interval_from=known[1] if known else None,
        peak_memory_bytes=item.peak_memory_bytes,
        updates_per_1000_steps=item.updates_per_1000_steps,
        bottleneck=session.bottleneck,
        speedup=speedup,
        tied_with=tuple(other.params for other in tied_with),
        command=launch_command(prepared.study, prepared.launch, item.params, str(prepared.folder.best.absolute())),
        verdict=verdict,
        bottleneck_text=session.bottleneck_text,
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


def _baseline(
    prepared: Prepared, results: Sequence[TrialResult], item: Configuration | None, between: Spread | None
) -> Baseline | None:
    own = [trial for trial in results if trial.purpose is Purpose.BASELINE]
    if not own:
        return None
    trial = next((trial for trial in own if trial.is_ok), own[0])
    known = interval(item, between) if item else None
    return Baseline(
        trial.number,
        prepared.space.baseline_stated,
        dict(prepared.space.baseline),
        item.steps_per_second if item else None,
        known[0] if known else None,
        known[1] if known else None,
    )


def _pooled(configurations: Sequence[Configuration], results: Sequence[TrialResult]) -> tuple[Pooled, ...]:
    """Fastest first, then those without a number; with how often each was disturbed."""
    between = spread(configurations)
    voids = Counter(trial.key for trial in results if trial.outcome is Outcome.DISTURBED)
    ranked = leaders(configurations)
    known_keys = {item.key for item in configurations}
    never = {trial.key: Configuration(trial.params, ()) for trial in results if trial.key not in known_keys}
    found = []
    for item in (*ranked, *(item for item in configurations if item not in ranked), *never.values()):
        known = interval(item, between)
        found.append(
            Pooled(
                params=item.params,
                steps_per_second=item.steps_per_second,
                interval=known[0] if known else None,
                interval_from=known[1] if known else None,
                sessions=len(item.measured),
                disturbed=voids[item.key],
                feasible=item.is_feasible if item.measured or item.failures else None,
            )
        )
    return tuple(found)


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
