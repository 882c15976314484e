"""What three shells make of a text: commands and the words in them, quotes, signs that go on, variables put in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sweeper.outside import short
from sweeper.shells import Shell

_PIECES = {
    Shell.POSIX: r"""'[^']*'|"(?:\\.|[^"\\])*"|\$\((?:[^()]|\([^()]*\))*\)|`[^`]*`|\$\{[^}]*\}|(?<==)\([^()]*\)|\\."""
    r"""|[^\s;&|()<>'"\\`]""",
    Shell.CMD: r"""\(x86\)|"[^"\n]*"|\^.|;(?=[^\s;])|[^\s;&|()<>"^]""",
    Shell.POWERSHELL: r"""'(?:''|[^'])*'|"(?:`.|""|[^"`])*"|@\([^()]*\)|\$\((?:[^()]|\([^()]*\))*\)|\$\{[^}]*\}|`."""
    r"""|[^\s;&|()<>{}'"`]""",
}
_TOKEN = {
    shell: re.compile(
        (r"(?P<note>(?<![^\s;&|()])\#[^\n]*)|" if shell is not Shell.CMD else "")
        + r"(?P<redirect>[\d*]?(?:&>>?|>>?[&|]?|<<?<?&?))[ \t]*|"
        + rf"(?P<word>(?:{pieces})+)|(?P<blank>[^\S\n]+)|"
        + r"(?P<end>&&|\|\||;;|[;|&()\n]"
        + (r"|[{}]" if shell is Shell.POWERSHELL else "")
        + ")",
        re.DOTALL,
    )
    for shell, pieces in _PIECES.items()
}
_PIECE = {shell: re.compile(pieces, re.DOTALL) for shell, pieces in _PIECES.items()}
GOES_ON = {Shell.POSIX: "\\", Shell.CMD: "^", Shell.POWERSHELL: "`"}
"""The sign at the end of a line that the next one goes on."""
_LOST = re.compile(r"""'[^'\n]*'|"[^"\n]*"|(?<=\s)(?<!\\\s)(?P<sign>[\\^`])(?=[ \t]+[^\s;&|])""")
"""A sign that goes on, and no line ends behind it."""
_NOTES = {
    Shell.POSIX: r"^[^\S\n]*#[^\n]*",
    Shell.CMD: r"^[^\S\n]*(?:@?rem\b|::)[^\n]*",
    Shell.POWERSHELL: r"<#.*?(?:#>|\Z)|^[^\S\n]*#[^\n]*|@(?P<here>['\"])[^\S\n]*\n.*?(?:\n(?P=here)@|\Z)",
}
_HERE = re.compile(
    r"(<<-?[^\S\n]*\\?['\"]?(\w+)['\"]?[^\n]*)\n(?:.*?\n)??(?:[^\S\n]*\2[^\S\n]*(?=\n|\Z)|\Z)", re.DOTALL
)
_OPEN = {
    Shell.POSIX: re.compile(r"\$[\w{(@*#?!]|`"),
    Shell.CMD: re.compile(r"%[\w*~%]|!\w+!"),
    Shell.POWERSHELL: re.compile(r"\$[\w{(]|^@[\w(]"),
}
_USED = {
    Shell.POSIX: re.compile(
        r"""(?P<list>"?\$\{(?P<all>\w+)\[[@*]\]\}"?)|(?P<literal>'[^']*')|(?P<quoted>"(?:\\.|[^"\\])*")|\\."""
        r"""|\$\{(?P<braced>\w+)(?::?[-=](?P<default>[^{}]*))?\}|\$(?P<name>\w+)""",
        re.DOTALL,
    ),
    Shell.CMD: re.compile(r"(?<!%)%(?P<name>\w+)%|!(?P<braced>\w+)!|%(?P<all>~dp0)"),
    Shell.POWERSHELL: re.compile(
        r"""(?P<literal>'(?:''|[^'])*')|(?P<quoted>"(?:`.|""|[^"`])*")|`."""
        r"""|\$\{(?P<braced>(?:env:)?\w+)\}|\$(?P<name>(?:env:)?\w+)|(?<!\S)@(?P<all>\w+)""",
        re.DOTALL | re.IGNORECASE,
    ),
}
_INSIDE = {
    Shell.POSIX: re.compile(r"\\.|\$\{(?P<braced>\w+)(?::?[-=](?P<default>[^{}]*))?\}|\$(?P<name>\w+)", re.DOTALL),
    Shell.POWERSHELL: re.compile(r"`.|\$\{(?P<braced>(?:env:)?\w+)\}|\$(?P<name>(?:env:)?\w+)", re.I | re.DOTALL),
}
Lookup = Callable[[str, "str | None"], "str | None"]
"""The value of a name, given what stands in for one that is not set; None where nobody can tell."""


