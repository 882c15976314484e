"""How a session is run, by the stage of the study: how long it measures, how its learner starts, what else it tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sweeper.app.prepare import Prepared
from sweeper.inputs.study_file import Measure
from sweeper.inputs.trainer_config import Behavior
from sweeper.measure.cycles import cutting
from sweeper.measure.rate import BRIEF_CYCLE_SECONDS, LONG_CYCLE_SECONDS, MIN_CYCLES, Rule
from sweeper.model.trial import LearnerStart, Params, Stage, TrialResult
from sweeper.study.history import History
from sweeper.study.limits import warmup_cycles

BRIEF_SECONDS = 4.0
"""Of measured cycles, of a brief session for which nothing else was asked: a machine's speed wanders over seconds."""
LONG_SHARES = {Stage.PILOT: 0.5, Stage.SEARCH: 0.25}
"""Of what is left of the budget, that a session may take whose cycles are longer than its limit; without the first
there is nothing to compare with. What confirms was planned to fit."""
MOST_LONG_SECONDS = 3600.0
TELLING_SESSIONS = 2
"""That tell what an update would take with every batch size; it is nearly the same in all of them."""


@dataclass(frozen=True)
class Manner:
    """Of a study, after what is known so far."""

    prepared: Prepared
    history: History

    @property
    def limits(self) -> tuple[float, float]:
        """Seconds that a session measures at least and at most, where it is not brief."""
        return self._measure.limits(self.prepared.budget.seconds)

    def rule(
        self, behaviors: Sequence[Behavior], stage: Stage, seconds: float | None, remaining_seconds: float
    ) -> Rule:
        """How long it measures.

        `seconds`: where the search says what is worth it. `remaining_seconds`: of the budget.
        """
        least, most = self.limits
        rule = Rule(
            self._measure.precision,
            most,
            cutting(behaviors),
            warmup_cycles(self.history.results, stage),
            least,
            fill={behavior.name: behavior.steps_to_update for behavior in behaviors},
            long_seconds=min(LONG_SHARES.get(stage, 1.0) * remaining_seconds, MOST_LONG_SECONDS),
        )
        if not self._is_brief_at(stage):
            return rule
        ranked = self.history.ranked if stage is not Stage.PILOT and rule.cut.in_decisions else ()
        return replace(
            rule,
            min_seconds=min(seconds or BRIEF_SECONDS, most),
            is_brief=True,
            least_cycles=1,
            long_cycle_seconds=LONG_CYCLE_SECONDS if stage is Stage.PILOT else BRIEF_CYCLE_SECONDS,
            rival=ranked[0].steps_per_second if ranked else None,
        )

    def is_brief(self, result: TrialResult) -> bool:
        """Whether it says less than a session that was not asked to be brief: slow settings take as long anyhow."""
        least, most = self.limits
        seconds, error = result.measured_seconds or 0.0, result.relative_standard_error
        is_precise = error is not None and error <= self._measure.precision
        is_whole = seconds >= most or (seconds >= least and is_precise)
        return not is_whole or (result.cycles or 0) < MIN_CYCLES

    def learner_start(self, stage: Stage) -> LearnerStart:
        """Whoever confirms is started as people start it."""
        return self.prepared.subject.study.spec.learner_start if _searches(stage) else LearnerStart.COLD

    def batch_sizes(self, params: Params, stage: Stage) -> tuple[int, ...]:
        """Of which it is to tell what an update would take: of all, in the first sessions that can.

        Where updates run beside collecting, their time is not theirs alone. Who was asked and could not tell is not
        asked for ever.
        """
        asked = [trial for trial in self.history.results if trial.is_ok and _searches(trial.stage)]
        told = sum(not trial.params.get("threaded") for trial in asked)
        sizes = self.prepared.space.knobs.get("batch_size", ())
        if not self._is_brief_at(stage) or params.get("threaded") or told >= TELLING_SESSIONS or len(sizes) < 2:
            return ()
        return tuple(size for size in dict.fromkeys((*sizes, params.get("batch_size"))) if isinstance(size, int))

    @property
    def _measure(self) -> Measure:
        return self.prepared.subject.study.spec.measure

    def _is_brief_at(self, stage: Stage) -> bool:
        return self.prepared.strategy.is_brief and _searches(stage)


def _searches(stage: Stage) -> bool:
    return stage in (Stage.PILOT, Stage.SEARCH)
