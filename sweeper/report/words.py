"""Sentences about a study, the same in the terminal, in the report and in Markdown."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from sweeper.model.study import Best, Speedup, StudyResult, Verdict
from sweeper.model.trial import Outcome, Params, ParamValue, TrialResult, configuration_key
from sweeper.units import format_bytes, format_rate

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
    """The answer in one or two sentences; of a study that is not at its end, what is known so far."""
    if result.study.stopped_because:
        return _answer(result)
    return f"Not finished; so far: {_answer(result)}" if result.trials else "No trial has ended yet."


def _answer(result: StudyResult) -> str:
    best = result.best
    is_open = result.verdict is None and result.study.stopped_because is not None
    if best is None and not is_open and any(trial.outcome.is_infeasible for trial in result.trials):
        last = next(trial for trial in reversed(result.trials) if trial.outcome.is_infeasible)
        return f"No configuration is feasible; the last one: {last.message or last.outcome.value}."
    if best is None:
        reason = f": {result.trials[-1].message}" if result.trials and result.trials[-1].message else ""
        return f"No configuration was measured{reason}."
    params = params_text(best.params)
    rate = f"{format_rate(best.steps_per_second)} steps/s"
    if not result.own_settings_fit:
        return _answer_beside_the_smallest(result, best)
    if best.verdict is Verdict.BETTER and best.speedup is not None:
        sure = interval_text(best.speedup)
        return f"{params} trains at {rate}: {best.speedup.estimate:.2f} times as fast as your settings{sure}."
    if best.verdict is Verdict.KEEP_YOURS:
        return f"Keep your settings ({params}, {rate}): nothing was shown to be faster{_closest_text(result)}."
    if best.speedup is not None and result.study.stopped_because is None:
        return f"{params} looks fastest at {rate}, about {best.speedup.estimate:.2f} times your settings."
    if best.speedup is not None and best.speedup.interval is not None:
        return (
            f"{params} looks fastest at {rate}, about {best.speedup.estimate:.2f} times your settings"
            f"{interval_text(best.speedup)}; unconfirmed: the sessions side by side do not tell it from chance."
        )
    if best.speedup is not None:
        return (
            f"{params} looks fastest at {rate}, about {best.speedup.estimate:.2f} times your settings; unconfirmed: "
            "there was no room, or no quiet, to measure both again side by side."
        )
    if result.baseline is not None and dict(best.params) == dict(result.baseline.params):
        return f"Only your settings were measured ({params}, {rate}); the {_limit(result)} left no room for more."
    return f"{params} looks fastest at {rate}; unconfirmed, and your own settings could not be measured beside it."


def _answer_beside_the_smallest(result: StudyResult, best: Best) -> str:
    """The user's own settings do not fit, so that nothing can be held against them."""
    peak = max((trial.peak_memory_bytes or 0 for trial in result.trials if _is_own(trial, result)), default=0)
    seen = f" (stopped at {format_bytes(peak)})" if peak else ""
    text = f"Your own settings break the memory cap of {format_bytes(result.memory_cap_bytes)}{seen}."
    params, rate = params_text(best.params), f"{format_rate(best.steps_per_second)} steps/s"
    if best.speedup is None:
        return f"{text} Of what fits, {params} is the smallest, and nothing was shown to be faster: {rate}."
    than = f"{best.speedup.estimate:.2f} times as fast as the smallest that fits{interval_text(best.speedup)}"
    if best.verdict is Verdict.BETTER:
        return f"{text} Of what fits, {params} trains at {rate}: {than}."
    return f"{text} Of what fits, {params} looks fastest at {rate}, about {than}; unconfirmed."


def _is_own(trial: TrialResult, result: StudyResult) -> bool:
    return result.baseline is not None and trial.key == configuration_key(result.baseline.params)


