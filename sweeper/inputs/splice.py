"""Values put into a YAML text where they stand; every byte that says something else stays as it is.

The places come from PyYAML's marks, which count characters of the text as it was read, line ends and all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from sweeper.inputs import quantities

Path = tuple[Any, ...]
"""Keys from the document's root to a value."""
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""Ends of lines as YAML 1.1 has them."""
_ANCHOR = re.compile(r"(?:!\S*\s+)?(&[^\s,\[\]{}]+)")
_MERGE = "tag:yaml.org,2002:merge"
_UNFOLDED = 2**30
_INDENT = 2


def splice(text: str, wanted: Mapping[Any, Any], notes: Mapping[Path, str]) -> str | None:
    """`text` with what it takes to load as `wanted`; None where that cannot be had with the rest kept.

    `notes`: comments for the lines of values that are changed, by path; left out where the line cannot carry one.
    Keys are added and scalars are changed; nothing is removed.
    """
    for remarks in (notes, {}) if notes else ({},):
        result = text
        # First what stands there itself; then, where that is not all, aliases and what a merge key brings in.
        for with_shared in (False, True):
            current = _loaded(result)
            if not isinstance(current, dict) or same(current, wanted):
                break
            result = _Edits(result, remarks, with_shared).made(current, wanted)
        if same(_loaded(result), wanted):
            return result
    return None


def same(found: Any, wanted: Any) -> bool:
    """Whether two values are one to the learner: numbers by value, also where YAML reads `5e5` as text."""
    if isinstance(found, dict) and isinstance(wanted, Mapping):
        return found.keys() == wanted.keys() and all(same(found[key], wanted[key]) for key in found)
    if isinstance(found, (list, tuple)) and isinstance(wanted, (list, tuple)):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    if isinstance(found, str) and isinstance(wanted, (int, float)):
        try:
            return quantities.number(found) == wanted
        except ValueError:
            return False
    if isinstance(found, float) and isinstance(wanted, float) and math.isnan(found):
        return math.isnan(wanted)
    return bool(found == wanted)


def _loaded(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        return None


class _Composer(yaml.SafeLoader):
    """Remembers where aliases stand; the nodes they stand for know only their anchors' place."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.aliases: dict[tuple[int, int], tuple[int, int]] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """As PyYAML does; `index` is a key's node, a position in a list, or nothing."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        node = super().compose_node(parent, index)
        if isinstance(event, yaml.AliasEvent):
            self.aliases[_place(parent, index)] = _span(event)
        return node


def _span(found: yaml.Node | yaml.Event) -> tuple[int, int]:
    """Where it stands: first character, and the one after the last."""
    return found.start_mark.index, found.end_mark.index  # type: ignore[union-attr]


def _place(parent: yaml.Node | None, index: Any) -> tuple[int, int]:
    return id(parent), index if isinstance(index, int) else id(index)


