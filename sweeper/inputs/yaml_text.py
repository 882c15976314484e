"""YAML files with line numbers: what users write by hand, and the errors that point into it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sweeper.errors import InvalidInput
from sweeper.inputs.yaml_keys import mappings_in, refuse_unclear_keys
from sweeper.outside import read_bounded, short

MAX_BYTES = 256 * 1024
"""A study file or trainer config is a page or two; anything near this is something else, and takes seconds to read."""
MAX_ENTRIES = 100_000
"""Aliases unfolded: a few lines of them can stand for more than any memory holds."""
MAX_DEPTH = 64
MAX_DIGITS = 100
_BYTE_ORDER_MARK = "\ufeff"
_TAG = "tag:yaml.org,2002:"
_NUMBERS = (_TAG + "int", _TAG + "float")
_RESOLVED = (*_NUMBERS, _TAG + "bool", _TAG + "timestamp")


@dataclass(frozen=True)
class YamlText:
    """A parsed YAML mapping that remembers where each entry stands."""

    path: Path
    text: str
    data: dict[str, Any]
    node: yaml.MappingNode
    byte_order_mark: str = ""
    """What some editors begin a file with; no part of `text`."""

    def has(self, location: Sequence[str | int]) -> bool:
        """Whether there is an entry at `location`."""
        node: yaml.Node = self.node
        for part in location:
            found = _child(node, part)
            if found is None:
                return False
            _, node = found
        return True

    def line_of(self, location: Sequence[str | int]) -> int:
        """Line, from 1, of the entry at `location`; of its nearest existing ancestor where it is missing."""
        node: yaml.Node = self.node
        line = 1
        for part in location:
            found = _child(node, part)
            if found is None:
                break
            key, node = found
            line = int(key.start_mark.line) + 1
        return line

    def error(self, location: Sequence[str | int], message: str, hint: str | None = None) -> InvalidInput:
        """An error that reads `file:line: path: message`."""
        dotted = ".".join(short(str(part)) for part in location)
        where = f"{self.path}:{self.line_of(location)}: "
        return InvalidInput(where + (f"{dotted}: " if dotted else "") + message, hint)


def read_yaml(path: Path, what: str) -> YamlText:
    """Read the mapping in `path`; `what` names the kind of file in errors.

    Raises:
        InvalidInput: missing, unreadable, not YAML, not a mapping, or a key given twice.
    """
    try:
        text = read_bounded(path, MAX_BYTES).decode("utf-8")
    except FileNotFoundError:
        if path.is_symlink():
            raise InvalidInput(f"{path}: a link to {path.readlink()}, which is not there", "mend the link") from None
        raise InvalidInput(f"{path}: no such {what}", _similar_files(path)) from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{path}: not a text file in UTF-8", f"save the {what} as UTF-8") from None
    except OSError as error:
        raise InvalidInput(f"{path}: cannot read this {what}: {error.strerror or error}") from None
    except ValueError as error:
        raise InvalidInput(f"{path}: {error}, not a {what}", f"name the {what} itself") from None
    return parse_yaml(path, text, what)


def parse_yaml(path: Path, text: str, what: str) -> YamlText:
    """As read_yaml, from a text already read."""
    mark = _BYTE_ORDER_MARK if text.startswith(_BYTE_ORDER_MARK) else ""
    text = text.removeprefix(mark)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            raise InvalidInput(f"{path}: this {what} is empty", f"name the {what} itself")
        refuse_unclear_keys(path, node, what)
        _Unfolded(path).measure(node)
        data = _data_of(node)
    except yaml.MarkedYAMLError as error:
        where = error.problem_mark or error.context_mark
        line = f":{where.line + 1}" if where else ""
        what_yaml = f"not valid YAML: {short(str(error.problem or error))}"
        raise InvalidInput(f"{path}{line}: {what_yaml}", f"mend that line, if this is the {what}") from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidInput(f"{path}: not valid YAML: {str(error).splitlines()[0]}", f"name the {what} itself") from None
    if not isinstance(data, dict) or not isinstance(node, yaml.MappingNode):
        raise InvalidInput(
            f"{path}:1: a {what} is a mapping of keys to values, not a {type(data).__name__}", f"name the {what} itself"
        )
    return YamlText(path, text, data, node, mark)


def _data_of(root: yaml.Node) -> Any:
    """What a document holds; its nodes stay as written, though merging keys would change them."""
    written = [(mapping, list(mapping.value)) for mapping in mappings_in(root)]
    data = yaml.SafeLoader("").construct_document(root)
    for mapping, entries in written:
        mapping.value = entries
    return data


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)`, or nothing where no known word is near."""
    near = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.6)
    return f" (did you mean '{near[0]}'?)" if near else ""


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part) or (key.tag == _TAG + "bool" and _BOOLS[key.value.lower()] is part):
                return key, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item: yaml.Node = node.value[part]
        return item, item
    return None


_BOOLS = yaml.SafeLoader.bool_values


class _Unfolded:
    """How large a document is with its aliases unfolded; refuses what nobody can build or show."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[int, tuple[int, int] | None] = {}
        self._resolver = yaml.SafeLoader("")

    def measure(self, node: yaml.Node) -> tuple[int, int]:
        """Entries and depth of `node`.

        Raises:
            InvalidInput: too many, too deep, an alias within itself, or a value that is not what its tag says.
        """
        if id(node) in self._known:
            found = self._known[id(node)]
            if found is None:
                raise self._error(node, "an alias stands within what it names")
            return found
        self._known[id(node)] = None
        children: list[yaml.Node] = []
        if isinstance(node, yaml.ScalarNode):
            self._check(node)
        else:
            children = [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]
        entries = depth = 1
        for size, height in map(self.measure, children):
            entries, depth = entries + size, max(depth, height + 1)
        if entries > MAX_ENTRIES:
            raise self._error(node, f"more than {MAX_ENTRIES:,} entries, its aliases unfolded")
        if depth > MAX_DEPTH:
            raise self._error(node, f"nested more than {MAX_DEPTH} deep")
        self._known[id(node)] = entries, depth
        return entries, depth

    def _check(self, node: yaml.ScalarNode) -> None:
        value: str = node.value
        if node.tag in _NUMBERS and len(value) > MAX_DIGITS:
            raise self._error(node, f"a number of {len(value):,} characters")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise self._error(node, f"half a character: {short(value)}")
        if node.tag in _RESOLVED:
            found = self._resolver.resolve(yaml.ScalarNode, value, (True, False))  # type: ignore[no-untyped-call]
            if found != node.tag and not (found in _NUMBERS and node.tag == _TAG + "float"):
                raise self._error(node, f"'{short(value)}' is not what its tag says")

    def _error(self, node: yaml.Node, message: str) -> InvalidInput:
        return InvalidInput(f"{self._path}:{node.start_mark.line + 1}: {message}")


def _similar_files(path: Path) -> str | None:
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.suffix in (".yaml", ".yml") and entry.exists()]
    except OSError:
        return f"the folder {path.parent} does not exist"
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"did you mean {path.parent / near[0]}?" if near else None
