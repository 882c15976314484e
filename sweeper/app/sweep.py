"""The loop: baseline, search, confirmation. The one place that drives the study."""

from __future__ import annotations

from sweeper.app.confirmation import Confirmation
from sweeper.app.trials import Trials
from sweeper.compare.pool import leaders, pool
from sweeper.compare.voids import given_up, never_quiet, owed
from sweeper.errors import Inconclusive, NothingFeasible, NotReady
from sweeper.model.events import StageChanged
from sweeper.model.trial import Outcome, Purpose, TrialResult, configuration_key
from sweeper.search.suggest import suggest
from sweeper.study.judge import TIME_ALLOWED
from sweeper.units import format_bytes

MAX_FAILURES_IN_A_ROW = 8
"""More than this in a row is not a hard space but a broken machine."""


class Sweep:
    """One run of a study; resumes what its store holds."""

    def __init__(self, trials: Trials) -> None:
        self._trials = trials
        self._space = trials.prepared.space

    def run(self) -> str:
        """Run what the budget allows; returns why it stopped.

        Raises:
            NotReady: the user's own settings do not run at all; the message holds the learner's last lines.
            NothingFeasible: not even the smallest configuration fits under the memory cap.
            Inconclusive: the user's own settings are too slow to measure, or the machine was too busy.
        """
        self._measure_baseline()
        reason = self._search()
        Confirmation(self._trials).run()
        return reason

    def _measure_baseline(self) -> None:
        trials = self._trials
        tried = [t for t in trials.results() if t.key == trials.baseline_key and t.outcome.is_infeasible]
        if over := [trial for trial in tried if trial.outcome is Outcome.OVER_MEMORY]:
            self._try_smallest(over[-1])
        if over or trials.baseline() is not None:
            return
        trials.tell(StageChanged("Measuring what you run today."))
        result = trials.run(self._space.baseline, Purpose.BASELINE)
        while result.outcome is Outcome.DISTURBED:
            plan = trials.plan()
            if plan.remaining_seconds <= 0 or plan.remaining_trials <= 0:
                raise Inconclusive(
                    f"your own settings could not be measured: {result.message}", "a quiet machine, or a larger budget"
                )
            if never_quiet(trials.results()):
                trials.tell(StageChanged("This machine is never quiet: measuring under its load, and saying so."))
            result = trials.run(self._space.baseline, Purpose.BASELINE)
        if result.outcome is Outcome.OVER_MEMORY:
            self._try_smallest(result)
        elif result.outcome is Outcome.TOO_FEW_UPDATES:
            raise NothingFeasible(f"your own settings do not learn: {result.message}", "see buffer_size and batch_size")
        elif result.outcome is not Outcome.OK:
            raise _cannot_run(result)
        elif trials.plan().has_room_for_pilot():
            # A second opinion on warm-up, and a first one on how much sessions differ.
            trials.run(self._space.baseline, Purpose.ANCHOR)

    def _try_smallest(self, baseline: TrialResult) -> None:
        """Your own settings break the cap: is there anything below it at all?"""
        trials = self._trials
        smallest = self._space.smallest()
        result = baseline
        key = trials.baseline_key if smallest is None else configuration_key(smallest)
        earlier = [
            trial for trial in trials.results() if trial.key == key and (trial.is_ok or trial.outcome.is_infeasible)
        ]
        if earlier:
            result = earlier[-1]
        elif smallest is not None:
            trials.tell(StageChanged("Your own settings break the memory cap; trying the smallest configuration."))
            result = trials.run(smallest, Purpose.SEARCH)
        if result.outcome is Outcome.OVER_MEMORY:
            cap, peak = format_bytes(trials.cap_bytes), format_bytes(result.peak_memory_bytes or 0)
            raise NothingFeasible(
                f"the memory cap of {cap} is below what the smallest configuration needs: it was stopped at {peak}",
                "raise memory_cap, then run with --fresh",
            )

    def _search(self) -> str:
        trials = self._trials
        failures = 0
        told = False
        while True:
            results = trials.results()
            configurations = pool(results)
            plan = trials.plan()
            rivals = [item.key for item in leaders(configurations) if item.key != trials.baseline_key]
            if (reason := plan.search_ends_because(rivals)) is not None:
                return reason
            if trials.baseline() is not None and plan.anchor_is_due():
                trials.run(self._space.baseline, Purpose.ANCHOR)
                continue
            params = owed(results) or suggest(
                self._space,
                configurations,
                trials.constraints(),
                trials.prepared.machine.usable_cores,
                seed=len(results),
                given_up=given_up(results),
            )
            if params is None:
                return "every configuration was measured"
            if not told:
                trials.tell(StageChanged("Searching."))
                told = True
            result = trials.veto(params) or trials.run(params, Purpose.SEARCH)
            failures = failures + 1 if result.outcome.is_infeasible else 0
            if failures >= MAX_FAILURES_IN_A_ROW and not leaders(pool(trials.results())):
                raise NothingFeasible(f"{failures} configurations in a row failed; the last: {result.message}")


def _cannot_run(result: TrialResult) -> NotReady | Inconclusive | NothingFeasible:
    if result.outcome is Outcome.TIMEOUT and result.cycles is None and TIME_ALLOWED in (result.message or ""):
        return Inconclusive(f"your own settings are too slow to measure: {result.message}")
    tail = "".join(f"\n    {line}" for line in result.log_tail)
    message = f"your own settings do not run: {result.message}"
    return NotReady(message + (f"\n  the learner's last lines:{tail}" if tail else ""), result.diagnosis)
