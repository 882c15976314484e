"""A throughput check from two sides to a complete result, and all that it leaves."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

from sweeper.app.alone import alone
from sweeper.app.check.comparable import check_sides
from sweeper.app.check.folder import CheckFolder
from sweeper.app.check.gate import Gate, Terms
from sweeper.app.check.pairs import Pairs
from sweeper.app.check.sides import Side, look_at, sides
from sweeper.app.clock import now
from sweeper.app.glimpses import event_of
from sweeper.app.prepare import gpu_cap_bytes, memory_cap
from sweeper.app.stop import StopSignal
from sweeper.compare.gate.conclude import memory_growth
from sweeper.compare.gate.rule import LOOKS, Rule, plain_mean, tolerance_in_reach
from sweeper.compare.gate.why import phase_changes
from sweeper.inputs.study_file import Study
from sweeper.machine import available_memory, describe_machine, memory_margin
from sweeper.model.events import Listener, ignore
from sweeper.model.gate import Because, CheckResult, GateVerdict, Look, Pair
from sweeper.model.machine import Machine
from sweeper.report.check.words import notes
from sweeper.session.gpu import Gpus
from sweeper.session.leftovers import clean_up
from sweeper.session.memory import MemoryRules
from sweeper.session.turns import Sessions
from sweeper.study.judge import Terms as Judging

log = logging.getLogger("sweeper")


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for. `folder`: where the check leaves what it found; None for one of its own.

    `same`: both sides are meant to be one thing.
    """

    baseline: tuple[str, ...]
    candidate: tuple[str, ...]
    tolerance: float
    max_seconds: float
    max_memory_growth: float
    trimmed: bool = False
    whole_sessions: bool = False
    tolerate_load: bool = False
    folder: Path | None = None
    same: bool = False


@dataclass(frozen=True)
class Told:
    """Who hears of progress: a sentence, each pair with what is known then, and what sessions are at."""

    say: Callable[[str], None]
    pair: Callable[[Pair, Look | None, float], None]
    event: Listener = ignore


@dataclass(frozen=True)
class Checked:
    """A check that ended, and where it left what it found."""

    result: CheckResult
    folder: CheckFolder


def run_check(wishes: Wishes, told: Told, stop: StopSignal) -> Checked:
    """Measure both sides until there is a verdict or the time is up; write what was found.

    Raises:
        SweeperError: as its kind says: a side cannot be measured.
        Interrupted: we were asked to stop.
    """
    started_at = now()
    folder = open_check(wishes.folder, look_at(wishes.baseline, wishes.candidate, needs_both=True))
    with measuring(wishes.baseline, wishes.candidate, told.say, stop) as (both, machine, stack):
        check_sides(both[0].facts, both[1].facts, wishes.same)
        pairs, cap = stack.enter_context(pairs_of(both, machine, folder, wishes, stop, told.event))
        terms = Terms(
            wishes.tolerance,
            wishes.max_seconds,
            wishes.max_memory_growth,
            cap,
            wishes.trimmed,
            wishes.whole_sessions,
        )
        gate = Gate(pairs, terms, told.say, lambda pair, look: told.pair(pair, look, pairs.seconds))
        verdict, because = gate.run()
        result = concluded(gate, both, machine, started_at, verdict, because)
    for complaint in folder.write(result):
        told.say(complaint)
    return Checked(result, folder)


@contextmanager
def measuring(
    baseline: Sequence[str], candidate: Sequence[str], say: Callable[[str], None], stop: StopSignal
) -> Iterator[tuple[tuple[Side, Side], Machine, ExitStack]]:
    """Nobody else measures here meanwhile, and the sides are ready; what enters the stack ends with it."""
    with ExitStack() as stack:
        alone(stack, say, stop)
        if left := clean_up():
            log.info("ended what a killed run left: processes %s, folders %s", left.pids, left.folders)
        say("asking the learner what it accepts")
        try:
            both = stack.enter_context(sides(baseline, candidate))
        finally:
            stop.check()
        for note in notes(both[0].facts, both[1].facts):
            say(note)
        yield both, describe_machine(both[0].subject.packages), stack


