"""What people name as a side of a check: a study, its folder, a build, a trainer config, a learner, a git revision."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from sweeper.app.check.git import is_revision
from sweeper.app.outputs import read_results
from sweeper.errors import InvalidInput
from sweeper.inputs.study_file import DEMO_BUILD
from sweeper.inputs.yaml_text import MAX_BYTES
from sweeper.model.folder import StudyFolder
from sweeper.model.gate import BASELINE, CANDIDATE
from sweeper.outside import read_bounded, short, shown
from sweeper.session.build import candidates
from sweeper.session.interpreter import how_to_let_it_start, why_it_cannot_start

KINDS = ("study", "folder", "build", "config", "learner", "rev")
YAML = (".yaml", ".yml")
FILES = (*YAML, ".x86_64", ".x86", ".exe", ".app", ".json")
_MEANT = {"study": "study file", "folder": "study folder", "config": "trainer config", "learner": "learner"}
_MEND = "a study file, a study folder, a build, a trainer config, a learner or its environment, or a git revision"


@dataclass(frozen=True)
class Named:
    """What a side names; the rest is as the other's. `words`: as they were written."""

    words: tuple[str, ...] = ()
    study: Path | None = None
    folder: StudyFolder | None = None
    build: str | None = None
    config: Path | None = None
    learner: Path | None = None
    rev: str | None = None


def named(side: str, words: Sequence[str], place: Path | None = None) -> Named:
    """What the words of one side mean; `build:PATH`, `rev:NAME` and so on say which kind is meant.

    `place`: in whose repository bare names of revisions are looked up; the current folder's where it is None.

    Raises:
        InvalidInput: one means nothing here, or two the same.
    """
    found: dict[str, object] = {}
    for word in words:
        try:
            kind, value = _kind(side, word, place)
        except OSError as error:  # a name that is too long, a folder that this user may not look into
            raise InvalidInput(f"--{side}: {short(word)}: {error.strerror}", f"name {_MEND}") from None
        if kind in found:
            raise InvalidInput(f"--{side}: {shown(word)} names a second {kind}", "name each kind once")
        found[kind] = value
    if "study" in found and "folder" in found:
        raise InvalidInput(f"--{side}: a study file and a study folder are named", "name one of them")
    return Named(words=tuple(words), **found)  # type: ignore[arg-type]


def both_named(baseline: Sequence[str], candidate: Sequence[str]) -> tuple[Named, Named]:
    """What the words of both sides mean; revisions are the project's with the study that either names.

    Raises:
        InvalidInput: as `named` does.
    """
    place = next((place for word in (*baseline, *candidate) if (place := _study_place(word)) is not None), None)
    return named(BASELINE, baseline, place), named(CANDIDATE, candidate, place)


def _study_place(word: str) -> Path | None:
    """The folder of the study file that a word names, or that the study folder which it names was made from."""
    head, colon, rest = word.partition(":")
    kind, text = (head, rest) if colon and head in KINDS else (None, word)
    path = Path(text).expanduser()
    if path.is_dir() and StudyFolder(path).results.is_file():
        file = Path(read_results(StudyFolder(path)).study.file or "")
        return file.absolute().parent if file.is_file() else None
    if not path.is_file() or path.suffix.lower() not in YAML:
        return None
    return path.absolute().parent if (kind or _kind_of_yaml(path)) == "study" else None


def _kind(side: str, word: str, place: Path | None) -> tuple[str, object]:
    head, colon, rest = word.partition(":")
    kind, text = (head, rest) if colon and head in KINDS else (None, word)
    if not text.strip():
        raise InvalidInput(f"--{side}: {shown(word)} names nothing", f"name {_MEND}; was a variable left empty?")
    path = Path(text).expanduser()
    kind = kind or _guess(text, path, place)
    if kind is None:
        if _looks_like_a_file(text) and not path.exists():
            raise InvalidInput(f"--{side}: there is no file {shown(word)}, nor a revision", f"name {_MEND}")
        raise InvalidInput(f"--{side}: {shown(word)} is nothing that can be measured here", f"name {_MEND}")
    if kind == "rev" or (kind == "build" and text == DEMO_BUILD):
        return kind, text
    if kind == "build":
        return kind, _build_at(side, path.absolute())
    if not path.exists():
        raise InvalidInput(f"--{side}: there is no {_MEANT[kind]} {path}", f"mend the path, or name {_MEND}")
    if kind == "folder":
        return kind, StudyFolder(path)
    return kind, _learner_in(side, path) if kind == "learner" else path.absolute()


def _build_at(side: str, path: Path) -> str:
    found = next((place for place in candidates(path) if place.is_file() or place.suffix == ".app"), None)
    if found is None and path.is_dir():
        raise InvalidInput(f"--{side}: {path} is a folder", "name the executable of the build in it")
    if found is None or not found.exists():
        raise InvalidInput(f"--{side}: there is no build {path}", "give the path of the executable")
    _check_start(side, "build", found)
    return str(path)


def _check_start(side: str, what: str, program: Path) -> None:
    if not os.access(program, os.X_OK):
        raise InvalidInput(f"--{side}: the {what} {program} cannot be executed", how_to_let_it_start(program))
    if (wrong := why_it_cannot_start(program)) is not None:
        raise InvalidInput(f"--{side}: the {what} {program} cannot start: {wrong[0]}", wrong[1])


def _looks_like_a_file(text: str) -> bool:
    return "/" in text or "\\" in text or Path(text).suffix.lower() in FILES


def _guess(text: str, path: Path, place: Path | None) -> str | None:
    if text == DEMO_BUILD:
        return "build"
    if path.is_dir() and path.suffix != ".app":
        if StudyFolder(path).results.is_file():
            return "folder"
        return "learner" if _scripts(path) else None
    if path.suffix.lower() in YAML:
        return _kind_of_yaml(path) if path.is_file() else None
    if path.is_file() and path.stem.startswith("mlagents-learn"):
        return "learner"
    if any(candidate.exists() for candidate in candidates(path.absolute())):
        return "build"
    return "rev" if is_revision(text, place) else None


def _kind_of_yaml(path: Path) -> str | None:
    try:
        data = yaml.safe_load(read_bounded(path, MAX_BYTES))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return "config"  # whoever reads it in earnest says what is wrong, and where
    return "study" if isinstance(data, dict) and "trainer_config" in data else "config"


def _scripts(environment: Path) -> list[Path]:
    places = [environment / folder / "mlagents-learn" for folder in ("bin", "Scripts", ".")]
    every = [*places, *(place.with_suffix(".exe") for place in places)]
    return [place for place in every if place.is_file()]


def _learner_in(side: str, path: Path) -> Path:
    if path.is_dir():
        found = _scripts(path)
        if not found:
            raise InvalidInput(f"--{side}: {path} holds no mlagents-learn", "name an environment in which it is")
        path = found[0]
    _check_start(side, "learner", path)
    return path.absolute()
