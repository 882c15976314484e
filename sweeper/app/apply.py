"""From a study's answer to files that the user trains with."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sweeper.app.applicable import check_best, measured_config
from sweeper.app.applied import Applied, Step, Written, digest, found_text, read_applied, save_applied
from sweeper.app.outputs import best_text, read_results, write_atomically
from sweeper.errors import InvalidInput, NothingFeasible
from sweeper.inputs.trainer_config import LAUNCH_KNOBS, TrainerConfig
from sweeper.model.folder import StudyFolder
from sweeper.model.study import StudyResult, Verdict
from sweeper.model.trial import Params
from sweeper.outside import is_plain, shown
from sweeper.report.words.answer import headline
from sweeper.report.words.values import command_text
from sweeper.shells import Shell, native_shell, script

_ELSEWHERE = "choose a folder with -o"
_SUFFIXES = {Shell.POSIX: ".sh", Shell.CMD: ".bat", Shell.POWERSHELL: ".ps1"}


@dataclass(frozen=True)
class ApplyPlan:
    """What would be written: texts by path, and the difference to the user's trainer config.

    `record`: the file beside them that says what was written and what was there before. `doubt`: why the answer is
    none to rely on.
    """

    files: dict[Path, str]
    diff: str
    next_command: str
    record: Path
    doubt: str | None = None

    @property
    def names(self) -> str:
        """The files, for people."""
        return ", ".join(str(path) for path in self.files)


def plan_apply(folder: Path, output: Path | None, os_name: str = os.name) -> ApplyPlan:
    """What `apply` writes for the study in `folder`: beside the trainer config, or in `output`.

    Raises:
        InvalidInput: no results, or such as no study gives; the trainer config is gone; a script cannot hold the
            command.
        NotComparable: the trainer config was edited since it was measured.
        NothingFeasible: the study has no best configuration.
    """
    result = read_results(StudyFolder(folder))
    if result.best is None:
        raise NothingFeasible("this study has no best configuration to apply", f"see {StudyFolder(folder).report}")
    config = measured_config(result)
    check_best(StudyFolder(folder).results, config, result.best)
    record = _record(result, output)
    tuned = record.with_name(f"{config.path.stem}_tuned.yaml")
    text = best_text(config, result, result.best)
    if len(result.best.command) < 2:
        raise InvalidInput(f"{StudyFolder(folder).results}: best.command: names no learner with its trainer config")
    scripts = _scripts(record.with_name(f"train_{tuned.stem}"), result.best.command, tuned)
    files = {tuned: text, **dict(scripts.values()), **_own_scripts(record, config, result)}
    doubt = headline(result) if result.verdict is Verdict.UNCONFIRMED else None
    starts = {shell: path for shell, (path, _) in scripts.items()}
    return ApplyPlan(files, _diff(config.text, text, config.path, tuned), _to_start(starts, os_name), record, doubt)


def _own_scripts(record: Path, config: TrainerConfig, result: StudyResult) -> dict[Path, str]:
    """Scripts that train as the user did before, to compare with; none where the trainer config does not say how."""
    own = result.baseline
    if own is None or len(own.command) < 2 or not _is_said_by(config, own.params):
        return {}
    before = record.with_name(f"train_{config.path.stem}_before")
    return dict(_scripts(before, own.command, config.path.absolute()).values())


def _is_said_by(config: TrainerConfig, params: Params) -> bool:
    """Whether the config trains with them; what else there is, the command line says."""
    return all(config.value(knob) == value for knob, value in params.items() if knob not in LAUNCH_KNOBS)


def _scripts(path: Path, command: Sequence[str], config: Path) -> dict[Shell, tuple[Path, str]]:
    """A launch script by shell, for `command` with this trainer config; `path` lacks their suffixes.

    Raises:
        InvalidInput: a script cannot hold the command.
    """
    learner, _, *rest = command
    words = (learner, str(config), *rest)
    for word in words:
        if not is_plain(word):
            raise InvalidInput(f"a launch script cannot hold {shown(word)}", "rename what has control characters")
    return {
        shell: (path.with_name(f"{path.name}{suffix}"), script(words, shell)) for shell, suffix in _SUFFIXES.items()
    }


def write_files(plan: ApplyPlan) -> list[Path]:
    """Write those that are not there as they should be; returns them, none where all was applied already.

    Raises:
        InvalidInput: one of them exists with a content that no `apply` wrote, and then none is written; or they
            cannot be written.
    """
    applied = read_applied(plan.record)
    written: dict[str, Written] = {}
    for path, text in plan.files.items():
        before = found_text(path)
        if before is not None and digest(before) == digest(text):
            continue
        if before is not None and not applied.wrote(path.name, before):
            raise InvalidInput(f"{path} exists; nothing was overwritten", f"move it away, or {_ELSEWHERE}")
        written[path.name] = Written(digest(text), before)
    if not written:
        return []
    made = _make_folder(plan.record.parent)
    save_applied(plan.record, Applied((*applied.steps, Step(written, made))))
    paths = [path for path in plan.files if path.name in written]
    for path in paths:
        write_atomically(path, plan.files[path])
        if path.suffix == ".sh":
            path.chmod(0o755)
    return paths


def undo(folder: Path, output: Path | None) -> list[str]:
    """Take back what the last `apply --write` did there: restore what was before, or remove what it made.

    Returns a line for each file.

    Raises:
        InvalidInput: nothing was applied there, or a file was changed since; then nothing is taken back.
    """
    record = _record(read_results(StudyFolder(folder)), output)
    applied = read_applied(record)
    if not applied.steps:
        raise InvalidInput(f"nothing was applied in {record.parent}", f"sweeper apply {folder} shows what would be")
    *earlier, last = applied.steps
    paths = {record.with_name(name): file for name, file in last.files.items()}
    for path, file in paths.items():
        found = found_text(path)
        if found is not None and digest(found) != file.digest and found != file.before:
            raise InvalidInput(f"{path} was changed since it was applied; nothing was taken back", "move it away first")
    lines = []
    for path, file in paths.items():
        if file.before is not None:
            write_atomically(path, file.before)
            lines.append(f"Restored {path}.")
        elif path.exists():
            path.unlink()
            lines.append(f"Removed {path}.")
    if earlier:
        save_applied(record, Applied(tuple(earlier)))
        return lines
    record.unlink()
    for made in map(Path, last.folders):
        if made.is_dir() and not any(made.iterdir()):
            made.rmdir()
            lines.append(f"Removed {made}.")
    return lines


def _record(result: StudyResult, output: Path | None) -> Path:
    config = Path(result.study.trainer_config)
    return (output or config.parent).absolute() / f"{config.stem}_tuned.applied.json"


def _make_folder(folder: Path) -> tuple[str, ...]:
    """Make `folder`; returns what had to be made, innermost first."""
    missing = [str(path) for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"cannot write {folder}: {error.strerror or error}", _ELSEWHERE) from None
    return tuple(missing)


def _diff(before: str, after: str, old: Path, new: Path) -> str:
    """Ends of lines are kept as they are, so the difference need not show them."""
    lines = difflib.unified_diff(
        before.splitlines(), after.removeprefix("\ufeff").splitlines(), str(old), str(new), lineterm=""
    )
    return "".join(f"{line}\n" for line in lines)


def _to_start(scripts: dict[Shell, Path], os_name: str) -> str:
    # A batch file starts from cmd and from PowerShell, whose own scripts many a machine forbids.
    if native_shell(os_name) is Shell.POSIX:
        return command_text(("sh", str(scripts[Shell.POSIX])), Shell.POSIX)
    return command_text((str(scripts[Shell.CMD]),), native_shell(os_name))
