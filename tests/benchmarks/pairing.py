"""Time-sliced pairs against whole sessions in turn: the same two sides, the same minutes.

Two pairs of sides: one that differs (a simulation step costs a third more) and one that does not. Printed for each: the
spread of a pair, the standard error after those minutes, and the estimate. Then whether suspending harmed anyone.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from sweeper.measure.rate import measure
from sweeper.measure.slices import measure_slices
from sweeper.model.session import SessionEnd
from sweeper.quantiles import t_quantile
from sweeper.session.turns import Contender
from tests.benchmarks.common import SHORT, Bench, Case, finish, params, rule_of, table

MINUTES = 1.0 if SHORT else 2.5
STEP_MS = 0.3
A = Case("A", params(2, 16), ("--step-ms", f"{STEP_MS:g}"))
SIDES = {
    "unchanged": (A, A),
    "a third more per step": (A, Case("B", params(2, 16), ("--step-ms", f"{STEP_MS * 4 / 3:g}"))),
}
CYCLES = 3


def sliced(bench: Bench, sides: tuple[Case, Case]) -> tuple[list[float], list[str], float]:
    """ln(B / A) of each round; what went wrong; minutes."""
    started = time.monotonic()
    contenders = []
    for case in sides:
        cut = rule_of(case).cut
        contenders.append(Contender(case.name, bench.plan(case), cut, 1, CYCLES))
    orders = [[0, 1] if index % 2 == 0 else [1, 0] for index in range(400)]
    records = bench.in_turn(contenders, orders, 60 * MINUTES - 10)
    minutes = (time.monotonic() - started) / 60
    wrong = [
        f"{case.name}: {record.end.value}"
        for case, record in zip(sides, records)
        if record.end is not SessionEnd.MEASURED
    ]
    for case, record, contender in zip(sides, records, contenders):
        log = contender.plan.folder.learner_log.read_text(errors="replace")
        wrong += [
            f"{case.name}: {word}" for word in ("Traceback", "Restarting", "took too long", "imeout") if word in log
        ]
        if record.exit_code != 0:
            wrong.append(f"{case.name}: the learner ended with {record.exit_code}")
    found = [
        measure_slices(record.samples, record.slices, rule_of(case).cut, 1, 2) for case, record in zip(sides, records)
    ]
    if found[0] is None or found[1] is None:
        return [], wrong, minutes
    return [math.log(b / a) for a, b in zip(found[0][1], found[1][1])], wrong, minutes


def whole(bench: Bench, sides: tuple[Case, Case]) -> tuple[list[float], float]:
    started = time.monotonic()
    differences: list[float] = []
    longest = 0.0
    while not differences or (time.monotonic() - started + longest) / 60 <= MINUTES:
        began = time.monotonic()
        order = (0, 1) if len(differences) % 2 == 0 else (1, 0)
        rates = {}
        for index in order:
            rule = rule_of(sides[index], max_seconds=20, min_seconds=0)
            found = measure(bench.run(sides[index], rule, 0.0).samples, rule, 2)
            rates[index] = found.steps_per_second if found else math.nan
        differences.append(math.log(rates[1] / rates[0]))
        longest = max(longest, time.monotonic() - began)
    return differences, (time.monotonic() - started) / 60


def summary(differences: list[float], minutes: float) -> dict[str, float | None]:
    count = len(differences)
    spread = 100 * statistics.stdev(differences) if count > 1 else None
    return {
        "pairs": count,
        "pair_spread_percent": spread,
        "standard_error_percent": spread / math.sqrt(count) if spread is not None else None,
        "half_interval_percent": t_quantile(count - 1) * spread / math.sqrt(count) if spread is not None else None,
        "minutes": minutes,
        "estimate_percent": 100 * statistics.mean(differences) if differences else None,
    }


def main() -> None:
    figures: dict[str, object] = {}
    rows = []
    harm: list[str] = []
    with Bench() as bench:
        for name, sides in SIDES.items():
            print(f"{name}: {MINUTES:g} minutes in slices, then {MINUTES:g} in whole sessions", flush=True)
            differences, wrong, minutes = sliced(bench, sides)
            harm += wrong
            for kind, found in (("sliced", summary(differences, minutes)), ("whole", summary(*whole(bench, sides)))):
                figures[f"{kind}, {name}"] = found
                rows.append((f"{kind}, {name}", *found.values()))
    table(("", "pairs", "spread of a pair %", "standard error %", "± 95 % %", "minutes", "ln(B/A) %"), rows)
    print("harm done by suspending:", "; ".join(harm) or "none seen (ends, exit codes, restarts, timeouts, tracebacks)")
    figures["harm"] = harm
    for kind in ("sliced", "whole"):  # the contract's short names: the pair that differs
        figures[kind] = figures[f"{kind}, a third more per step"]
    finish(figures)


if __name__ == "__main__":
    main()
