"""The loop: baseline, search, confirmation. The one place that drives the study."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone

from sweeper.app.budget import Plan
from sweeper.app.judge import judge
from sweeper.app.prepare import Prepared
from sweeper.app.stop import StopSignal
from sweeper.compare.confirm import MIN_BLOCKS, block_rates, challengers
from sweeper.compare.guard import constraints, requirement
from sweeper.compare.pool import Configuration, leaders, pool
from sweeper.errors import Inconclusive, NothingFeasible, NotReady
from sweeper.measure.cycles import cutting
from sweeper.measure.rate import StopRule
from sweeper.model.events import Listener, StageChanged, TrialFinished, TrialStarted
from sweeper.model.folder import TrialFolder
from sweeper.model.measurement import PerThousandSteps
from sweeper.model.session import SessionRecord, Watcher
from sweeper.model.trial import Outcome, Params, Purpose, TrialResult, configuration_key
from sweeper.quantities import format_bytes
from sweeper.search.suggest import suggest
from sweeper.session.ports import EDITOR_PORT, free_block, is_free
from sweeper.store import Store
from sweeper.trial_plan import TrialPlan, plan_trial

log = logging.getLogger(__name__)

RunSession = Callable[[TrialPlan, Watcher], SessionRecord]
"""How a plan becomes a record: real sessions in use, scripted ones in tests."""
MAX_FAILURES_IN_A_ROW = 8
"""More than this in a row is not a hard space but a broken machine."""


class Sweep:
    """One run of a study; resumes what its store holds."""

    def __init__(
        self,
        prepared: Prepared,
        store: Store,
        run_session: RunSession,
        stop: StopSignal,
        tell: Listener,
        save: Callable[[str | None], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`save` is called with the reason for stopping, or None, after every trial."""
        self._prepared = prepared
        self._space = prepared.space
        self._store = store
        self._run_session = run_session
        self._stop = stop
        self._tell = tell
        self._save = save
        self._clock = clock
        self._last_clock = clock()
        self._baseline_key = configuration_key(prepared.space.baseline)

    def run(self) -> str:
        """Run what the budget allows; returns why it stopped.

        Raises:
            NotReady: the user's own settings do not run at all; the message holds the learner's last lines.
            NothingFeasible: not even the smallest configuration fits under the memory cap.
            Inconclusive: the user's own settings are too slow to measure.
        """
        self._measure_baseline()
        reason = self._search()
        self._confirm()
        return reason

    def _measure_baseline(self) -> None:
        tried = [trial for trial in self._results() if trial.key == self._baseline_key and trial.outcome.is_infeasible]
        if self._baseline() is not None or any(trial.outcome is Outcome.OVER_MEMORY for trial in tried):
            return
        self._tell(StageChanged("Measuring what you run today."))
        result = self._trial(self._space.baseline, Purpose.BASELINE)
        if result.outcome is Outcome.OVER_MEMORY:
            self._try_smallest(result)
        elif result.outcome is Outcome.TOO_FEW_UPDATES:
            raise NothingFeasible(f"your own settings do not learn: {result.message}", "see buffer_size and batch_size")
        elif result.outcome is not Outcome.OK:
            raise _cannot_run(result)

    def _try_smallest(self, baseline: TrialResult) -> None:
        """Your own settings break the cap: is there anything below it at all?"""
        smallest = self._space.smallest()
        result = baseline
        if smallest is not None and configuration_key(smallest) != self._baseline_key:
            self._tell(StageChanged("Your own settings break the memory cap; trying the smallest configuration."))
            result = self._trial(smallest, Purpose.SEARCH)
        if result.outcome is Outcome.OVER_MEMORY:
            cap, peak = format_bytes(self._store.memory_cap_bytes), format_bytes(result.peak_memory_bytes or 0)
            raise NothingFeasible(
                f"the memory cap of {cap} is below what the smallest configuration needs: it was stopped at {peak}",
                "raise memory_cap, then run with --fresh",
            )

    def _search(self) -> str:
        failures = 0
        told = False
        while True:
            results = self._results()
            configurations = pool(results)
            plan = self._plan(results)
            if not plan.has_room_for_search(self._leader_keys(configurations)):
                return "budget"
            params = suggest(
                self._space,
                configurations,
                self._constraints,
                self._prepared.machine.usable_cores,
                seed=len(results),
            )
            if params is None:
                return "every configuration was measured"
            if not told:
                self._tell(StageChanged("Searching."))
                told = True
            result = self._trial(params, Purpose.SEARCH)
            failures = failures + 1 if result.outcome.is_infeasible else 0
            if failures >= MAX_FAILURES_IN_A_ROW and not leaders(pool(self._results())):
                raise NothingFeasible(f"{failures} configurations in a row failed; the last: {result.message}")

    def _confirm(self) -> None:
        """Run the leaders and the baseline again, in blocks whose order alternates."""
        results = self._results()
        baseline = self._baseline()
        rivals = [item.params for item in challengers(results, self._baseline_key)]
        contenders = [*([baseline.params] if baseline else []), *rivals]
        if len(contenders) < 2:
            return
        keys = [configuration_key(params) for params in contenders]
        done = len(block_rates(results, keys))
        count = self._plan(results).blocks(keys)
        if count + done < MIN_BLOCKS:
            return
        first = 1 + max((trial.block for trial in results if trial.block is not None), default=-1)
        self._tell(StageChanged(f"Confirming: the {len(contenders)} contenders again, {count} times in turn."))
        for block in range(first, first + count):
            for params in contenders if block % 2 == 0 else contenders[::-1]:
                self._trial(params, Purpose.CONFIRM, block)

    def _trial(self, params: Params, purpose: Purpose, block: int | None = None) -> TrialResult:
        """One session, recorded whatever comes of it."""
        self._stop.check()
        number = self._store.start(params, purpose)
        plan = self._plan_trial(number, params)
        self._tell(TrialStarted(number, purpose, params))
        if self._prepared.launch.build is None:
            self._tell(StageChanged("Press Play in the Unity Editor when the learner listens; Stop after the trial."))
        started_at = now()
        measure = self._prepared.study.spec.measure
        cut = cutting(self._prepared.config.behaviors_with(params))
        record = self._run_session(plan, StopRule(measure.precision, measure.max_seconds, cut))
        required = None if purpose is Purpose.BASELINE else self._required()
        result = judge(
            plan, record, purpose, started_at, cut, measure.precision, self._store.memory_cap_bytes, required, block
        )
        if record.left_behind:
            log.warning("trial %d: could not end processes %s", number, record.left_behind)
        self._store.finish(result, self._constraints(result))
        self._spend()
        self._tell(self._finished(result))
        self._save(None)
        self._stop.check()
        return result

    def _plan_trial(self, number: int, params: Params) -> TrialPlan:
        prepared = self._prepared
        if prepared.launch.build is None:
            if not is_free(EDITOR_PORT):
                raise NotReady(f"port {EDITOR_PORT}, on which the Editor connects, is taken", "end the other training")
            port = EDITOR_PORT
        else:
            port = free_block(int(params.get("num_envs") or 1))
        return plan_trial(
            prepared.study,
            prepared.config,
            prepared.launch,
            params,
            number=number,
            seed=number,
            base_port=port,
            folder=TrialFolder(prepared.folder.trial(number).absolute()),
        )

    def _results(self) -> list[TrialResult]:
        return self._store.results()

    def _plan(self, results: Sequence[TrialResult]) -> Plan:
        self._spend()
        return Plan(self._prepared.budget, self._store.spent_seconds, results, self._baseline_key)

    def _spend(self) -> None:
        """Count the time since the last call against the budget, so that a killed run loses at most one trial's."""
        now = self._clock()
        self._store.spend(now - self._last_clock)
        self._last_clock = now

    def _baseline(self) -> Configuration | None:
        found = (item for item in pool(self._results()) if item.key == self._baseline_key and item.is_feasible)
        return next(found, None)

    def _leader_keys(self, configurations: Sequence[Configuration]) -> list[str]:
        return [item.key for item in leaders(configurations) if item.key != self._baseline_key]

    def _required(self) -> PerThousandSteps | None:
        baseline = self._baseline()
        updates = baseline.updates_per_1000_steps if baseline else None
        return requirement(updates, self._prepared.study.spec.min_updates)

    def _constraints(self, result: TrialResult) -> dict[str, float]:
        return constraints(result, self._store.memory_cap_bytes, self._required())

    def _finished(self, result: TrialResult) -> TrialFinished:
        results = self._results()
        configurations = pool(results)
        best = next(iter(leaders(configurations)), None)
        baseline = self._baseline()
        return TrialFinished(
            result=result,
            best_params=best.params if best else None,
            best_steps_per_second=best.steps_per_second if best else None,
            baseline_steps_per_second=baseline.steps_per_second if baseline else None,
            remaining_seconds=max(0.0, self._prepared.budget.seconds - self._store.spent_seconds),
        )


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _cannot_run(result: TrialResult) -> NotReady | Inconclusive | NothingFeasible:
    if result.outcome is Outcome.TIMEOUT and result.cycles is None and "too few whole cycles" in (result.message or ""):
        return Inconclusive(f"your own settings are too slow to measure: {result.message}")
    tail = "".join(f"\n    {line}" for line in result.log_tail)
    message = f"your own settings do not run: {result.message}"
    return NotReady(message + (f"\n  the learner's last lines:{tail}" if tail else ""), result.diagnosis)
