"""A training command as people have it: on a line, in a batch file, in a shell script; and what it says of a study."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sweeper.errors import InvalidInput
from sweeper.inputs.learner_starts import GIVE_IT
from sweeper.inputs.learner_words import LEARNER, is_learner
from sweeper.inputs.shell_state import at_home
from sweeper.inputs.shell_words import GOES_ON, as_written, is_open
from sweeper.inputs.training_scripts import read_started
from sweeper.shells import Shell

_NUMBERS = {"--num-envs": "num_envs", "--num-areas": "num_areas"}
_ENGINE = {
    "--time-scale": float,
    "--width": int,
    "--height": int,
    "--quality-level": int,
    "--target-frame-rate": int,
    "--capture-frame-rate": int,
}
_POSITIVE = ("--num-envs", "--num-areas", "--time-scale", "--width", "--height")
_PATHS = {"--env": "env_path", "--env-path": "env_path"}
"""Guides spell it either way; the learner knows the first."""
_NAMES = {"--initialize-from": "initialize_from", "--results-dir": "results_dir", "--torch-device": "torch_device"}
_SWITCHES = {
    "--no-graphics", "--no-graphics-monitor", "--force", "--resume", "--load", "--train", "--inference",
    "--deterministic", "--debug", "--torch", "--tensorflow", "--cpu", "--slow", "--multi-gpu",
}  # fmt: skip
_VALUED = {
    "--run-id", "--seed", "--base-port", "--timeout-wait", "--max-lifetime-restarts", "--restarts-rate-limit-n",
    "--restarts-rate-limit-period-s", "--worker-id", "--save-freq", "--curriculum", "--lesson",
    "--keep-checkpoints", "--sampler", "--docker-target-name", "--num-runs",
}  # fmt: skip
"""Those of older versions among them: guides still name them."""
_FLAGS = frozenset(("--env-args", *_NUMBERS, *_ENGINE, *_PATHS, *_NAMES, *_SWITCHES, *_VALUED))
_OURS = (
    "--run-id", "--results-dir", "--seed", "--base-port", "--timeout-wait", "--max-lifetime-restarts", "--force",
)  # fmt: skip
"""What a trial decides for itself."""
_NOTHING = ("--train",)
"""What says nothing that is not so without it."""
_TYPOGRAPHIC = re.compile(
    "^[\u2010-\u2015\u2212]|^[\u2018\u2019\u201a\u201c-\u201e]|=[\u2018\u201c\u201e]|[\u201c\u201d]$"
)


@dataclass(frozen=True)
class TrainingCommand:
    """What a command says. Paths as written, with forward slashes.

    `left_out`: flags that a study has no place for. `decided`: those that a trial decides for itself.
    `around`: what stands before the learner, such as `xvfb-run`. `open`: words that only who runs it knows.
    `commands`: how many the script has; this is the first.
    """

    learner: str
    config: str
    env_path: str | None = None
    baseline: Mapping[str, int] = field(default_factory=dict)
    engine: Mapping[str, float | int | bool] = field(default_factory=dict)
    env_args: tuple[str, ...] = ()
    initialize_from: str | None = None
    left_out: tuple[str, ...] = ()
    decided: tuple[str, ...] = ()
    torch_device: str | None = None
    results_dir: str | None = None
    around: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    commands: int = 1


def read_command(text: str) -> tuple[TrainingCommand, Path]:
    """The training command in `text`, or in the script that it names; and the folder that its paths are relative to.

    Raises:
        InvalidInput: there is none, or something in it is not understood.
    """
    started, count, where = read_started(text)
    found = _Reading(where, started.shell, started.unsure).read(started.words)
    folder = started.folder
    if folder is None:
        paths = (found.config, found.env_path or "/", found.learner if "/" in found.learner else "/")
        if not all(path.startswith("/") or re.match("[A-Za-z]:/", path) for path in paths):
            told = "the script changes its folder in a way that only its run can tell, and the paths depend on it"
            raise InvalidInput(f"{where}: {told}", f"in that folder, {GIVE_IT}")
        folder = Path.cwd()
    return replace(found, around=started.before, commands=count), folder


class _Reading:
    """Takes the words one by one."""

    def __init__(self, where: str, shell: Shell, unsure: frozenset[str]) -> None:
        self.where, self.shell, self.unsure = where, shell, unsure
        self.found: dict[str, str] = {}
        self.baseline: dict[str, int] = {}
        self.engine: dict[str, float | int | bool] = {}
        self.env_args: tuple[str, ...] = ()
        self.left_out: list[str] = []
        self.open: list[str] = []

    def read(self, words: Sequence[str]) -> TrainingCommand:
        """All of them, the learner first."""
        learner = _slashed(words[0])
        rest = [word for word in words[1:] if word]
        while rest:
            word = rest.pop(0)
            if _TYPOGRAPHIC.search(word):
                hint = 'web pages print dashes and quotes so: type - and " in their place'
                raise self._refused(
                    f"{as_written(word)} has a typographic dash or quote, which the learner does not know", hint
                )
            if word[0].isspace() and self.shell is Shell.CMD:  # to which it is a blank like any other
                word = word.strip()
            if word[:1].isspace():
                sign = GOES_ON[self.shell]
                raise self._refused(
                    f"{as_written(word)} begins with a blank, as of a {sign} with a blank behind it",
                    f"{sign} stands at the end of a line that the next one goes on, with nothing behind it",
                )
            if not word:
                continue
            if word.startswith("-"):
                self._take_flag(word, rest)
            else:
                self._take_word(word)
        if "config" not in self.found:
            raise self._refused("the command names no trainer config", "it is the word after mlagents-learn")
        return TrainingCommand(
            LEARNER if "/" not in learner and is_learner(learner) else learner,
            baseline=self.baseline,
            engine=self.engine,
            env_args=self.env_args,
            left_out=tuple(flag for flag in self.left_out if flag not in (*_OURS, *_NOTHING)),
            decided=tuple(flag for flag in self.left_out if flag in _OURS),
            open=tuple(self.open),
            **self.found,  # type: ignore[arg-type]
        )

    def _take_word(self, word: str) -> None:
        if "config" not in self.found:
            self.found["config"] = _slashed(self._known("the trainer config", word))
        elif is_open(word, self.shell) and word not in self.unsure:
            self.open.append(word)
        elif word in self.unsure:
            raise self._refused(
                f"what {as_written(word)} says, which the script sets, only a run of it can tell", GIVE_IT
            )
        else:
            raise self._refused(f"what {as_written(word)} is, beside the trainer config, is not understood", GIVE_IT)

    def _take_flag(self, word: str, rest: list[str]) -> None:
        written, equals, value = word.partition("=")
        flag = self._flag(written)
        if flag == "--env-args":
            self.env_args = tuple(self._known(flag, one) for one in ([value] if equals else []) + rest)
            rest.clear()
        elif flag in _SWITCHES:
            if flag == "--no-graphics":
                self.engine["no_graphics"] = True
            else:
                self.left_out.append(flag)
        elif flag not in _FLAGS:
            self._take_unknown(flag, bool(equals), rest)
        else:
            if not equals and rest and not rest[0].startswith("--"):
                value = rest.pop(0)
            if not value:
                raise self._refused(f"{flag} has no value", f"write {flag}=VALUE, or leave it out")
            self._take_value(flag, value)

    def _take_value(self, flag: str, value: str) -> None:
        if flag in _VALUED or (flag == "--torch-device" and is_open(value, self.shell)):
            self.left_out.append(flag)
            return
        value = self._known(flag, value)
        if flag in _NUMBERS:
            self.baseline[_NUMBERS[flag]] = int(self._number(flag, value, int))
        elif flag in _ENGINE:
            self.engine[flag[2:].replace("-", "_")] = self._number(flag, value, _ENGINE[flag])
        elif flag in _PATHS:
            self.found[_PATHS[flag]] = _slashed(value)
        else:
            if flag in _OURS:
                self.left_out.append(flag)
            self.found[_NAMES[flag]] = _slashed(value)

    def _flag(self, written: str) -> str:
        """A flag by its whole name; the learner takes a beginning that only one has."""
        if written in _FLAGS:
            return written
        meant = [flag for flag in sorted(_FLAGS - {"--env-path"}) if flag.startswith(written)]
        if len(meant) == 1 and len(written) > 3:
            return meant[0]
        if meant:
            raise self._refused(f"{written} may be {' or '.join(meant[:3])}", "write it out")
        right = "-" * (2 - min(2, len(written) - len(written.lstrip("-")))) + written.replace("_", "-")
        if right in _FLAGS:
            raise self._refused(f"the learner has no {written}", f"write {right}")
        return written

    def _take_unknown(self, flag: str, has_value: bool, rest: list[str]) -> None:
        """A flag of another version or of a plug-in: whether the next word is its value can only be told at the end."""
        if not has_value and rest and not rest[0].startswith("-"):
            if "config" not in self.found:
                told = f"{flag} is not known here, so {as_written(rest[0])} is its value or the trainer config"
                raise self._refused(told, "put the trainer config first, or leave that flag out")
            rest.pop(0)
        self.left_out.append(flag)

    def _known(self, what: str, value: str) -> str:
        if is_open(value, self.shell):
            raise self._refused(f"{what} is {as_written(value)}, which only a run of it can tell", GIVE_IT)
        return value

    def _number(self, flag: str, value: str, kind: type[int] | type[float]) -> int | float:
        try:
            number = kind(value)
        except ValueError:
            raise self._refused(f"{flag} takes a number, not {as_written(value)}") from None
        if not math.isfinite(number) or (flag in _POSITIVE and number <= 0):
            raise self._refused(f"{flag} takes a number above 0, not {as_written(value)}")
        return number

    def _refused(self, told: str, hint: str | None = None) -> InvalidInput:
        return InvalidInput(f"{self.where}: {told}", hint)


def _slashed(word: str) -> str:
    """A path with forward slashes, and with the home folder put in."""
    path = word.replace("\\", "/")
    return at_home(path).as_posix() if path.startswith("~/") else path
