"""Finding the build that an `env_path` means, as the learner will look for it."""

from __future__ import annotations

import os
import re
import shutil
import sys
import sysconfig
from pathlib import Path

from sweeper.errors import NotReady
from sweeper.inputs.study_file import Study
from sweeper.session.interpreter import how_to_let_it_start, why_it_cannot_start

RACER_SCRIPT = "sweeper-racer"
_ENDINGS = {"win32": (".exe",), "darwin": (".app",)}
"""What the learner looks for, in its order (mlagents_envs/env_utils.py); elsewhere those of Linux."""
_LINUX = (".x86_64", ".x86", "")
_BUNDLED = "Contents/MacOS"
"""Where a bundle has its executable, which the learner launches whatever it is called."""
_BUILT_FOR = {".exe": "Windows", ".app": "macOS", ".x86_64": "Linux", ".x86": "Linux"}
_MISREAD = re.compile(r"[*?[]|\.(?=app|exe|x86)|^\s|\s$")
"""The learner takes the path for a pattern, and cuts extensions out of all of it, and blanks off its ends."""


def find_build(study: Study) -> Path | None:
    """The executable to train on, which is the one that the learner launches; None for the Unity Editor.

    Raises:
        NotReady: it is missing or cannot be executed; says where was looked and how to mend it.
    """
    if not study.has_build:
        return None
    if study.uses_demo_build:
        return _demo_build()
    path = study.resolve(str(study.spec.env_path))
    looked_for = candidates(path)
    for candidate in looked_for:
        if candidate.is_file() or (candidate.suffix == ".app" and candidate.is_dir()):
            return _executable(candidate)
    where = f"{study.path}:{study.source.line_of(('env_path',))}: env_path:"
    names = " or ".join(candidate.name for candidate in looked_for)
    if path.suffix in _BUILT_FOR and path.exists():
        raise NotReady(
            f"{where} {path} is a build for {_BUILT_FOR[path.suffix]}; here the learner launches {names}, which is not "
            "beside it",
            "build your Unity project for this system, or run sweeper and the learner on the other one",
        )
    hint = "build your Unity project and give the path of the executable; env_path is relative to the study file"
    if path.is_dir():
        raise NotReady(f"{where} {path} is a folder; name the executable in it", hint)
    raise NotReady(f"{where} no build at {path}", hint)


def told(build: Path) -> str:
    """What `--env` has to say so that the learner launches this very file, whatever its folders are called.

    Raises:
        NotReady: nothing can, from the current folder.
    """
    stem, ending = str(build), ""
    if build.suffix in _BUILT_FOR:
        stem, ending = str(build.with_suffix("")), build.suffix
    if not _MISREAD.search(stem):
        return str(build)
    if ending:  # which the learner adds by itself; a sign between brackets stands for itself
        return _MISREAD.sub(lambda match: f"[{match[0]}]", stem)
    relative = os.path.join(os.curdir, os.path.relpath(build))  # noqa: PTH118 a Path would drop the dot
    if not _MISREAD.search(relative):
        return relative
    raise NotReady(
        f"the learner takes {build} for a pattern and would not find it",
        f"rename what has one of * ? [ or .app, .exe, .x86 in it, or call the executable {build.name}.x86_64",
    )


def candidates(path: Path) -> list[Path]:
    """Where the learner looks for the build that `path` means, in its order."""
    bare = path.name
    for ending in _BUILT_FOR:
        bare = bare.replace(ending, "")
    endings = _ENDINGS.get(sys.platform, _LINUX)
    inside = sorted(path.glob("*.exe")) if sys.platform == "win32" and path.is_dir() else []
    named = [path.with_name(bare + ending) for ending in endings] if bare else []
    return [*named, *(found for found in inside if not found.name.startswith("UnityCrashHandler"))]


def _executable(path: Path) -> Path:
    if path.suffix == ".app" and path.is_dir() and not any((path / _BUNDLED).glob("*")):
        raise NotReady(f"{path} holds no executable ({_BUNDLED})", "build your Unity project again, for macOS")
    if sys.platform == "linux" and not os.access(path, os.X_OK):
        raise NotReady(f"{path} is not executable", how_to_let_it_start(path))
    if (wrong := why_it_cannot_start(path)) is not None:
        raise NotReady(f"{path} cannot start: {wrong[0]}", wrong[1])
    return path


def _demo_build() -> Path:
    name = RACER_SCRIPT + (".exe" if sys.platform == "win32" else "")
    for folder in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
        if (folder / name).is_file():
            return _executable(folder / name)
    if found := shutil.which(RACER_SCRIPT):
        return Path(found)
    raise NotReady(f"the bundled demo build ({name}) is not installed beside {sys.executable}", "run `make setup`")
