"""A walk through a script from above, command by command, to where it starts the learner."""

from __future__ import annotations

import re
from pathlib import Path

from sweeper.inputs.learner_starts import Starts
from sweeper.inputs.learner_words import LEARNER, is_learner, names_learner, program
from sweeper.inputs.shell_blocks import Blocks
from sweeper.inputs.shell_state import State
from sweeper.inputs.shell_words import GOES_ON, commands, plain, put_in, without_notes
from sweeper.shells import Shell

_MOST_CHARACTERS, _MOST_TEXTS = 16384, 16
"""Of a command, and of texts in one another."""
_TALK = {
    "where", "which", "type", "title", "echo", "rem", "hash", "help", "man", "alias", "set-alias", "msg", "banner",
    "get-command", "gcm", "write-host", "write-output", "write-error", "write-warning", "printf", "throw", "read",
    "cat", "grep", "findstr", "test", "[", "[[", "kill", "pkill", "pgrep", "taskkill", "tasklist", "stop-process",
    "get-process", "pip", "pip3", "install", "exit", "return", "trap",
}  # fmt: skip
"""Commands that speak of the learner, and do not start it."""
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
_RUNS_IN_VALUE = {
    Shell.POSIX: re.compile(r"\$\(|`"),
    Shell.CMD: re.compile(r"(?!)"),
    Shell.POWERSHELL: re.compile(r"=\s*&?\s*[^\s&@'\"$\[]"),
}
"""A value that is what a command says."""
_HERE_FOLDER = re.compile(
    r"\$\(\s*dirname\s+(?:--\s+)?\"?\$(?:0|\{0\}|BASH_SOURCE|\{BASH_SOURCE(?:\[0\])?\})\"?\s*\)|\$\{0%/\*\}"
)
_GONE_TO = re.compile(r"\$\(\s*cd\s+(?:--\s+)?\"?([^\"$()]+)\"?\s*(?:&&|;)\s*pwd(?:\s+-[LP])?\s*\)")
_FOUND_ON_PATH = re.compile(rf"(?P<end>`)?(?(end)|\$\()\s*(?:which|command\s+-v)\s+({LEARNER})\s*(?(end)`|\))")
"""How shell scripts say where they are, where they go, and where the learner is."""


class Walk:
    """What it does not understand makes names unknown, never wrong."""

    def __init__(self, place: Path, shell: Shell) -> None:
        self.state = State(place, shell, place)
        self.blocks = Blocks(self.state)
        self.starts = Starts(self.state)
        self._depth = 0

    def run(self, text: str, shell: Shell) -> None:
        """Go through a text that `shell` reads."""
        if self._depth == _MOST_TEXTS:
            self.starts.cannot_read(text)
            return
        self._depth += 1
        self._go_through(text, shell)
        self._depth -= 1

    def _go_through(self, text: str, shell: Shell) -> None:
        text = without_notes(text, shell)
        if shell is Shell.POSIX:
            text = _FOUND_ON_PATH.sub(r"\2", text)
            text = _GONE_TO.sub(r"\1", _HERE_FOLDER.sub(lambda _: str(self.state.place), text))
        self.state.jumps |= bool(re.search(r"\bgoto\b|\bcall\s+:", text, re.IGNORECASE))
        last: list[str] = []
        for sign, raw, unread in commands(text, shell):
            self.blocks.enter(sign, last, shell)
            last = raw
            written = " ".join(raw)
            if len(written) > _MOST_CHARACTERS:
                self.starts.cannot_read(written)
            elif unread:
                is_cut = unread.strip() == GOES_ON[shell]
                why = f"the line after {unread.strip()} is missing" if is_cut else "a quote in it has no end"
                self.starts.cannot_read(f"{written} {unread}".strip(), f"; {why}")
            elif self.blocks.passes_over(raw, shell):
                continue
            elif raw and self.state.assigns(written, self.blocks.is_sure(sign), shell):
                if _RUNS_IN_VALUE[shell].search(written):
                    self.starts.cannot_read(written)
            elif raw:
                given = put_in(written, shell, self.state.value)
                for number, (inner, words, rest) in enumerate(commands(given, shell)):
                    if rest or len(given) > _MOST_CHARACTERS:
                        self.starts.cannot_read(given)
                        break
                    self._take(sign if number == 0 else inner, words, shell)

    def _take(self, sign: str, raw: list[str], shell: Shell) -> None:
        """One command, its variables put in."""
        is_sure = self.blocks.is_sure(sign)
        raw, sign, is_met = self.blocks.command_in(raw, sign, shell)
        if not raw:
            return
        words = [plain(word, shell) for word in raw]
        if shell is Shell.CMD:  # a sign that keeps it from being printed
            words[0] = words[0].lstrip("@")
        head = words[0].lower()
        if head == "start" and raw[1:2] and raw[1].startswith('"'):  # a title
            del words[1]
        if head == "set" and is_met is not None:
            if is_met:
                self.state.assigns(" ".join(raw), is_sure, shell)
        elif head in _TALK or (head == "command" and words[1:2] and words[1] in ("-v", "-V")):
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
        elif (at := _text_at(words)) is not None:
            inner = _SHELLS.get(program(words[at - 1]), shell)
            with self.starts.wrapped(words[: at - 1]):
                self.run(" ".join(words[at + 1 :]) if inner is Shell.CMD else words[at + 1], inner)
        elif head in _LAUNCHES:
            self.starts.cannot_read(" ".join(words))
        elif (at := next((at for at, word in enumerate(words) if is_learner(word)), None)) is not None:
            self.starts.add(words, at, shell)
        elif names_learner(" ".join(words)):
            self.starts.cannot_read(" ".join(words))
        else:
            self._other(words)

    def _other(self, words: list[str]) -> None:
        """A command that is not understood: what it names or may set is unknown from here on."""
        names = [re.sub(r"\.(?:bat|ps1)$", "", program(word)) for word in words[:2]]
        if "deactivate" in names:
            self.starts.deactivate()
        elif "activate" in names:
            self.starts.activate([word for word in words if word.lower() not in _SOURCES])
        elif (
            program(words[0]) in _SOURCES or words[0].lower().endswith((".bat", ".cmd", ".ps1"))
        ) and not _HARMLESS.search(" ".join(words)):
            self.state.forget_all()
        else:
            self.state.forget(words)


def _text_at(words: list[str]) -> int | None:
    """Where the flag stands after which a shell is given its text."""
    for at in range(1, len(words) - 1):
        if _TEXT_FOLLOWS.fullmatch(words[at]) and any(program(word) in _SHELLS for word in words[:at]):
            return at
    return None
