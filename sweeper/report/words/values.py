"""Parameters, speed-ups, amounts and commands as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sweeper.model.study import Speedup
from sweeper.model.trial import Params, ParamValue
from sweeper.shells import Shell, command_line, native_shell
from sweeper.units import format_bytes, format_rate

ABSENT = "–"


def range_text(bounds: tuple[float, float] | None) -> str:
    """Bounds of a rate, `1,500 to 1,700`."""
    return f"{format_rate(bounds[0])} to {format_rate(bounds[1])}" if bounds else ABSENT


def speedup_text(speedup: Speedup | None) -> str:
    """`2.31x (95 %: 2.10 to 2.54)`."""
    return ABSENT if speedup is None else f"{speedup.estimate:.2f}x{interval_text(speedup)}"


def interval_text(speedup: Speedup) -> str:
    """` (95 %: 2.10 to 2.54)`, or nothing where there is no interval."""
    if speedup.interval is None:
        return ""
    low, high = speedup.interval
    return f" (95 %: {low:.2f} to {high:.2f})"


def params_text(params: Params) -> str:
    """`num_envs 2, num_areas 16, batch_size 256, threaded false`."""
    return ", ".join(f"{knob_text(knob)} {value_text(value)}" for knob, value in params.items()) or ABSENT


def knob_text(knob: str) -> str:
    """`buffer_size` for `hyperparameters.buffer_size`."""
    return knob.split(".")[-1]


def moment_text(moment: str) -> str:
    """`2026-01-01 00:00 UTC`; what is no moment as it is."""
    try:
        return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M %Z}".rstrip()
    except ValueError:
        return moment


def value_text(value: ParamValue) -> str:
    """A knob's value as YAML writes it."""
    if value is None:
        return "as configured"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:,}".replace(",", "") if isinstance(value, int) else str(value)


def bytes_text(count: int | None) -> str:
    """`790 MiB`."""
    return format_bytes(count) if count else ABSENT


def command_text(command: Sequence[str], shell: Shell | None = None) -> str:
    """A command line to copy, quoted for `shell`; left out, for the one that people have here."""
    return command_line(command, shell or native_shell())


def busiest_text(names: Sequence[str], cores: Sequence[float]) -> str:
    """` (busiest: stress 0.9, chrome 0.2 cores)`, or nothing."""
    if not names:
        return ""
    return f" (busiest: {', '.join(f'{name} {count:.1f}' for name, count in zip(names, cores))} cores)"
