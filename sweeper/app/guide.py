"""`sweeper guide`: the parallel-training guide's speed-up table, measured on this machine."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sweeper.app.alone import alone
from sweeper.app.check.pairs import Pairs, whole_lengths
from sweeper.app.check.run import sessions_for
from sweeper.app.check.sides import Side
from sweeper.app.clock import now
from sweeper.app.guide_folder import GuideFolder
from sweeper.app.prepare import Overrides, Prepared, prepare
from sweeper.app.runner import Runner
from sweeper.app.stop import StopSignal
from sweeper.compare.guide_table import Place, knee, row
from sweeper.errors import InvalidInput, NotReady
from sweeper.model.guide import GUIDE, GuideResult
from sweeper.model.trial import Outcome, Params, TrialResult
from sweeper.report.words.reasons import OUTCOME_WORDS, reason_text
from sweeper.session.leftovers import clean_up
from sweeper.study.judge import Terms

VOIDS = 2
"""Times that a disturbed session of a round is run again."""
Tell = Callable[[GuideResult], None]
"""Hears the table as of each session."""


@dataclass(frozen=True)
class Guided:
    """A complete table and its file. `searched`: knobs of the study that the table is not about."""

    result: GuideResult
    file: Path
    searched: tuple[str, ...]


def measure_guide(
    path: Path, rounds: int, folder: Path | None, say: Callable[[str], None], tell: Tell, stop: StopSignal
) -> Guided:
    """Every row once a round, in random order; goes on with what the same command measured before it was stopped.

    Raises:
        SweeperError: as its kind says: the study cannot be measured; sessions so far are saved.
        Interrupted: we were asked to stop; likewise.
    """
    with ExitStack() as stack:
        alone(stack, say, stop)
        clean_up()
        try:
            prepared = prepare(path, Overrides())
        finally:
            stop.check()  # a Ctrl-C also reaches the learner that is just being asked for its flags
        if not prepared.subject.study.has_build:
            raise InvalidInput(f"{path}: the Editor is one environment: the guide's table needs a build (env_path)")
        opened = GuideFolder(folder or Path("reports") / f"{prepared.subject.study.spec.name}-guide")
        earlier = opened.open(asked_of(prepared, rounds), say)
        sessions = stack.enter_context(sessions_for(prepared.subject.study, prepared.machine, prepared.cap_bytes, stop))
        result = Measuring(prepared, rounds, opened, earlier, sessions, say, tell, stop).run()
    searched = tuple(
        knob
        for knob, values in prepared.space.knobs.items()
        if len(values) > 1 and knob not in ("num_envs", "num_areas")
    )
    return Guided(result, opened.file, searched)


def asked_of(prepared: Prepared, rounds: int) -> dict[str, Any]:
    """What must be the same for sessions to belong to one table; JSON types."""
    whole = {
        "study": prepared.subject.study.spec.name,
        **prepared.identity(),
        "rounds": rounds,
        "rows": [_name(place) for place in GUIDE],
    }
    found: dict[str, Any] = json.loads(json.dumps(whole))
    return found


class Measuring:
    """Runs the sessions that a table lacks, and saves it after each one."""

    def __init__(
        self,
        prepared: Prepared,
        rounds: int,
        folder: GuideFolder,
        earlier: GuideResult | None,
        runner: Runner,
        say: Callable[[str], None],
        tell: Tell,
        stop: StopSignal,
    ) -> None:
        """`earlier`: the table to go on with."""
        self._prepared = prepared
        self._rounds = rounds
        self._folder = folder
        self._say = say
        self._tell = tell
        self._stop = stop
        self._asked = asked_of(prepared, rounds)
        self._started_at = now() if earlier is None else earlier.started_at
        self._sides = {place: _side(prepared, place) for place in GUIDE}
        tolerates = prepared.subject.study.spec.measure.contention == "mark"
        terms = Terms(prepared.cap_bytes, None, prepared.machine.usable_cores, tolerates)
        own = Side("own", (), prepared.subject, prepared.space.baseline)
        self._pairs = _Sessions((own, own), runner, folder.root, terms, prepared.machine.key, stop)
        self._pairs.go_on(earlier, folder.next_number)

    def run(self) -> GuideResult:
        """Every session that is owed; returns the complete table. Raises as `measure_guide` does."""
        self._save(is_complete=False)  # so that the folder is known to be ours
        chooser = random.Random(1)
        for number in range(self._rounds):
            for place in chooser.sample(sorted(GUIDE), len(GUIDE)):
                if self._failure(place) is None:
                    self._measure(place, number)
        return self._save(is_complete=True)

    def _measure(self, place: Place, number: int) -> None:
        side, trial = self._sides[place], None
        lengths = replace(whole_lengths(side, is_pilot=True), warmup_cycles=1)
        while not self._has(place, number):
            trial = self._pairs.alone(side, number, lengths)
            if place == (1, 1) and self._failure(place) is not None:  # not saved: the same command tries it again
                raise NotReady(f"one environment with one area does not run: {_said(trial)}", trial.diagnosis)
            self._save(is_complete=False)
            self._stop.check()
        if trial is not None:
            self._say(f"round {number + 1} of {self._rounds}, {_named(place)}: {_said(trial)}")

    def _save(self, is_complete: bool) -> GuideResult:
        result = self._result(is_complete)
        self._folder.write(result)
        self._tell(result)
        return result

    def _result(self, is_complete: bool) -> GuideResult:
        found = {place: [self._counted(place, number) for number in range(self._rounds)] for place in GUIDE}
        failures = {place: self._failure(place) for place in GUIDE}
        rows = tuple(
            row(place, self._sides[place].params, found, None if failed is None else _said(failed))
            for place, failed in failures.items()
        )
        last, after = knee(rows) if is_complete else (None, None)
        return GuideResult(
            self._prepared.subject.study.spec.name,
            self._started_at,
            self._pairs.seconds,
            self._prepared.machine,
            rows,
            self._rounds,
            last,
            None if after is None else after.bottleneck,
            self._trials,
            self._asked,
            is_complete,
        )

    @property
    def _trials(self) -> tuple[TrialResult, ...]:
        """Of sessions that came to their end."""
        return tuple(trial for trial in self._pairs.trials if trial.outcome is not Outcome.INTERRUPTED)

    def _of(self, place: Place, number: int) -> list[TrialResult]:
        return [trial for trial in self._trials if trial.contender == _name(place) and trial.seed == number]

    def _has(self, place: Place, number: int) -> bool:
        """Whether a row has had its session of a round, or was disturbed too often."""
        found = self._of(place, number)
        return bool(found) and (found[-1].outcome is not Outcome.DISTURBED or len(found) > VOIDS)

    def _counted(self, place: Place, number: int) -> TrialResult | None:
        found = self._of(place, number)
        return found[-1] if found and found[-1].is_ok else None

    def _failure(self, place: Place) -> TrialResult | None:
        """The session that shows that a row does not run; None where another session of it did."""
        own = [trial for trial in self._trials if trial.contender == _name(place)]
        failed = (trial for trial in own if trial.outcome.is_infeasible)
        return None if any(trial.is_ok for trial in own) else next(failed, None)


class _Sessions(Pairs):
    """Sessions of rows, which may go on with an earlier run's."""

    def go_on(self, earlier: GuideResult | None, number: int) -> None:
        """With its sessions and its time; the next session has `number`, or the first one after theirs."""
        if earlier is not None:
            self.trials.extend(earlier.trials)
            self._began -= earlier.seconds
        self._numbers = itertools.count(max([number, *(trial.number + 1 for trial in self.trials)]))


def _side(prepared: Prepared, place: Place) -> Side:
    params: Params = {**prepared.space.baseline, "num_envs": place[0], "num_areas": place[1]}
    return Side(_name(place), (), prepared.subject, params)


def _name(place: Place) -> str:
    return f"{place[0]}x{place[1]}"


def _named(place: Place) -> str:
    return f"{place[0]} environment{'s' if place[0] > 1 else ''} x {place[1]} area{'s' if place[1] > 1 else ''}"


def _said(trial: TrialResult) -> str:
    if trial.is_ok:
        return f"{trial.steps_per_second:,.0f} agent steps/s"
    return reason_text(trial.reason) or OUTCOME_WORDS[trial.outcome]
