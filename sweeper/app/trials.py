"""One trial: planned, run, judged and recorded, whatever comes of it."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sweeper.app.artefacts import check_disk, check_end, prune
from sweeper.app.clock import now, seconds_to
from sweeper.app.manner import Manner
from sweeper.app.prepare import Prepared
from sweeper.app.runner import Runner
from sweeper.app.stop import StopSignal
from sweeper.measure.contention import disturbance
from sweeper.model.events import Listener, TrialFinished, TrialStarted
from sweeper.model.folder import TrialFolder
from sweeper.model.session import SessionRecord
from sweeper.model.trial import Outcome, Params, Purpose, Stage, TrialResult, configuration_key
from sweeper.search.memory import predict_peak, veto
from sweeper.session.ports import free_block, port_for
from sweeper.session.turns import Contender
from sweeper.store import Store
from sweeper.study.allowance import Allowance
from sweeper.study.course import Measure, TakeTurns, order
from sweeper.study.history import History
from sweeper.study.judge import Asked, Terms, judge
from sweeper.study.limits import stall_seconds
from sweeper.study.rounds import SLICES

log = logging.getLogger(__name__)

WAIT_SECONDS = 60.0
"""For a quiet machine, before a session (docs/sources.md, 8.5); longer after sessions that were disturbed."""
MAX_WAIT_SECONDS = 600.0
GLANCE_SECONDS = 1.0
WAIT_SHARE = 0.25
"""Of what is left of the budget, so that something is left to measure with."""
STANDSTILL = 2.0
"""Times as long as planned that a round in turn may take, and that a session in it may stand still."""
SLICE_ATTEMPTS = 2
"""Slices that are begun for one that counts, where others disturb them."""


class Trials:
    """Runs trials and keeps their record; the one place that writes to the store."""

    def __init__(
        self,
        prepared: Prepared,
        store: Store,
        runner: Runner,
        stop: StopSignal,
        tell: Listener,
        save: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`save` is called after every trial."""
        self.prepared = prepared
        self.tell = tell
        self._store = store
        self._runner = runner
        self._stop = stop
        self._save = save
        self._clock = clock
        self._spent_until = self._judged_at = clock()
        self._history: History | None = None

    @property
    def history(self) -> History:
        """All that is known so far."""
        if self._history is None:
            self._history = self.prepared.history(self._store.results())
        return self._history

    @property
    def cap_bytes(self) -> int:
        """The memory cap of this study."""
        return self._store.memory_cap_bytes

    def allowance(self) -> Allowance:
        """What the budget allows now."""
        until = self.prepared.until
        return Allowance(
            self.history,
            self.prepared.budget,
            self._store.spent_seconds + self._clock() - self._spent_until,
            self.cap_bytes,
            math.inf if until is None else seconds_to(until),
            may_run_in_turn=not self.prepared.subject.is_in_editor,
            is_brief=self.prepared.strategy.is_brief,
            confirming_limit=self._manner.limits[1],
        )

    def veto(self, params: Params) -> TrialResult | None:
        """A trial that is not launched because it is sure to break the memory cap; None where that is not sure."""
        tried = self.history.candidates
        if any(item.params == params for item in tried):
            return None  # measured before: what it needs is known
        found = veto(params, tried, self.cap_bytes)
        if found is None:
            return None
        number = self._store.start(params, purpose=Purpose.SEARCH, stage=Stage.SEARCH, machine=self._machine)
        result = TrialResult(
            number=number,
            params=dict(params),
            purpose=Purpose.SEARCH,
            outcome=Outcome.VETOED,
            started_at=now(),
            total_seconds=0.0,
            seed=number,
            reason=found.reason,
            predicted_memory_bytes=found.prediction,
            stage=Stage.SEARCH,
            machine=self._machine,
            cost_seconds=0.0,
        )
        self._record(result)
        return result

    def run(self, step: Measure, round: int | None = None) -> TrialResult:
        """One session of its own."""
        asked = self._ask(step.params, step.purpose, step.stage, round, seconds=step.seconds)
        try:
            record = self._runner.run(asked.plan, asked.rule, self._max_wait())
        except BaseException:
            self._store.abandon(asked.plan.number)
            raise
        self._leave_out(record.asked_seconds)
        result = self._finish(asked, record, self._cost(), step.excuses)
        self._check(record)
        return result

    def take_turns(self, step: TakeTurns) -> list[TrialResult]:
        """Sessions that are alive together, SLICES slices of each."""
        counts = [int(params.get("num_envs") or 1) for params in step.contenders]
        first = free_block(sum(counts))
        ports = [first + sum(counts[:index]) for index in range(len(counts))]
        asked: list[Asked] = []
        still_seconds = STANDSTILL * step.plan.seconds
        try:
            for params, port in zip(step.contenders, ports):
                asked.append(self._ask(params, Purpose.CONFIRM, Stage.CONFIRMATION, step.round, port, still_seconds))
            contenders = [
                Contender(str(one.plan.number), one.plan, one.rule.cut, one.rule.warmup_cycles or 1, cycles)
                for one, cycles in zip(asked, step.plan.slice_cycles)
            ]
            with self._runner.in_turn(contenders, self._max_wait(), still_seconds) as turns:
                counted = 0
                for found in turns.rounds(self._orders(len(contenders), step.round)):
                    counted += self._tolerates_load() or not any(disturbance(one) for one in found.contention)
                    if counted >= SLICES:
                        break
                records = turns.end()
        except BaseException:
            for one in asked:
                self._store.abandon(one.plan.number)
            raise
        cost = self._cost() / len(asked)
        results = [self._finish(one, record, cost) for one, record in zip(asked, records)]
        for record in records:
            self._check(record)
        return results

    @staticmethod
    def _orders(count: int, round: int) -> Iterator[list[int]]:
        first = random.Random(round).randrange(1000) * 2
        return (order(count, first + number) for number in range(SLICE_ATTEMPTS * SLICES))

    def _ask(
        self,
        params: Params,
        purpose: Purpose,
        stage: Stage,
        round: int | None,
        port: int | None = None,
        stands_still_seconds: float = 0.0,
        seconds: float | None = None,
    ) -> Asked:
        self._stop.check()
        check_disk(self.prepared.folder.root)
        if port is None:
            port = port_for(int(params.get("num_envs") or 1), self.prepared.subject.is_in_editor)
        history, manner = self.history, self._manner
        number = self._store.start(params, purpose=purpose, stage=stage, round=round, machine=self._machine)
        self.tell(TrialStarted(number, purpose, params))
        prediction = predict_peak(params, [item for item in history.candidates if item.params != params])
        plan = self.prepared.subject.plan(
            params,
            number=number,
            seed=number,
            base_port=port,
            folder=TrialFolder(self.prepared.folder.trial(number).absolute()),
            stands_still_seconds=stands_still_seconds,
        )
        plan = replace(
            plan,
            max_stall_seconds=stall_seconds(history.results, plan.max_stall_seconds),
            learner_start=manner.learner_start(stage),
            batch_sizes=manner.batch_sizes(params, stage),
        )
        behaviors = self.prepared.subject.config.behaviors_with(params)
        rule = manner.rule(behaviors, stage, seconds, self.allowance().remaining_seconds)
        return Asked(plan, purpose, stage, now(), rule, round, self._machine, prediction, behaviors)

    def _finish(
        self, asked: Asked, record: SessionRecord, cost_seconds: float, excuses: Sequence[int] = ()
    ) -> TrialResult:
        known = self.history.by_key.get(configuration_key(asked.plan.params))
        # One decision for a configuration: what kept the guard once is not refused for the bursts of another session.
        is_decided = asked.stage is Stage.PILOT or (known is not None and bool(known.measured))
        required = None if is_decided else self.history.required
        terms = Terms(
            self.cap_bytes,
            required,
            self.prepared.machine.usable_cores,
            self._tolerates_load(),
            self.prepared.subject.is_in_editor,
        )
        result = replace(judge(asked, record, terms), cost_seconds=cost_seconds)
        if asked.rule.is_brief and result.is_ok:
            result = replace(result, brief=self._manner.is_brief(result))
        if excuses and result.outcome.is_infeasible:
            result = replace(result, excuses=(*excuses, result.number))
        if record.left_behind:
            log.warning("trial %d: could not end processes %s", result.number, record.left_behind)
        self._record(result)
        if result.is_ok:
            prune(asked.plan.folder, self.prepared.tensorboard)
        return result

    def _record(self, result: TrialResult) -> None:
        self._store.finish(result, self.history.constraints(result, self.cap_bytes))
        self._history = None
        self._spend()
        self._save()
        self.tell(self._finished(result))

    def _check(self, record: SessionRecord) -> None:
        self._stop.check()
        check_end(record, self.prepared.folder.root)

    @property
    def _manner(self) -> Manner:
        return Manner(self.prepared, self.history)

    def _max_wait(self) -> float:
        if self._tolerates_load() or self.prepared.subject.is_in_editor:
            return 0.0
        if self.history.waited_in_vain:
            return GLANCE_SECONDS
        wait = min(WAIT_SECONDS * (1 + self.history.voids_in_a_row), MAX_WAIT_SECONDS)
        return min(wait, self.allowance().remaining_seconds * WAIT_SHARE)

    @property
    def _machine(self) -> str:
        return self.prepared.machine.key

    def _tolerates_load(self) -> bool:
        return self.prepared.subject.study.spec.measure.contention == "mark" or self.history.is_never_quiet

    def _leave_out(self, seconds: float) -> None:
        """Time just gone that is charged to nobody: somebody was waited for."""
        self._spent_until += seconds
        self._judged_at += seconds

    def _spend(self) -> None:
        """Count the time since the last call against the budget."""
        now = self._clock()
        self._store.spend(now - self._spent_until)
        self._spent_until = now

    def _cost(self) -> float:
        """Seconds since the last trial was judged."""
        now = self._clock()
        cost, self._judged_at = now - self._judged_at, now
        return cost

    def _finished(self, result: TrialResult) -> TrialFinished:
        history = self.history
        best = next(iter(history.ranked), None)
        return TrialFinished(
            result=result,
            best_params=best.params if best else None,
            best_steps_per_second=best.steps_per_second if best else None,
            baseline_steps_per_second=history.reference.steps_per_second if history.reference else None,
            remaining_seconds=self.allowance().remaining_seconds,
        )
