"""What a study's trials say together: the recommendation, its speed-up, and how sure that is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sweeper.compare.candidates import Candidate
from sweeper.compare.guard import makes_no_fewer
from sweeper.compare.noise import interval
from sweeper.inputs.flat import measured_settings
from sweeper.inputs.study_limits import Budget
from sweeper.model.findings import Finding
from sweeper.model.machine import Machine
from sweeper.model.study import (
    Baseline,
    Best,
    IntervalFrom,
    NoFewerUpdates,
    Pooled,
    Speedup,
    StudyInfo,
    StudyResult,
    Verdict,
)
from sweeper.model.trial import Outcome, Purpose
from sweeper.plan.space import Space
from sweeper.plan.subject import Subject
from sweeper.study.confirmation import WORTH_KNOWING, Confirmation
from sweeper.study.guide_rules import guide_rules
from sweeper.study.history import History
from sweeper.study.notes import study_notes


@dataclass(frozen=True)
class Facts:
    """What a conclusion needs beside the history.

    `best_config`: where the tuned trainer config goes. `notes`: what was known before the first trial.
    `cut_short`: by whoever runs the study, or by an error that leaves open whether anything is feasible.
    """

    subject: Subject
    space: Space
    machine: Machine
    budget: Budget
    best_config: str
    notes: tuple[Finding, ...]
    started_at: str
    spent_seconds: float
    memory_cap_bytes: int
    stopped_because: str | None
    cut_short: bool = False


def conclude(facts: Facts, history: History) -> StudyResult:
    """Everything there is to know about the study so far."""
    confirmation = Confirmation(history, is_last=facts.stopped_because is not None)
    best = _Choice(facts, confirmation).best()
    is_settled = facts.stopped_because is not None and not facts.cut_short
    verdict = best.verdict if best else (Verdict.NONE_FEASIBLE if is_settled and history.candidates else None)
    reference = history.reference
    return StudyResult(
        study=_info(facts),
        machine=facts.machine,
        memory_cap_bytes=facts.memory_cap_bytes,
        warnings=(*facts.notes, *study_notes(history, facts.spent_seconds)),
        noise=history.noise,
        baseline=_baseline(facts, history),
        best=best,
        best_with_no_fewer_updates=_no_fewer(history, best),
        trials=history.results,
        verdict=verdict,
        configurations=configurations(history, confirmation),
        reference=dict(reference.params) if reference else None,
        guide=guide_rules(history, best, facts.machine.usable_cores),
    )


class _Choice:
    """Picks the answer among the candidates."""

    def __init__(self, facts: Facts, confirmation: Confirmation) -> None:
        self._facts = facts
        self._confirmation = confirmation
        self._history = confirmation.history

    def best(self) -> Best | None:
        """What is recommended, or looks fastest."""
        history, reference = self._history, self._history.reference
        if not history.ranked:
            return None
        if self._confirmation.better:
            return self._shown()
        if reference is None:
            return self._as_best(history.ranked[0], Verdict.UNCONFIRMED)
        looks_faster = [item for item in history.rivals if self._times(item) >= WORTH_KNOWING]
        if looks_faster:
            return self._left_open(looks_faster)
        return self._kept(reference)

    def _shown(self) -> Best:
        """What is shown to be faster; of those that tie with it, the smallest, but none that looks much slower.

        What may well be lost is not given for memory that is under the cap anyhow.

        Earlier sessions chose the first of those that were judged; the confirmation only says how it does, and nothing
        that it chose inflates its claim. Memory may choose another that ties with it. Where it has to choose by speed
        after all, because the first was not shown to be faster, another was shown to be faster still, or the smallest
        looks much slower, the claim says so.
        """
        confirmation, better = self._confirmation, self._confirmation.better
        chosen_before = confirmation.judged[0] in better
        first = confirmation.judged[0] if chosen_before else better[0]
        beaten_by = [item for item in better if item is not first and self._is_faster(item, first)]
        if beaten_by:
            chosen_before, first = False, beaten_by[0]
        tied = [item for item in better if not self._is_faster(first, item)]
        as_fast = [item for item in tied if self._ratio(first, item) < WORTH_KNOWING]
        chosen = min(as_fast, key=_memory)
        chosen_before = chosen_before and chosen is min(tied, key=_memory)
        others = [item for item in tied if item is not chosen]
        return self._confirmed(chosen, Verdict.BETTER, others, chosen_before)

    def _left_open(self, looks_faster: Sequence[Candidate]) -> Best:
        """Too much faster to call it a tie, and too uncertain to recommend it."""
        chosen = max(looks_faster, key=self._times)
        judged = self._confirmation.judged
        if chosen not in judged:
            return self._as_best(chosen, Verdict.UNCONFIRMED, _pooled_speedup(chosen, self._history.reference))
        tied = [item for item in judged if item is not chosen and not self._is_faster(chosen, item)]
        return self._confirmed(chosen, Verdict.UNCONFIRMED, tied, chosen_before=chosen is judged[0])

    def _kept(self, reference: Candidate) -> Best:
        """Nothing is, or looks, faster than the reference by an amount worth knowing."""
        verdict = Verdict.KEEP_YOURS if self._history.rivals else Verdict.UNCONFIRMED
        tied = [item for item in self._confirmation.judged if not self._is_faster(reference, item)]
        if self._confirmation.judged and self._confirmation.contrast.knows(reference.key):
            return self._confirmed(reference, verdict, tied, chosen_before=True)
        return self._as_best(reference, verdict)

    def _times(self, item: Candidate) -> float:
        """How many times as fast as the reference it looks: by the confirmation where it was judged."""
        if found := self._confirmation.times(item):
            return found
        speedup = _pooled_speedup(item, self._history.reference)
        return speedup.estimate if speedup else 0.0

    def _is_faster(self, item: Candidate, other: Candidate) -> bool:
        found = self._confirmation.ratio(item, other)
        return found is not None and found.interval[0] > 1

    def _ratio(self, item: Candidate, other: Candidate) -> float:
        found = self._confirmation.ratio(item, other)
        return found.estimate if found else 1.0

    def _confirmed(
        self, item: Candidate, verdict: Verdict, tied_with: Sequence[Candidate], chosen_before: bool
    ) -> Best:
        """The answer with the figures of the confirmation."""
        rate = self._confirmation.contrast.rate(item.key)
        reference = self._history.reference
        ratio = self._confirmation.ratio(item, reference) if reference and item is not reference else None
        speedup = Speedup(ratio.estimate, ratio.interval) if ratio else None
        return replace(
            self._as_best(item, verdict, speedup),
            tied_with=tuple(other.params for other in tied_with),
            steps_per_second=rate.estimate,
            interval=rate.interval,
            interval_from=IntervalFrom.CONFIRMED if chosen_before else IntervalFrom.CONFIRMED_CHOICE,
        )

    def _as_best(self, item: Candidate, verdict: Verdict, speedup: Speedup | None = None) -> Best:
        session = max(item.measured, key=lambda trial: (trial.purpose is Purpose.CONFIRM, trial.number))
        known = interval(item, self._history.spread)
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
            tied_with=(),
            command=self._facts.subject.command(item.params, self._facts.best_config),
            verdict=verdict,
        )


def _memory(item: Candidate) -> float:
    return item.peak_memory_bytes or float("inf")


def _no_fewer(history: History, best: Best | None) -> NoFewerUpdates | None:
    """The fastest that makes no fewer updates per step than the reference."""
    reference = history.reference
    updates = reference.updates_per_1000_steps if reference else None
    if best is not None and makes_no_fewer(best.updates_per_1000_steps, updates):
        return NoFewerUpdates(best.params, best.steps_per_second, best.speedup)
    for item in history.once(history.ranked):
        if makes_no_fewer(item.updates_per_1000_steps, updates):
            speedup = _pooled_speedup(item, reference) if item is not reference else None
            return NoFewerUpdates(item.params, item.steps_per_second or 0.0, speedup)
    return None


def _pooled_speedup(item: Candidate, reference: Candidate | None) -> Speedup | None:
    if reference is None or not reference.steps_per_second or not item.steps_per_second:
        return None
    return Speedup(item.steps_per_second / reference.steps_per_second, None)


def _baseline(facts: Facts, history: History) -> Baseline | None:
    own = [trial for trial in history if trial.purpose is Purpose.BASELINE]
    if not own:
        return None
    trial = next((trial for trial in own if trial.is_ok), own[0])
    item = history.by_key.get(history.own_key)
    known = interval(item, history.spread) if item else None
    return Baseline(
        trial.number,
        facts.space.baseline_stated,
        dict(facts.space.baseline),
        item.steps_per_second if item else None,
        known[0] if known else None,
        known[1] if known else None,
        facts.subject.command_before(facts.space.baseline),
    )


def configurations(history: History, confirmation: Confirmation) -> tuple[Pooled, ...]:
    """Fastest first, then those without a number; with how often each was disturbed."""
    voids = Counter(trial.key for trial in history if trial.outcome is Outcome.DISTURBED)
    ranked = {item.key: item for item in history.ranked}
    others = {item.key: item for item in history.candidates if item.key not in ranked}
    never = {trial.key: Candidate(trial.params, ()) for trial in history if trial.key not in history.by_key}
    found = []
    for item in (*ranked.values(), *others.values(), *never.values()):
        known = interval(item, history.spread)
        ratio = None
        if history.reference is not None and item in confirmation.judged:
            ratio = confirmation.ratio(item, history.reference)
        found.append(
            Pooled(
                params=item.params,
                steps_per_second=item.steps_per_second,
                interval=known[0] if known else None,
                interval_from=known[1] if known else None,
                sessions=len(item.measured),
                disturbed=voids[item.key],
                feasible=item.is_feasible if item.measured or item.failures else None,
                rates=item.rates,
                peak_memory_bytes=item.peak_memory_bytes,
                updates_per_1000_steps=item.updates_per_1000_steps,
                speedup=Speedup(ratio.estimate, ratio.interval) if ratio else None,
            )
        )
    return tuple(found)


def _info(facts: Facts) -> StudyInfo:
    study, launch = facts.subject.study, facts.subject.launch
    return StudyInfo(
        name=study.spec.name,
        file=str(study.path.absolute()),
        started_at=facts.started_at,
        seconds=facts.spent_seconds,
        budget=facts.budget.told_seconds,
        trial_limit=facts.budget.trials,
        stopped_because=facts.stopped_because,
        trainer_config=str(facts.subject.config.path),
        env_path=str(launch.build) if launch.build else None,
        space=dict(facts.space.knobs),
        min_updates=study.spec.min_updates,
        engine=study.spec.engine.model_dump(exclude_none=True),
        trainer_settings=measured_settings(facts.subject.config),
    )
