"""What a trainer config names beside itself: build, run, files. The learner looks for them from the current folder."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from sweeper.errors import InvalidInput, NotReady
from sweeper.inputs.defaults import resolved
from sweeper.inputs.study_file import Study
from sweeper.inputs.trainer_config import TrainerConfig
from sweeper.outside import one_line, shown
from sweeper.troubles.beforehand import DEMONSTRATION_MISSING

_BUILD = ("env_settings", "env_path")
_DEMONSTRATIONS = (("behavioral_cloning", "demo_path"), ("reward_signals", "gail", "demo_path"))
_CHECKPOINT = ("init_path",)
_DEMO, _MODEL = ".demo", ".pt"
_PATH_CHARACTERS = 1000
"""Shown of a path at the most; what tells it from others is at its end."""


def with_what_it_names(study: Study, config: TrainerConfig) -> Study:
    """`study` with the build and the run that its trainer config names; the files that it names are there.

    Raises:
        InvalidInput, NotReady: one of them is not; says where was looked.
    """
    study = with_its_run(with_its_build(study, config), config)
    check_files(config, initializes=study.spec.initialize_from is not None)
    return study


def build_named_by(config: TrainerConfig) -> str | None:
    """As it is written."""
    written = (config.data.get("env_settings") or {}).get("env_path")
    return written.strip() or None if isinstance(written, str) else None


def place_of_build(config: TrainerConfig) -> Path | None:
    """Where the build lies that a trainer config names; None where it names none, or one that is not there."""
    written = build_named_by(config)
    places = [] if written is None else _places(config, written)
    return next((path for path in places if _exists(path) or _with_suffix(path)), None)


def with_its_build(study: Study, config: TrainerConfig) -> Study:
    """`study` with the build that its trainer config names, which the learner launches where none is given.

    One that is given is in the study file, or was put over it. A study that says `env_path: null` trains in the Editor
    all the same.

    Raises:
        NotReady: there is no such build; says where was looked.
    """
    written = build_named_by(config)
    if written is None or study.has_build or study.source.has(("env_path",)):
        return study
    found = place_of_build(config)
    if found is None:
        message = f"no build at {_either(_places(config, written))}"
        hint = "name the build in the study file (env_path), or write `env_path: null` there to train in the Editor"
        raise NotReady(str(config.source.error(_BUILD, message)), hint)
    return replace(study, spec=study.spec.model_copy(update={"env_path": str(found)}))


def with_its_run(study: Study, config: TrainerConfig) -> Study:
    """`study` with the trained run that its trainer config starts from, where there is one and the study names none."""
    run = config.initial_run
    if run is None or study.source.has(("initialize_from",)) or not os.path.isdir(run):  # noqa: PTH112 as _exists
        return study
    return replace(study, spec=study.spec.model_copy(update={"initialize_from": str(run.absolute())}))


def check_files(config: TrainerConfig, initializes: bool) -> None:
    """Refuse what names a demonstration or a checkpoint that is not there.

    `initializes`: there is a trained run to start from, in which a bare file name is looked up.

    Raises:
        InvalidInput: names the setting, and where the learner will look.
    """
    for name, entry in resolved(config.data).items():
        for path, written in _named(entry, _DEMONSTRATIONS):
            if not isinstance(written, str) or not written.strip():
                raise _no_path(config, name, path, written)
            if not _is_demonstration(_places(config, written)[0]):
                raise _missing(config, name, path, written, f"{_DEMO} file, nor a folder with one,")
        for path, written in _named(entry, (_CHECKPOINT,)):
            if written is None:
                continue
            if not isinstance(written, str):
                raise _no_path(config, name, path, written)
            is_in_the_run = initializes and Path(written).name == written
            if not is_in_the_run and not os.path.isfile(written):  # noqa: PTH113 a name too long is none, not an error
                raise _missing(config, name, path, written, f"{_MODEL} file")


def _named(entry: dict[str, Any], paths: tuple[tuple[str, ...], ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """What is written at those of `paths` that are there, null included."""
    for path in paths:
        section: Any = entry
        for part in path[:-1]:
            section = section.get(part) if isinstance(section, dict) else None
        if isinstance(section, dict) and path[-1] in section:
            yield path, section[path[-1]]


def _no_path(config: TrainerConfig, name: str, path: tuple[str, ...], written: Any) -> InvalidInput:
    taken = shown(str(written))
    message = f"expected the path of a file; the learner takes this for a file that is named {taken}"
    whole = ".".join(path[:-1] or path)
    return config.source.error(config.place(name, ".".join(path)), message, f"name the file, or remove {whole}")


def _is_demonstration(path: Path) -> bool:
    try:
        if path.is_dir():
            return any(item.name.endswith(_DEMO) for item in path.iterdir())
        return path.is_file() and path.name.endswith(_DEMO)
    except OSError:
        return False


def _missing(config: TrainerConfig, name: str, path: tuple[str, ...], written: str, what: str) -> InvalidInput:
    where = config.place(name, ".".join(path))
    here, *others = _places(config, written)
    hint = DEMONSTRATION_MISSING.told()
    if found := next(filter(_exists, others), None):
        hint = f"it is at {_told(found)}, but {hint.replace(' for it', '')}"
    return config.source.error(where, f"no {what} at {_told(here)}", hint)


def _places(config: TrainerConfig, written: str) -> list[Path]:
    """Where the learner looks, then where people may have meant: beside the config, and where its folder lies."""
    folder = config.path.absolute().parent
    return [(place / written.strip()).absolute() for place in (Path.cwd(), folder, folder.parent)]


def _with_suffix(path: Path) -> bool:
    return any(path.parent.glob(f"{glob.escape(path.name)}.*"))


def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110 a name too long is none, not an error


def _either(places: list[Path]) -> str:
    return ", nor at ".join(_told(place) for place in dict.fromkeys(places))


def _told(path: Path) -> str:
    text = one_line(str(path))
    return text if len(text) <= _PATH_CHARACTERS else f"{text[:_PATH_CHARACTERS]}…"