class _Edits:
    """One pass over a document: what to put where, all places being those of the text before."""

    def __init__(self, text: str, notes: Mapping[Path, str], with_shared: bool) -> None:
        self._text = text
        self._notes = notes
        self._with_shared = with_shared
        self._composer = _Composer(text)
        self._edits: list[tuple[int, int, str]] = []
        self._visited: set[int] = set()
        first = _BREAK.search(text)
        self._line_end = first[0] if first else "\n"

    def made(self, current: Mapping[Any, Any], wanted: Mapping[Any, Any]) -> str:
        """The text with every difference between `current`, which it loads as, and `wanted` mended."""
        root = self._composer.get_single_node()
        if isinstance(root, yaml.MappingNode):
            self._mapping(root, current, wanted, (), 0, _INDENT)
        parts, at = [], 0
        for start, end, new in sorted(self._edits, key=lambda edit: edit[0]):  # stable: inner ones before outer ones
            parts += [self._text[at:start], new]
            at = end
        return "".join([*parts, self._text[at:]])

    def _mapping(
        self, node: yaml.MappingNode, current: Mapping[Any, Any], wanted: Mapping[Any, Any], path: Path,
        column: int, step: int,
    ) -> None:  # fmt: skip
        """`column` and `step`: where the mapping around this one begins, and by how much it is indented itself."""
        if id(node) in self._visited:
            return
        self._visited.add(id(node))
        entries, merges = {}, False
        for key, value in node.value:
            merges = merges or key.tag == _MERGE
            if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
                entries[self._composer.construct_object(key)] = key, value
        if not node.flow_style and node.value:
            own = node.value[0][0].start_mark.column
            column, step = own, own - column if own > column else step
        missing = {}
        for name, value in wanted.items():
            if name in entries:
                self._entry(node, *entries[name], current.get(name), value, (*path, name), column, step)
            elif not merges or (self._with_shared and not (name in current and same(current[name], value))):
                missing[name] = value
        if missing:
            self._add(node, missing, step)

    def _entry(
        self, parent: yaml.MappingNode, key: yaml.ScalarNode, node: yaml.Node, current: Any, wanted: Any, path: Path,
        column: int, step: int,
    ) -> None:  # fmt: skip
        if isinstance(node, yaml.MappingNode) and isinstance(wanted, dict):
            self._mapping(node, current, wanted, path, column, step)
            return
        if same(current, wanted):
            return
        alias = self._composer.aliases.get(_place(parent, key))
        if alias is not None:
            if self._with_shared:
                self._replace(alias, wanted, path)
        elif isinstance(node, yaml.ScalarNode):
            self._replace(_span(node), wanted, path)

    def _replace(self, span: tuple[int, int], wanted: Any, path: Path) -> None:
        start, end = span
        old = self._text[start:end]
        new = _written(wanted, old[:1])
        if anchor := _ANCHOR.match(old):
            new = f"{anchor[1]} {new}"
        if start == end:  # `key:`, or a bare key of a flow mapping
            new = f" {new}" if self._text[:start].rstrip().endswith(":") else f": {new}"
        self._edits.append((start, end, new))
        if note := self._notes.get(path):
            line_end = self._end_of_line(end)
            sign = "; " if "#" in self._text[end:line_end] else "  # "
            self._edits.append((line_end, line_end, sign + note))

    def _add(self, node: yaml.MappingNode, missing: dict[Any, Any], step: int) -> None:
        if node.flow_style:
            items = ", ".join(_written(item)[1:-1] for item in ({key: value} for key, value in missing.items()))
            at = self._end(node, *node.value[-1]) if node.value else _span(node)[1] - 1
            self._edits.append((at, at, f", {items}" if node.value else items))
            return
        indent = " " * node.value[0][0].start_mark.column
        dumped = yaml.safe_dump(
            missing, indent=step, default_flow_style=False, sort_keys=False, allow_unicode=True, width=_UNFOLDED
        )
        lines = [indent + line for line in dumped.splitlines()]
        at = self._end(node, *node.value[-1])
        if _BREAK.fullmatch(self._text[at - 1 : at]):  # after block text, which ends with its line
            self._edits.append((at, at, "".join(line + self._line_end for line in lines)))
        else:
            at = self._end_of_line(at)
            self._edits.append((at, at, "".join(self._line_end + line for line in lines)))

    def _end(self, parent: yaml.Node, index: Any, node: yaml.Node) -> int:
        """Where an entry's last character stands; a block's own end mark is where the next one begins."""
        if alias := self._composer.aliases.get(_place(parent, index)):
            return alias[1]
        if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            children: Sequence[Any] = node.value
            if isinstance(node, yaml.MappingNode):
                return self._end(node, *children[-1])
            return self._end(node, len(children) - 1, children[-1])
        return _span(node)[1]

    def _end_of_line(self, at: int) -> int:
        found = _BREAK.search(self._text, at)
        return found.start() if found else len(self._text)


def _written(value: Any, quote: str = "") -> str:
    """A value as one line that stands in any place; text in the quotes that were there."""
    style = quote if quote in ("'", '"') and isinstance(value, str) else None
    dumped = yaml.safe_dump(
        [value], default_flow_style=True, default_style=style, sort_keys=False, allow_unicode=True, width=_UNFOLDED
    )
    return dumped.strip()[1:-1]
