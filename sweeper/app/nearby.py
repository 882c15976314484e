"""Trainer configs and Unity builds near a folder: what a first study is most likely about."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from sweeper.inputs.yaml_text import MAX_BYTES
from sweeper.model.folder import StudyFolder
from sweeper.outside import read_bounded

DEPTH = 3
"""Folders below the one that is looked at."""
MOST_ENTRIES = 5_000
"""Looked at in all: a home folder has no end."""
SKIPPED = {"reports", "results", "Library", "Temp", "Logs", "obj", "node_modules", "site-packages", "__pycache__"}
_SECTIONS = ("behaviors", "default_settings")


@dataclass(frozen=True)
class Nearby:
    """What was found, the most likely first."""

    configs: tuple[Path, ...]
    builds: tuple[Path, ...]


def look_around(folder: Path, platform: str = sys.platform) -> Nearby:
    """Trainer configs and builds in `folder`, below it, and in the `config` folder beside it.

    Of several configs the one nearest to `folder` is first, of several builds the newest.
    """
    entries = [*_entries(folder, DEPTH), *_entries(folder.parent / "config", 1)]
    configs = [path for path in entries if path.suffix in (".yaml", ".yml") and _is_trainer_config(path)]
    builds = [path for path in entries if _is_build(path, platform)]
    return Nearby(
        tuple(dict.fromkeys(sorted(configs, key=lambda path: (len(path.parts), path.name)))),
        tuple(sorted(builds, key=_changed_at, reverse=True)),
    )


def _entries(folder: Path, depth: int) -> list[Path]:
    found: list[Path] = []
    for path in _walk(folder, depth):
        found.append(path)
        if len(found) >= MOST_ENTRIES:
            break
    return found


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for path in entries:
        if path.name.startswith(".") or path.name in SKIPPED or _is_made_by_tools(path):
            continue
        yield path
        is_data = path.name.endswith("_Data") or path.suffix == ".app"
        if depth > 1 and _is(Path.is_dir, path) and not _is(Path.is_symlink, path) and not is_data:
            yield from _walk(path, depth - 1)


def _is(kind: Callable[[Path], bool], path: Path) -> bool:
    """Where access is denied, whether that is so is not known, and it is nothing to us."""
    try:
        return kind(path)
    except OSError:
        return False


def _is_made_by_tools(folder: Path) -> bool:
    """A virtual environment, or a study's own folder, whose configs are answers already."""
    study = StudyFolder(folder)
    return _is(Path.is_file, folder / "pyvenv.cfg") or (
        _is(Path.is_file, study.results) and _is(Path.is_dir, study.trials)
    )


def _is_trainer_config(path: Path) -> bool:
    try:
        data = yaml.safe_load(read_bounded(path, MAX_BYTES))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return False
    return isinstance(data, dict) and any(isinstance(data.get(section), dict) for section in _SECTIONS)


def _is_build(path: Path, platform: str) -> bool:
    """What Unity writes: an executable with its data beside it, or a bundle."""
    if platform == "darwin":
        return path.suffix == ".app" and _is(Path.is_dir, path)
    suffixes = {"win32": (".exe",)}.get(platform, (".x86_64", ".x86", ""))
    return path.suffix in suffixes and _is(Path.is_file, path) and _is(Path.is_dir, path.with_name(f"{path.stem}_Data"))


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
