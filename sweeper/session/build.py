"""Finding the build that an `env_path` means, as the learner will look for it."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path

from sweeper.errors import NotReady
from sweeper.inputs.study_file import Study

RACER_SCRIPT = "sweeper-racer"
_SUFFIXES = (".app", ".exe", ".x86_64", ".x86")
"""mlagents_envs/env_utils.py strips these before it looks."""


def find_build(study: Study) -> Path | None:
    """The executable to train on; None for the Unity Editor.

    Raises:
        NotReady: it is missing or cannot be executed; says where was looked and how to mend it.
    """
    if not study.has_build:
        return None
    if study.uses_demo_build:
        return _demo_build()
    path = study.resolve(str(study.spec.env_path))
    for candidate in candidates(path) if path.name else []:
        if candidate.is_file() or (candidate.suffix == ".app" and candidate.is_dir()):
            return _executable(candidate)
    line = study.source.line_of(("env_path",))
    hint = "build your Unity project and give the path of the executable; env_path is relative to the study file"
    if path.is_dir():
        raise NotReady(f"{study.path}:{line}: env_path: {path} is a folder; name the executable in it", hint)
    raise NotReady(f"{study.path}:{line}: env_path: no build at {path}", hint)


def candidates(path: Path) -> list[Path]:
    """Where the learner looks for the build that `path` means."""
    bare = path.with_suffix("") if path.suffix in _SUFFIXES else path
    platform = {"win32": [".exe"], "darwin": [".app"]}.get(sys.platform, [".x86_64", ".x86"])
    return [path, *(bare.with_name(bare.name + suffix) for suffix in platform), bare]


def _executable(path: Path) -> Path:
    if sys.platform == "linux" and not os.access(path, os.X_OK):
        raise NotReady(f"{path} is not executable", f"chmod +x {path}")
    return path


def _demo_build() -> Path:
    name = RACER_SCRIPT + (".exe" if sys.platform == "win32" else "")
    for folder in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
        if (folder / name).is_file():
            return _executable(folder / name)
    if found := shutil.which(RACER_SCRIPT):
        return Path(found)
    raise NotReady(f"the bundled demo build ({name}) is not installed beside {sys.executable}", "run `make setup`")
