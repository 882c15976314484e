"""Figures of a study as inline SVG that follows the page's colours."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sweeper.model.study import Pooled
from sweeper.outside import short
from sweeper.report.words import value_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INK = "#010203"
"""Drawn wherever text and lines should take the page's own colour; replaced by `currentColor`."""
_OURS, _YOURS, _BEST = "#8aa0b8", "#d98c3f", "#2f855a"
_SHOWN = 12
_SETTINGS = {
    "svg.hashsalt": "sweeper",
    "text.parse_math": False,
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10.0,
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def ranking(items: Sequence[Pooled], baseline: str | None, best: str | None) -> str:
    """Bars of the fastest configurations and the baseline, with their intervals, each measured session as a dot."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    shown = list(items[:_SHOWN])
    own = next((item for item in items if item.key == baseline), None)
    if own is not None and own not in shown:
        shown.append(own)
    names = _short_names(shown)
    with rc_context(_SETTINGS):
        figure = Figure(figsize=(8.2, 0.9 + 0.36 * len(shown)), layout="constrained")
        axes = figure.subplots()
        for row, item in enumerate(shown):
            color = _BEST if item.key == best else _YOURS if item.key == baseline else _OURS
            axes.barh(row, item.steps_per_second or 0.0, height=0.62, color=color)
            if item.interval is not None:
                axes.plot(item.interval, [row, row], color=_INK, linewidth=1.2)
            axes.plot(item.rates, [row] * len(item.rates), "o", color=_INK, markersize=3.5, alpha=0.7, linestyle="none")
        axes.set_yticks(range(len(shown)), names)
        axes.invert_yaxis()
        # An interval from next to nothing may reach far beyond all that was seen.
        most = max((rate for item in shown for rate in item.rates), default=1.0)
        axes.set_xlim(0, 1.35 * most)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel("agent steps per second")
        return _svg(figure, "ranking")


def memory(items: Sequence[Pooled], cap_bytes: int, baseline: str | None, best: str | None) -> str:
    """Speed against peak memory, with the cap."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    gib = 1024**3
    with rc_context(_SETTINGS):
        figure = Figure(figsize=(8.2, 3.4), layout="constrained")
        axes = figure.subplots()
        for item in items:
            if not item.peak_memory_bytes or not item.steps_per_second:
                continue
            color = _BEST if item.key == best else _YOURS if item.key == baseline else _OURS
            axes.plot(
                [item.peak_memory_bytes / gib], [item.steps_per_second], "o", color=color, markersize=7, clip_on=False
            )
        most = max((item.peak_memory_bytes or 0 for item in items), default=0)
        if cap_bytes < 2 * most:  # far to the right it would squeeze all points into a corner
            axes.axvline(cap_bytes / gib, color="#c0392b", linestyle="--", linewidth=1)
            axes.annotate("cap", (cap_bytes / gib, 1), xycoords=("data", "axes fraction"), ha="right", va="top")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_xlabel("peak memory, GiB")
        axes.set_ylabel("agent steps per second")
        return _svg(figure, "memory")


def _short_names(items: Sequence[Pooled]) -> list[str]:
    """Only the knobs in which the shown configurations differ."""
    knobs = list(dict.fromkeys(knob for item in items for knob in item.params))
    varying = [knob for knob in knobs if len({value_text(item.params.get(knob)) for item in items}) > 1] or knobs
    return [
        short("  ".join(f"{knob.split('.')[-1]}={value_text(item.params.get(knob))}" for knob in varying))
        for item in items
    ]


def _svg(figure: Figure, prefix: str) -> str:
    stream = io.StringIO()
    with warnings.catch_warnings():
        # The browser has a font for what matplotlib's own lacks.
        warnings.filterwarnings("ignore", message="Glyph")
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    # Two figures in one page would share element ids and a style for the whole page.
    text = re.sub(r"<style[^>]*>.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\1{prefix}-", text)
    return text.replace(_INK, "currentColor")
