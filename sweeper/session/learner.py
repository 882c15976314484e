"""The learner that a study names: where it is, which Python runs it, what it accepts, and what breaks it."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweeper.errors import NotReady
from sweeper.inputs.study_file import Study
from sweeper.learner import surroundings
from sweeper.outside import read_bounded
from sweeper.session.interpreter import how_to_let_it_start, why_it_cannot_start
from sweeper.session.scratch import Scratch
from sweeper.troubles.learner import SETUPTOOLS, TORCH

PACKAGES = ("mlagents", "mlagents-envs", "torch", "setuptools", "numpy", "protobuf", "grpcio", "onnx", "onnxscript")
HELP_SECONDS = 180.0
"""`--help` imports torch: 4 to 10 s, 25 s on a loaded machine, longer from a cold disk."""
MAX_TOLD_BYTES = 64 * 1024
_VERSIONS = f"""
import importlib.metadata as m, json
def v(n):
    try: return m.version(n)
    except m.PackageNotFoundError: return None
print(json.dumps({{n: v(n) for n in {PACKAGES!r}}}))
"""


@dataclass(frozen=True)
class Learner:
    """A learner that answered. `flags`: the long options it accepts. `packages`: versions in its environment."""

    path: Path
    flags: frozenset[str]
    packages: Mapping[str, str]


def locate_learner(study: Study) -> Path:
    """The learner's executable.

    Raises:
        NotReady: there is none; says where was looked.
    """
    name = study.spec.learner
    line = study.source.line_of(("learner",))
    if os.sep in name or "/" in name:
        path = study.resolve(name)
        if sys.platform == "win32" and not path.suffix:
            path = path.with_suffix(".exe")
        if not path.is_file():
            raise NotReady(f"{study.path}:{line}: learner: no such file: {path}", _LEARNER_HINT)
        if not os.access(path, os.X_OK):
            raise NotReady(f"{study.path}:{line}: learner: {path} is not executable", how_to_let_it_start(path))
        return path
    # The environment that this tool runs in may not be activated, so its own scripts come after PATH.
    beside = os.pathsep.join((os.environ.get("PATH", ""), str(Path(sys.executable).parent)))
    found = shutil.which(name, path=beside)
    if found is None:
        raise NotReady(
            f"{study.path}:{line}: learner: '{name}' is neither on PATH nor beside this Python", _LEARNER_HINT
        )
    return Path(found)


def command_name(study: Study, learner: Path) -> str:
    """The learner as people can type it: its name where a shell finds it, else its whole path."""
    name = study.spec.learner
    is_bare = os.sep not in name and "/" not in name
    return name if is_bare and shutil.which(name) else str(learner.absolute())


def probe_learner(path: Path) -> Learner:
    """Ask the learner what it accepts.

    Raises:
        NotReady: it does not start; names the known breakages and their mend, else its last line.
    """
    with Scratch() as folder:
        told = Path(folder) / "versions.json"
        asked = {"SWEEPER_VERSIONS": str(told), "SWEEPER_PACKAGES": ",".join(PACKAGES)}
        try:
            answer = subprocess.run(
                [str(path), "--help"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                env={**surroundings(), **asked},
                timeout=HELP_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NotReady(f"{path} --help gave no answer within {HELP_SECONDS:.0f} s") from None
        except OSError as error:
            what, mend = why_it_cannot_start(path) or (error.strerror or str(error), _start_hint(error))
            raise NotReady(f"cannot start {path}: {what}", mend) from None
        packages = _told_versions(told) or installed_packages(python_of(path))
    flags = frozenset(re.findall(r"--[a-z][a-z-]*", answer.stdout))
    if answer.returncode == 0 and "--run-id" not in flags:
        raise NotReady(f"{path} is no ML-Agents learner: its --help tells of no --run-id", _LEARNER_HINT)
    if answer.returncode != 0:
        lines = (answer.stderr or answer.stdout).strip().splitlines()
        raise NotReady(f"{path} does not start: {lines[-1] if lines else 'no output'}", _mend(answer.stderr, packages))
    return Learner(path, flags, packages)


def breakages(packages: Mapping[str, str]) -> list[str]:
    """Known ways in which the versions in the learner's environment break it, each with its mend."""
    found = []
    if _major_minor(packages.get("setuptools")) >= (81, 0):
        found.append(f"setuptools {packages['setuptools']}: {SETUPTOOLS.told()}")
    if _major_minor(packages.get("torch")) >= (2, 9) and "onnxscript" not in packages:
        found.append(f"torch {packages['torch']}: {TORCH.told()}")
    return found


def python_of(script: Path) -> Path | None:
    """The Python that runs a console script: its shebang's, or on Windows the one beside it; None if untold."""
    if script.suffix.lower() == ".exe":
        for candidate in (script.with_name("python.exe"), script.parent.parent / "python.exe"):
            if candidate.is_file():
                return candidate
        return None
    try:
        with script.open("rb") as file:
            first, second = file.readline(4096), file.readline(4096)
    except OSError:
        return None
    if not first.startswith(b"#!"):
        return None
    command = first[2:].decode("utf-8", "replace").strip()
    if command == "/bin/sh":  # pip and uv write this where the path is too long for a shebang
        match = re.match(rb"'''exec' [\"']?(.+?)[\"']? \"\$0\"", second)
        command = match.group(1).decode("utf-8", "replace") if match else ""
    words = command.split()
    if words[:1] == ["/usr/bin/env"]:
        found = shutil.which(words[-1])
        return Path(found) if found else None
    for name in (command, words[0] if words else ""):  # a path may hold blanks, or be followed by options
        if name and os.path.isfile(name):  # noqa: PTH113 a name too long is none, not an error
            return Path(name) if Path(name).name.startswith(("python", "pypy")) else None
    return None


def installed_packages(python: Path | None) -> dict[str, str]:
    """Versions of the packages that matter in the learner's environment; empty where its Python is unknown."""
    if python is None:
        return {}
    try:
        answer = subprocess.run(
            [str(python), "-c", _VERSIONS],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return _versions(json.loads(answer.stdout))
    except (OSError, subprocess.SubprocessError, ValueError, AttributeError, RecursionError):
        return {}


def _told_versions(file: Path) -> dict[str, str]:
    """What the learner itself told, before it read its command line; empty where it has no such plug-ins."""
    try:
        return _versions(json.loads(read_bounded(file, MAX_TOLD_BYTES))["packages"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _versions(found: Any) -> dict[str, str]:
    return {name: found[name] for name in PACKAGES if isinstance(found.get(name), str)}


def _start_hint(error: OSError) -> str:
    if error.errno in (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE):
        return "this machine, or `ulimit`, lets us start no more processes: end other programs first"
    if error.errno == errno.ENOEXEC:
        return "it is no program of this system: does its first line name a Python?"
    return _LEARNER_HINT


def _mend(stderr: str, packages: Mapping[str, str]) -> str:
    if "pkg_resources" in stderr:
        return SETUPTOOLS.told()
    known = breakages(packages)
    return known[0] if known else "run it by hand to see all it says; `sweeper doctor` checks its environment"


def _major_minor(version: str | None) -> tuple[int, int]:
    numbers = re.findall(r"\d+", version or "")
    return (int(numbers[0]), int(numbers[1]) if len(numbers) > 1 else 0) if numbers else (0, 0)


_LEARNER_HINT = "install it with `pip install mlagents`, or set `learner:` to the path of one in another environment"
