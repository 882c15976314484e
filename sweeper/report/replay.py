"""Searches on recorded trials as a picture: how far from the best their answers are, as time goes on."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from sweeper.model.replay import Comparison, Course
from sweeper.report.drawing import INK, drawing, svg

POINTS = 120
COLORS = ("#2f855a", "#d98c3f", "#4a6fa5", "#9b59b6", "#7f8c8d", "#c0392b", "#16a085", "#b7950b")
LEAST_PERCENT = 0.1
"""Regret that is drawn no lower: the axis is logarithmic."""


def picture(comparison: Comparison) -> str:
    """An SVG: the median regret of every strategy against the seconds spent."""
    surface = comparison.surface
    with drawing(4.2) as (figure, axes):
        most = max(course.moments[-1].seconds for courses in comparison.courses.values() for course in courses)
        times = [most * at / POINTS for at in range(1, POINTS + 1)]
        for color, (name, courses) in zip(COLORS * len(comparison.courses), comparison.courses.items()):
            axes.plot(times, _regrets(courses, times), color=color, linewidth=1.8, label=name)
        axes.axhline(2.0, color=INK, linewidth=0.8, linestyle=":")
        axes.set_yscale("log")
        axes.set_ylim(LEAST_PERCENT, 100.0)
        axes.yaxis.set_major_formatter("{x:g} %")
        axes.set_xlabel(f"seconds of search on {surface.name}, start-up included")
        axes.set_ylabel("slower than the best (median)")
        axes.legend(frameon=False)
        return svg(figure, "replay")


def _regrets(courses: Sequence[Course], times: Sequence[float]) -> list[float]:
    return [max(LEAST_PERCENT, 100 * median(course.regret_at(at) for course in courses)) for at in times]
