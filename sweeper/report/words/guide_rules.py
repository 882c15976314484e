"""The guide's rules of thumb, each in words: what it says, what was seen here, and whether it held."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sweeper.model.guide import Rule, RuleKind
from sweeper.units import format_bytes

Words = Callable[[Rule], tuple[str, str]]
"""What the guide says, and what was seen."""


def rule_text(rule: Rule, usable_cores: int) -> tuple[str, str, str]:
    """What the guide says, what was seen here, and `held`, `did not hold` or `open`."""
    said, found = _WORDS[rule.kind](rule)
    found = found.format(usable_cores=usable_cores)
    verdict = {True: "held", False: "did not hold", None: "open: too few sessions"}[rule.held]
    return said, found, verdict


def _environments(rule: Rule) -> tuple[str, str]:
    said = f"{_envs(rule.said[0])}, one area each, for this many cores"
    return said, f"{_envs(rule.found)}{_areas(rule)} in the answer above"


def _speedup(rule: Rule) -> tuple[str, str]:
    bounds = f" ({rule.interval[0]:.2f} to {rule.interval[1]:.2f})" if rule.interval else ""
    return (
        f"{_envs(rule.envs)}{_areas(rule)}: {rule.said[0]:.1f} times as fast as one",
        f"{rule.found:.2f} times{bounds}",
    )


def _cores(rule: Rule) -> tuple[str, str]:
    return (
        f"{_envs(rule.envs)}: {rule.said[0]:.0f} to {rule.said[1]:.0f} cores",
        f"{rule.found:.1f} of {{usable_cores}} cores busy",
    )


def _player(rule: Rule) -> tuple[str, str]:
    return f"a Unity instance: {_bytes(rule)}", f"{format_bytes(rule.found)} a player"


def _memory(rule: Rule) -> tuple[str, str]:
    return f"{_envs(rule.envs)}: {_bytes(rule)}", f"{format_bytes(rule.found)}, the learner included"


def _gpu(rule: Rule) -> tuple[str, str]:
    return "more environments use the GPU more", f"{rule.found:+.0f} % of it with {_envs(rule.envs)}"


def _bytes(rule: Rule) -> str:
    """In the guide's units."""
    low, high = (bound / 1e9 for bound in rule.said)
    return f"{low:g} to {high:g} GB"


def _areas(rule: Rule) -> str:
    return "" if rule.areas in (None, 1) else f" x {rule.areas} areas"


def _envs(count: float | None) -> str:
    return "1 environment" if count == 1 else f"{count or 0:.0f} environments"


_WORDS: Mapping[RuleKind, Words] = {
    RuleKind.ENVIRONMENTS: _environments,
    RuleKind.SPEEDUP: _speedup,
    RuleKind.CORES: _cores,
    RuleKind.PLAYER_MEMORY: _player,
    RuleKind.MEMORY: _memory,
    RuleKind.GPU: _gpu,
}
