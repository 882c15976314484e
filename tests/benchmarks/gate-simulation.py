"""Does the gate keep its errors? Simulated checks, and the rules that others use on the same data.

A unit is a restart of both sides: three slices of each, AB BA AB, whose mean difference of ln(rate) is the pair's. The
machine's noise is of four kinds: independent; drifting (an AR(1) process from slice to slice, of 0.95, that both sides
share, beside independent noise); bursts (one slice in six is up to 10 % slow); heavy tails (Student's t, 3 degrees).
`spread`: deviation of a pair's difference by slices alone. `effect`: what belongs to a session, drawn anew at each
restart of each side. Bounds are Clopper and Pearson's, 95 %, one-sided.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from scipy.special import stdtr

sys.path.insert(0, str(Path(__file__).parents[2]))

from sweeper.compare.gate.rule import CONSTANTS, MARGIN, looks
from tests.benchmarks.common import SHORT, finish, table
from tests.helpers.gate import scatter, statistics

CHECKS = 2_000 if SHORT else 20_000
MOST, SLICES = 16, 3
TOLERANCE = 0.05
SPREADS = (0.01, 0.03, 0.05, 0.1) if SHORT else (0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1)
EFFECTS = (0.0, 0.016, 0.03)
SLOWER = (0.0, 0.01, 0.025, 0.05, 0.1)
PEERS_SESSIONS = 8
WANTED_POWER = 0.9


def independent(generator: Any, shape: tuple[int, ...], sd: float) -> Any:
    """Of slices, in order of time: (checks, units, slices of both)."""
    return generator.normal(0.0, sd, shape)


def drifting(generator: Any, shape: tuple[int, ...], sd: float) -> Any:
    """Half of the variance wanders."""
    checks, units, slices = shape
    wander = np.empty((checks, units * slices))
    wander[:, 0] = generator.normal(0.0, 1.0, checks)
    for at in range(1, units * slices):
        wander[:, at] = 0.95 * wander[:, at - 1] + math.sqrt(1 - 0.95**2) * generator.normal(0.0, 1.0, checks)
    own = generator.normal(0.0, 1.0, (checks, units * slices))
    return (sd * (2 * wander + own)).reshape(shape)


def bursts(generator: Any, shape: tuple[int, ...], sd: float) -> Any:
    """Independent, and now and then slow."""
    slow = generator.random(shape) < 1 / 6
    return generator.normal(0.0, sd, shape) - slow * generator.uniform(0.0, 0.1, shape)


def heavy(generator: Any, shape: tuple[int, ...], sd: float) -> Any:
    """Student's t with three degrees of freedom, scaled to its deviation."""
    return generator.standard_t(3, shape) * sd / math.sqrt(3)


NOISES: dict[str, Callable[..., Any]] = {
    "independent": independent, "drifting": drifting, "bursts": bursts, "heavy tails": heavy,
}  # fmt: skip


def sessions(generator: Any, noise: str, spread: float, effect: float, slower: float) -> tuple[Any, Any]:
    """ln(rate) of both sides' slices, each (checks, units, slices)."""
    raw = NOISES[noise](generator, (CHECKS, MOST, 2 * SLICES), spread * math.sqrt(SLICES / 2))
    turned = np.arange(MOST) % 2 == 1
    first = np.array([0, 1, 0])  # of AB BA AB, who begins
    baseline, candidate = np.empty((CHECKS, MOST, SLICES)), np.empty((CHECKS, MOST, SLICES))
    for at in range(SLICES):
        one, other = raw[:, :, 2 * at], raw[:, :, 2 * at + 1]
        swapped = (first[at] == 1) ^ turned
        baseline[:, :, at] = np.where(swapped, other, one)
        candidate[:, :, at] = np.where(swapped, one, other)
    own = generator.normal(0.0, effect, (2, CHECKS, MOST)) if effect else np.zeros((2, CHECKS, MOST))
    return baseline + own[0][:, :, np.newaxis], candidate + own[1][:, :, np.newaxis] + math.log1p(-slower)


