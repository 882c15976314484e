"""Where a script starts the learner: in which folder, with which words, and what stands around it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from sweeper.errors import InvalidInput
from sweeper.inputs.learner_words import CONTROL, LEARNER, is_learner, learner_of, named, names_learner, program
from sweeper.inputs.shell_state import State, at_home
from sweeper.inputs.shell_words import (
    GOES_ON,
    as_written,
    commands,
    is_open,
    plain,
    put_in,
    shell_of_line,
    without_lost_ends,
    without_notes,
)
from sweeper.outside import read_bounded
from sweeper.shells import Shell

MAX_BYTES = 64 * 1024
_MOST_CHARACTERS, _MOST_TEXTS = 16384, 16
"""Of a command, and of texts in one another."""
GIVE_IT = f'give the command itself: sweeper init --from "{LEARNER} Car_ppo.yaml --env=Build"'
SCRIPTS = {
    ".bat": Shell.CMD,
    ".cmd": Shell.CMD,
    ".ps1": Shell.POWERSHELL,
    ".sh": Shell.POSIX,
    ".bash": Shell.POSIX,
    ".zsh": Shell.POSIX,
    ".command": Shell.POSIX,
}
_TALK = {
    "where", "which", "type", "title", "echo", "rem", "hash", "help", "man", "alias", "set-alias", "msg", "banner",
    "get-command", "gcm", "write-host", "write-output", "write-error", "write-warning", "printf", "throw", "read",
    "cat", "grep", "findstr", "test", "[", "[[", "kill", "pkill", "pgrep", "taskkill", "tasklist", "stop-process",
    "get-process", "pip", "pip3", "install", "exit", "return", "trap",
}  # fmt: skip
"""Commands that speak of the learner, and do not start it."""
_OPENS, _CLOSES = {"if", "for", "while", "until", "case", "select", "{"}, {"fi", "done", "esac", "}"}
_MOVES = {"cd", "chdir", "pushd", "set-location", "sl", "push-location"}
_RETURNS = {"popd", "pop-location"}
_EVALS, _LAUNCHES = {"eval", "iex", "invoke-expression"}, {"start-process", "saps"}
_SHELLS = {
    "cmd": Shell.CMD, "bash": Shell.POSIX, "sh": Shell.POSIX, "zsh": Shell.POSIX, "dash": Shell.POSIX,
    "powershell": Shell.POWERSHELL, "pwsh": Shell.POWERSHELL,
}  # fmt: skip
_TEXT_FOLLOWS = re.compile(r"(?:/[ck]|-l?i?c|-command)", re.IGNORECASE)
_SOURCES = {"source", ".", "call"}
_HARMLESS = re.compile(r"activate|conda|bashrc|profile|zshrc|deactivate", re.IGNORECASE)
_HERE_FOLDER = re.compile(
    r"\$\(\s*dirname\s+(?:--\s+)?\"?\$(?:0|\{0\}|BASH_SOURCE|\{BASH_SOURCE(?:\[0\])?\})\"?\s*\)|\$\{0%/\*\}"
)
_FOUND_ON_PATH = re.compile(rf"(?P<end>`)?(?(end)|\$\()\s*(?:which|command\s+-v)\s+({LEARNER})\s*(?(end)`|\))")
_RUNS_IN_VALUE = {
    Shell.POSIX: re.compile(r"\$\(|`"),
    Shell.CMD: re.compile(r"(?!)"),
    Shell.POWERSHELL: re.compile(r"=\s*&?\s*[^\s&@'\"$\[]"),
}
"""A value that is what a command says."""
_GONE_TO = re.compile(r"\$\(\s*cd\s+(?:--\s+)?\"?([^\"$()]+)\"?\s*(?:&&|;)\s*pwd(?:\s+-[LP])?\s*\)")


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


def read_started(text: str) -> tuple[Started, int, str]:
    """The first training command in `text`, or in the script that it names; how many there are; where that is.

    Raises:
        InvalidInput: there is none that can be read.
    """
    path = at_home(text) if "\n" not in text and len(text) < 4096 else None
    shell = SCRIPTS.get(path.suffix.lower()) if path is not None else None
    if path is not None and shell is None and os.path.isfile(path):  # noqa: PTH113 no error for what is no name
        raise InvalidInput(f"{path}: its name does not say which shell reads it: {', '.join(SCRIPTS)}", GIVE_IT)
    if len(text) > MAX_BYTES:
        raise InvalidInput(f"--from: longer than {MAX_BYTES // 1024} KiB, which no command is", GIVE_IT)
    if path is None or shell is None:
        text = re.sub(r"^\s*(?:!|[$%>#]\s+)", "", text)  # a notebook's sign, or a prompt
        shell = shell_of_line(text)
        walk = _Walk(State(Path.cwd(), shell, Path.cwd()))
        walk.run(without_lost_ends(text), shell)
        return walk.first("--from", text)
    try:
        data = read_bounded(path, 1024**2)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"{path}: larger than {MAX_BYTES // 1024} KiB, which no training script is", GIVE_IT)
    script = _decoded(data)
    walk = _Walk(State(path.parent.absolute(), shell, path.parent.absolute()))
    walk.run(script, shell)
    return walk.first(str(path), script)


def _decoded(data: bytes) -> str:
    """PowerShell writes UTF-16, with its sign in front."""
    return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")


@dataclass
class _Walk:
    """Goes through a script from above; what it does not understand makes names unknown, never wrong."""

    state: State
    blocks: list[tuple[str, Path | None]] = field(default_factory=list)
    activated: tuple[str, ...] = ()
    environment: str | None = None
    found: list[Started] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    depth: int = 0
    met: bool | None = None
    """Whether the condition of the block that begins holds; None where nobody can tell."""
    closed: str = ""
    """The kind of the block that ended last."""

    def first(self, where: str, text: str) -> tuple[Started, int, str]:
        if self.found:
            return self.found[0], len(self.found) + len(self.unread), where
        if self.unread:
            raise InvalidInput(f"{where}: cannot read how this starts {LEARNER}: {self.unread[0]}", GIVE_IT)
        if names_learner(text):
            raise InvalidInput(f"{where}: {LEARNER} is named, but no line starts it", GIVE_IT)
        raise InvalidInput(f"{where}: no {LEARNER} in it", GIVE_IT)

    def run(self, text: str, shell: Shell) -> None:
        """Go through a text that `shell` reads."""
        if self.depth == _MOST_TEXTS:
            self._cannot_read(text)
            return
        self.depth += 1
        self._go_through(text, shell)
        self.depth -= 1

    def _go_through(self, text: str, shell: Shell) -> None:
        text = without_notes(text, shell)
        if shell is Shell.POSIX:
            text = _FOUND_ON_PATH.sub(r"\2", text)
            text = _GONE_TO.sub(r"\1", _HERE_FOLDER.sub(lambda _: str(self.state.place), text))
        self.state.jumps |= bool(re.search(r"\bgoto\b|\bcall\s+:", text, re.IGNORECASE))
        last: list[str] = []
        for sign, raw, unread in commands(text, shell):
            self._enter(sign, last, shell)
            last = raw
            written = " ".join(raw)
            if len(written) > _MOST_CHARACTERS:
                self._cannot_read(written)
            elif unread:
                is_cut = unread.strip() == GOES_ON[shell]
                why = f"the line after {unread.strip()} is missing" if is_cut else "a quote in it has no end"
                self._cannot_read(f"{written} {unread}".strip(), f"; {why}")
            elif self._is_passed_over(raw, shell):
                continue
            elif raw and self.state.assigns(written, self._is_sure(sign), shell):
                if _RUNS_IN_VALUE[shell].search(written):
                    self._cannot_read(written)
            elif raw:
                given = put_in(written, shell, self.state.value)
                for number, (inner, words, rest) in enumerate(commands(given, shell)):
                    if rest or len(given) > _MOST_CHARACTERS:
                        self._cannot_read(given)
                        break
                    self._take(sign if number == 0 else inner, words, shell)

    def _cannot_read(self, text: str, why: str = "") -> None:
        if names_learner(text):
            self.unread.append(as_written(text) + why)

    def _enter(self, sign: str, last: list[str], shell: Shell) -> None:
        opens = shell is not Shell.CMD or not last or last[0].lower().lstrip("@") in ("if", "else", "for", "do")
        if sign in "({" and opens:  # cmd prints one that stands among words
            kind = "param" if last and last[-1].lower() == "param" else sign
            if shell is Shell.CMD and last and self.met is not None:
                kind = "met" if self.met else "unmet"
            self.blocks.append((kind, self.state.folder))
        elif sign == ")" and self.blocks and self.blocks[-1][0] in ("(", "param", "met", "unmet"):
            self._close(is_own=shell is Shell.POSIX)
        elif sign == "}":
            self._close()
        self.met = None

    def _close(self, is_own: bool = False) -> None:
        """A block's end; its folder is known afterwards where it never changed, or is that of a shell of its own."""
        if self.blocks:
            self.closed, folder = self.blocks.pop()
            self.state.folder = folder if is_own or folder == self.state.folder else None

    def _is_sure(self, sign: str) -> bool:
        return sign not in ("&&", "||", "|") and all(kind in ("param", "met") for kind, _ in self.blocks)

    def _is_passed_over(self, raw: list[str], shell: Shell) -> bool:
        """Whether this gives a name a value where cmd does not come by."""
        is_set = shell is Shell.CMD and raw[:1] and raw[0].lower().lstrip("@") == "set"
        return bool(is_set) and any(kind == "unmet" for kind, _ in self.blocks)

    def _take(self, sign: str, raw: list[str], shell: Shell) -> None:
        """One command, its variables put in."""
        words = [plain(word, shell) for word in raw]
        conditions, is_sure = 0, self._is_sure(sign)
        while words and (words[0].strip("@") == "" or words[0].lower().lstrip("@") in CONTROL | _CLOSES):
            head = words.pop(0).lower()
            raw = raw[1:]
            if shell is Shell.CMD and head.lstrip("@") == "else":
                conditions += 1
                self.met = {"met": False, "unmet": True}.get(self.closed)
            elif shell is Shell.CMD and head.lstrip("@") == "if":
                conditions += 1
                self.met = self.state.is_met(" ".join(raw)) if conditions == 1 else None
                raw = _after_condition(raw)
                words, sign = [plain(word, shell) for word in raw], "||"
            elif shell is Shell.POSIX and head in _OPENS:
                self.blocks.append((head, self.state.folder))
            elif shell is Shell.POSIX and head in _CLOSES:
                self._close()
        if not words:
            return
        met, self.met = self.met, None
        if shell is Shell.CMD:  # a sign that keeps it from being printed
            words[0] = words[0].lstrip("@")
        head = words[0].lower()
        if head == "start" and raw[1:2] and raw[1].startswith('"'):  # a title
            del words[1]
        if head == "set" and conditions and met is not None:
            if met:
                self.state.assigns(" ".join(raw), is_sure, shell)
            return
        if shell is Shell.POSIX and head in _OPENS | {"function"}:
            self.blocks.append((head, self.state.folder))
        if head in _TALK or (head == "command" and words[1:2] and words[1] in ("-v", "-V")):
            if head in ("read", "printf"):
                self.state.forget(words)
        elif head in _EVALS:
            self.run(" ".join(words[1:]), shell)
        elif head in _MOVES:
            self.state.move(words[1:], comes_back=head.startswith("pu"))
            if sign == "||":
                self.state.folder = None
        elif head in _RETURNS:
            self.state.come_back()
        elif (at := self._text_at(words)) is not None:
            inner = _SHELLS.get(program(words[at - 1]), shell)
            outer, self.activated = self.activated, self.activated + named(words[: at - 1])
            self.run(" ".join(words[at + 1 :]) if inner is Shell.CMD else words[at + 1], inner)
            self.activated = outer
        elif head in _LAUNCHES:
            self._cannot_read(" ".join(words))
        elif (at := next((at for at, word in enumerate(words) if is_learner(word)), None)) is not None:
            self._start(words, at, shell)
        elif names_learner(" ".join(words)):
            self._cannot_read(" ".join(words))
        else:
            self._other(words)

    @staticmethod
    def _text_at(words: list[str]) -> int | None:
        """Where the flag stands after which a shell is given its text."""
        for at in range(1, len(words) - 1):
            if _TEXT_FOLLOWS.fullmatch(words[at]) and any(program(word) in _SHELLS for word in words[:at]):
                return at
        return None

    def _start(self, words: list[str], at: int, shell: Shell) -> None:
        rest = words[at + 1 :]
        if not rest or rest[0] in ("--help", "-h", "--version"):
            return
        if at and not any(re.search(r"\.ya?ml", word, re.IGNORECASE) or is_open(word, shell) for word in rest):
            return  # a word among others, not a program with what it takes
        learner, before = learner_of(words[at], words[:at], shell)
        if learner is None:
            self._cannot_read(" ".join(words))
            return
        around = (*self.state.felt.values(), *named(before))
        if self.environment is not None and learner == LEARNER:
            learner = self.environment
        else:
            around = self.activated + around
        unsure = frozenset(word for word in rest if is_open(word, shell) and self.state.sets(word))
        self.found.append(Started((learner, *rest), around, shell, self.state.folder, unsure))

    def _other(self, words: list[str]) -> None:
        """A command that is not understood: what it names or may set is unknown from here on."""
        names = [re.sub(r"\.(?:bat|ps1)$", "", program(word)) for word in words[:2]]
        if "deactivate" in names:
            self.activated, self.environment = (), None
        elif "activate" in names:
            self._activate([word for word in words if word.lower() not in _SOURCES])
        elif (
            program(words[0]) in _SOURCES or words[0].lower().endswith((".bat", ".cmd", ".ps1"))
        ) and not _HARMLESS.search(" ".join(words)):
            self.state.forget_all()
        else:
            self.state.forget(words)

    def _activate(self, words: list[str]) -> None:
        """An environment: the learner in it where it is there, else what is said of it."""
        self.activated, self.environment = (" ".join(words),), None
        script = at_home(words[0].replace("\\", "/"))
        if len(words) == 1 and self.state.folder is not None:
            for name in (LEARNER, f"{LEARNER}.exe"):
                beside = self.state.folder / script.with_name(name)
                if os.path.isfile(beside):  # noqa: PTH113 what can be no name of a file is not there
                    self.environment = beside.as_posix()


def _after_condition(raw: list[str]) -> list[str]:
    """What cmd does on a condition, of the words after `if`."""
    while raw and raw[0].lower() in ("/i", "not"):
        raw = raw[1:]
    head = raw[0].lower() if raw else ""
    if head in ("exist", "defined", "errorlevel", "cmdextversion") or head.endswith("=="):
        return raw[2:]
    if raw[1:2] and raw[1].lower() in ("==", "equ", "neq", "lss", "leq", "gtr", "geq"):
        return raw[3:]
    return raw[2:] if raw[1:2] and raw[1].startswith("==") else raw[1:]
