"""The loop that drives a study: one step after another, until the course says that nothing more is to be measured."""

from __future__ import annotations

from sweeper.app.dead_ends import error_of
from sweeper.app.trials import Trials
from sweeper.model.events import StageChanged
from sweeper.model.trial import Params, Purpose, Stage
from sweeper.search.suggest import suggest
from sweeper.study.allowance import SLICES
from sweeper.study.course import DeadEnd, End, Measure, MeasureRound, Search, TakeTurns, Why, next_step
from sweeper.study.history import History

_TOLD = {
    Why.BASELINE: "Measuring what you run today.",
    Why.NEVER_QUIET: "This machine is never quiet: measuring under its load, and saying so.",
    Why.SMALLEST: "Your own settings break the memory cap; trying the smallest configuration.",
    Why.CHECK: "Nothing seems to run any more; trying what ran before, to see whether the machine is the reason.",
    Why.SEARCH: "Searching.",
    Why.FINALS: "Running the fastest once more, to choose whom to confirm.",
    Why.CONFIRMATION: "Confirming: the contenders again, one after another.",
}
_IN_TURN = "Confirming: {} contenders alive together, in turn for {} rounds of slices."


class Drive:
    """One run of a study; resumes what its store holds."""

    def __init__(self, trials: Trials) -> None:
        self._trials = trials
        self._space = trials.prepared.space
        self._begun = len(trials.history.results)
        self._exhausted = False
        self._told: str | None = None

    def run(self) -> str:
        """Run what the budget allows; returns why it stopped.

        Raises:
            NotReady: the user's own settings do not run, or nothing does any more.
            NothingFeasible: not even the smallest configuration fits under the memory cap.
            Inconclusive: the user's own settings are too slow to measure, or the machine was too busy.
        """
        while True:
            step = next_step(self._trials.allowance(), self._space, self._begun, self._exhausted)
            if isinstance(step, End):
                return step.reason
            if isinstance(step, DeadEnd):
                raise error_of(step, self._trials.cap_bytes)
            if isinstance(step, Search):
                self._search()
            elif isinstance(step, Measure):
                self._say(_TOLD.get(step.why))
                self._trials.run(step)
            elif isinstance(step, MeasureRound):
                self._measure_round(step)
            else:
                self._take_turns(step)

    def _search(self) -> None:
        history = self._trials.history
        params = history.owed or self._proposal(history)
        self._exhausted = params is None
        if params is None:
            return
        self._say(_TOLD[Why.SEARCH])
        if self._trials.veto(params) is None:
            self._trials.run(Measure(params, Purpose.SEARCH, Stage.SEARCH, Why.SEARCH))

    def _proposal(self, history: History) -> Params | None:
        return suggest(self._space, history, self._trials.cap_bytes, self._trials.prepared.machine.usable_cores)

    def _measure_round(self, step: MeasureRound) -> None:
        self._say(_TOLD[step.why])
        for params in step.contenders:
            if self._trials.allowance().is_spent:
                return
            self._trials.run(Measure(params, step.purpose, step.stage, step.why), step.round)

    def _take_turns(self, step: TakeTurns) -> None:
        self._say(_IN_TURN.format(len(step.contenders), SLICES))
        self._trials.take_turns(step)

    def _say(self, text: str | None) -> None:
        """Tell a stage once, until another one comes."""
        if text is not None and text != self._told:
            self._trials.tell(StageChanged(text))
        self._told = text