def _closest_text(result: StudyResult) -> str:
    """How fast the fastest other one is beside the user's own settings, where that was confirmed."""
    judged = [(item.speedup, item) for item in result.configurations if item.speedup is not None]
    if not judged:
        return ""
    speedup, closest = max(judged, key=lambda pair: pair[0].estimate)
    sure = interval_text(speedup)
    return f"; {params_text(closest.params)} came closest with {speedup.estimate:.2f} times their speed{sure}"


def _limit(result: StudyResult) -> str:
    reason = result.study.stopped_because
    return reason if reason in ("budget", "limit on trials") else "space"


def range_text(bounds: tuple[float, float] | None) -> str:
    """Bounds of a rate, `1,500 to 1,700`."""
    return f"{format_rate(bounds[0])} to {format_rate(bounds[1])}" if bounds else "–"


def error_text(result: StudyResult) -> str:
    """Which error the intervals of configurations carry, with the noise and the drift that were found."""
    noise = result.noise
    if noise.between_percent is None:
        return (
            "Intervals are those within one session; how much sessions of one configuration differ is not known, "
            "because none was measured twice."
        )
    text = (
        "Intervals (95 %) are of a configuration's mean and carry the error that counts: sessions of one and the "
        f"same configuration differ by {noise.between_percent:.1f} % here (standard deviation, from {noise.sessions} "
        "repeated sessions). Where they overlap, the order may be chance."
    )
    if result.best is not None and result.best.speedup is not None and result.best.speedup.interval is not None:
        source = result.best.interval_from.value if result.best.interval_from else "the confirmation"
        text += f" The answer's own speed and speed-up are from {source} only."
    if noise.drift_percent_per_hour is None:
        return text
    bounds = ""
    if noise.drift_interval is not None:
        bounds = f" (95 %: {noise.drift_interval[0]:+.1f} to {noise.drift_interval[1]:+.1f})"
    return (
        f"{text} The machine's speed moved by {noise.drift_percent_per_hour:+.1f} % an hour{bounds}, judged by "
        f"{noise.baseline_sessions} sessions of your settings."
    )


def prediction_text(result: StudyResult) -> str | None:
    """How good the predictions of peak memory were, and what was not launched because of them; None without any."""
    checked = [t for t in result.trials if t.predicted_memory_bytes and t.peak_memory_bytes and t.is_ok]
    vetoed = sum(trial.outcome is Outcome.VETOED for trial in result.trials)
    texts = []
    if vetoed:
        subject = "1 configuration was" if vetoed == 1 else f"{vetoed} configurations were"
        it = "it was" if vetoed == 1 else "they were"
        texts.append(f"{subject} not launched because {it} sure to break the cap.")
    if checked:
        held = sum(_holds(trial.predicted_memory_bytes, trial.peak_memory_bytes) for trial in checked)
        texts.append(
            f"{held} of {len(checked)} measured peaks fell into the interval (99 %) predicted before the trial."
        )
    elif vetoed:
        texts.append("No prediction could be checked against a measurement yet.")
    return " ".join(texts) or None


def _holds(interval: tuple[float, float] | None, value: float | None) -> bool:
    return interval is not None and value is not None and interval[0] <= value <= interval[1]


def why(result: StudyResult) -> list[tuple[str, str]]:
    """What holds the user's own settings back, and the answer's where they are others: name and sentence."""
    texts = {trial.number: trial.bottleneck_text for trial in result.trials}
    found: dict[int, str] = {}
    if result.baseline is not None:
        found[result.baseline.trial] = "Your settings"
    if result.best is not None and (result.baseline is None or result.best.params != result.baseline.params):
        found[result.best.trial] = "The recommended settings" if is_recommended(result) else "What looks fastest"
    return [(name, text) for number, name in found.items() if (text := texts.get(number))]


def is_recommended(result: StudyResult) -> bool:
    """Whether the answer is advice; else it is what looks fastest so far."""
    return result.verdict in (Verdict.BETTER, Verdict.KEEP_YOURS)


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
