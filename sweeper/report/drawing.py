"""Figures of a study as inline SVG that follows the page's colours."""

from __future__ import annotations

import functools
import html
import io
import logging
import os
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, ParamSpec

from sweeper.model.study import Pooled, StudyResult
from sweeper.model.trial import configuration_key
from sweeper.outside import short
from sweeper.report.words.reference import is_reference
from sweeper.report.words.values import knob_text, value_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Given = ParamSpec("Given")
log = logging.getLogger(__name__)

INK = "#010203"
"""Drawn wherever text and lines should take the page's own colour; replaced by `currentColor`."""
_OTHERS, _REFERENCE, _BEST = "#8aa0b8", "#d98c3f", "#2f855a"
_SETTINGS = {
    "svg.hashsalt": "sweeper",
    "text.parse_math": False,
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10.0,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@contextmanager
def drawing(height: float) -> Iterator[tuple[Figure, Axes]]:
    """An empty figure of the page's width and `height` inches, and its axes; draw and `svg` it inside.

    Our own settings alone count: a notebook's backend, or a user's styles, are for other figures.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # of fonts, and of a home that cannot be written
    os.environ.pop("MPLBACKEND", None)  # one that is not installed would make the import fail
    from matplotlib import rc_context, rcParamsDefault
    from matplotlib.figure import Figure

    defaults = {name: value for name, value in rcParamsDefault.items() if name != "backend"}
    with rc_context({**defaults, **_SETTINGS}):
        figure = Figure(figsize=(8.2, height), layout="constrained")
        yield figure, figure.subplots()


def or_words(draw: Callable[Given, str]) -> Callable[Given, str]:
    """`draw`, or where it fails words for its place: a page without a figure tells all the same."""

    @functools.wraps(draw)
    def drawn(*given: Given.args, **named: Given.kwargs) -> str:
        try:
            return draw(*given, **named)
        except Exception as error:  # matplotlib's own world: fonts, folders, binaries
            log.info("a figure could not be drawn", exc_info=True)
            reason = short(f"{type(error).__name__}: {error}")
            return f'<p class="note">This figure could not be drawn ({html.escape(reason)}).</p>'

    return drawn


def why_nothing_can_be_drawn() -> str | None:
    """What keeps figures from being drawn here; None where nothing does."""
    try:
        with drawing(1.0) as (figure, _):
            svg(figure, "check")
    except Exception as error:
        return short(f"{type(error).__name__}: {error}")
    return None


def is_best(item: Pooled, result: StudyResult) -> bool:
    """Whether it is the answer."""
    return result.best is not None and configuration_key(result.best.params) == item.key


def color_of(item: Pooled, result: StudyResult) -> str:
    """Green for the answer, orange for what speed-ups are over."""
    if is_best(item, result):
        return _BEST
    return _REFERENCE if is_reference(item.params, result) else _OTHERS


def short_names(items: Sequence[Pooled]) -> list[str]:
    """Only the knobs in which the shown configurations differ."""
    knobs = list(dict.fromkeys(knob for item in items for knob in item.params))
    varying = [knob for knob in knobs if len({value_text(item.params.get(knob)) for item in items}) > 1] or knobs
    return [
        short("  ".join(f"{knob_text(knob)}={value_text(item.params.get(knob))}" for knob in varying)) for item in items
    ]


def svg(figure: Figure, prefix: str) -> str:
    """The figure as an element of the page; `prefix` keeps its ids apart from those of other figures."""
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
    return text.replace(INK, "currentColor")
