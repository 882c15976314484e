"""From a study's answer to files that the user trains with."""

from __future__ import annotations

import difflib
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sweeper.app.outputs import read_results, write_atomically
from sweeper.errors import InvalidInput, NothingFeasible
from sweeper.inputs.trainer_config import read_trainer_config
from sweeper.inputs.tuned import tuned_text
from sweeper.model.folder import StudyFolder
from sweeper.report.words.values import command_text


@dataclass(frozen=True)
class ApplyPlan:
    """What would be written: texts by path, and the difference to the user's trainer config."""

    files: dict[Path, str]
    diff: str
    next_command: str

    @property
    def names(self) -> str:
        """The files, for people."""
        return ", ".join(str(path) for path in self.files)


def plan_apply(folder: Path, output: Path | None) -> ApplyPlan:
    """What `apply` writes for the study in `folder`: beside the trainer config, or in `output`.

    Raises:
        InvalidInput: no results, or the trainer config is gone.
        NothingFeasible: the study has no best configuration.
    """
    result = read_results(StudyFolder(folder))
    if result.best is None:
        raise NothingFeasible("this study has no best configuration to apply", f"see {StudyFolder(folder).report}")
    config = read_trainer_config(Path(result.study.trainer_config))
    target = (output or config.path.parent).absolute()
    stem = f"{config.path.stem}_tuned"
    tuned = target / f"{stem}.yaml"
    text = tuned_text(config, result.best.params)
    if len(result.best.command) < 2:
        raise InvalidInput(f"{StudyFolder(folder).results}: best.command: names no learner with its trainer config")
    learner, _, *rest = result.best.command
    command = (learner, str(tuned), *rest)
    launcher = target / f"train_{stem}.sh"
    diff = difflib.unified_diff(
        config.text.splitlines(keepends=True), text.splitlines(keepends=True), str(config.path), str(tuned)
    )
    files = {
        tuned: text,
        launcher: f'#!/bin/sh\nexec {command_text(command)} "$@"\n',
        launcher.with_suffix(".bat"): f"@echo off\r\n{subprocess.list2cmdline(command)} %*\r\n",
    }
    return ApplyPlan(files, "".join(diff), f"sh {shlex.quote(str(launcher))}")


def write_files(plan: ApplyPlan) -> list[Path]:
    """Write them all.

    Raises:
        InvalidInput: one of them exists with another content, and then none is written; or they cannot be written.
    """
    elsewhere = "choose a folder with -o"
    for path, text in plan.files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            differs = path.exists() and path.read_bytes() != text.encode()
        except OSError as error:
            raise InvalidInput(f"cannot write {path}: {error.strerror or error}", elsewhere) from None
        if differs:
            raise InvalidInput(f"{path} exists; nothing was overwritten", f"move it away, or {elsewhere}")
    for path, text in plan.files.items():
        write_atomically(path, text)
        if path.suffix == ".sh":
            path.chmod(0o755)
    return list(plan.files)
