"""Keys of YAML files that say something else than people mean: given twice, or no text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from sweeper.errors import InvalidInput
from sweeper.outside import short

_TAG = "tag:yaml.org,2002:"
_KINDS = {"bool": "true or false", "int": "a number", "float": "a number", "null": "nothing", "timestamp": "a date"}


def refuse_unclear_keys(path: Path, root: yaml.Node, what: str) -> None:
    """Refuse a key that is given twice in one mapping.

    Raises:
        InvalidInput: names it, and where it was given first.
    """
    for mapping in mappings_in(root):
        seen: dict[str, int] = {}
        for key, _ in mapping.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            line = key.start_mark.line + 1
            if key.value in seen:
                where = f"{path}:{line}: {short(key.value)}"
                last = "; the learner would take the last one" if what == "trainer config" else ""
                message = f"{where}: this key is given twice, first on line {seen[key.value]}{last}"
                raise InvalidInput(message, "remove one of them")
            seen[key.value] = line


def refuse_keys_that_are_no_text(path: Path, root: yaml.Node) -> None:
    """Refuse `yes`, `3` and the like as a key, wherever it stands.

    Raises:
        InvalidInput: names it as it is written, and how to write it.
    """
    for mapping in mappings_in(root):
        for key, _ in mapping.value:
            kind = _KINDS.get(key.tag.removeprefix(_TAG))
            if kind is not None:
                written = short(key.value)
                where = f"{path}:{key.start_mark.line + 1}: {written}"
                message = f"{where}: YAML reads this key as {kind}, and keys are words"
                raise InvalidInput(message, f"where it is meant as a word, write it in quotes: '{written}'")


def mappings_in(root: yaml.Node) -> Iterator[yaml.MappingNode]:
    """Every mapping of a document, once."""
    pending, visited = [root], set()
    while pending:
        node = pending.pop()
        if id(node) in visited:
            continue
        visited.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield node
            pending.extend(value for _, value in node.value)
        elif isinstance(node, yaml.SequenceNode):
            pending.extend(node.value)