def gate(slices: Any, trimmed: bool) -> tuple[Any, Any, Any]:
    """Whether each check regressed, passed, and after how many pairs it ended."""
    differences = slices.mean(axis=2)
    alarm, wrong = CONSTANTS[trimmed][MOST]
    regressed = np.zeros(CHECKS, dtype=bool)
    passed = np.zeros(CHECKS, dtype=bool)
    pairs = np.full(CHECKS, MOST)
    for count in looks(MOST, trimmed):
        mean, error, degrees = statistics(differences, count, trimmed)
        error = np.maximum(error, scatter(slices, count) / math.sqrt(count))
        is_open = ~regressed & ~passed
        slow = is_open & (stdtr(degrees, (mean + MARGIN) / error) < alarm * count / MOST)
        fine = is_open & ~slow & (stdtr(degrees, -(mean - math.log1p(-TOLERANCE)) / error) < wrong * count / MOST)
        pairs[slow | fine] = count
        regressed |= slow
        passed |= fine
    return regressed, passed, pairs


def peers(baseline: Any, candidate: Any) -> dict[str, float]:
    """Share of checks that each rule of others calls slower, from eight sessions a side."""
    one, other = baseline[:, :PEERS_SESSIONS].mean(axis=2), candidate[:, :PEERS_SESSIONS].mean(axis=2)
    change = other.mean(axis=1) - one.mean(axis=1)
    ranks = stats.mannwhitneyu(other, one, axis=1, alternative="two-sided").pvalue
    welch = stats.ttest_ind(other, one, axis=1, equal_var=False).pvalue
    pairs = stats.ttest_rel(other, one, axis=1).pvalue
    error = np.sqrt((other.var(axis=1, ddof=1) + one.var(axis=1, ddof=1)) / PEERS_SESSIONS)
    slow = change < 0
    return {
        "benchstat (p < 0.05)": float(np.mean(slow & (ranks < 0.05))),
        "asv (p < 0.002, 1.05x)": float(np.mean((change < -math.log(1.05)) & (ranks < 0.002))),
        "Criterion-like (p < 0.05, 1 %)": float(np.mean((change < -0.01) & (welch < 0.05))),
        "Tango (z > 2.6, 1 %)": float(np.mean((change < -0.01) & (-change / error > 2.6))),
        "pytest-benchmark (mean:5%)": float(np.mean(change < math.log1p(-0.05))),
        "paired t (p < 0.01)": float(np.mean(slow & (pairs < 0.01))),
    }


def fixed_pairs(deviation: float) -> int:
    """Pairs that one look at the end needs, for the same errors and a verdict in nine of ten checks of either kind."""
    count = 3
    while True:
        scale = deviation / math.sqrt(count)
        fine = stats.nct.sf(stats.t.ppf(0.95, count - 1), count - 1, -math.log1p(-TOLERANCE) / scale)
        slow = stats.nct.sf(stats.t.ppf(0.99, count - 1), count - 1, (-math.log1p(-TOLERANCE) - MARGIN) / scale)
        if min(fine, slow) >= WANTED_POWER:
            return count
        count += 1


def upper(count: int) -> float:
    """Of the true share, after `count` of CHECKS."""
    return float(stats.binomtest(count, CHECKS, alternative="less").proportion_ci(0.95, "exact").high)


@dataclass(frozen=True)
class Setting:
    """All of a cell but how much slower the candidate is."""

    trimmed: bool
    noise: str
    spread: float
    effect: float


def simulated(setting: Setting) -> tuple[list[dict[str, Any]], dict[str, dict[str, float]]]:
    """A cell for each of SLOWER, and for some settings what the rules of others call slower, in per cent."""
    generator = np.random.default_rng([20261127, *repr(setting).encode()])
    cells: list[dict[str, Any]] = []
    others: dict[str, dict[str, float]] = {}
    for slower in SLOWER:
        baseline, candidate = sessions(generator, setting.noise, setting.spread, setting.effect, slower)
        slices = candidate - baseline
        regressed, passed, pairs = gate(slices, setting.trimmed)
        cells.append(
            {
                **asdict(setting),
                "slower": slower,
                "regressed": int(regressed.sum()),
                "passed": int(passed.sum()),
                "pairs": float(pairs.mean()),
                "deviation": float(slices.mean(axis=2).std(axis=1, ddof=1).mean()),
            }
        )
        if (setting.trimmed, setting.spread, setting.effect) == (False, 0.03, 0.016) and slower in (0.0, 0.05):
            for rule, share in peers(baseline, candidate).items():
                others.setdefault(rule, {})[f"{setting.noise}, {100 * slower:g} % slower"] = 100 * share
    return cells, others


