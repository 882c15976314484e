"""The answer of a study, in a title and in a sentence or two."""

from __future__ import annotations

from sweeper.model.study import Best, Stopped, StudyResult, Verdict
from sweeper.report.words.reasons import reason_text
from sweeper.report.words.reference import is_reference, of_reference, own_break_cap, reference_name
from sweeper.report.words.values import bytes_text, interval_text, params_text
from sweeper.units import format_bytes, format_rate

_TITLES = {
    Verdict.BETTER: "A faster configuration was found",
    Verdict.KEEP_YOURS: "Keep your settings",
    Verdict.UNCONFIRMED: "A first answer, not yet confirmed",
    Verdict.NONE_FEASIBLE: "No configuration is feasible",
}


def title(result: StudyResult) -> str:
    """The verdict in a few words."""
    if result.verdict is Verdict.KEEP_YOURS and own_break_cap(result):
        return "Train with the smallest configuration that fits"
    if result.verdict is not None:
        return _TITLES[result.verdict]
    return "No configuration was measured" if result.study.stopped_because else "This study is still running"


def headline(result: StudyResult) -> str:
    """The answer in one or two sentences; of a study that is not at its end, what is known so far."""
    answer = f"{_own_text(result)}{_answer(result)}"
    if result.study.stopped_because:
        return answer
    return f"Not finished; so far: {answer}" if result.trials else "No trial has ended yet."


def is_recommended(result: StudyResult) -> bool:
    """Whether the answer is advice; else it is what looks fastest so far."""
    return result.verdict in (Verdict.BETTER, Verdict.KEEP_YOURS)


def _own_text(result: StudyResult) -> str:
    """What is wrong with the user's own settings, where they break the cap and something else stands in for them."""
    if result.best is None or result.baseline is None or not own_break_cap(result):
        return ""
    cap, smallest = format_bytes(result.memory_cap_bytes), params_text(result.reference or {})
    peak = next((trial.peak_memory_bytes for trial in result.trials if trial.number == result.baseline.trial), None)
    seen = f" (stopped at {bytes_text(peak)})" if peak else ""
    over = f"speed-ups are over the smallest that fits ({smallest})"
    return f"Your own settings break the memory cap of {cap}{seen}; {over}. "


def _answer(result: StudyResult) -> str:
    best = result.best
    if best is None:
        return _nothing_measured(result)
    if best.verdict is Verdict.BETTER and best.speedup is not None:
        times = f"{best.speedup.estimate:.2f} times as fast as {reference_name(result)}{interval_text(best.speedup)}"
        return f"{params_text(best.params)} trains at {_rate(best)}: {times}."
    if best.verdict is Verdict.KEEP_YOURS:
        known = "" if own_break_cap(result) else f"{params_text(best.params)}, "
        advice = "Train with that" if own_break_cap(result) else "Keep your settings"
        return f"{advice} ({known}{_rate(best)}): nothing was shown to be faster{_closest_text(result)}."
    if best.speedup is None:
        return _no_speedup(result, best)
    looks = (
        f"{params_text(best.params)} looks fastest at {_rate(best)}, about {best.speedup.estimate:.2f} times "
        f"{reference_name(result)}"
    )
    if result.study.stopped_because is None:
        return f"{looks}."
    if best.speedup.interval is not None:
        doubt = "the sessions side by side do not tell it from chance"
        if best.speedup.interval[0] > 1:
            doubt = "too few sessions side by side to be sure of it, with several looks and contenders counted"
        return f"{looks}{interval_text(best.speedup)}; unconfirmed: {doubt}."
    return f"{looks}; unconfirmed: {_why_unconfirmed(result)}."


def _why_unconfirmed(result: StudyResult) -> str:
    """What kept both from being measured again side by side."""
    reason = result.study.stopped_because or ""
    if reason == Stopped.TRIALS.value:
        return f"the limit of {result.study.trial_limit} trials left none to measure both again side by side"
    if reason == "interrupted":
        return "it was stopped before both were measured again side by side"
    if result.trials and result.trials[-1].excuses:
        return f"nothing ran any more on this machine ({reason_text(result.trials[-1].reason)})"
    return "there was no room, or no quiet, to measure both again side by side"


def _nothing_measured(result: StudyResult) -> str:
    is_open = result.verdict is None and result.study.stopped_because is not None
    failed = [trial for trial in result.trials if trial.outcome.is_infeasible]
    if failed and not is_open:
        return (
            f"No configuration is feasible; the last one: {reason_text(failed[-1].reason) or failed[-1].outcome.value}."
        )
    last = reason_text(result.trials[-1].reason) if result.trials else None
    return f"No configuration was measured{f': {last}' if last else ''}."


def _no_speedup(result: StudyResult, best: Best) -> str:
    if is_reference(best.params, result):
        named = f"{params_text(best.params)}, {_rate(best)}"
        what = f"the smallest that fits was measured ({_rate(best)})"
        if not own_break_cap(result):
            what = f"your settings were measured ({named})"
        return f"Only {what}; the {_limit(result)} left no room for more."
    return (
        f"{params_text(best.params)} looks fastest at {_rate(best)}; unconfirmed, and {_reference_alone(result)} could "
        "not be measured beside it."
    )


def _reference_alone(result: StudyResult) -> str:
    return reference_name(result) if own_break_cap(result) else "your own settings"


def _rate(best: Best) -> str:
    return f"{format_rate(best.steps_per_second)} steps/s"


def _closest_text(result: StudyResult) -> str:
    """How fast the fastest other one is beside the reference, where that was confirmed."""
    confirmed = [
        (item.speedup, item)
        for item in result.configurations
        if item.speedup is not None and not is_reference(item.params, result)
    ]
    if not confirmed:
        return ""
    speedup, closest = max(confirmed, key=lambda pair: pair[0].estimate)
    return (
        f"; {params_text(closest.params)} came closest with {speedup.estimate:.2f} times {of_reference(result)} speed"
        f"{interval_text(speedup)}"
    )


def _limit(result: StudyResult) -> str:
    reason = result.study.stopped_because
    return Stopped(reason).value if reason in (Stopped.BUDGET, Stopped.TRIALS) else "space"
