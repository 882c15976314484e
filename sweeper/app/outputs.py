"""What a study writes for people and scripts: results.json, best.yaml, report.html."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

from sweeper.app.prepare import Prepared
from sweeper.errors import InvalidInput, NotReady
from sweeper.inputs.tuned import tuned_text
from sweeper.model.folder import StudyFolder
from sweeper.model.study import StudyResult, study_from_json
from sweeper.outside import read_bounded
from sweeper.study.history import History

MAX_RESULTS_BYTES = 256 * 1024**2
"""A trial takes some 5 kB."""

HALF_WRITTEN = ".half-written-"


def save_results(folder: StudyFolder, result: StudyResult) -> None:
    """Rewrite results.json; readers see the old or the new one, never half of either."""
    from sweeper.report.data import as_json

    write_atomically(folder.results, as_json(result))


def save_outputs(prepared: Prepared, result: StudyResult) -> None:
    """Everything that is made when a run ends."""
    from sweeper.report.html import render_html

    save_results(prepared.folder, result)
    if result.best is not None:
        write_atomically(prepared.folder.best, tuned_text(prepared.subject.config, result.best.params))
    write_atomically(prepared.folder.report, render_html(result))


def read_results(folder: StudyFolder) -> StudyResult:
    """The results in a study folder.

    Raises:
        InvalidInput: there are none, or they cannot be read.
    """
    try:
        return _completed(study_from_json(read_bounded(folder.results, MAX_RESULTS_BYTES)))
    except FileNotFoundError:
        hint = "give the folder that `sweeper run` wrote, such as reports/<name>"
        if folder.storage.exists():
            hint = "no trial of this study has finished yet: run it again"
        raise InvalidInput(f"{folder.root}: no results.json here", hint) from None
    except OSError as error:
        raise InvalidInput(f"{folder.results}: {error.strerror or error}") from None
    except ValueError as error:
        hint = "the next `sweeper run` of this study writes it anew"
        raise InvalidInput(f"{folder.results}: {error}", hint) from None


def _completed(result: StudyResult) -> StudyResult:
    """What earlier versions wrote, with what their configurations lack."""
    if result.baseline is None or any(item.rates for item in result.configurations):
        return result
    known = History(result.trials, result.baseline.params).by_key
    configurations = (
        replace(
            item,
            rates=known[item.key].rates,
            peak_memory_bytes=known[item.key].peak_memory_bytes,
            updates_per_1000_steps=known[item.key].updates_per_1000_steps,
        )
        if item.key in known
        else item
        for item in result.configurations
    )
    return replace(result, configurations=tuple(configurations))


def remove_half_written(folder: StudyFolder) -> None:
    """What a run that was killed in mid-write left. Call under the folder's lock."""
    for path in folder.root.glob(f"{HALF_WRITTEN}*"):
        path.unlink(missing_ok=True)


def write_atomically(path: Path, text: str) -> None:
    """Write `text` to `path` in one step.

    Raises:
        NotReady: the disk is full, or the folder cannot be written.
    """
    name = path.parent / f"{HALF_WRITTEN}{path.name}-{os.getpid()}"
    try:
        try:
            name.write_text(text, encoding="utf-8")
            os.replace(name, path)
        finally:  # a second Ctrl-C may come at any instant
            name.unlink(missing_ok=True)
    except OSError as error:
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
            raise NotReady("the disk is full", "free some space, then run the same command again: it resumes") from None
        raise NotReady(f"cannot write {path}: {error.strerror or error}") from None
