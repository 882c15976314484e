"""The course of a study: what to do next, given all that is known. A pure function, so that a resume needs no memory.

    reference ─► pilot ─► search, anchors in between ─► finals ─► confirmation, round by round ─► end
                            ▲                                          │
                            └──────── clear before the budget is spent ┘

A search that repeats what needs it has neither pilot, anchors nor finals (`Allowance.is_brief`).

Where nothing seems to run any more, the reference is tried: if it fails too, the machine is broken, and what failed
since it last ran is owed again.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Union

from sweeper.compare.candidates import Candidate
from sweeper.model.trial import Outcome, Params, Purpose, Stage, TrialResult, configuration_key
from sweeper.plan.space import Space
from sweeper.study.allowance import Allowance
from sweeper.study.rounds import Round

FAILURES_TO_LOOK_INTO = 3
"""Unlike configurations that fail to run, one after another, before the reference is tried."""
MAX_FAILURES_IN_A_ROW = 8
"""More than this in a row, before anything was feasible, is not a hard space."""


class Why(str, Enum):
    """Why a step is taken, for whoever shows the study."""

    BASELINE = "baseline"
    NEVER_QUIET = "never_quiet"
    SMALLEST = "smallest"
    PILOT = "pilot"
    ANCHOR = "anchor"
    CHECK = "check"
    SEARCH = "search"
    FINALS = "finals"
    CONFIRMATION = "confirmation"


@dataclass(frozen=True)
class Measure:
    """One session. `excuses`: trials that count as the machine's doing if this one fails too.

    `seconds`: of measuring, where the search says how long is worth it.
    """

    params: Params
    purpose: Purpose
    stage: Stage
    why: Why
    excuses: tuple[int, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True)
class MeasureRound:
    """A session of each, one after another, in this order."""

    contenders: tuple[Params, ...]
    purpose: Purpose
    stage: Stage
    why: Why
    round: int


@dataclass(frozen=True)
class Search:
    """Whatever the search proposes."""


@dataclass(frozen=True)
class TakeTurns:
    """Sessions of all contenders, alive together and run in turn."""

    contenders: tuple[Params, ...]
    round: int
    plan: Round


@dataclass(frozen=True)
class End:
    """Nothing more is to be measured."""

    reason: str


class Ending(str, Enum):
    """Why a run cannot go on."""

    UNMEASURED = "unmeasured"
    LEARNS_NOTHING = "learns_nothing"
    TOO_SLOW = "too_slow"
    DOES_NOT_RUN = "does_not_run"
    NOTHING_RUNS = "nothing_runs"
    CAP_TOO_LOW = "cap_too_low"
    ALL_FAIL = "all_fail"


@dataclass(frozen=True)
class DeadEnd:
    """The run cannot go on; `trial` shows why: of the user's own settings, the smallest, or the last that was tried.

    `failures`: how many failed in a row, where that is why.
    """

    ending: Ending
    trial: TrialResult
    failures: int = 0


Step = Union[Measure, MeasureRound, TakeTurns, Search, End, DeadEnd]


def next_step(allowance: Allowance, space: Space, begun: int, settled: str | None) -> Step:
    """What to do next.

    Args:
        allowance: the history, and what the budget allows.
        space: what may be tried.
        begun: the number of the first trial of this run; older failures were somebody's to mend meanwhile.
        settled: why the search has nothing left to propose; None while it has.
    """
    history = allowance.history
    if history.reference is None and (step := _to_reference(allowance, space, begun)) is not None:
        return step
    if (step := _to_look_into(allowance, begun)) is not None:
        return step
    if history.searched == 0 and _sessions(history.reference) == 1 and allowance.has_room_for_pilot():
        # A second opinion on warm-up, and a first one on how much sessions differ.
        return _again(history.reference, Stage.PILOT, Why.PILOT)
    if allowance.confirmation.is_open and (step := _confirm(allowance)) is not None:
        return step
    reason = settled or allowance.search_ends_because()
    if reason is None:
        return _again(history.reference, Stage.SEARCH, Why.ANCHOR) if allowance.anchor_is_due() else Search()
    return _finals(allowance) or _confirm(allowance) or End(reason)


def order(count: int, number: int) -> list[int]:
    """A random order for round `number`, the reverse of the last at odd ones: drift weighs on nobody."""
    found = random.Random(number // 2).sample(range(count), count)
    return found[::-1] if number % 2 else found


def _to_reference(allowance: Allowance, space: Space, begun: int) -> Step | None:
    """On the way to something to compare with; None where it goes without."""
    history = allowance.history
    own = [trial for trial in history.counted if trial.key == history.own_key]
    if history.own_breaks_cap:
        return _to_smallest(allowance, space, own)
    last = next((trial for trial in reversed(own) if trial.number >= begun), None)
    if last is None or last.outcome is Outcome.INTERRUPTED:
        return Measure(history.own, Purpose.BASELINE, Stage.PILOT, Why.BASELINE)
    if last.outcome is Outcome.DISTURBED:
        if allowance.is_spent:
            return DeadEnd(Ending.UNMEASURED, last)
        why = Why.NEVER_QUIET if history.is_never_quiet else Why.BASELINE
        return Measure(history.own, Purpose.BASELINE, Stage.PILOT, why)
    if last.outcome is Outcome.TOO_FEW_UPDATES:
        return DeadEnd(Ending.LEARNS_NOTHING, last)
    return DeadEnd(Ending.TOO_SLOW if last.is_too_slow else Ending.DOES_NOT_RUN, last)


def _to_smallest(allowance: Allowance, space: Space, own: Sequence[TrialResult]) -> Step | None:
    """The user's own settings break the cap: is there anything below it at all?"""
    history, smallest = allowance.history, space.smallest()
    key = configuration_key(smallest) if smallest is not None else None
    tried = [t for t in history.counted if t.key == key and (t.is_ok or t.outcome.is_infeasible)]
    if smallest is not None and not tried:
        if allowance.is_spent or key in history.given_up:
            last = next((t for t in reversed(history.results) if t.key == key), own[-1])
            return DeadEnd(Ending.UNMEASURED, last)
        return Measure(smallest, Purpose.SEARCH, Stage.PILOT, Why.SMALLEST)
    last = tried[-1] if tried else own[-1]
    return DeadEnd(Ending.CAP_TOO_LOW, last) if last.outcome is Outcome.OVER_MEMORY else None


