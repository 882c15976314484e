"""How long a check takes on this machine: its pairs' spread, measured, and what it means for the tolerance."""

from __future__ import annotations

from dataclasses import dataclass

from sweeper.app.check.gate import Gate, Terms
from sweeper.app.check.run import Told, Wishes, measuring, open_check, pairs_of
from sweeper.app.check.sides import look_at
from sweeper.app.stop import StopSignal
from sweeper.compare.gate.rule import LOOKS, TOLERANCES, Rule
from sweeper.errors import Inconclusive

PLAN_SECONDS = 120.0
LEAST_PAIRS, MOST_PAIRS = 4, 24
"""That count at least, and are measured at most; slow pairs take longer than PLAN_SECONDS."""


@dataclass(frozen=True)
class Row:
    """Of a tolerance: pairs for a verdict in nine of ten checks, their seconds, and whether a check may have them."""

    tolerance: float
    pairs: int
    seconds: float
    fits: bool


@dataclass(frozen=True)
class Spread:
    """What was measured: pairs, the deviation of their differences, seconds of one, and of what comes before them."""

    pairs: int
    deviation: float
    pair_seconds: float
    first_seconds: float
    rows: tuple[Row, ...]


def run_plan(wishes: Wishes, told: Told, stop: StopSignal) -> Spread:
    """Measure the baseline against itself for two minutes, first sessions aside.

    Raises:
        Inconclusive: too few pairs counted.
        SweeperError: it cannot be measured.
    """
    folder = open_check(wishes.folder, look_at(wishes.baseline, wishes.baseline))
    with measuring(wishes.baseline, wishes.baseline, told.say, stop) as (both, machine, stack):
        pairs, cap = stack.enter_context(pairs_of(both, machine, folder, wishes, stop, told.event))
        terms = Terms(wishes.tolerance, wishes.max_seconds, 1.0, cap, wishes.trimmed, wishes.whole_sessions)
        gate = Gate(pairs, terms, told.say, lambda pair, look: told.pair(pair, look, pairs.seconds))
        lengths = gate.begin()
        until = pairs.seconds + PLAN_SECONDS
        while lengths is not None and len(gate.found) < MOST_PAIRS:
            if pairs.seconds >= until and len(gate.differences) >= LEAST_PAIRS:
                break
            lengths = gate.measure(lengths)
    folder.clear()
    return spread_of(gate)


def spread_of(gate: Gate) -> Spread:
    """From a gate that has measured.

    Raises:
        Inconclusive: too few pairs count.
    """
    differences, deviation = gate.differences, gate.deviation
    if len(differences) < LEAST_PAIRS or deviation is None:
        many = (
            f"only {len(differences)} of {len(gate.found)} pairs counted: other programs took too much of the machine"
        )
        raise Inconclusive(many, "end them, and try again")
    first = gate.found[0].at_seconds
    rows = []
    for tolerance in TOLERANCES:
        pairs = Rule(tolerance, LOOKS[-1], gate.terms.trimmed).pairs_needed(deviation)
        rows.append(Row(tolerance, pairs, first + pairs * gate.pair_seconds, pairs <= LOOKS[-1]))
    return Spread(len(differences), deviation, gate.pair_seconds, first, tuple(rows))
