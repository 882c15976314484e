"""Settings that are in no file, put into one that is: what is wrong with them stands nowhere in it."""

from __future__ import annotations

from collections.abc import Sequence

from sweeper.errors import InvalidInput
from sweeper.inputs.yaml_text import YamlText
from sweeper.outside import short

_BEFORE = {"behaviors": 2, "default_settings": 1}
"""Parts of a place before the setting itself."""


class Asked(YamlText):
    """A trainer config with settings put in, whose errors name them and no line."""

    @classmethod
    def of(cls, source: YamlText) -> Asked:
        """`source` with settings put in."""
        return cls(source.path, source.text, source.data, source.node)

    def error(self, location: Sequence[str | int], message: str, hint: str | None = None) -> InvalidInput:
        """An error that reads `path in a behaviour: message`."""
        setting = location[_BEFORE.get(str(location[0]), 0) :]
        dotted = ".".join(short(str(part)) for part in setting)
        return InvalidInput(f"{dotted}: {message}" if dotted else message, hint)