def _to_look_into(allowance: Allowance, begun: int) -> Step | None:
    """Whether the machine is broken: several unlike configurations that do not run, or the reference, which did."""
    history = allowance.history
    last = history.results[-1] if history.results else None
    if last is not None and last.excuses and last.number >= begun:
        return DeadEnd(Ending.NOTHING_RUNS, last)
    if last is not None and last.excuses and history.reference is not None and not allowance.is_spent:
        # The last run ended because nothing ran any more: what ran before tells whether that was mended.
        return Measure(history.reference.params, Purpose.ANCHOR, Stage.SEARCH, Why.CHECK, excuses=(last.number,))
    failing = [trial for trial in history.failing if trial.number >= begun]
    if history.reference is None:
        is_hopeless = len(failing) >= MAX_FAILURES_IN_A_ROW and not history.ranked
        return DeadEnd(Ending.ALL_FAIL, failing[-1], len(failing)) if is_hopeless else None
    unlike = {trial.key for trial in failing}
    if allowance.is_spent or (len(unlike) < FAILURES_TO_LOOK_INTO and history.reference.key not in unlike):
        return None
    excuses = tuple(trial.number for trial in failing)
    return Measure(history.reference.params, Purpose.ANCHOR, Stage.SEARCH, Why.CHECK, excuses=excuses)


def _confirm(allowance: Allowance) -> Step | None:
    """The next round of the confirmation; None where there is nothing to judge, or no room.

    Each round has another order: of sessions that are alive together, who is started first seems slower
    (docs/decisions.md).
    """
    fitting = allowance.confirmation.contenders[: allowance.contenders_that_fit()]
    contenders = _shuffled(fitting, len(allowance.confirmation.rounds))
    plan = allowance.has_room_for([item.key for item in contenders]) if contenders else None
    if plan is None:
        return None
    round = allowance.history.next_round
    if plan.is_in_turn:
        return TakeTurns(tuple(item.params for item in contenders), round, plan)
    return _round(contenders, Purpose.CONFIRM, Stage.CONFIRMATION, Why.CONFIRMATION, round)


def _finals(allowance: Allowance) -> Step | None:
    """A round among the leaders; these sessions choose, so they are part of the search."""
    leaders = allowance.history.rivals[: allowance.finalists()]
    if not leaders:
        return None
    round = allowance.history.next_round
    return _round(_shuffled(leaders, round), Purpose.SEARCH, Stage.FINALS, Why.FINALS, round)


def _shuffled(candidates: Sequence[Candidate], number: int) -> Sequence[Candidate]:
    return [candidates[index] for index in order(len(candidates), number)]


def _round(contenders: Sequence[Candidate], purpose: Purpose, stage: Stage, why: Why, round: int) -> MeasureRound:
    return MeasureRound(tuple(item.params for item in contenders), purpose, stage, why, round)


def _again(reference: Candidate | None, stage: Stage, why: Why) -> Step:
    assert reference is not None
    return Measure(reference.params, Purpose.ANCHOR, stage, why)


def _sessions(candidate: Candidate | None) -> int:
    return len(candidate.measured) if candidate is not None else 0
