"""The leaders and the user's own settings again, in sessions that choose nobody: what the answer's claim rests on."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sweeper.app.trials import Trials
from sweeper.compare.confirm import MIN_BLOCKS, block_rates, challengers, last_search_number
from sweeper.compare.pool import Configuration, leaders, pool
from sweeper.model.events import StageChanged
from sweeper.model.session import SessionEnd
from sweeper.model.trial import Outcome, Params, Purpose, configuration_key
from sweeper.study.allowance import FINALS, Turns

ATTEMPTS = 2
"""Blocks that are begun for one that is complete: a disturbed session spoils its block."""


class Confirmation:
    """Finals among several leaders where there is time, then the best two and the baseline in randomised blocks."""

    def __init__(self, trials: Trials) -> None:
        self._trials = trials

    def run(self) -> None:
        """What the remaining budget allows; nothing where it tells nothing, or was done before."""
        if self._trials.is_confirmed:
            return
        self._finals()
        contenders = self._contenders()
        if len(contenders) < 2:
            return
        turns = self._turns(contenders)
        if turns is None or not self._in_turn(contenders, turns):
            self._whole_sessions()
        if self._done(contenders) >= MIN_BLOCKS:
            self._trials.confirmed()

    def _finals(self) -> None:
        """Leaders once more, the better half kept: these sessions choose, so they are part of the search."""
        trials = self._trials
        last_search = last_search_number(trials.results())
        if any(trial.purpose is Purpose.CONFIRM and trial.number > last_search for trial in trials.results()):
            return  # chosen by an earlier run
        last = self._last_round()
        while count := trials.plan().finalists([item.key for item in self._rivals()], last):
            trials.tell(StageChanged(f"Running the {count} fastest once more, to choose whom to confirm."))
            block = self._next_block()
            finalists = [item.params for item in self._rivals()[:count]]
            random.Random(block).shuffle(finalists)
            for params in finalists:
                trials.run(params, Purpose.SEARCH, block)
            last = count

    def _last_round(self) -> int | None:
        """How many were in the last round of finals, where a run that was stopped has left a whole one."""
        results = [trial for trial in self._trials.results() if trial.outcome is not Outcome.INTERRUPTED]
        if not results or results[-1].block is None or results[-1].purpose is not Purpose.SEARCH:
            return None
        size = sum(trial.block == results[-1].block for trial in results)
        return size if size in FINALS else None

    def _turns(self, contenders: Sequence[Params]) -> Turns | None:
        """Slices where they are possible and tell more; not in the Editor, and not where they broke a session."""
        trials = self._trials
        broken = any(trial.message == SessionEnd.TURNS_BROKEN.value for trial in trials.results())
        if broken or trials.prepared.launch.build is None:
            return None
        return trials.plan().turns([configuration_key(params) for params in contenders], trials.cap_bytes)

    def _rivals(self) -> list[Configuration]:
        return [item for item in leaders(pool(self._trials.results())) if item.key != self._trials.baseline_key]

    def _contenders(self) -> list[Params]:
        baseline = self._trials.baseline()
        rivals = [item.params for item in challengers(self._trials.results(), self._trials.baseline_key)]
        return [*([baseline.params] if baseline else []), *rivals]

    def _in_turn(self, contenders: Sequence[Params], turns: Turns) -> bool:
        """True where that worked."""
        trials = self._trials
        block = self._next_block()
        text = f"Confirming: {len(contenders)} contenders alive together, in turn for {turns.rounds} rounds of slices."
        trials.tell(StageChanged(text))
        orders = [_order(len(contenders), 1000 * block + number) for number in range(turns.rounds)]
        results = trials.run_in_turn(contenders, block, orders, turns.slice_cycles, turns.seconds)
        return all(trial.outcome is Outcome.OK for trial in results)

    def _whole_sessions(self) -> None:
        trials = self._trials
        contenders = self._contenders()
        done = self._done(contenders)
        count = trials.plan().blocks([configuration_key(params) for params in contenders])
        if not count or count + done < MIN_BLOCKS:
            return
        first = self._next_block()
        trials.tell(StageChanged(f"Confirming: the {len(contenders)} contenders again, {count} times in turn."))
        for block in range(first, first + ATTEMPTS * count):
            contenders = self._contenders()  # one that breaks the memory cap after all is out
            keys = [configuration_key(params) for params in contenders]
            if len(contenders) < 2 or self._done(contenders) >= done + count or trials.plan().blocks(keys) < 1:
                return
            for index in _order(len(contenders), block):
                trials.run(contenders[index], Purpose.CONFIRM, block)

    def _done(self, contenders: Sequence[Params]) -> int:
        return len(block_rates(self._trials.results(), [configuration_key(params) for params in contenders]))

    def _next_block(self) -> int:
        return 1 + max((trial.block for trial in self._trials.results() if trial.block is not None), default=-1)


def _order(count: int, number: int) -> list[int]:
    """A random order for block or round `number`, the reverse of the last at odd ones: drift weighs on nobody."""
    order = random.Random(number // 2).sample(range(count), count)
    return order[::-1] if number % 2 else order
