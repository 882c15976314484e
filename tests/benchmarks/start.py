"""What a session of the search costs beside what it measures: learners that are forked, and the plain command.

Seconds of a whole session outside warm-up and measuring, ending included; sessions of both kinds in random order within
each round, on a racer whose steps cost little. What is imported before the first fork is told apart.
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from sweeper.measure.rate import measure
from sweeper.model.session import SessionRecord
from sweeper.model.trial import LearnerStart
from tests.benchmarks.common import SHORT, Bench, Case, finish, interleaved, params, rule_of, table

ROUNDS = 3 if SHORT else 10
CASES = [Case("1 env x 4 areas", params(1, 4)), Case("2 envs x 16 areas", params(2, 16))]


def outside(record: SessionRecord, case: Case) -> float | None:
    """Seconds outside warm-up and measuring; None where nothing was measured."""
    found = measure(record.samples, rule_of(case, max_seconds=4.0, min_seconds=2.0), 1)
    return None if found is None else record.total_seconds - found.warmup_seconds - found.measured_seconds


def main() -> None:
    seconds: dict[tuple[str, str], list[float]] = {}
    loading = None
    with Bench() as forking, Bench() as plain:  # a runner lets go of what it forks from before a plain session
        for case, start in interleaved([(case, start) for case in CASES for start in LearnerStart], ROUNDS):
            bench = forking if start is LearnerStart.WARM else plain
            plan = replace(bench.plan(case), learner_start=start)
            rule = replace(rule_of(case, max_seconds=4.0, min_seconds=2.0), is_brief=True, least_cycles=2)
            begun = time.monotonic()
            record = bench.sessions.run(plan, rule, 0.0)
            passed = time.monotonic() - begun
            if loading is None and start is LearnerStart.WARM:
                loading = passed - record.total_seconds
            taken = outside(record, case)
            if taken is not None:
                seconds.setdefault((case.name, start.value), []).append(taken)
    rows, figures = [], {}
    for case in CASES:
        warm, cold = (seconds.get((case.name, start.value), []) for start in LearnerStart)
        medians = [statistics.median(found) if found else None for found in (warm, cold)]
        ratio = medians[0] / medians[1] if medians[0] and medians[1] else None
        figures[case.name] = {"warm_seconds": medians[0], "cold_seconds": medians[1], "ratio": ratio}
        rows.append((case.name, *medians, ratio, min(len(warm), len(cold))))
    table(("session", "warm, s", "cold, s", "ratio", "sessions"), rows)
    finish({"loading_seconds": loading, "by_session": figures})


if __name__ == "__main__":
    main()