def without_notes(text: str, shell: Shell) -> str:
    """`text` without comments and texts for others, and with the lines joined that go on."""
    text = re.sub(_NOTES[shell], "", text.replace("\r\n", "\n"), flags=re.M | re.S | re.I)
    if shell is Shell.POSIX:
        text = _HERE.sub(r"\1", text)
    return re.sub(rf"[ \t]*{re.escape(GOES_ON[shell])}[ \t]*\n[ \t]*", " ", text)


def without_lost_ends(text: str) -> str:
    """`text` of a command whose lines were joined as it was pasted, without the signs that stood at their ends."""
    return _LOST.sub(lambda match: "" if match["sign"] else match[0], text)


def as_written(text: str) -> str:
    """Words of a command for a message, as who wrote them knows them."""
    return f"'{short(text)}'"


def shell_of_line(text: str) -> Shell:
    """The shell that a single command looks like."""
    lost = {match["sign"] for match in _LOST.finditer(text)}
    if "`" in lost or re.search(r"`[ \t]*\r?\n|\s`\Z|\$env:", text, re.IGNORECASE):
        return Shell.POWERSHELL
    if "^" in lost or re.search(r"\^[ \t]*\r?\n|\s\^\Z|%\w+%|(?m:^[ \t]*@\w)", text):
        return Shell.CMD
    if re.search(r"\\[A-Za-z.]", text):
        return Shell.POWERSHELL if "'" in text else Shell.CMD
    return Shell.POSIX


def commands(text: str, shell: Shell) -> Iterator[tuple[str, list[str], str]]:
    """Each command: the sign before it, its words as written without redirects, and what could not be read of it."""
    sign, words, unread, at, is_target = "\n", list[str](), "", 0, False
    while at < len(text):
        match = _TOKEN[shell].match(text, at)
        if match is None:  # a quote without its end
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            unread, at = text[at:end], end
            continue
        at = match.end()
        if match.lastgroup == "redirect":
            is_target = True
        elif match.lastgroup == "word":
            if not is_target:
                words.append(match[0])
            is_target = False
        elif match.lastgroup == "end":
            yield sign, words, unread
            sign, words, unread, is_target = match[0], [], "", False
    yield sign, words, unread


def plain(word: str, shell: Shell) -> str:
    """A word without its quotes and escapes."""
    return "".join(_bare(piece, shell) for piece in _PIECE[shell].findall(word))


def _bare(piece: str, shell: Shell) -> str:
    if shell is Shell.CMD:
        return piece[1:] if piece.startswith("^") else piece.replace('"', "")
    if piece.startswith("'"):
        return piece[1:-1].replace("''", "'") if shell is Shell.POWERSHELL else piece[1:-1]
    if piece.startswith('"'):
        inside = piece[1:-1]
        if shell is Shell.POWERSHELL:
            return re.sub(r"`(.)", r"\1", inside.replace('""', '"'), flags=re.DOTALL)
        return re.sub(r"\\([\"\\$`\n])", r"\1", inside)
    return piece[1:] if len(piece) == 2 and piece[0] in "\\`" else piece


def is_open(word: str, shell: Shell) -> bool:
    """Whether a plain word still holds a variable, so that nobody can tell what it says."""
    return _OPEN[shell].search(word) is not None


def put_in(text: str, shell: Shell, lookup: Lookup) -> str:
    """`text` with the variables put in whose value is known; the others stay as they are written."""

    def value(match: re.Match[str]) -> str | None:
        found = match.groupdict()
        name = found.get("braced") or found.get("name") or found.get("all")
        return lookup(name, found.get("default")) if name else None

    def inside(match: re.Match[str]) -> str:
        found = value(match)
        return match[0] if found is None else found.replace('"', '`"' if shell is Shell.POWERSHELL else '\\"')

    def outside(match: re.Match[str]) -> str:
        if match.groupdict().get("quoted"):
            return _INSIDE[shell].sub(inside, match[0])
        found = value(match)
        if found is None:
            return match[0]
        is_word = shell is Shell.POWERSHELL and not match.groupdict().get("all") and not found.startswith('"')
        return f'"{found}"' if is_word and re.search(r"[\s;&|()]", found) else found

    return _USED[shell].sub(outside, text)
