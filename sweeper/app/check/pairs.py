"""Both sides once, side by side: a restart of both with slices in turn, or a whole session of each."""

from __future__ import annotations

import itertools
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sweeper.app.artefacts import check_disk, check_end, prune
from sweeper.app.check.sides import Side
from sweeper.app.clock import now
from sweeper.app.runner import Runner
from sweeper.app.stop import StopSignal
from sweeper.measure.contention import disturbance
from sweeper.measure.cycles import cutting
from sweeper.measure.rate import Rule
from sweeper.model.folder import TrialFolder
from sweeper.model.gate import Pair
from sweeper.model.load import Contention
from sweeper.model.session import Round, SessionRecord
from sweeper.model.trial import LearnerStart, Outcome, Purpose, Stage, TrialResult
from sweeper.session.ports import free_block, port_for
from sweeper.session.turns import Contender
from sweeper.study.judge import Asked, Terms, judge

SLICES = 3
"""Of each side between two restarts: two to four are right whatever belongs to a session (docs/sources.md, (e))."""
MAX_UNEVEN_PERCENT = 10.0
"""Of the cores, that other programs may take more of one side's time than of the other's (8.5 there)."""
WAIT_SECONDS = 60.0
STANDSTILL_SECONDS = 120.0
"""That a session may stand still while the other side has its slice."""

Both = tuple[TrialResult, TrialResult]
"""Sessions of the baseline and of the candidate."""


@dataclass(frozen=True)
class Lengths:
    """How long is measured. `slice_cycles`: of each side, whole cycles in a slice; None for whole sessions."""

    least_seconds: float
    most_seconds: float
    warmup_cycles: int | None = None
    slice_cycles: tuple[int, int] | None = None


PILOT_SECONDS = (6.0, 20.0)
PAIR_SECONDS = (20.0, 45.0)
"""That a whole session of a pair measures at least and at most, where the study does not say."""


def whole_lengths(side: Side, is_pilot: bool = False) -> Lengths:
    """Of whole sessions, as the study says; of a first session less, because only its cycles are asked for."""
    asked = side.subject.study.spec.measure
    least, most = PILOT_SECONDS if is_pilot else PAIR_SECONDS
    if asked.max_seconds is not None:
        most = min(most, asked.max_seconds) if is_pilot else asked.max_seconds
    if asked.min_seconds is not None:
        least = min(least, asked.min_seconds) if is_pilot else asked.min_seconds
    return Lengths(min(least, most), most)


