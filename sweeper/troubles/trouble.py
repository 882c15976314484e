"""One trouble: how it is recognised, and the sentence that ends in its remedy."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Trouble:
    """`title` is in the words of who has it.

    `sentence`: a template of what is wrong and how it is mended. `{0}`, `{1}`: what the pattern found; the rest are
    values by name. `pattern`: a regular expression for what a log says; None where it is not told by a log.
    `example`: what the log says, word for word, in mlagents 1.1.0 and what it runs on. `numbers`: clauses that follow,
    each said only where all of its values are known.
    """

    key: str
    title: str
    sentence: str
    pattern: str | None = None
    example: str | None = None
    numbers: tuple[str, ...] = ()

    def found_in(self, log: str, values: Mapping[str, object]) -> str | None:
        """The sentence about a log that tells of this trouble; None where it does not."""
        if self.pattern is None or (match := re.search(self.pattern, log)) is None:
            return None
        return self.told(values, *match.groups(), match.group(0))

    def told(self, values: Mapping[str, object] | None = None, *found: object) -> str:
        """The sentence, with what is known of this machine."""
        known = {} if values is None else {name: value for name, value in values.items() if value is not None}
        said = [clause.format_map(known) for clause in self.numbers if _fields(clause) <= known.keys()]
        return self.sentence.format(*found, **{"last": "", **known}) + "".join(said)


def _fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}
