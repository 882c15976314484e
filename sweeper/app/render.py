"""Remaking a report from results.json alone."""

from __future__ import annotations

from pathlib import Path

from sweeper.app.outputs import read_results, write_atomically
from sweeper.errors import InvalidInput
from sweeper.model.folder import StudyFolder


def render(folder: Path, other: Path | None, format: str) -> str:
    """The report of one study in `format` (html, csv, json, md), or of two in Markdown."""
    from sweeper.report import data

    result = read_results(StudyFolder(folder))
    if other is not None:
        return data.as_comparison(result, read_results(StudyFolder(other)))
    if format == "html":
        from sweeper.report.html import render_html

        return render_html(result)
    return {"csv": data.as_csv, "json": data.as_json, "md": data.as_markdown}[format](result)


def write_report(folder: Path, other: Path | None, format: str, output: Path | None) -> Path:
    """Write a report; the study's own report.html may be replaced, a file of the user's never is.

    Raises:
        InvalidInput: the file exists.
    """
    path = output or StudyFolder(folder).report
    if output is not None and output.exists():
        raise InvalidInput(f"{output} exists; nothing was overwritten", "choose another name")
    write_atomically(path, render(folder, other, format))
    return path
