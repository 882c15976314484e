"""The loop that drives a study: one step after another, until the course says that nothing more is to be measured."""

from __future__ import annotations

import math
from dataclasses import replace

from sweeper.app.dead_ends import error_of
from sweeper.app.trials import Trials
from sweeper.model.events import StageChanged
from sweeper.model.trial import Purpose, Stage
from sweeper.search.proposal import Because, Proposal, Question, Settled
from sweeper.study.course import DeadEnd, End, Measure, MeasureRound, Search, TakeTurns, Why, next_step
from sweeper.study.history import History
from sweeper.study.rounds import SLICES

_TOLD = {
    Why.BASELINE: "Measuring what you run today.",
    Why.NEVER_QUIET: "This machine is never quiet: measuring under its load, and saying so.",
    Why.SMALLEST: "Your own settings break the memory cap; trying the smallest configuration.",
    Why.CHECK: "Nothing seems to run any more; trying what ran before, to see whether the machine is the reason.",
    Why.SEARCH: "Searching.",
    Why.FINALS: "Running the fastest once more, to choose whom to confirm.",
    Why.CONFIRMATION: "Confirming: the contenders again, one after another.",
}
EXHAUSTED = "every configuration was measured"
SETTLED = "no more than {:.1%} is expected to be gained by searching on"
_WORTH = "Searching: {:.1%} more speed is expected to be left; the next session costs about {:.0f} s."
_INERT = "As many agents report whatever {} says: it is left as it is in your settings from here on."
_IN_TURN = "Confirming: {} contenders alive together, in turn for {} rounds of slices."


class Drive:
    """One run of a study; resumes what its store holds."""

    def __init__(self, trials: Trials) -> None:
        self._trials = trials
        self._space = trials.prepared.space
        self._begun = len(trials.history.results)
        self._settled: str | None = None
        self._told: str | None = None
        self._left_out: set[str] = set()

    def run(self) -> str:
        """Run what the budget allows; returns why it stopped.

        Raises:
            NotReady: the user's own settings do not run, or nothing does any more.
            NothingFeasible: not even the smallest configuration fits under the memory cap.
            Inconclusive: the user's own settings are too slow to measure, or the machine was too busy.
        """
        while True:
            self._tell_inert()
            step = next_step(self._trials.allowance(), self._space, self._begun, self._settled)
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
        answer = self._owed(history) or self._trials.prepared.strategy.propose(self._question())
        if isinstance(answer, Settled):
            self._settled = EXHAUSTED if answer.regret is None else SETTLED.format(answer.regret)
            return
        self._say(_told(answer))
        if self._trials.veto(answer.params) is None:
            step = Measure(answer.params, Purpose.SEARCH, Stage.SEARCH, Why.SEARCH, seconds=answer.measure_seconds)
            self._trials.run(step)

    @staticmethod
    def _owed(history: History) -> Proposal | None:
        return None if history.owed is None else Proposal(history.owed, Because.OWED)

    def _question(self) -> Question:
        question = self._trials.prepared.question(self._trials.history)
        return replace(question, cap_bytes=self._trials.cap_bytes)

    def _tell_inert(self) -> None:
        """Knobs that turned out to do nothing, once each."""
        for knob in self._trials.history.inert:
            if knob in self._space.knobs and knob not in self._left_out:
                self._left_out.add(knob)
                self._say(_INERT.format(knob))

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


def _told(proposal: Proposal) -> str:
    """Whether it is worth going on, in numbers where the strategy has them."""
    if proposal.left is None or proposal.seconds is None:
        return _TOLD[Why.SEARCH]
    return _WORTH.format(math.expm1(proposal.left), proposal.seconds)
