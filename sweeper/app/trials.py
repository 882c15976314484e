"""One trial: planned, run, judged and recorded, whatever comes of it."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from sweeper.app.artefacts import check_disk, prune
from sweeper.app.limits import now, seconds_to, stall_seconds, warmup_cycles
from sweeper.app.prepare import Prepared
from sweeper.app.stop import StopSignal
from sweeper.compare.confirm import last_search_number
from sweeper.compare.guard import constraints, requirement
from sweeper.compare.pool import Configuration, leaders, pool
from sweeper.compare.voids import never_quiet, voids_in_a_row, waited_in_vain
from sweeper.errors import NotReady
from sweeper.measure.cycles import boundaries, cutting
from sweeper.measure.rate import Rule
from sweeper.model.events import Listener, StageChanged, TrialFinished, TrialStarted
from sweeper.model.folder import TrialFolder
from sweeper.model.measurement import PerThousandSteps
from sweeper.model.session import Edges, SessionRecord, Watcher
from sweeper.model.trial import Outcome, Params, Purpose, TrialResult, configuration_key
from sweeper.plan.trial_plan import TrialPlan, plan_trial
from sweeper.search.memory import is_sure_to_break, predict_peak, smaller_that_broke
from sweeper.session.ports import EDITOR_PORT, free_block, is_free
from sweeper.session.turns import Contender
from sweeper.store import Store
from sweeper.study.allowance import Plan
from sweeper.study.judge import Asked, Terms, judge
from sweeper.units import format_bytes

log = logging.getLogger(__name__)

WAIT_SECONDS = 60.0
"""For a quiet machine, before a session (facts on statistics, 8.5); longer after sessions that were disturbed."""
MAX_WAIT_SECONDS = 600.0
HEARTBEAT_SECONDS = 10.0
GLANCE_SECONDS = 1.0
WAIT_SHARE = 0.25
"""Of what is left of the budget, so that something is left to measure with."""


class Runner(Protocol):
    """How plans become records: real sessions in use, scripted ones in tests and replays."""

    def run(self, plan: TrialPlan, watch: Watcher, max_wait_seconds: float) -> SessionRecord:
        """One session."""

    def run_in_turn(
        self,
        contenders: Sequence[Contender],
        orders: Sequence[Sequence[int]],
        max_seconds: float,
        max_wait_seconds: float,
    ) -> list[SessionRecord]:
        """Several sessions that are alive together and run in turn."""


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
        self.baseline_key = configuration_key(prepared.space.baseline)
        self._store = store
        self._runner = runner
        self._stop = stop
        self._save = save
        self._clock = clock
        self._last_clock = clock()
        self._results: list[TrialResult] | None = None

    @property
    def cap_bytes(self) -> int:
        """The memory cap of this study."""
        return self._store.memory_cap_bytes

    def results(self) -> list[TrialResult]:
        """Every finished trial, in order."""
        if self._results is None:
            self._results = self._store.results()
        return self._results

    def plan(self) -> Plan:
        """What the budget allows now."""
        self._spend()
        until = self.prepared.until
        deadline = math.inf if until is None else seconds_to(until)
        return Plan(self.prepared.budget, self._store.spent_seconds, self.results(), self.baseline_key, deadline)

    def baseline(self) -> Configuration | None:
        """The user's own settings, where they were measured."""
        found = (item for item in pool(self.results()) if item.key == self.baseline_key and item.is_feasible)
        return next(found, None)

    def constraints(self) -> Callable[[TrialResult], dict[str, float]]:
        """How a result stands to the cap and to the learning guard, as things are now."""
        required = self._required()
        return lambda result: constraints(result, self.cap_bytes, required)

    @property
    def is_confirmed(self) -> bool:
        """Whether a confirmation was brought to its end since the last search trial."""
        return self._store.confirmed_search == last_search_number(self.results())

    def confirmed(self) -> None:
        """The confirmation has come to its end."""
        self._store.confirm(last_search_number(self.results()))

    def heartbeat(self) -> None:
        """Count time while a session runs, so that a killed run has not lost it."""
        if self._clock() - self._last_clock >= HEARTBEAT_SECONDS:
            self._spend()

    def veto(self, params: Params) -> TrialResult | None:
        """A trial that is not launched because it is sure to break the memory cap; None where that is not sure."""
        tried = pool(self.results())
        if any(item.params == params for item in tried):
            return None  # asked for again, as what was disturbed is
        prediction = predict_peak(params, tried)
        if prediction is not None and is_sure_to_break(prediction, self.cap_bytes):
            low, high = (format_bytes(int(bound)) for bound in prediction)
            why = f"it would need {low} to {high}, and the cap is {format_bytes(self.cap_bytes)}"
        elif smaller := smaller_that_broke(params, tried):
            why = f"trial {smaller.trials[-1].number} broke the cap, and is no larger in anything"
        else:
            return None
        number = self._store.start(params, Purpose.SEARCH)
        result = TrialResult(
            number=number,
            params=dict(params),
            purpose=Purpose.SEARCH,
            outcome=Outcome.VETOED,
            started_at=now(),
            total_seconds=0.0,
            seed=number,
            message=why,
            predicted_memory_bytes=prediction,
        )
        self._record(result)
        return result

    def run(self, params: Params, purpose: Purpose, block: int | None = None) -> TrialResult:
        """One session of its own."""
        asked = self._ask(params, purpose, block)
        record = self._runner.run(asked.plan, asked.rule, self._max_wait())
        result = self._finish(asked, record)
        self._stop.check()
        return result

    def run_in_turn(
        self, contenders: Sequence[Params], block: int, orders: Sequence[Sequence[int]], slice_cycles: Sequence[int],
        max_seconds: float,
    ) -> list[TrialResult]:  # fmt: skip
        """Sessions that are alive together, a round of slices for each of `orders`."""
        counts = [int(params.get("num_envs") or 1) for params in contenders]
        first = free_block(sum(counts))
        ports = [first + sum(counts[:index]) for index in range(len(counts))]
        asked = [self._ask(params, Purpose.CONFIRM, block, port) for params, port in zip(contenders, ports)]
        turns = [
            Contender(one.plan, _edges(one.rule), one.rule.warmup_cycles or 1, cycles)
            for one, cycles in zip(asked, slice_cycles)
        ]
        records = self._runner.run_in_turn(turns, orders, max_seconds, self._max_wait())
        results = [self._finish(one, record) for one, record in zip(asked, records)]
        self._stop.check()
        return results

    def _ask(self, params: Params, purpose: Purpose, block: int | None, port: int | None = None) -> Asked:
        self._stop.check()
        check_disk(self.prepared.folder.root)
        number = self._store.start(params, purpose)
        self.tell(TrialStarted(number, purpose, params))
        if self.prepared.launch.build is None:
            self.tell(StageChanged("Press Play in the Unity Editor when the learner listens; Stop after the trial."))
        prediction = predict_peak(params, [item for item in pool(self.results()) if item.params != params])
        return Asked(
            self._plan_trial(number, params, port), purpose, now(), self._rule(params, purpose), block, prediction
        )

    def _finish(self, asked: Asked, record: SessionRecord) -> TrialResult:
        required = None if asked.purpose is Purpose.BASELINE else self._required()
        terms = Terms(
            self.cap_bytes, required, self.prepared.machine.usable_cores, self._tolerates_load(), self._in_editor
        )
        result = judge(asked, record, terms)
        if record.left_behind:
            log.warning("trial %d: could not end processes %s", result.number, record.left_behind)
        self._record(result)
        if result.is_ok:
            prune(asked.plan.folder)
        return result

    def _record(self, result: TrialResult) -> None:
        self._store.finish(result, self.constraints()(result))
        self._results = None
        self._spend()
        self._save()
        self.tell(self._finished(result))

    def _rule(self, params: Params, purpose: Purpose) -> Rule:
        measure = self.prepared.study.spec.measure
        cut = cutting(self.prepared.config.behaviors_with(params))
        warmup = warmup_cycles(self.results(), purpose)
        least, most = measure.limits(self.prepared.budget.seconds)
        return Rule(measure.precision, most, cut, warmup, least)

    def _max_wait(self) -> float:
        if self._tolerates_load() or self._in_editor:
            return 0.0
        results = self.results()
        if waited_in_vain(results):
            return GLANCE_SECONDS
        wait = min(WAIT_SECONDS * (1 + voids_in_a_row(results)), MAX_WAIT_SECONDS)
        return min(wait, self.plan().remaining_seconds * WAIT_SHARE)

    @property
    def _in_editor(self) -> bool:
        return self.prepared.launch.build is None

    def _tolerates_load(self) -> bool:
        return self.prepared.study.spec.measure.contention == "mark" or never_quiet(self.results())

    def _plan_trial(self, number: int, params: Params, port: int | None) -> TrialPlan:
        prepared = self.prepared
        if prepared.launch.build is None:
            if not is_free(EDITOR_PORT):
                raise NotReady(f"port {EDITOR_PORT}, on which the Editor connects, is taken", "end the other training")
            port = EDITOR_PORT
        elif port is None:
            port = free_block(int(params.get("num_envs") or 1))
        plan = plan_trial(
            prepared.study,
            prepared.config,
            prepared.launch,
            params,
            number=number,
            seed=number,
            base_port=port,
            folder=TrialFolder(prepared.folder.trial(number).absolute()),
        )
        return replace(plan, max_stall_seconds=stall_seconds(self.results(), plan.max_stall_seconds))

    def _spend(self) -> None:
        """Count the time since the last call against the budget, so that a killed run loses at most one trial's."""
        now = self._clock()
        self._store.spend(now - self._last_clock)
        self._last_clock = now

    def _required(self) -> PerThousandSteps | None:
        baseline = self.baseline()
        updates = baseline.updates_per_1000_steps if baseline else None
        return requirement(updates, self.prepared.study.spec.min_updates)

    def _finished(self, result: TrialResult) -> TrialFinished:
        best = next(iter(leaders(pool(self.results()))), None)
        baseline = self.baseline()
        return TrialFinished(
            result=result,
            best_params=best.params if best else None,
            best_steps_per_second=best.steps_per_second if best else None,
            baseline_steps_per_second=baseline.steps_per_second if baseline else None,
            remaining_seconds=self.plan().remaining_seconds,
        )


def _edges(rule: Rule) -> Edges:
    return lambda samples: boundaries(samples, rule.cut)
