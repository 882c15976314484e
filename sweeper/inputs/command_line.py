"""A training command as people have it: on a line, in a batch file, in a shell script; and what it says of a study."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sweeper.errors import InvalidInput
from sweeper.outside import read_bounded, shown

LEARNER = "mlagents-learn"
MAX_BYTES = 1024**2
SCRIPTS = (".bat", ".cmd", ".ps1", ".sh", ".bash", ".command")
_WINDOWS = (".bat", ".cmd", ".ps1")
_CONTINUED = re.compile(r"[ \t]*[\^`\\][ \t]*\r?\n[ \t]*")
_SET = re.compile(r"^\s*(?:set\s+|export\s+|\$)?\"?([A-Za-z_]\w*)\s*=\s*\"?(.*?)\"?\s*$", re.I)
_USED = re.compile(r"%(\w+)%|\$\{(\w+)\}|\$(\w+)|\$env:(\w+)")
_NUMBERS = {"--num-envs": "num_envs", "--num-areas": "num_areas"}
_ENGINE = {
    "--time-scale": float,
    "--width": int,
    "--height": int,
    "--quality-level": int,
    "--target-frame-rate": int,
    "--capture-frame-rate": int,
}
_SWITCHES = ("--no-graphics", "--force", "--resume", "--inference", "--deterministic", "--debug", "--torch")
_OURS = ("--run-id", "--results-dir", "--seed", "--base-port", "--timeout-wait", "--max-lifetime-restarts", "--force")
"""What a trial decides for itself, and nobody misses."""


@dataclass(frozen=True)
class TrainingCommand:
    """What a command says. Paths as written, with forward slashes. `left_out`: flags that a study has no place for."""

    learner: str
    config: str
    env_path: str | None = None
    baseline: Mapping[str, int] = field(default_factory=dict)
    engine: Mapping[str, float | int | bool] = field(default_factory=dict)
    env_args: tuple[str, ...] = ()
    initialize_from: str | None = None
    left_out: tuple[str, ...] = ()


def read_command(text: str) -> tuple[TrainingCommand, Path]:
    """The training command in `text`, or in the script that it names; and the folder that its paths are relative to.

    Raises:
        InvalidInput: there is none, or it lacks a trainer config.
    """
    path = Path(text).expanduser() if "\n" not in text and len(text) < 4096 else None
    if path is not None and path.suffix.lower() in SCRIPTS:
        try:
            script = read_bounded(path, MAX_BYTES).decode("utf-8-sig", "replace")
        except OSError as error:
            raise InvalidInput(f"{path}: {error.strerror or error}") from None
        words, folder = _words_of_script(script, path.suffix.lower() in _WINDOWS, path.parent.absolute())
        return parse_words(words, str(path)), folder
    return parse_words(_split(text, _looks_like_windows(text)), "--from"), Path.cwd()


def parse_words(words: Sequence[str], where: str) -> TrainingCommand:
    """The command that these words are; raises InvalidInput as `read_command` does."""
    at = next((number for number, word in enumerate(words) if _is_learner(word)), None)
    if at is None:
        hint = f'give the command, such as "{LEARNER} Car_ppo.yaml --env=Build"'
        raise InvalidInput(f"{where}: no {LEARNER} in it", hint)
    found: dict[str, object] = {"learner": LEARNER if _is_bare(words[at]) else _slashed(words[at])}
    baseline: dict[str, int] = {}
    engine: dict[str, float | int | bool] = {}
    left_out: list[str] = []
    rest = list(words[at + 1 :])
    while rest:
        word = rest.pop(0)
        flag, equals, value = word.partition("=")
        if not word.startswith("--"):
            found.setdefault("config", _slashed(word))
            continue
        if flag == "--env-args":
            found["env_args"] = tuple([value] if equals else []) + tuple(rest)
            break
        if flag == "--no-graphics":
            engine["no_graphics"] = True
            continue
        if flag in _SWITCHES:
            left_out.append(flag)
            continue
        if not equals:
            value = rest.pop(0) if rest and not rest[0].startswith("--") else ""
        if flag in ("--env", "--env-path"):  # guides spell it either way; the learner knows the first
            found["env_path"] = _slashed(value)
        elif flag == "--initialize-from":
            found["initialize_from"] = value
        elif flag in _NUMBERS:
            baseline[_NUMBERS[flag]] = int(_number(where, flag, value, int))
        elif flag in _ENGINE:
            engine[flag[2:].replace("-", "_")] = _number(where, flag, value, _ENGINE[flag])
        else:
            left_out.append(flag)
    if "config" not in found:
        raise InvalidInput(f"{where}: the command names no trainer config", "it is the word after mlagents-learn")
    told = tuple(flag for flag in left_out if flag not in _OURS)
    return TrainingCommand(baseline=baseline, engine=engine, left_out=told, **found)  # type: ignore[arg-type]


def _words_of_script(script: str, is_windows: bool, folder: Path) -> tuple[list[str], Path]:
    """The words of the line that starts the learner, variables put in; and where it runs."""
    variables: dict[str, str] = {}
    for line in _CONTINUED.sub(" ", script).splitlines():
        text = line.strip().lstrip("@")
        if not text or text.startswith(("#", "::", "REM ", "rem ")):
            continue
        text = _USED.sub(lambda match: variables.get(next(filter(None, match.groups())), match[0]), text)
        if LEARNER in text and not text.lower().startswith("echo "):
            return _split(text, is_windows), folder
        if moved := re.match(r"(?:cd|pushd|Set-Location)\s+(?:/d\s+)?\"?(.+?)\"?$", text, re.I):
            place = _slashed(moved[1].replace("%~dp0", "").strip())
            folder = (folder / place) if "%" not in place and "$" not in place else folder
        elif given := _SET.match(text):
            variables[given[1]] = given[2]
    return [], folder


def _split(text: str, is_windows: bool) -> list[str]:
    text = _CONTINUED.sub(" ", text)
    if is_windows:  # a quote groups, a backslash is a backslash
        return [word.replace('"', "") for word in re.findall(r"(?:[^\s\"]|\"[^\"]*\")+", text)]
    try:
        return shlex.split(text)
    except ValueError as error:
        raise InvalidInput(f"--from: {error}: {shown(text)}") from None


def _looks_like_windows(text: str) -> bool:
    return bool(re.search(r"\\[A-Za-z.]", text)) or "^" in text


def _is_learner(word: str) -> bool:
    name = _slashed(word).rsplit("/", 1)[-1].lower()
    return name in (LEARNER, f"{LEARNER}.exe", "mlagents.trainers.learn")


def _is_bare(word: str) -> bool:
    return "/" not in _slashed(word)


def _slashed(word: str) -> str:
    return word.replace("\\", "/")


def _number(where: str, flag: str, value: str, kind: type[int] | type[float]) -> int | float:
    try:
        return kind(value)
    except ValueError:
        raise InvalidInput(f"{where}: {flag} takes a number, not {shown(value)}") from None
