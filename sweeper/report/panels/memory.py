"""Speed against peak memory, with the cap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sweeper.model.study import StudyResult
from sweeper.report.drawing import color_of, drawing, or_words, svg
from sweeper.report.words.predictions import prediction_text

_GIB = 1024**3
_FAR = 2.0
"""Times the highest peak: a cap that far to the right would squeeze all points into a corner."""


def contents(result: StudyResult) -> Mapping[str, Any] | None:
    """None while nothing ranks."""
    if not result.ranking:
        return None
    return {"figure": _figure(result), "is_cap_drawn": _is_cap_near(result), "prediction": prediction_text(result)}


def _is_cap_near(result: StudyResult) -> bool:
    return result.memory_cap_bytes < _FAR * max((item.peak_memory_bytes or 0 for item in result.ranking), default=0)


@or_words
def _figure(result: StudyResult) -> str:
    cap = result.memory_cap_bytes / _GIB
    with drawing(3.4) as (figure, axes):
        for item in result.ranking:
            if item.peak_memory_bytes:
                at = item.peak_memory_bytes / _GIB, item.steps_per_second or 0.0
                axes.plot(*at, "o", color=color_of(item, result), markersize=7, clip_on=False)
        if _is_cap_near(result):
            axes.axvline(cap, color="#c0392b", linestyle="--", linewidth=1)
            axes.annotate("cap ", (cap, 1), xycoords=("data", "axes fraction"), ha="right", va="top")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel("peak memory, GiB")
        axes.set_ylabel("agent steps per second")
        return svg(figure, "memory")
