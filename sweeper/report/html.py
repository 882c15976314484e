"""The report for people: one self-contained page that opens offline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sweeper.model.study import StudyResult
from sweeper.outside import printable
from sweeper.report.panels import answer, disturbed, failed, guide, machine, memory, reading, speed, trials, why
from sweeper.report.words.answer import title
from sweeper.report.words.session_notes import session_note
from sweeper.report.words.study_notes import study_note
from sweeper.report.words.values import knob_text, params_text, range_text, speedup_text, value_text
from sweeper.units import format_bytes, format_rate, format_seconds

if TYPE_CHECKING:
    from jinja2 import Environment

_PANELS = Path(__file__).parent / "panels"


class Panel(Protocol):
    """A module of `panels`; its template has its name."""

    __name__: str

    def contents(self, result: StudyResult) -> Mapping[str, Any] | None:
        """What its template needs; None where there is nothing to show."""


ORDER: tuple[Panel, ...] = (answer, speed, why, memory, guide, reading, trials, disturbed, failed, machine)


def render_html(result: StudyResult) -> str:
    """The page of a study; everything in it is escaped."""
    from markupsafe import Markup

    environment = environment_of(
        _PANELS,
        bytes=format_bytes,
        rate=format_rate,
        seconds=format_seconds,
        knob=knob_text,
        params=params_text,
        range=range_text,
        value=value_text,
        speedup=speedup_text,
        session_note=session_note,
        study_note=study_note,
    )
    shown = []
    for panel in ORDER:
        contents = panel.contents(result)
        if contents is not None:
            template = environment.get_template(f"{panel.__name__.rpartition('.')[2]}.html")
            shown.append(Markup(template.render(contents, result=result)))
    return environment.get_template("page.html").render(result=result, title=title(result), panels=shown)


def environment_of(folder: Path, **filters: Callable[..., str]) -> Environment:
    """Templates of `folder`, and the pages' common style; what they show is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, _PANELS]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    return environment


def _finalize(value: Any) -> Any:
    """Of text, and of markup, which stays markup, what a browser would obey is written out."""
    return type(value)(printable(value)) if isinstance(value, str) else value
