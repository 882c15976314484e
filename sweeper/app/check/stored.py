"""A baseline that is recorded over days, and a candidate against it. Weaker than pairs: see `compare/gate/stored`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from statistics import fmean, median
from typing import Any

from sweeper.app.alone import alone
from sweeper.app.check.folder import CheckFolder
from sweeper.app.check.gate import FAILURES
from sweeper.app.check.pairs import Pairs, whole_lengths
from sweeper.app.check.run import Checked, Told, Wishes, open_check, pairs_of
from sweeper.app.check.sides import Side, look_at, named_alone, one_side
from sweeper.app.clock import now
from sweeper.app.outputs import write_atomically
from sweeper.app.places import check_place
from sweeper.app.stop import StopSignal
from sweeper.compare.gate.conclude import memory_is_unclear
from sweeper.compare.gate.stored import BATCH, MIN_DAYS, MIN_SESSIONS, growth, prediction
from sweeper.errors import Inconclusive, InvalidInput, NotComparable, NotReady
from sweeper.machine import describe_machine
from sweeper.model.gate import (
    BASELINE,
    CANDIDATE,
    STORED_FORMAT,
    STORED_VERSION,
    Because,
    Change,
    CheckResult,
    GateVerdict,
    Mode,
    SideFacts,
    StoredBaseline,
    StoredSession,
)
from sweeper.model.machine import Machine
from sweeper.model.study import from_json, to_json
from sweeper.model.trial import Outcome, TrialResult
from sweeper.outside import read_bounded, short, shown
from sweeper.report.words.reasons import reason_text
from sweeper.session.leftovers import clean_up
from sweeper.units import format_rate

MAX_BYTES = 64 * 1024**2
RECORDED = 5
"""Sessions of a recording, if the time allows."""
DISTURBED = 3
"""Sessions that others may disturb for each that counts."""


@dataclass
class Alone:
    """One side that is measured by itself, batch after batch."""

    side: Side
    machine: Machine
    pairs: Pairs
    say: Callable[[str], None]
    folder: CheckFolder
    failures: int = 0

    def batch(self, count: int, until_seconds: float) -> list[TrialResult]:
        """`count` sessions that count; fewer where the time is up, others disturb too many, or the side fails."""
        found: list[TrialResult] = []
        disturbed = 0
        while len(found) < count and disturbed < DISTURBED * count and not self.fails:
            if self.pairs.seconds >= until_seconds:
                break
            lengths = replace(whole_lengths(self.side), warmup_cycles=1)
            trial = self.pairs.alone(self.side, len(self.pairs.trials), lengths)
            name = f"session {len(self.pairs.trials)}"
            if trial.is_ok:
                found.append(trial)
                self.say(f"{name}: {format_rate(trial.steps_per_second or 0.0)} agent steps/s")
                continue
            disturbed += trial.outcome is Outcome.DISTURBED
            self.failures += trial.outcome.is_infeasible
            self.say(f"{name} does not count: {reason_text(trial.reason)}")
        return found

    @property
    def fails(self) -> bool:
        """Whether the side does not run."""
        return self.failures >= FAILURES

    @property
    def key(self) -> dict[str, Any]:
        """What makes its numbers comparable with those of other days. A build may differ: that is what is checked."""
        known = self.side.subject.fingerprint()
        del known["build"]
        return {**known, "settings": dict(self.side.params), "machine": self.machine.key}


def record(wishes: Wishes, file: Path, told: Told, stop: StopSignal) -> StoredBaseline:
    """Add sessions to the baseline in `file`, which is made where there is none.

    Raises:
        NotComparable: the file holds another side's, or another machine's.
        NotReady: the side does not run.
        Inconclusive: no session counted.
    """
    check_place("--record", file)
    _earlier(file)  # what is wrong with it is said before anything is waited for
    with _alone(wishes, told, stop) as one:
        # Another recording may have added to it while this one waited for the machine.
        if (earlier := _earlier(file)) is not None:
            _check_key(file, earlier, one.key)
        found = one.batch(RECORDED, wishes.max_seconds)
        if one.fails:
            raise NotReady("what is to be recorded does not run", "`sweeper doctor STUDY` looks at what it needs")
        if not found:
            raise Inconclusive("no session counted: other programs took too much of the machine", "end them, or wait")
        fresh = [StoredSession(t.started_at, t.steps_per_second or 0.0, t.peak_memory_bytes) for t in found]
        sessions = (*(earlier.sessions if earlier else ()), *fresh)
        stored = StoredBaseline(one.side.subject.study.spec.name, one.key, one.side.params, sessions)
        write_atomically(file, json.dumps(to_json(stored), indent=1) + "\n")
    return stored


def _earlier(file: Path) -> StoredBaseline | None:
    return read_baseline(file) if file.exists() else None


def against(wishes: Wishes, file: Path, told: Told, stop: StopSignal) -> Checked:
    """The candidate against the baseline in `file`; an alarm counts only where a second batch repeats it.

    Raises:
        NotComparable: there is no baseline, it is too young, or it belongs to something else.
    """
    try:
        is_there = file.exists()
    except OSError as error:
        raise InvalidInput(f"--against: {short(str(file))}: {error.strerror}", "name another file") from None
    if not is_there:
        raise NotComparable(
            f"there is no baseline {file}", f"record one: sweeper check --candidate SIDE --record {file}"
        )
    stored = read_baseline(file)
    if len(stored.sessions) < MIN_SESSIONS or stored.days < MIN_DAYS:
        raise NotComparable(
            f"{file} holds {len(stored.sessions)} sessions of {stored.days} day(s); {MIN_SESSIONS} of {MIN_DAYS} are "
            "needed at least, or every mood of the machine would look like a change of the code",
            f"record again on another day: sweeper check --candidate SIDE --record {file}",
        )
    started_at = now()
    with _alone(wishes, told, stop) as one:
        _check_key(file, stored, one.key)
        found, verdict, because = decide(one, stored, wishes)
    result = _result(one, stored, wishes, found, started_at, verdict, because)
    for complaint in one.folder.write(result):
        told.say(complaint)
    return Checked(result, one.folder)


def decide(one: Alone, stored: StoredBaseline, wishes: Wishes) -> tuple[list[TrialResult], GateVerdict, Because]:
    """The batch that decided, and what it says."""
    earlier: set[Because] | None = None
    while True:
        found = one.batch(BATCH, wishes.max_seconds)
        if one.fails:
            return found, GateVerdict.CANDIDATE_FAILS, Because.FAILED
        if len(found) < BATCH:
            is_late = one.pairs.seconds >= wishes.max_seconds
            return found, GateVerdict.INCONCLUSIVE, Because.NOT_ENOUGH_PAIRS if is_late else Because.BUSY
        expected, mean, grown = prediction(stored.rates_by_day, BATCH), _mean(found), memory_of(stored, found)
        alarms = {Because.SPEED} if mean < expected.alarm_below else set()
        if grown is not None and grown.interval[0] > wishes.max_memory_growth:
            alarms.add(Because.MEMORY)
        if earlier is not None:
            if not alarms & earlier:
                return found, GateVerdict.INCONCLUSIVE, Because.NOT_REPEATED
            return found, GateVerdict.REGRESSED, Because.SPEED if Because.SPEED in alarms & earlier else Because.MEMORY
        if not alarms:
            if not expected.excludes(mean, wishes.tolerance):
                return found, GateVerdict.INCONCLUSIVE, Because.SPEED
            if memory_is_unclear(grown, wishes.max_memory_growth):
                return found, GateVerdict.INCONCLUSIVE, Because.MEMORY
            return found, GateVerdict.PASS, Because.SPEED
        earlier = alarms
        what = "slower" if Because.SPEED in alarms else "larger in memory"
        one.say(f"{what} than the baseline would be in one batch of a hundred: measuring a second batch")


def memory_of(stored: StoredBaseline, found: Sequence[TrialResult]) -> Change | None:
    """Growth of the peaks against the recorded ones; None where some are not known."""
    before = [session.peak_memory_bytes for session in stored.sessions]
    after = [trial.peak_memory_bytes for trial in found]
    known = [[peak for peak in peaks if peak] for peaks in (before, after)]
    if len(known[0]) < len(before) or len(known[1]) < len(after) or len(before) < MIN_SESSIONS or not after:
        return None
    return growth(*known)


@contextmanager
def _alone(wishes: Wishes, told: Told, stop: StopSignal) -> Iterator[Alone]:
    named_alone(wishes.candidate)
    folder = open_check(wishes.folder, look_at((), wishes.candidate, option=CANDIDATE))
    with ExitStack() as stack:
        alone(stack, told.say, stop)
        clean_up()
        told.say("asking the learner what it accepts")
        side = one_side(wishes.candidate)
        machine = describe_machine(side.subject.packages)
        pairs, _ = stack.enter_context(pairs_of((side, side), machine, folder, wishes, stop, told.event))
        yield Alone(side, machine, pairs, told.say, folder)


def read_baseline(file: Path) -> StoredBaseline:
    """A recorded baseline.

    Raises:
        InvalidInput: it cannot be read, or holds what nobody measured.
    """
    try:
        stored: StoredBaseline = from_json(StoredBaseline, read_bounded(file, MAX_BYTES))
    except OSError as error:
        raise InvalidInput(f"{file}: {error.strerror or error}") from None
    except ValueError as error:
        raise InvalidInput(f"{file}: not a recorded baseline: {error}", "name another file") from None
    if stored.format != STORED_FORMAT or stored.version > STORED_VERSION:
        raise InvalidInput(f"{file}: not a recorded baseline that this sweeper reads", "name another file")
    for number, session in enumerate(stored.sessions, 1):
        if (wrong := _wrong(session)) is not None:
            raise InvalidInput(f"{file}: session {number}: {wrong}", "record it anew, or name another file")
    return stored


def _wrong(session: StoredSession) -> str | None:
    """What of a recorded session nobody can have measured."""
    if not (math.isfinite(session.steps_per_second) and session.steps_per_second > 0):
        return f"steps_per_second: {session.steps_per_second} is no rate that was measured"
    if session.peak_memory_bytes is not None and session.peak_memory_bytes <= 0:
        return f"peak_memory_bytes: {session.peak_memory_bytes} is no memory that was measured"
    try:
        datetime.fromisoformat(session.at.replace("Z", "+00:00"))
    except ValueError:
        return f"at: {shown(session.at)} is no time such as 2026-01-31T12:00:00+00:00"
    return None


def _check_key(file: Path, stored: StoredBaseline, key: Mapping[str, Any]) -> None:
    differing = [name for name in {**stored.key, **key} if stored.key.get(name) != key.get(name)]
    if differing:
        name = differing[0]
        raise NotComparable(
            f"{file} belongs to another {', '.join(differing)}: {short(str(stored.key.get(name)))} there, "
            f"{short(str(key.get(name)))} here",
            "record a baseline of its own, or compare side by side with --baseline",
        )


def _mean(found: Sequence[TrialResult]) -> float:
    return fmean(math.log(trial.steps_per_second or 1.0) for trial in found)


def _result(
    one: Alone,
    stored: StoredBaseline,
    wishes: Wishes,
    found: Sequence[TrialResult],
    started_at: str,
    verdict: GateVerdict,
    because: Because,
) -> CheckResult:
    rates = [session.steps_per_second for session in stored.sessions]
    facts = one.side.facts
    change = prediction(stored.rates_by_day, len(found)).change(_mean(found)) if found else None
    measured = {CANDIDATE: median(trial.steps_per_second or 0.0 for trial in found)} if found else {}
    return CheckResult(
        name=stored.name,
        started_at=started_at,
        seconds=one.pairs.seconds,
        mode=Mode.STORED,
        machine=one.machine,
        baseline=SideFacts(BASELINE, ("recorded",), stored.params, facts.command, {**facts.fingerprint, "build": None}),
        candidate=facts,
        tolerance=wishes.tolerance,
        max_seconds=wishes.max_seconds,
        trimmed=False,
        verdict=verdict,
        because=because,
        change=change,
        pair_deviation=None,
        most_pairs=0,
        pairs=(),
        looks=(),
        trials=tuple(one.pairs.trials),
        steps_per_second={BASELINE: median(rates), **measured},
        memory_growth=memory_of(stored, found),
        max_memory_growth=wishes.max_memory_growth,
    )
