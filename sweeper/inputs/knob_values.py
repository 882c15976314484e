"""The values of a knob as a study file writes them: a list, or a range."""

from __future__ import annotations

from typing import Any

from sweeper.inputs import quantities
from sweeper.model.trial import ParamValue
from sweeper.outside import is_plain, shown

MAX_VALUES = 1000
"""More values than this for one knob is a typing error, not a search space."""
MAX_NUMBER = 2**63 - 1
MAX_CHARACTERS = 200


def knob_values(value: Any) -> tuple[ParamValue, ...]:
    """The values of one knob: a list as given, or a range written out.

    Raises:
        ValueError: no values, a value twice, too many, or no range.
    """
    if isinstance(value, (list, tuple)):
        values = [knob_value(item) for item in value]
    elif isinstance(value, dict):
        values = _range_values(value)
    else:
        values = [knob_value(value)]
    if not values:
        raise ValueError("this knob has no values")
    if len({(isinstance(item, bool), item) for item in values}) < len(values):
        raise ValueError("a value is given twice")
    if len(values) > MAX_VALUES:
        raise ValueError(f"{len(values):,} values are more than the {MAX_VALUES} that a knob may have")
    return tuple(values)


def _range_values(value: dict[str, Any]) -> list[ParamValue]:
    unknown = set(value) - {"low", "high", "step", "log"}
    if unknown or not {"low", "high"} <= set(value):
        raise ValueError("expected a list of values, or {low: 1, high: 8} with an optional step, or log: true")
    low, high, step = (_number(value.get(key, 1)) for key in ("low", "high", "step"))
    if low > high:
        raise ValueError(f"low ({low}) is above high ({high})")
    if not isinstance(value.get("log", False), bool):
        raise ValueError(f"log must be true or false, not {shown(value['log'])}")
    if value.get("log"):
        if "step" in value:
            raise ValueError("a log range doubles from value to value and has no step; leave step or log out")
        if low <= 0:
            raise ValueError("a log range starts above 0")
        values: list[ParamValue] = [low]
        while (following := values[-1] * 2) <= high:  # type: ignore[operator]
            values.append(following)
        return values
    if step <= 0:
        raise ValueError(f"step must be above 0, not {step}")
    if "step" not in value and not (isinstance(low, int) and isinstance(high, int)):
        raise ValueError("a range of fractions needs a step")
    span = (high - low) / step
    if span >= MAX_VALUES:
        raise ValueError(f"{span + 1:,.0f} values are more than the {MAX_VALUES} that a knob may have; give a step")
    count = int(span + 1e-9) + 1
    # Rounded, so that steps of 0.1 give 0.3 and not 0.30000000000000004.
    return [round(low + index * step, 12) for index in range(count)]


def knob_value(value: Any) -> ParamValue:
    """One value of a knob, also where YAML read a number as text; raises ValueError."""
    if isinstance(value, str):
        try:
            number = quantities.number(value)
        except ValueError:
            return _word(value)
        return _number(number)
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return _number(value)  # 512.0 is 512
    raise ValueError(f"expected a number, true, false or a word, not {shown(value)}")


def _number(value: Any) -> int | float:
    number = quantities.number(value)
    if abs(number) > MAX_NUMBER:
        raise ValueError(f"no knob goes as far as {shown(value)}")
    return number


def _word(value: str) -> str:
    if len(value) > MAX_CHARACTERS or not is_plain(value):
        raise ValueError(f"expected a word without control characters, not {shown(value)}")
    return value