def main() -> None:
    settings = [Setting(*one) for one in itertools.product((False, True), NOISES, SPREADS, EFFECTS)]
    cells: list[dict[str, Any]] = []
    others: dict[str, dict[str, float]] = {}
    with ProcessPoolExecutor() as pool:
        for found, called in pool.map(simulated, settings):
            cells += found
            for rule, shares in called.items():
                others.setdefault(rule, {}).update(shares)
            print(".", end="", flush=True)
    show(cells, others)


def those(cells: list[dict[str, Any]], **fields: Any) -> list[dict[str, Any]]:
    """The cells with these fields."""
    return [cell for cell in cells if all(cell[name] == value for name, value in fields.items())]


def show(cells: list[dict[str, Any]], others: dict[str, dict[str, float]]) -> None:
    print(f"\n{CHECKS:,} checks a cell, at most {MOST} pairs, tolerance {TOLERANCE:.0%}; in per cent of the checks")
    rows = []
    for trimmed in (False, True):
        for noise in NOISES:
            for spread in SPREADS:
                for effect in EFFECTS:
                    here = those(cells, trimmed=trimmed, noise=noise, spread=spread, effect=effect)
                    found = {cell["slower"]: cell for cell in here}
                    rows.append(
                        (
                            "trimmed" if trimmed else "plain", noise, f"{spread:.0%}", f"{effect:.1%}",
                            f"{found[0.0]['deviation']:.1%}",
                            *(100 * found[slower]["regressed"] / CHECKS for slower in SLOWER),
                            100 * found[0.0]["passed"] / CHECKS, 100 * found[0.05]["passed"] / CHECKS,
                            found[0.0]["pairs"], found[0.05]["pairs"],
                        )
                    )  # fmt: skip
    names = [f"called slower at {100 * slower:g} %" for slower in SLOWER]
    table(
        (
            "rule",
            "noise",
            "spread",
            "effect",
            "pairs' sd",
            *names,
            "pass at 0",
            "pass at 5 %",
            "pairs, 0",
            "pairs, 5 %",
        ),
        rows,
    )
    kinds = sorted({kind for found in others.values() for kind in found})
    print("\nWhat others' rules call slower (spread 3 %, effect 1.6 %, eight sessions a side), in per cent")
    table(("rule", *kinds), [(rule, *(found[kind] for kind in kinds)) for rule, found in others.items()])
    quick = [
        (f"{cell['deviation']:.1%}", cell["pairs"], slow["pairs"], fixed_pairs(cell["deviation"]))
        for cell, slow in zip(
            those(cells, trimmed=False, noise="independent", slower=0.0),
            those(cells, trimmed=False, noise="independent", slower=0.05),
        )
        if cell["passed"] >= WANTED_POWER * CHECKS and slow["regressed"] >= WANTED_POWER * CHECKS
    ]
    print("Pairs to a verdict (mean), beside a test with a fixed number of pairs and the same errors")
    table(("pairs differ by", "unchanged", "5 % slower", "fixed"), quick)
    unchanged = [c["regressed"] for c in cells if c["slower"] == 0]
    edge = [c["regressed"] for c in cells if c["slower"] == 0.01]
    wrong = [c["passed"] for c in cells if c["slower"] == 0.05]
    plain = {"trimmed": False, "noise": "independent", "slower": 0.05}
    at_3 = [cell["regressed"] for cell in those(cells, **plain, spread=0.03, effect=0.0)]
    enough = [cell["deviation"] for cell in those(cells, **plain) if cell["regressed"] >= WANTED_POWER * CHECKS]
    finish(
        {
            "checks_per_cell": CHECKS,
            "cells": len(cells),
            "false_alarm_percent_max": 100 * max(unchanged) / CHECKS,
            "false_alarm_percent_upper": 100 * upper(max(unchanged)),
            "called_slower_at_1_percent_max": 100 * max(edge) / CHECKS,
            "power_percent_at_3": 100 * min(at_3) / CHECKS if at_3 else None,
            "power_of_90_percent_up_to_pair_deviation_percent": 100 * max(enough) if enough else None,
            "pairs_to_a_verdict": [dict(zip(("deviation", "unchanged", "slower", "fixed"), row)) for row in quick],
            "wrong_pass_percent_max": 100 * max(wrong) / CHECKS,
            "wrong_pass_percent_upper": 100 * upper(max(wrong)),
            "others_percent": others,
        }
    )


if __name__ == "__main__":
    main()
