"""What others wrote: read without waiting or filling memory, shown so that no terminal and no page obeys it."""

from __future__ import annotations

import re
import reprlib
import stat
from pathlib import Path
from typing import Any

UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but line feed and tab, signs that turn the direction of writing, and halves of characters."""
_SHOWN_CHARACTERS = 80
_SHOWN_VALUE_CHARACTERS = 320
"""Of a list or a mapping with what is in it."""
_SHOWN_BITS = 256


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """The bytes of a regular file.

    Raises:
        ValueError: it is something else, which may never end or never begin, or larger; the message says which.
        OSError: it cannot be read.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise ValueError("this is a folder")
    if not stat.S_ISREG(mode):
        raise ValueError("this is a pipe or a device")
    with path.open("rb") as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        size, unit = (most_bytes // 1024**2, "MiB") if most_bytes >= 1024**2 else (most_bytes // 1024, "KiB")
        raise ValueError(f"larger than {size} {unit}")
    return data


def printable(text: str) -> str:
    """`text` with what a terminal or a browser would obey written out, as `\\x1b`; lines stay lines."""
    return UNSHOWN.sub(_written_out, text)


def one_line(text: str) -> str:
    """As printable, with ends of lines written out too."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def is_plain(text: str) -> bool:
    """Whether `text` can be shown as it is, in one line."""
    return one_line(text) == text


def short(text: str) -> str:
    """The beginning of `text`, in one line."""
    return _beginning(one_line(text[: _SHOWN_CHARACTERS + 1]), _SHOWN_CHARACTERS)


def shown(value: Any) -> str:
    """A value for a message: its `repr`, cut short however large or deep it is."""
    return _beginning(_SHORT.repr(value), _SHOWN_VALUE_CHARACTERS)


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 2
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = 4
        self.maxstring = self.maxother = _SHOWN_CHARACTERS

    def repr_int(self, x: int, level: int) -> str:  # noqa: ARG002 the base class names it
        """Python refuses to write out very long ones."""
        return repr(x) if x.bit_length() <= _SHOWN_BITS else f"a number of {x.bit_length()} bits"


_SHORT = _Short()


def _beginning(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
