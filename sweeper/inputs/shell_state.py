"""What is known at a line of a script: its folder and its variables; what cannot be told is unknown, never guessed."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from sweeper.inputs.shell_words import commands, is_open, plain, put_in
from sweeper.outside import short
from sweeper.shells import Shell

_LITERAL = re.compile(r"'(?:''|[^'])*'|\"(?:`.|\"\"|[^\"`])*\"|[\d.]+")
_POWERSHELL = re.compile(
    r"(?:^|,)\s*(?:\[[^\]]*\]\s*)*\$(?:script:|global:)?(?P<name>(?:env:)?\w+)\s*(?P<sign>[-+*/]?)="
    r"\s*(?P<value>@\([^()]*\)|'(?:''|[^'])*'|\"(?:`.|\"\"|[^\"`])*\"|[^,]*)(?P<rest>[^,]*)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(
    r"""(?:/i\s+)?(?P<no>not\s+)?(?:/i\s+)?(?:defined\s+(?P<name>\w+)|["'\[](?P<value>[^"'\[\]]*)["'\]]"""
    r"""\s*(?:==|\bequ\b)\s*(?:\"\"|''|\[\]))(?=\s|\Z)""",
    re.IGNORECASE,
)
"""Of cmd: whether something is there."""
_ARGUMENT = re.compile(r"%~?[1-9]%?")
_DECLARES = {"export", "declare", "local", "readonly", "typeset"}
_MOST_CHARACTERS = 4096
"""Of a value."""
_FLAGS_OF_MOVES = ("/d", "--", "-p", "-l", "-path", "-literalpath")
_FELT = re.compile(
    r"CUDA_|OMP_|MKL_|OPENBLAS_|NUMEXPR_|PYTHON|PYTORCH_|TORCH_|NCCL_|LD_|DISPLAY|HIP_|ROCR_|MLAGENTS|PATH$"
)
"""Names that the learner, its Python or its libraries obey."""