@contextmanager
def pairs_of(
    both: tuple[Side, Side],
    machine: Machine,
    folder: CheckFolder,
    wishes: Wishes,
    stop: StopSignal,
    tell: Listener,
) -> Iterator[tuple[Pairs, int]]:
    """What runs sessions of these sides, for as long as the context lasts; and the memory cap, in bytes."""
    study, in_editor = both[0].subject.study, any(side.subject.is_in_editor for side in both)
    cap, _ = memory_cap(study.spec.memory_cap, machine)
    tolerates_load = wishes.tolerate_load or study.spec.measure.contention == "mark"
    with sessions_for(study, machine, cap, stop, tell) as sessions:
        judging = Judging(cap, None, machine.usable_cores, tolerates_load, in_editor)
        yield Pairs(both, sessions, folder.root, judging, machine.key, stop, max_seconds=wishes.max_seconds), cap


def sessions_for(study: Study, machine: Machine, cap_bytes: int, stop: StopSignal, tell: Listener = ignore) -> Sessions:
    """A runner of sessions under the memory cap, and under that of GPU memory that the study states."""
    gpu_cap = gpu_cap_bytes(study, Gpus().free_bytes())
    rules = MemoryRules(cap_bytes, memory_margin(machine.memory_bytes), available_memory, gpu_cap)
    return Sessions(rules, machine.usable_cores, stop.asked, lambda glimpse: tell(event_of(glimpse)))


def open_check(folder: Path | None, name: str) -> CheckFolder:
    """Make the folder of a check; a named one may hold an earlier check, which is replaced file by file."""
    stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    opened = CheckFolder(folder or Path("reports") / "checks" / f"{name}-{stamp}")
    opened.open(is_new_check=True)
    return opened


def concluded(
    gate: Gate, both: tuple[Side, Side], machine: Machine, started_at: str, verdict: GateVerdict, because: Because
) -> CheckResult:
    """All that a check knows, in one value."""
    differences = gate.differences
    deviation = gate.deviation
    counted = gate.counted
    starts = [pair.startup for pair in gate.found if pair.startup is not None and pair.difference is not None]
    planned = Rule(gate.terms.tolerance, LOOKS[-1], gate.terms.trimmed)
    needed = planned.pairs_needed(deviation) if deviation else None
    if needed is not None and needed > LOOKS[-1]:
        needed = None
    reach = tolerance_in_reach(deviation, len(differences), gate.terms.trimmed) if deviation else None
    mean = gate.rule.mean(differences, gate.scatter) if gate.rule and gate.looks else None
    startup = plain_mean(starts) if len(starts) > 1 else None
    rates = {
        side.name: [trial.steps_per_second for two in counted for trial in two if trial.contender == side.name]
        for side in both
    }
    return CheckResult(
        name=both[0].subject.study.spec.name,
        started_at=started_at,
        seconds=gate.pairs.seconds,
        mode=gate.mode,
        machine=machine,
        baseline=both[0].facts,
        candidate=both[1].facts,
        tolerance=gate.terms.tolerance,
        max_seconds=gate.terms.max_seconds,
        trimmed=gate.terms.trimmed,
        verdict=verdict,
        because=because,
        change=None if mean is None else mean.change,
        pair_deviation=deviation,
        most_pairs=gate.rule.most_pairs if gate.rule else 0,
        pairs=tuple(gate.found),
        looks=tuple(gate.looks),
        trials=tuple(gate.pairs.trials),
        steps_per_second={side: median(rate or 0.0 for rate in found) for side, found in rates.items() if found},
        memory_growth=memory_growth(gate.found),
        max_memory_growth=gate.terms.max_memory_growth,
        updates=gate.updates,
        why=phase_changes(counted),
        startup_more=None if startup is None else (startup.value, startup.interval()),
        busiest=gate.busiest[:3],
        pairs_needed=needed,
        seconds_needed=None if needed is None else math.ceil(gate.found[0].at_seconds + needed * gate.pair_seconds),
        tolerance_in_reach=reach,
    )
