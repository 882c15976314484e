"""The gate's rule on made-up pairs: for its tests and its benchmark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from scipy.special import stdtr

from sweeper.compare.gate.rule import TRIM, Call, Rule, looks, slice_scatter


@dataclass(frozen=True)
class Decided:
    """What a check came to, and after how many pairs."""

    call: Call
    pairs: int


def decided(rule: Rule, differences: Sequence[float], slices: Sequence[Sequence[float]] = ()) -> Decided:
    """Walk through the pairs until there is a verdict, or none are left. `slices`: of each pair, where it has any."""
    values = [float(value) for value in differences]
    for count in rule.looks:
        call = rule.call(values[:count], slice_scatter(slices[:count]))
        if call is not Call.GO_ON:
            return Decided(call, count)
    return Decided(Call.GO_ON, rule.most_pairs)


def statistics(differences: Any, count: int, trimmed: bool) -> tuple[Any, Any, int]:
    """Mean, its error and degrees of freedom after `count` pairs, of every row of `differences` (n, pairs)."""
    values = differences[:, :count]
    if not trimmed:
        return values.mean(axis=1), values.std(axis=1, ddof=1) / math.sqrt(count), count - 1
    ordered = numpy.sort(values, axis=1)
    cut = math.floor(TRIM * count)
    kept = ordered[:, cut : count - cut]
    left = kept.shape[1]
    winsorised = numpy.clip(ordered, kept[:, :1], kept[:, -1:])
    squares = ((winsorised - winsorised.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    return kept.mean(axis=1), numpy.sqrt(squares / (left * (left - 1))), left - 1


def scatter(slices: Any, count: int) -> Any:
    """`slice_scatter` after `count` pairs, of every row of `slices` (n, pairs, slices)."""
    known = slices[:, :count]
    size = known.shape[2]
    return numpy.sqrt(known.var(axis=2, ddof=1).mean(axis=1) / size)


def smallest_shares(most: int, trimmed: bool, walks: int, seed: int) -> Any:
    """Of random walks, the least p * N / n over all looks: its quantile is the constant of the rule."""
    generator = numpy.random.default_rng(seed)
    found = []
    for _ in range(math.ceil(walks / 20_000)):
        steps = generator.standard_normal((20_000, most))
        shares = []
        for count in looks(most, trimmed):
            mean, error, degrees = statistics(steps, count, trimmed)
            shares.append(stdtr(degrees, mean / error) * most / count)
        found.append(numpy.min(shares, axis=0))
    return numpy.concatenate(found)