@dataclass
class State:
    """`place`: the script's folder. `folder`: where it is now, None where nobody can tell. `jumps`: it goes to labels.

    `values`: of names; None where it was set to what nobody can tell. `felt`: settings that the learner obeys.
    """

    place: Path
    shell: Shell
    folder: Path | None
    values: dict[str, str | None] = field(default_factory=dict)
    felt: dict[str, str] = field(default_factory=dict)
    jumps: bool = False
    _left: list[Path | None] = field(default_factory=list)

    def value(self, name: str, default: str | None) -> str | None:
        """As `put_in` asks for it."""
        key = self._key(name)
        home = str(at_home("~"))
        special = {"~dp0": f"{self.place}/", "psscriptroot": str(self.place), "HOME": home, "home": home,
                   "userprofile": home, "env:userprofile": home, "env:home": home}  # fmt: skip
        if self.folder is not None:
            special |= {"pwd": str(self.folder), "cd": str(self.folder)}
        return self.values.get(key, special.get(key, default))

    def assigns(self, text: str, is_sure: bool, shell: Shell) -> bool:
        """Whether this command, as written, only gives names their values; they are taken where that `is_sure`."""
        if shell is Shell.CMD:
            return self._assigns_in_cmd(put_in(text, shell, self.value).strip(), is_sure)
        if shell is Shell.POWERSHELL:
            return self._assigns_in_powershell(text, is_sure)
        given = re.fullmatch(rf"(?:(?:{'|'.join(_DECLARES)})\s+(?:-\w+\s+)*)?(?P<rest>[A-Za-z_]\w*\+?=.*)", text, re.S)
        words = next(commands(given["rest"], shell))[1] if given else []
        found = [re.fullmatch(r"([A-Za-z_]\w*)(\+?)=(.*)", word, re.DOTALL) for word in words]
        if not words or not all(found):
            return False
        for match in filter(None, found):
            value = put_in(match[3], shell, self.value)
            value = re.sub(r"(?m)(^|\s)#.*$", "", value[1:-1]) if value.startswith("(") else plain(value, shell)
            if match[2] and (before := self.values.get(match[1])) is not None:
                value = before + (" " if match[3].startswith("(") else "") + value
            elif match[2]:
                is_sure = False
            self._set(match[1], value.replace("\n", " "), is_sure)
        return True

    def is_met(self, condition: str) -> bool | None:
        """Whether what stands behind cmd's `if` holds for who runs the script and gives it nothing."""
        match = _CONDITION.match(condition)
        if match is None or self.jumps:
            return None
        value = match["value"] if match["name"] is None else self.values.get(self._key(match["name"]))
        if value is None or (is_open(value, Shell.CMD) and not _ARGUMENT.fullmatch(value)):
            return None
        is_empty = value == "" or _ARGUMENT.fullmatch(value) is not None
        return (is_empty == (match["name"] is None)) != bool(match["no"])

    def forget(self, words: list[str]) -> None:
        """These words may have changed the names among them."""
        for word in words:
            key = self._key(re.split(r"[-+*/]?=", word)[0])
            if key in self.values or "=" in word:
                self.values[key] = None

    def sets(self, word: str) -> bool:
        """Whether the script gives a value to a name in this word."""
        return any(self._key(name) in self.values for name in re.findall(r"\w+", word))

    def forget_all(self) -> None:
        """Another script may have changed any name."""
        self.values = dict.fromkeys(self.values)

    def move(self, to: list[str], comes_back: bool) -> None:
        """Go to a folder."""
        to = [word for word in to if word.lower() not in _FLAGS_OF_MOVES]
        if comes_back:
            self._left.append(self.folder)
        if not to and self.shell is Shell.CMD:  # it only says where it is
            return
        written = " ".join(to).replace("\\", "/")
        if not to or is_open(written, self.shell) or written == "-":
            self.folder = None
        elif Path(written).is_absolute() or self.folder is not None:
            self.folder = (self.folder or Path()) / at_home(written)

    def come_back(self) -> None:
        """Go where it was before."""
        self.folder = self._left.pop() if self._left else None

    def _key(self, name: str) -> str:
        return name if self.shell is Shell.POSIX and name != "PWD" else name.lower()

    def _set(self, name: str, value: str | None, is_sure: bool) -> None:
        key = self._key(name)
        if self.jumps and self.values.get(key, value) != value:
            is_sure = False
        self.values[key] = value if is_sure and len(value or "") <= _MOST_CHARACTERS else None
        name = re.sub("^env:", "", name, flags=re.IGNORECASE)
        if _FELT.match(name):
            self.felt[name] = short(f"{name}={'?' if value is None else value}")

    def _assigns_in_cmd(self, text: str, is_sure: bool) -> bool:
        if not (match := re.match(r"@?set\s+(?P<flag>/[ap]\s+)?(?P<rest>.*)", text, re.IGNORECASE | re.DOTALL)):
            return False
        given = match["rest"].strip()
        given = given[1:].rpartition('"')[0] if given.startswith('"') and given.count('"') > 1 else given
        name, equals, value = given.partition("=")
        if match["flag"] and not (match["flag"].lower().startswith("/a") and re.fullmatch(r"\s*\d+\s*", value)):
            for changed in re.findall(r"(\w+)\s*[-+*/%&^|]?=", given):
                self._set(changed, None, True)
        elif equals:
            self._set(name.strip() if match["flag"] else name, value.strip() if match["flag"] else value, is_sure)
        return True

    def _assigns_in_powershell(self, text: str, is_sure: bool) -> bool:
        found = list(_POWERSHELL.finditer(text))
        for match in found:
            is_simple = not match["sign"] and not match["rest"].strip()
            self._set(match["name"], self._written_out(match["value"]) if is_simple else None, is_sure)
        if changed := re.match(r"\$((?:env:)?\w+)\s*(?:\+\+|--|in\b)", text, re.IGNORECASE):
            self._set(changed[1], None, True)
        return bool(found)

    def _written_out(self, value: str) -> str | None:
        """A value, or a list of such, that PowerShell has not to work out."""
        value = put_in(value.strip(), Shell.POWERSHELL, self.value)
        if _LITERAL.fullmatch(value):
            return plain(value, Shell.POWERSHELL)
        items = re.split(r"\s*[,\n]\s*", value[2:-1].strip()) if value.startswith("@(") else []
        return " ".join(items) if items and all(map(_LITERAL.fullmatch, items)) else None


def at_home(path: str) -> Path:
    """A path with `~` put in where that is known."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 the other one raises
