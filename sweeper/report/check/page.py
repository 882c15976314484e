"""A check as one self-contained page: the verdict, how it was come to, what got slower, and the trend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sweeper.model.gate import CheckResult, GateVerdict, Past
from sweeper.report.check.words import PHASE_WORDS, TITLES, because, change_text, notes, percent, phase_text, why_text
from sweeper.report.drawing import INK, drawing, svg
from sweeper.report.html import environment_of
from sweeper.report.words.values import command_text, params_text
from sweeper.units import format_bytes, format_rate, format_seconds

GOOD, BAD, SOFT, BLUE = "#2f855a", "#b03a2e", "#8aa0b8", "#4a6fa5"
_HERE = Path(__file__).parent


def render_check(result: CheckResult, past: Sequence[Past] = ()) -> str:
    """The page; everything in it is escaped. `past`: earlier checks of the same kind, oldest first."""
    from markupsafe import Markup

    environment = environment_of(_HERE, rate=format_rate, seconds=format_seconds, bytes=format_bytes)
    contents: dict[str, Any] = {
        "result": result,
        "title": TITLES[result.verdict],
        "tone": "good" if result.verdict.is_pass else "yours" if _is_open(result) else "bad",
        "lead": because(result)[:1].upper() + because(result)[1:],
        "why": why_text(result),
        "notes": notes(*_sides(result)),
        "phases": [(PHASE_WORDS[one.phase], one, phase_text(one)) for one in result.why],
        "change": None if result.change is None else change_text(result.change),
        "memory": None if result.memory_growth is None else change_text(result.memory_growth),
        "commands": [(side.name, params_text(side.params), command_text(side.command)) for side in _sides(result)],
        "differs": _differing(result),
        "percent": percent,
        "course": Markup(_course(result)) if result.looks else None,
        "trend": Markup(_trend(past)) if len(past) > 1 else None,
    }
    return environment.get_template("page.html").render(**contents)


def _is_open(result: CheckResult) -> bool:
    return result.verdict is GateVerdict.INCONCLUSIVE


def _sides(result: CheckResult) -> tuple[Any, Any]:
    return result.baseline, result.candidate


def _differing(result: CheckResult) -> list[tuple[str, str, str]]:
    """Rows of what the sides do not have in common."""
    one, other = ({**side.fingerprint, "settings": params_text(side.params)} for side in _sides(result))
    keys = {**one, **other}
    return [(key, str(one.get(key)), str(other.get(key))) for key in keys if one.get(key) != other.get(key)]


def _course(result: CheckResult) -> str:
    """The estimate as pairs come in, between the edges at which it would be a verdict."""
    from matplotlib.ticker import MaxNLocator

    with drawing(3.8) as (figure, axes):
        counted = [pair for pair in result.pairs if pair.difference is not None]
        at = list(range(1, len(counted) + 1))
        differences = [100 * math.expm1(pair.difference or 0.0) for pair in counted]
        axes.scatter(at, differences, s=22, color=SOFT, label="a pair", zorder=3)
        looks = result.looks
        numbers = [look.pairs for look in looks]
        axes.plot(numbers, [100 * look.change.estimate for look in looks], color=BLUE, linewidth=2, label="estimate")
        low, high = ([100 * look.change.interval[end] for look in looks] for end in (0, 1))
        axes.fill_between(numbers, low, high, color=BLUE, alpha=0.18, linewidth=0, label="95 % interval")
        edges = [look for look in looks if look.regressed_below is not None and look.passed_above is not None]
        for name, color, values in (
            ("above: PASS", GOOD, [100 * (look.passed_above or 0.0) for look in edges]),
            ("below: REGRESSED", BAD, [100 * (look.regressed_below or 0.0) for look in edges]),
        ):
            axes.plot(
                [look.pairs for look in edges], values, "--o", color=color, linewidth=1.2, markersize=4, label=name
            )
        axes.axhline(0.0, color=INK, linewidth=0.8)
        axes.axhline(-100 * result.tolerance, color=INK, linewidth=0.8, linestyle=":")
        reach = max(3 * 100 * result.tolerance, *(abs(value) for value in differences)) * 1.1
        axes.set_ylim(-reach, reach)
        axes.set_xlim(0.5, max(len(counted), 4) + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_formatter("{x:+g} %")
        axes.set_xlabel("pairs")
        axes.set_ylabel("candidate against baseline")
        axes.legend(frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.2))
        return svg(figure, "course")


def _trend(past: Sequence[Past]) -> str:
    """Earlier checks: the change that each found."""
    colors = {GateVerdict.REGRESSED: BAD, GateVerdict.CANDIDATE_FAILS: BAD, GateVerdict.INCONCLUSIVE: SOFT}
    known = [(number, one) for number, one in enumerate(past, 1) if one.change is not None]
    with drawing(2.6) as (figure, axes):
        for number, one in known:
            assert one.change is not None
            low, high = one.change.interval
            color = colors.get(one.verdict, GOOD)
            axes.plot([number, number], [100 * low, 100 * high], color=color, linewidth=1.5)
            axes.plot([number], [100 * one.change.estimate], "o", color=color, markersize=5)
        axes.axhline(0.0, color=INK, linewidth=0.8)
        axes.set_xticks([number for number, _ in known], [one.at[:10] for _, one in known], rotation=30, ha="right")
        axes.yaxis.set_major_formatter("{x:+g} %")
        axes.set_ylabel("candidate against baseline")
        return svg(figure, "trend")