class Pairs:
    """Runs sessions of both sides and says what came of them; decides nothing."""

    def __init__(
        self,
        sides: tuple[Side, Side],
        runner: Runner,
        folder: Path,
        terms: Terms,
        machine: str,
        stop: StopSignal,
        clock: Callable[[], float] = time.monotonic,
        first: int | None = None,
        max_seconds: float = math.inf,
    ) -> None:
        """`first`: which side begins; left to chance where it is None, and then they take turns.

        `max_seconds`: since now, after which slices are not gone on with for long.
        """
        self.sides = sides
        self.trials: list[TrialResult] = []
        self._runner = runner
        self._folder = folder
        self._terms = terms
        self._machine = machine
        self._stop = stop
        self._clock = clock
        self._began = clock()
        self._max_seconds = max_seconds
        self._numbers = itertools.count()
        self._first = random.randrange(2) if first is None else first

    @property
    def tolerates_load(self) -> bool:
        """Whether pairs count whatever others did meanwhile."""
        return self._terms.tolerate_load

    @property
    def seconds(self) -> float:
        """Since the check began, without those in which somebody was asked to press Play."""
        return self._clock() - self._began

    def alone(self, side: Side, seed: int, lengths: Lengths) -> TrialResult:
        """One whole session."""
        asked = self._ask(side, seed, lengths, port_for(_envs(side), side.subject.is_in_editor))
        record = self._runner.run(asked.plan, asked.rule, self._wait_seconds)
        self._began += record.asked_seconds
        return self._finish(side, asked, record)

    def pair(self, number: int, lengths: Lengths) -> tuple[Pair, Both]:
        """The next pair; whether it counts is decided by counters alone, before its result is looked at."""
        self._stop.check()
        is_turned = (self._first + number) % 2 == 1
        run = self._in_turn if lengths.slice_cycles else self._whole
        return run(number, lengths, is_turned)

    def _whole(self, number: int, lengths: Lengths, is_turned: bool) -> tuple[Pair, Both]:
        at = self.seconds
        found: dict[str, TrialResult] = {}
        for side in reversed(self.sides) if is_turned else self.sides:
            found[side.name] = self.alone(side, number, lengths)
            self._stop.check()
        both = found[self.sides[0].name], found[self.sides[1].name]
        others = _others([trial.contention for trial in both])
        void = None
        if any(trial.outcome is Outcome.DISTURBED for trial in both):
            void = "other programs took too much of the machine"
        elif self._is_uneven(others):
            void = "other programs took much more from one side than from the other"
        difference = None
        if void is None and all(trial.is_ok for trial in both):
            difference = _log_ratio(*(trial.steps_per_second for trial in both))
        peaks = [trial.peak_memory_bytes for trial in both]
        return replace(_pair(number, at, both, peaks), difference=difference, others_percent=others, void=void), both

    def _in_turn(self, number: int, lengths: Lengths, is_turned: bool) -> tuple[Pair, Both]:
        at = self.seconds
        way = -1 if is_turned else 1
        # Two pairs are each other's mirror image: what comes of being started first is nobody's own.
        sides = self.sides[::way]
        counts = [_envs(side) for side in sides]
        first = free_block(sum(counts))
        asked = [self._ask(side, number, lengths, port) for side, port in zip(sides, (first, first + counts[0]))]
        contenders = [
            Contender(side.name, one.plan, one.rule.cut, one.rule.warmup_cycles or 1, cycles)
            for side, one, cycles in zip(sides, asked, (lengths.slice_cycles or ())[::way])
        ]
        rounds: list[Round] = []
        most_seconds = max(0.0, self._max_seconds - self.seconds) + STANDSTILL_SECONDS
        with self._runner.in_turn(contenders, self._wait_seconds, most_seconds) as turns:
            for found in turns.rounds(itertools.cycle([(0, 1), (1, 0)])):
                rounds.append(found.reversed() if is_turned else found)
                if len(rounds) == SLICES:
                    break
            records = turns.end()
        results = [self._finish(side, one, record) for side, one, record in zip(sides, asked, records)][::way]
        self._stop.check()
        both = results[0], results[1]
        pair = replace(
            _pair(number, at, both, rounds[-1].peak_bytes if rounds else ()),
            others_percent=_others([load for one in rounds for load in one.contention]),
        )
        if any(trial.outcome not in (Outcome.OK, Outcome.DISTURBED) for trial in both):
            return pair, both
        counted = [one for one in rounds if self._counts(one)]
        if not counted:
            return replace(pair, void="other programs disturbed every slice"), both
        slices = tuple(_log_ratio(*one.rates) for one in counted)
        others = _others([load for one in counted for load in one.contention])
        return replace(pair, slices=slices, others_percent=others, difference=math.fsum(slices) / len(slices)), both

    def _counts(self, found: Round) -> bool:
        """Whether others left a slice of each in peace; decided by counters alone."""
        if self._terms.tolerate_load:
            return True
        return not any(disturbance(load) for load in found.contention) and not self._is_uneven(
            _others(found.contention)
        )

    def _is_uneven(self, others: tuple[float, float] | None) -> bool:
        if others is None or self._terms.tolerate_load:
            return False
        return abs(others[1] - others[0]) > MAX_UNEVEN_PERCENT

    def _ask(self, side: Side, seed: int, lengths: Lengths, port: int) -> Asked:
        self._stop.check()
        check_disk(self._folder)
        number = next(self._numbers)
        plan = side.subject.plan(
            side.params,
            number=number,
            seed=seed,
            base_port=port,
            folder=TrialFolder((self._folder / "trials" / f"{number:03d}-{side.name}").absolute()),
            stands_still_seconds=STANDSTILL_SECONDS if lengths.slice_cycles else 0.0,
        )
        plan = replace(plan, learner_start=self._start())
        cut = cutting(side.subject.config.behaviors_with(side.params))
        precision = side.subject.study.spec.measure.precision
        rule = Rule(precision, lengths.most_seconds, cut, lengths.warmup_cycles, lengths.least_seconds)
        return Asked(plan, Purpose.CONFIRM, Stage.CONFIRMATION, now(), rule, seed, self._machine)

    def _start(self) -> LearnerStart:
        """Both alike, and warm where one process can lend its pages to both."""
        starts = {side.subject.study.spec.learner_start for side in self.sides}
        learners = {side.subject.launch.learner for side in self.sides}
        return LearnerStart.WARM if starts == {LearnerStart.WARM} and len(learners) == 1 else LearnerStart.COLD

    def _finish(self, side: Side, asked: Asked, record: SessionRecord) -> TrialResult:
        result = replace(judge(asked, record, self._terms), contender=side.name)
        self.trials.append(result)
        check_end(record, self._folder)
        if result.is_ok:
            prune(asked.plan.folder)
        return result

    @property
    def _wait_seconds(self) -> float:
        return 0.0 if self.tolerates_load or self._terms.in_editor else WAIT_SECONDS


def _others(loads: Sequence[Contention | None]) -> tuple[float, float] | None:
    """Mean share that others took, of the baseline's sessions or slices and of the candidate's, which alternate."""
    known = [load.others_percent if load is not None else None for load in loads]
    if not known or None in known:
        return None
    values = [value for value in known if value is not None]
    return math.fsum(values[::2]) / len(values[::2]), math.fsum(values[1::2]) / len(values[1::2])


def _pair(number: int, at: float, both: Both, peak_bytes: Sequence[int | None]) -> Pair:
    """`peak_bytes`: of both, read under like conditions; empty where nobody told."""
    starts = [trial.startup_seconds for trial in both]
    return Pair(
        number,
        at,
        None,
        memory=_log_ratio(*peak_bytes) if peak_bytes and all(peak_bytes) else None,
        startup=None if starts[0] is None or starts[1] is None else starts[1] - starts[0],
    )


def _log_ratio(baseline: float | None, candidate: float | None) -> float:
    return math.log((candidate or 1.0) / (baseline or 1.0))


def _envs(side: Side) -> int:
    return int(side.params.get("num_envs") or 1)
