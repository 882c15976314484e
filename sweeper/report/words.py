"""Sentences about a study, the same in the terminal, in the report and in Markdown."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from sweeper.model.study import Speedup, StudyResult, Verdict
from sweeper.model.trial import Outcome, Params, ParamValue
from sweeper.quantities import format_bytes, format_rate

OUTCOME_WORDS = {
    Outcome.OK: "measured",
    Outcome.OVER_MEMORY: "over the memory cap",
    Outcome.TOO_FEW_UPDATES: "too few updates",
    Outcome.VETOED: "not launched: sure to break the cap",
    Outcome.TIMEOUT: "timed out",
    Outcome.CRASHED: "crashed",
    Outcome.NO_STEPS: "no steps",
    Outcome.DISTURBED: "disturbed",
    Outcome.INTERRUPTED: "interrupted",
}


def headline(result: StudyResult) -> str:
    """The answer in one or two sentences."""
    best = result.best
    if best is None:
        return "No configuration was measured." if not result.trials else "No configuration is feasible."
    params = params_text(best.params)
    rate = f"{format_rate(best.steps_per_second)} steps/s"
    if best.verdict is Verdict.BETTER and best.speedup is not None:
        sure = interval_text(best.speedup)
        return f"{params} trains at {rate}: {best.speedup.estimate:.2f} times as fast as your settings{sure}."
    if best.verdict is Verdict.KEEP_YOURS:
        return f"Keep your settings ({params}, {rate}): nothing was shown to be faster."
    if best.speedup is not None:
        return (
            f"{params} looks fastest at {rate}, about {best.speedup.estimate:.2f} times your settings; unconfirmed: "
            "there was no room, or no quiet, to measure both again side by side."
        )
    if result.baseline is not None and dict(best.params) == dict(result.baseline.params):
        return f"Only your settings were measured ({params}, {rate}); the budget was too small for more."
    return f"{params} looks fastest at {rate}; unconfirmed, and your own settings could not be measured beside it."


def speedup_text(speedup: Speedup | None) -> str:
    """`2.31x (95 %: 2.10 to 2.54)`."""
    return "–" if speedup is None else f"{speedup.estimate:.2f}x{interval_text(speedup)}"


def interval_text(speedup: Speedup) -> str:
    """` (95 %: 2.10 to 2.54)`, or nothing where there is no interval."""
    if speedup.interval is None:
        return ""
    low, high = speedup.interval
    return f" (95 %: {low:.2f} to {high:.2f})"


def params_text(params: Params) -> str:
    """`num_envs 2, num_areas 16, batch_size 256, threaded false`."""
    return ", ".join(f"{knob.split('.')[-1]} {value_text(value)}" for knob, value in params.items()) or "–"


def value_text(value: ParamValue) -> str:
    """A knob's value as YAML writes it."""
    if value is None:
        return "as configured"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:,}".replace(",", "") if isinstance(value, int) else str(value)


def memory_text(used: int | None, cap: int) -> str:
    """`790 MiB of 8.0 GiB`."""
    return "–" if used is None else f"{format_bytes(used)} of {format_bytes(cap)}"


def command_text(command: Sequence[str]) -> str:
    """A command line to copy, quoted for a POSIX shell."""
    return shlex.join(command)
