"""Numbers as people write them: `5e5`, `8GiB`, `80%`, `20m`."""

from __future__ import annotations

import math
import re
from typing import Any

from sweeper.outside import shown

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = re.compile(r"^(\d+(?:\.\d+)?(?:e\d+)?)\s*(?:([kmgt])(i?))?b?$", re.IGNORECASE)
MAX_BYTES = 1024**5
MAX_SECONDS = 366 * 86400.0
MAX_CHARACTERS = 100
"""Of a number; patterns take their time with longer texts."""
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def number(value: Any) -> int | float:
    """A number, also where YAML read `5e5` as text; whole ones come back as int.

    Raises:
        ValueError: not a finite number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"expected a number, not {shown(value)}")
    try:
        result = float(_written(value) if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        raise ValueError(f"expected a number, not {shown(value)}") from None
    if not math.isfinite(result):
        raise ValueError(f"expected a finite number, not {shown(value)}")
    if isinstance(value, int):
        return value
    return int(result) if result.is_integer() else result


def seconds(value: Any) -> float:
    """Seconds in `90`, `90s`, `20m`, `8h` or `1h30m`; more than zero.

    Raises:
        ValueError: anything else.
    """
    text = _written(value).lower()
    parts = _DURATION.findall(text)
    if parts and re.sub(r"\s", "", text) == "".join(amount + unit for amount, unit in parts):
        result = sum(float(amount) * _SECONDS[unit] for amount, unit in parts)
    else:
        try:
            result = float(number(value))
        except ValueError:
            raise ValueError(f"expected a duration such as 90s, 20m or 8h, not {shown(value)}") from None
    if result <= 0:
        raise ValueError(f"expected a duration above zero, not {shown(value)}")
    if result > MAX_SECONDS:
        raise ValueError(f"expected a duration up to a year, not {shown(value)}")
    return result


def share(value: Any) -> float:
    """A share between 0 and 1 in `25%` or `0.25`.

    Raises:
        ValueError: anything else.
    """
    text = _written(value)
    try:
        result = float(number(text[:-1].strip())) / 100 if text.endswith("%") else float(number(value))
    except ValueError:
        raise ValueError(f"expected a share such as 25% or 0.25, not {shown(value)}") from None
    if not 0 < result <= 1:
        raise ValueError(f"expected a share above 0% and up to 100%, not {shown(value)}")
    return result


def byte_count(value: Any) -> int:
    """Bytes in `8GiB`, `8G` (both binary), `500MB` (decimal) or a plain number.

    Raises:
        ValueError: anything else, or nothing at all.
    """
    text = _written(value)
    match = _BYTES.match(text)
    if match is None or isinstance(value, bool):
        raise ValueError(f"expected an amount of memory such as 8GiB or 500MB, not {shown(value)}")
    amount, unit, binary = match.groups()
    decimal = text[-1] in "bB" and not binary and unit
    result = float(amount) * (1000 if decimal else 1024) ** _POWERS[(unit or "").lower()]
    if not 1 <= result <= MAX_BYTES:
        raise ValueError(f"expected an amount of memory that a machine may have, not {shown(value)}")
    return int(result)


def _written(value: Any) -> str:
    """A value as text; nothing where it is far too long."""
    text = value if isinstance(value, str) else shown(value)
    return text.strip() if len(text) <= MAX_CHARACTERS else ""
