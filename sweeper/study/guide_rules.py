"""The parallel-training guide's rules of thumb, beside what a study's trials saw: those that they tell about."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from statistics import median

from sweeper.compare.candidates import Candidate
from sweeper.compare.noise import interval
from sweeper.model.guide import CORES, GUIDE, PLAYER_BYTES, Rule, RuleKind, recommended_envs
from sweeper.model.study import Best, IntervalFrom, Verdict
from sweeper.model.trial import Params, TrialResult, configuration_key
from sweeper.quantiles import bounded_exp
from sweeper.study.history import History

GROWTH_PERCENT = 5.0
"""Of a GPU, by which its use must rise with environments to count as rising."""
_PLACE = ("num_envs", "num_areas")


def guide_rules(history: History, best: Best | None, usable_cores: int) -> tuple[Rule, ...]:
    """In the guide's order: environments for this machine, speed-ups, cores, memory, the GPU."""
    measured = [trial for trial in history if trial.is_ok]
    return (
        *_environments(best, usable_cores),
        *_speedups(history),
        *_cores(measured),
        *_memory(measured),
        *_gpu(measured),
    )


def _environments(best: Best | None, usable_cores: int) -> Iterator[Rule]:
    """Only where the answer is one."""
    said = recommended_envs(usable_cores)
    if said is not None and best is not None and best.verdict in (Verdict.BETTER, Verdict.KEEP_YOURS):
        envs, areas = (_number(best.params, knob) for knob in _PLACE)
        held = (envs, areas) == (said, 1)
        yield Rule(RuleKind.ENVIRONMENTS, None, areas, (float(said), float(said)), float(envs), None, held)


def _speedups(history: History) -> Iterator[Rule]:
    """Of configurations that differ from one with a single environment and area in nothing else."""
    by_rest: dict[str, dict[tuple[int, int], Candidate]] = {}
    for item in history.ranked:
        place = (_number(item.params, "num_envs"), _number(item.params, "num_areas"))
        by_rest.setdefault(_rest(item.params), {})[place] = item
    own = _rest(history.own)
    usable = sorted((rest for rest in by_rest if (1, 1) in by_rest[rest]), key=lambda rest: (rest != own, rest))
    for place, said in GUIDE.items():
        rest = next((rest for rest in usable if place in by_rest[rest]), None)
        if rest is None or place == (1, 1):
            continue
        one, many = by_rest[rest][(1, 1)], by_rest[rest][place]
        times = (many.steps_per_second or 0.0) / (one.steps_per_second or 1.0)
        bounds = _ratio_interval(times, one, many, history)
        held = None if bounds is None else bounds[0] <= said <= bounds[1]
        yield Rule(RuleKind.SPEEDUP, *place, (said, said), times, bounds, held)


def _ratio_interval(times: float, one: Candidate, many: Candidate, history: History) -> tuple[float, float] | None:
    """The half-widths of both, in logarithms, add as squares; None where only errors within a session are known."""
    known = [found for item in (one, many) if (found := interval(item, history.spread)) is not None]
    if len(known) < 2 or any(source is IntervalFrom.WITHIN for _, source in known):
        return None
    half = math.hypot(*(math.log(high / low) / 2 for (low, high), _ in known))
    return times / bounded_exp(half), times * bounded_exp(half)


def _cores(measured: Sequence[TrialResult]) -> Iterator[Rule]:
    for envs, (low, high) in CORES.items():
        found = _median_by(measured, envs, lambda trial: trial.utilisation.cores if trial.utilisation else None)
        if found is not None:
            yield Rule(RuleKind.CORES, envs, None, (low, high), found, None, low <= found <= high)


def _memory(measured: Sequence[TrialResult]) -> Iterator[Rule]:
    """Of a player, and of all that four of them need."""
    low, high = PLAYER_BYTES

    def a_player(trial: TrialResult) -> float | None:
        return trial.utilisation.player_memory_bytes if trial.utilisation else None

    found = _median(measured, a_player)
    if found is not None:
        yield Rule(RuleKind.PLAYER_MEMORY, None, None, (low, high), found, None, low <= found <= high)
    four = _median_by(measured, 4, lambda trial: trial.peak_memory_bytes)
    if four is not None:
        yield Rule(RuleKind.MEMORY, 4, None, (4 * low, 4 * high), four, None, 4 * low <= four <= 4 * high)


def _gpu(measured: Sequence[TrialResult]) -> Iterator[Rule]:
    """Whether its use rises from the fewest environments to the most; `found`: by how many per cent of the GPU."""
    counts = sorted({_number(trial.params, "num_envs") for trial in measured})

    def of(envs: int) -> float | None:
        return _median_by(measured, envs, lambda trial: trial.utilisation.gpu_percent if trial.utilisation else None)

    if len(counts) < 2:
        return
    fewest, most = of(counts[0]), of(counts[-1])
    if fewest is not None and most is not None and most > 0:
        rise = most - fewest
        yield Rule(RuleKind.GPU, counts[-1], None, (GROWTH_PERCENT, 100.0), rise, None, rise >= GROWTH_PERCENT)


def _median_by(measured: Sequence[TrialResult], envs: int, of: Callable[[TrialResult], float | None]) -> float | None:
    return _median([trial for trial in measured if _number(trial.params, "num_envs") == envs], of)


def _median(measured: Sequence[TrialResult], of: Callable[[TrialResult], float | None]) -> float | None:
    told = [value for value in map(of, measured) if value is not None]
    return median(told) if told else None


def _number(params: Params, knob: str) -> int:
    return int(params.get(knob) or 1)


def _rest(params: Params) -> str:
    return configuration_key({knob: value for knob, value in params.items() if knob not in _PLACE})
