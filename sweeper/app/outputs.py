"""What a study writes for people and scripts: results.json, best.yaml, report.html."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sweeper.app.prepare import Prepared
from sweeper.errors import InvalidInput, NotReady, cannot_write
from sweeper.inputs.trainer_config import TrainerConfig
from sweeper.inputs.tuned import tuned_text
from sweeper.model.folder import StudyFolder
from sweeper.model.sound import check_numbers
from sweeper.model.study import Best, StudyResult, study_from_json
from sweeper.model.trial import TrialResult
from sweeper.outside import read_bounded, short
from sweeper.study.answer import configurations
from sweeper.study.confirmation import Confirmation
from sweeper.study.history import History

log = logging.getLogger(__name__)

REPORT_SECONDS = 60.0
"""Between reports of a study that runs: drawing one takes seconds, and nothing is measured meanwhile."""
DRAWING_SHARE = 0.02
"""Of the time, that drawing may take."""
MAX_RESULTS_BYTES = 256 * 1024**2
"""A trial takes some 5 kB."""

REWRITTEN = "the next `sweeper run` of this study writes it anew"
"""How to mend a results.json."""

HALF_WRITTEN = ".half-written-"


def save_results(
    folder: StudyFolder, result: StudyResult, texts: dict[int, tuple[TrialResult, str]] | None = None
) -> None:
    """Rewrite results.json; readers see the old or the new one, never half of either. `texts`: see `as_json`."""
    from sweeper.report.data import as_json

    write_atomically(folder.results, as_json(result, texts))


class Outputs:
    """What a run writes, again and again. Nothing of it may end a study: what cannot be written is tried again later.

    `complain`: told when something could not be written, and why.
    """

    def __init__(self, prepared: Prepared, complain: Callable[[str], None]) -> None:
        self._prepared = prepared
        self._complain = complain
        self._texts: dict[int, tuple[TrialResult, str]] = {}
        self._drawn_at = -math.inf
        self._drawing_seconds = 0.0

    def save(self, result: StudyResult) -> None:
        """After a trial: results.json, and the report where the last one is old enough and drawing is quick."""
        self._try("results.json", lambda: save_results(self._prepared.folder, result, self._texts))
        self._show_on_board(result)
        age = time.monotonic() - self._drawn_at
        if age >= max(REPORT_SECONDS, self._drawing_seconds / DRAWING_SHARE):
            self._try("the report", lambda: self._draw(result))

    def save_all(self, result: StudyResult) -> None:
        """Everything, as a run begins or ends."""
        self._try("results.json", lambda: save_results(self._prepared.folder, result, self._texts))
        self._show_on_board(result)
        self._try("the report", lambda: self._draw(result))

    def _show_on_board(self, result: StudyResult) -> None:
        if self._prepared.tensorboard:
            from sweeper.report.tensorboard import Board

            board = Board(self._prepared.folder.tensorboard)
            self._try("TensorBoard's files", lambda: board.add(result.trials))

    def _draw(self, result: StudyResult) -> None:
        from sweeper.report.html import render_html

        self._drawn_at = started = time.monotonic()
        if result.best is not None:
            text = best_text(self._prepared.subject.config, result, result.best)
            write_atomically(self._prepared.folder.best, text)
        write_atomically(self._prepared.folder.report, render_html(result))
        self._drawing_seconds = time.monotonic() - started

    def _try(self, what: str, write: Callable[[], None]) -> None:
        try:
            write()
        except NotReady as error:
            log.warning("%s: %s", what, error)
            self._complain(f"{what} could not be written: {error}")
        except Exception as error:  # drawing never ends measuring
            log.exception("%s", what)
            self._complain(f"{what} could not be made: {type(error).__name__}: {short(str(error))}; see run.log")


def best_text(config: TrainerConfig, result: StudyResult, best: Best) -> str:
    """The text of `config` as the study's answer has it; raises InvalidInput as tuned_text does."""
    study = result.study
    return tuned_text(
        config,
        best.params,
        searched=study.space,
        engine=study.engine,
        in_editor=study.env_path is None,
        initializes=any(word.startswith("--initialize-from") for word in best.command),
    )


def read_results(folder: StudyFolder) -> StudyResult:
    """The results in a study folder.

    Raises:
        InvalidInput: there are none, or they cannot be read.
    """
    if not folder.results.exists():
        hint = "give the folder that `sweeper run` wrote, such as reports/<name>"
        if folder.storage.exists():
            hint = "the study is here and its results are not: the next `sweeper run` of it writes them"
        raise InvalidInput(f"{folder.root}: no results.json here", hint)
    return read_results_file(folder.results)


def read_results_file(path: Path) -> StudyResult:
    """The results in a file like `results.json`.

    Raises:
        InvalidInput: it is not there, or cannot be read.
    """
    try:
        result = study_from_json(read_bounded(path, MAX_RESULTS_BYTES))
        check_numbers(result)
        return _completed(result)
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror or error}") from None
    except ValueError as error:
        raise InvalidInput(f"{path}: {error}", REWRITTEN) from None


def _completed(result: StudyResult) -> StudyResult:
    """What earlier versions wrote, with what they left out of its configurations; it follows from their trials."""
    if not any(item.sessions and not item.rates for item in result.configurations):
        return result
    history = History(result.trials, result.baseline.params if result.baseline else {})
    return replace(result, configurations=configurations(history, Confirmation(history, is_last=True)))


def remove_half_written(folder: StudyFolder) -> None:
    """What a run that was killed in mid-write left. Call under the folder's lock."""
    for path in folder.root.glob(f"{HALF_WRITTEN}*"):
        path.unlink(missing_ok=True)


def write_atomically(path: Path, text: str) -> None:
    """Write `text` to `path` in one step, as it is: its line ends are its own, on every system.

    Raises:
        NotReady: the disk is full, the folder cannot be written, or a link to nothing stands there.
    """
    if path.is_symlink() and not path.exists():
        raise NotReady(f"cannot write {path}: it is a link to {path.readlink()}, which is not there", "mend the link")
    path = Path(os.path.realpath(path))  # what a link names is written, and the link stays
    name = path.parent / f"{HALF_WRITTEN}{path.name}-{os.getpid()}"
    try:
        try:
            with name.open("w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())  # or a power cut may leave the new name with nothing in it
            os.replace(name, path)
        finally:  # a second Ctrl-C may come at any instant
            name.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from None
