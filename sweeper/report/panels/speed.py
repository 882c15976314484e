"""Speed: the fastest configurations as bars, with their intervals, each measured session as a dot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sweeper.model.study import Pooled, StudyResult
from sweeper.report.drawing import INK, color_of, drawing, is_best, or_words, short_names, svg
from sweeper.report.words.answer import is_recommended
from sweeper.report.words.errors import error_text
from sweeper.report.words.reference import is_reference, reference_name

SHOWN = 12


def contents(result: StudyResult) -> Mapping[str, Any] | None:
    """None while nothing ranks."""
    if not result.ranking:
        return None
    shown = _shown(result)
    return {
        "figure": _figure(shown, result),
        "colors": _colors(shown, result),
        "error": error_text(result),
        "more": len(result.ranking) - len(shown),
    }


def _shown(result: StudyResult) -> Sequence[Pooled]:
    """The fastest, and what speed-ups are over, however slow."""
    first, rest = result.ranking[:SHOWN], result.ranking[SHOWN:]
    return (*first, *(item for item in rest if is_reference(item.params, result)))


def _colors(shown: Sequence[Pooled], result: StudyResult) -> Sequence[tuple[str, str, str]]:
    """Class, name and meaning of each colour that is drawn beside that of the others."""
    advice = "recommended" if is_recommended(result) else "looks fastest"
    found = []
    for item in shown:
        if is_best(item, result):
            own = f"{reference_name(result)}, " if is_reference(item.params, result) else ""
            found.append(("best", "Green", f"{own}{advice}"))
        elif is_reference(item.params, result):
            found.append(("yours", "Orange", reference_name(result)))
    return found


@or_words
def _figure(shown: Sequence[Pooled], result: StudyResult) -> str:
    with drawing(0.9 + 0.36 * len(shown)) as (figure, axes):
        for row, item in enumerate(shown):
            axes.barh(row, item.steps_per_second or 0.0, height=0.62, color=color_of(item, result))
            if item.interval is not None:
                axes.plot(item.interval, [row, row], color=INK, linewidth=1.2)
            axes.plot(item.rates, [row] * len(item.rates), "o", color=INK, markersize=3.5, alpha=0.7, linestyle="none")
        axes.set_yticks(range(len(shown)), short_names(shown))
        axes.invert_yaxis()
        # An interval from next to nothing may reach far beyond all that was seen.
        most = max(rate for item in shown for rate in (item.steps_per_second or 0.0, *item.rates))
        axes.set_xlim(0, 1.35 * most)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel("agent steps per second")
        return svg(figure, "ranking")
