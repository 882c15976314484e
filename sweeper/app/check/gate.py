"""The course of a paired check: a session of each side first, then pairs until the rule has a verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from sweeper.app.check.pairs import Both, Lengths, Pairs, whole_lengths
from sweeper.app.check.sides import Side
from sweeper.compare.gate.conclude import memory_growth, memory_is_unclear, updates_of, updates_shortfall
from sweeper.compare.gate.rule import LOOKS, Call, Rule, pair_deviation, slice_scatter
from sweeper.errors import Inconclusive, NotReady
from sweeper.model.gate import BASELINE, CANDIDATE, Because, GateVerdict, Look, Mode, Pair
from sweeper.model.load import BusyProcess
from sweeper.model.measurement import Method, PerThousandSteps
from sweeper.model.trial import Outcome, TrialResult
from sweeper.report.words.reasons import reason_text
from sweeper.study.rounds import MAX_SLICE_SECONDS, slice_cycles

MAX_VOID_SHARE = 0.3
"""Of the pairs, that others may disturb (docs/sources.md, 8.5)."""
LEAST_PAIRS_TO_BLAME = 10
"""That MAX_VOID_SHARE is a share of at least: a disturbance that passes must not end a check that has just begun."""
PAIRS_TO_TIME = 3
"""Of which the first one loads the learner's packages; fewer than there are before any look."""
MAX_MEAN_UNEVEN_PERCENT = 3.0
"""Of the cores, over all pairs: what others took more while the candidate was measured may be what slowed it."""
FAILURES = 2
"""Sessions of a side that fail before it counts as one that does not run."""
DISTURBED_PILOTS = 3
ROOM_IN_MEMORY = 0.9
"""Of the cap, that both sides together may take to be alive at once."""


@dataclass(frozen=True)
class Terms:
    """What a check is to decide. Shares, seconds and bytes."""

    tolerance: float
    max_seconds: float
    max_memory_growth: float
    cap_bytes: int
    trimmed: bool = False
    whole_sessions: bool = False


