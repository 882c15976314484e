"""The report for people: one self-contained page that opens offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sweeper import __version__
from sweeper.model.study import StudyResult, Verdict
from sweeper.model.trial import configuration_key
from sweeper.outside import printable
from sweeper.report import figures, words
from sweeper.units import format_bytes, format_rate, format_seconds

_TEMPLATES = Path(__file__).parent / "templates"
_TITLES = {
    Verdict.BETTER: "A faster configuration was found",
    Verdict.KEEP_YOURS: "Keep your settings",
    Verdict.UNCONFIRMED: "A first answer, not yet confirmed",
    Verdict.NONE_FEASIBLE: "No configuration is feasible",
}


def render_html(result: StudyResult) -> str:
    """The page of a study; everything in it is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        bytes=format_bytes,
        rate=format_rate,
        seconds=format_seconds,
        params=words.params_text,
        value=words.value_text,
        speedup=words.speedup_text,
    )
    return environment.get_template("report.html").render(_context(result))


def _finalize(value: Any) -> Any:
    """Of text, and of markup, which stays markup, what a browser would obey is written out."""
    return type(value)(printable(value)) if isinstance(value, str) else value


def _context(result: StudyResult) -> dict[str, Any]:
    ranked = result.ranked
    baseline = configuration_key(result.baseline.params) if result.baseline else None
    best = configuration_key(result.best.params) if result.best else None
    return {
        "result": result,
        "best": result.best,
        "title": _title(result),
        "headline": words.headline(result),
        "command": words.command_text(result.best.command) if result.best else "",
        "ranking": figures.ranking(ranked, baseline, best) if ranked else "",
        "memory": figures.memory(ranked, result.memory_cap_bytes, baseline, best) if ranked else "",
        "knobs": list(dict.fromkeys(knob for trial in result.trials for knob in trial.params)),
        "outcome_words": words.OUTCOME_WORDS,
        "failed": [trial for trial in result.trials if trial.outcome.is_infeasible],
        "noted": [trial for trial in result.trials if trial.warnings],
        "disturbed": [item for item in result.configurations if item.disturbed],
        "is_recommended": words.is_recommended(result),
        "why": words.why(result),
        "prediction": words.prediction_text(result),
        "error": words.error_text(result),
        "version": __version__,
    }


def _title(result: StudyResult) -> str:
    if result.verdict is not None:
        return _TITLES[result.verdict]
    return "No configuration was measured" if result.study.stopped_because else "This study is still running"
