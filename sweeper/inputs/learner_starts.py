"""The commands of a script that start the learner: their words, their folder, and what stands around them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sweeper.errors import InvalidInput
from sweeper.inputs.learner_words import LEARNER, learner_of, named, names_learner
from sweeper.inputs.shell_state import State, at_home
from sweeper.inputs.shell_words import as_written, is_open
from sweeper.shells import Shell

GIVE_IT = f'give the command itself: sweeper init --from "{LEARNER} Car_ppo.yaml --env=Build"'


@dataclass(frozen=True)
class Started:
    """A command that starts the learner.

    `words`: from the learner on. `before`: what stands before it, and the environments that were activated.
    `folder`: where it runs; None where nobody can tell. `unsure`: words of it with a name that the script sets, to what
    only a run can tell.
    """

    words: tuple[str, ...]
    before: tuple[str, ...]
    shell: Shell
    folder: Path | None
    unsure: frozenset[str] = frozenset()


@dataclass
class Starts:
    """What was met so far of a script. `state`: what is known where it is.

    `unread`: commands that speak of the learner and cannot be read, as a message shows them.
    """

    state: State
    found: list[Started] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    _around: tuple[str, ...] = ()
    """The environment that was activated, and the programs that wrap what is met."""
    _learner: str | None = None
    """That of the activated environment, where it is there."""

    def first(self, where: str, text: str) -> tuple[Started, int, str]:
        """The first one in `text`; how many there are; `where`.

        Raises:
            InvalidInput: there is none that can be read.
        """
        if self.found:
            return self.found[0], len(self.found) + len(self.unread), where
        if self.unread:
            raise InvalidInput(f"{where}: cannot read how this starts {LEARNER}: {self.unread[0]}", GIVE_IT)
        if names_learner(text):
            raise InvalidInput(f"{where}: {LEARNER} is named, but no line starts it", GIVE_IT)
        raise InvalidInput(f"{where}: no {LEARNER} in it", GIVE_IT)

    def add(self, words: list[str], at: int, shell: Shell) -> None:
        """Plain words, the one at `at` the learner's name; one that stands there for nothing is passed over."""
        rest = words[at + 1 :]
        if not rest or rest[0] in ("--help", "-h", "--version"):
            return
        if at and not any(re.search(r"\.ya?ml", word, re.IGNORECASE) or is_open(word, shell) for word in rest):
            return  # a word among others, not a program with what it takes
        learner, before = learner_of(words[at], words[:at], shell)
        if learner is None:
            self.cannot_read(" ".join(words))
            return
        around = (*self.state.felt.values(), *named(before))
        if self._learner is not None and learner == LEARNER:
            learner = self._learner
        else:
            around = self._around + around
        unsure = frozenset(word for word in rest if is_open(word, shell) and self.state.sets(word))
        self.found.append(Started((learner, *rest), around, shell, self.state.folder, unsure))

    def cannot_read(self, text: str, why: str = "") -> None:
        """A text that is not understood; it matters where it speaks of the learner."""
        if names_learner(text):
            self.unread.append(as_written(text) + why)

    def activate(self, words: list[str]) -> None:
        """An environment: the learner in it where it is there, else what is said of it."""
        self._around, self._learner = (" ".join(words),), None
        script = at_home(words[0].replace("\\", "/"))
        if len(words) == 1 and self.state.folder is not None:
            for name in (LEARNER, f"{LEARNER}.exe"):
                beside = self.state.folder / script.with_name(name)
                if os.path.isfile(beside):  # noqa: PTH113 what can be no name of a file is not there
                    self._learner = beside.as_posix()

    def deactivate(self) -> None:
        """No environment any more."""
        self._around, self._learner = (), None

    @contextmanager
    def wrapped(self, before: list[str]) -> Iterator[None]:
        """What is met meanwhile stands in a text of a shell, with these words before that shell."""
        outer, self._around = self._around, self._around + named(before)
        yield
        self._around = outer