@dataclass
class Gate:
    """One paired check. `tell` hears of every pair, with what is known then."""

    pairs: Pairs
    terms: Terms
    tell: Callable[[str], None]
    show: Callable[[Pair, Look | None], None]
    found: list[Pair] = field(default_factory=list)
    both: list[Both] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    mode: Mode = Mode.SESSIONS
    rule: Rule | None = None
    busiest: tuple[BusyProcess, ...] = ()
    candidate_failures: int = 0

    def run(self) -> tuple[GateVerdict, Because]:
        """Measure until there is a verdict, or none can be had any more.

        Raises:
            NotReady: the baseline does not run.
        """
        lengths = self.begin()
        if lengths is None:
            return GateVerdict.CANDIDATE_FAILS, Because.FAILED
        return self.go_on(lengths)

    def begin(self) -> Lengths | None:
        """A session of each side; how pairs are to be measured. None where the candidate does not run.

        Raises:
            NotReady: the baseline does not run.
        """
        pilots = []
        for side in self.pairs.sides:
            pilot = self._pilot(side)
            if pilot is None:
                return None
            pilots.append(pilot)
        return self._lengths(pilots)

    def go_on(self, lengths: Lengths) -> tuple[GateVerdict, Because]:
        """Pairs until there is a verdict. Raises as `run` does."""
        while True:
            lengths = self.measure(lengths)
            if self.candidate_failures >= FAILURES:
                return GateVerdict.CANDIDATE_FAILS, Because.FAILED
            if (ended := self._verdict()) is not None:
                return ended

    def measure(self, lengths: Lengths) -> Lengths:
        """One more pair; how the next is to be measured.

        Raises:
            NotReady: the baseline does not run any more.
        """
        self.mode = Mode.SLICES if lengths.slice_cycles else Mode.SESSIONS
        pair, both = self.pairs.pair(len(self.found), lengths)
        if lengths.slice_cycles and any(trial.turns_broke for trial in both):
            # Being suspended may be what broke them. What was measured in slices is not mixed with whole sessions.
            self.tell(f"{reason_text(both[0].reason)}; measuring whole sessions from here on")
            self.found, self.both, self.looks, self.rule = [], [], [], None
            return replace(lengths, slice_cycles=None)
        if (failed := _failed(both)) is not None:
            self.candidate_failures += failed.contender == CANDIDATE
            # A session more would outlast the check, whose verdict is now that the time is up.
            is_baselines = failed.contender == BASELINE and not self._is_late
            if is_baselines and self._fails_again(self.pairs.sides[0], failed):
                raise _does_not_run(failed)
        self._note(pair, both)
        return lengths

    def _pilot(self, side: Side) -> TrialResult | None:
        """A session that warms up the file cache and tells how long cycles are; None where the candidate fails."""
        failures = disturbed = 0
        lengths = whole_lengths(side, is_pilot=True)
        while True:
            self.tell(f"first session of the {side.name}")
            trial = self.pairs.alone(side, 0, lengths)
            if trial.outcome is Outcome.DISTURBED:
                disturbed += 1
                if disturbed >= DISTURBED_PILOTS and trial.cycles:
                    return trial
                if disturbed >= 2 * DISTURBED_PILOTS:
                    raise NotReady("the machine never was quiet enough for a first session", "end other programs first")
            elif trial.is_ok:
                return trial
            elif trial.outcome is Outcome.INTERRUPTED:
                continue  # that somebody asked us to stop is said by what would begin next
            else:
                failures += 1
                if failures >= FAILURES:
                    if side.name == CANDIDATE:
                        return None
                    raise _does_not_run(trial)
            self.tell(f"it does not count: {_words(trial)}")
            if self._is_late:
                raise Inconclusive(
                    f"the time is up, and no first session of the {side.name} went well: {_words(trial)}",
                    "give it more with --max-time, or look with `sweeper doctor STUDY`",
                )

    @property
    def _is_late(self) -> bool:
        return self.pairs.seconds >= self.terms.max_seconds

    def _fails_again(self, side: Side, failed: TrialResult) -> bool:
        again = self.pairs.alone(side, failed.seed, whole_lengths(side, is_pilot=True))
        return again.outcome.is_infeasible

    def _lengths(self, pilots: Sequence[TrialResult]) -> Lengths:
        warmup = max((pilot.warmup_cycles or 1) for pilot in pilots)
        cycles = [(pilot.measured_seconds or 0.0) / (pilot.cycles or 1) for pilot in pilots]
        peaks = [pilot.peak_memory_bytes for pilot in pilots]
        fits = None not in peaks and sum(peak or 0 for peak in peaks) <= ROOM_IN_MEMORY * self.terms.cap_bytes
        in_editor = any(side.subject.is_in_editor for side in self.pairs.sides)
        whole = replace(whole_lengths(self.pairs.sides[0]), warmup_cycles=warmup)
        # The console tells of no single cycle.
        may_be_cut = all(0 < one <= MAX_SLICE_SECONDS for one in cycles) and not any(
            pilot.method is Method.CONSOLE for pilot in pilots
        )
        if self.terms.whole_sessions or not fits or in_editor or not may_be_cut:
            return whole
        return replace(whole, slice_cycles=(slice_cycles(cycles[0]), slice_cycles(cycles[1])))

    def _note(self, pair: Pair, both: Both) -> None:
        self.found.append(pair)
        self.both.append(both)
        if pair.void is not None:
            told = [trial.contention.busiest for trial in both if trial.contention is not None]
            self.busiest = max(told, key=lambda one: one[0].cores if one else 0.0, default=self.busiest) or self.busiest
        if self.rule is None and len(self.found) >= PAIRS_TO_TIME:
            self.rule = Rule(self.terms.tolerance, self._most_pairs(), self.terms.trimmed)
        look = None
        if pair.difference is not None and self.rule is not None:
            look = self.rule.look(self.differences, self.scatter)
            if look is not None:
                self.looks.append(look)
        self.show(pair, look)

    @property
    def differences(self) -> list[float]:
        """Of the pairs that count."""
        return [pair.difference for pair in self.found if pair.difference is not None]

    @property
    def counted(self) -> list[Both]:
        """The sessions of those pairs."""
        return [two for pair, two in zip(self.found, self.both) if pair.difference is not None]

    @property
    def scatter(self) -> float:
        """What the slices of those pairs make of a difference; 0 of whole sessions."""
        return slice_scatter([pair.slices for pair in self.found if pair.difference is not None])

    @property
    def updates(self) -> dict[str, PerThousandSteps]:
        """Per 1,000 steps, of each side in those pairs."""
        return updates_of([trial for two in self.counted for trial in two])

    @property
    def deviation(self) -> float | None:
        """How much those pairs differ."""
        return pair_deviation(self.differences, self.scatter)

    @property
    def pair_seconds(self) -> float:
        """Of a pair, in the middle."""
        ends = [pair.at_seconds for pair in self.found[1:]] + [self.pairs.seconds]
        return median(end - pair.at_seconds for pair, end in zip(self.found, ends)) if self.found else 0.0

    def _most_pairs(self) -> int:
        """The largest of LOOKS that the time allows; decided before the first look, by how long pairs take alone."""
        left = self.terms.max_seconds - self.found[0].at_seconds
        affordable = int(left / max(self.pair_seconds, 1e-9))
        least = Rule(self.terms.tolerance, LOOKS[-1], self.terms.trimmed).looks[0]
        return max((count for count in LOOKS if least <= count <= affordable), default=least)

    def _verdict(self) -> tuple[GateVerdict, Because] | None:
        void = sum(pair.void is not None for pair in self.found)
        if void > MAX_VOID_SHARE * max(len(self.found), LEAST_PAIRS_TO_BLAME):
            return GateVerdict.INCONCLUSIVE, Because.BUSY
        differences, is_late = self.differences, self.pairs.seconds + self.pair_seconds > self.terms.max_seconds
        if void > MAX_VOID_SHARE * len(self.found):  # so far: those that follow may be left in peace
            return (GateVerdict.INCONCLUSIVE, Because.BUSY) if is_late else None
        if self.rule is None:
            return (GateVerdict.INCONCLUSIVE, Because.NOT_ENOUGH_PAIRS) if is_late else None
        call = self.rule.call(differences, self.scatter)
        if call is Call.REGRESSED:
            if not self.pairs.tolerates_load and self._uneven_percent() > MAX_MEAN_UNEVEN_PERCENT:
                return GateVerdict.INCONCLUSIVE, Because.UNEVEN_LOAD
            return GateVerdict.REGRESSED, Because.SPEED
        if call is Call.PASS:
            return self._passed(differences)
        if is_late or len(differences) >= self.rule.most_pairs:
            return GateVerdict.INCONCLUSIVE, Because.NOT_ENOUGH_PAIRS
        return None

    def _passed(self, differences: Sequence[float]) -> tuple[GateVerdict, Because]:
        assert self.rule is not None
        if updates_shortfall(self.updates) is not None:
            return GateVerdict.REGRESSED, Because.UPDATES
        growth = memory_growth(self.found)
        if growth is not None and growth.interval[0] > self.terms.max_memory_growth:
            return GateVerdict.REGRESSED, Because.MEMORY
        if memory_is_unclear(growth, self.terms.max_memory_growth):
            return GateVerdict.INCONCLUSIVE, Because.MEMORY
        if self.rule.is_improved(differences, self.scatter):
            return GateVerdict.IMPROVED, Because.SPEED
        return GateVerdict.PASS, Because.SPEED

    def _uneven_percent(self) -> float:
        told = [pair.others_percent for pair in self.found if pair.difference is not None and pair.others_percent]
        return sum(others[1] - others[0] for others in told) / len(told) if told else 0.0


def _failed(both: Both) -> TrialResult | None:
    """The session that failed by its side's own doing; the baseline's first, if both did."""
    return next((trial for trial in both if trial.outcome.is_infeasible), None)


def _does_not_run(trial: TrialResult) -> NotReady:
    hint = trial.diagnosis or "mend it first: `sweeper doctor STUDY` looks at what it needs"
    return NotReady(f"the baseline does not run: {_words(trial)}", hint)


def _words(trial: TrialResult) -> str:
    return reason_text(trial.reason) or trial.outcome.value
