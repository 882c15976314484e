"""Four ways to read a speed off the same recorded sessions: error, and seconds needed to reach 2.5 %."""

from __future__ import annotations

import re
import statistics
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from sweeper.measure.rate import Rule, estimate
from sweeper.model.measurement import Sample
from tests.benchmarks.accuracy import stop, whole
from tests.benchmarks.common import finish, percent, rule_of, table
from tests.benchmarks.recording import Recorded, load_or_record

LENGTHS = (5, 10, 15, 20, 30, 45, 60, 90, 120)
WANTED_PERCENT = 2.5
FIXED_SECONDS = 60
_STEP = re.compile(r"Step: (\d+)\. Time Elapsed: ([\d.]+) s")

Window = tuple[float, float]
Read = Callable[[Recorded, Window], "float | None"]


def ours(session: Recorded, window: Window) -> float | None:
    inside = within(session.samples, window)
    found = estimate(inside, Rule(0.0, 1e9, rule_of(session.case).cut, 1))
    return found.ratio.estimate if found else None


def console_lines(session: Recorded, window: Window) -> float | None:
    """Last line minus first; the console's clock starts with the learner, so lines are placed by their steps."""
    found = [(int(m[1]), float(m[2])) for line in session.console if (m := _STEP.search(line))]
    first, last = steps_at(session.samples, window[0]), steps_at(session.samples, window[1])
    inside = [(steps, seconds) for steps, seconds in found if first <= steps <= last]
    if len(inside) < 2 or inside[-1][1] <= inside[0][1]:
        return None
    return (inside[-1][0] - inside[0][0]) / (inside[-1][1] - inside[0][1])


def fixed_window(session: Recorded, window: Window) -> float | None:
    """Steps at the end minus steps at the start, wherever in a cycle those fall."""
    return (steps_at(session.samples, window[1]) - steps_at(session.samples, window[0])) / (window[1] - window[0])


def one_second_rates(session: Recorded, window: Window) -> float | None:
    ticks = [sample for sample in within(session.samples, window) if sample.kind == "tick"]
    rates = [(b.steps - a.steps) / (b.seconds - a.seconds) for a, b in pairwise(ticks)]
    return statistics.mean(rates) if rates else None


def within(samples: Sequence[Sample], window: Window) -> tuple[Sample, ...]:
    return tuple(sample for sample in samples if window[0] <= sample.seconds <= window[1])


def steps_at(samples: Sequence[Sample], seconds: float) -> int:
    return max((sample.steps for sample in samples if sample.seconds <= seconds), default=0)


READERS: dict[str, Read] = {
    "ours": ours,
    "last_minus_first_console_line": console_lines,
    "fixed_window": fixed_window,
    "mean_of_one_second_rates": one_second_rates,
}


def errors_at(session: Recorded, read: Read, length: float) -> list[float]:
    """Relative errors of windows of `length` seconds that begin all over the session's steady part."""
    truth = whole(session)
    if truth is None:
        return []
    start, end = truth.edges[0].seconds, truth.edges[-1].seconds
    found, at = [], start
    while at + length <= end:
        rate = read(session, (at, at + length))
        # A window in which an estimator says nothing is no better than one in which it is wrong by all.
        found.append(abs(rate / truth.ratio.estimate - 1) if rate is not None else 1.0)
        at += max(1.0, (end - start - length) / 12)
    return found


def main() -> None:
    sessions = [session for session in load_or_record() if session.long and not session.disturbance]
    print(f"{len(sessions)} long sessions, undisturbed; the truth is all whole cycles of the session itself.")
    figures: dict[str, object] = {"sessions": len(sessions)}
    rows = []
    for name, read in READERS.items():
        by_length = {
            length: [error for session in sessions for error in errors_at(session, read, length)] for length in LENGTHS
        }
        medians = {length: statistics.median(percent(found)) for length, found in by_length.items() if found}
        needed = next((length for length, median in medians.items() if median <= WANTED_PERCENT), None)
        longest = max(medians, default=None)
        error = medians.get(FIXED_SECONDS, medians[longest] if longest else None)
        if name == "ours":
            stopped = [
                (found, truth)
                for session in sessions
                if (found := stop(session.samples, rule_of(session.case))) is not None and (truth := whole(session))
            ]
            if stopped:
                own = [abs(found.ratio.estimate / truth.ratio.estimate - 1) for found, truth in stopped]
                took = [found.edges[-1].seconds - found.edges[0].seconds for found, _ in stopped]
                figures["ours_at_its_own_stop"] = {
                    "error_percent": statistics.median(percent(own)), "seconds": statistics.median(took)
                }  # fmt: skip
        rows.append((name, *(medians.get(length) for length in LENGTHS), needed))
        figures[name] = {"error_percent": error, "seconds_to_precision": needed}
    table(("median error %, by seconds", *map(str, LENGTHS), f"seconds to {WANTED_PERCENT} %"), rows)
    finish(figures)


if __name__ == "__main__":
    main()
