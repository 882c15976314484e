"""Results for scripts and spreadsheets: JSON, CSV, and Markdown for a pull request or a chat."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sweeper.model.findings import Finding
from sweeper.model.study import StudyResult, to_json
from sweeper.model.trial import Params, TrialResult
from sweeper.outside import UNSHOWN, one_line
from sweeper.report.words.answer import headline
from sweeper.report.words.bottlenecks import bottleneck_text
from sweeper.report.words.errors import error_text
from sweeper.report.words.reasons import reason_text
from sweeper.report.words.session_notes import session_note
from sweeper.report.words.study_notes import study_note
from sweeper.report.words.values import ABSENT, bytes_text, params_text, range_text, speedup_text
from sweeper.units import format_rate

MARKDOWN_ROWS = 10
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a text for a formula."""
_NO_TRIALS = '\n "trials": []'
_MARKUP = re.compile(r"[\\`*\[\]<>&|~]")


def as_json(result: StudyResult, texts: dict[int, tuple[TrialResult, str]] | None = None) -> str:
    """`results.json`, byte for byte: the values, and beside them their sentences, for scripts; we read only values.

    `texts`: of trials by number, made for an earlier result of the same study.
    """
    known = {} if texts is None else texts
    for trial in result.trials:
        if trial.number not in known or known[trial.number][0] is not trial:
            known[trial.number] = trial, _json_text(_trial_with_sentences(trial)).replace("\n", "\n  ")
    text = _json_text(_study_with_sentences(result)) + "\n"
    trials = ",\n".join(f"  {known[trial.number][1]}" for trial in result.trials)
    return text.replace(_NO_TRIALS, f"{_NO_TRIALS[:-1]}\n{trials}\n ]", 1) if trials else text


def _json_text(data: Any) -> str:
    text = json.dumps(data, indent=1, ensure_ascii=False)
    return UNSHOWN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def as_csv(result: StudyResult) -> str:
    """One row a trial; parameters as columns `params.*`, absent values empty, warnings by their kinds."""
    import pandas

    rows = []
    for trial in result.trials:
        data = _trial_with_sentences(trial)
        row = {key: value for key, value in data.items() if not isinstance(value, (list, dict))}
        row.update({f"params.{knob}": value for knob, value in trial.params.items()})
        row["interval.low"], row["interval.high"] = trial.interval or (None, None)
        updates = trial.updates_per_1000_steps
        row["updates_per_1000_steps.gradient"] = updates.gradient if updates else None
        row["updates_per_1000_steps.policy"] = updates.policy if updates else None
        row["warnings"] = " ".join(note.kind.value for note in trial.warnings) or None
        rows.append({_cell(key): _cell(value) for key, value in row.items()})
    return str(pandas.DataFrame(rows).convert_dtypes().to_csv(index=False))


def as_markdown(result: StudyResult) -> str:
    """The answer, the ten fastest configurations with their intervals, which error those carry, and the warnings."""
    lines = [f"## sweeper: {_escaped(result.study.name)}", "", _escaped(headline(result)), ""]
    ranked = result.ranking[:MARKDOWN_ROWS]
    if ranked:
        lines += ["| configuration | steps/s | 95 % | sessions | peak memory |", "|---|---:|---:|---:|---:|"]
    for item in ranked:
        cells = (
            _escaped(params_text(item.params)),
            format_rate(item.steps_per_second or 0.0),
            range_text(item.interval),
            str(item.sessions),
            bytes_text(item.peak_memory_bytes),
        )
        lines.append(f"| {' | '.join(cells)} |")
    if ranked:
        lines += ["", _escaped(error_text(result))]
    if result.warnings:
        lines += ["", *(f"- {_escaped(study_note(note))}" for note in result.warnings)]
    return "\n".join(lines) + "\n"


def as_comparison(first: StudyResult, second: StudyResult) -> str:
    """Two studies side by side, in Markdown."""

    def best(result: StudyResult) -> tuple[Params, str, str]:
        if result.best is None:
            return {}, ABSENT, ABSENT
        return result.best.params, format_rate(result.best.steps_per_second), speedup_text(result.best.speedup)

    names = _escaped(first.study.name), _escaped(second.study.name)
    lines = [f"## {names[0]} and {names[1]}", ""]
    if first.machine.key != second.machine.key:
        lines += ["**These studies ran on different machines; their numbers are not comparable.**", ""]
    lines += [f"| | {names[0]} | {names[1]} |", "|---|---|---|"]
    (params_a, rate_a, speed_a), (params_b, rate_b, speed_b) = best(first), best(second)
    lines.append(f"| best configuration | {_escaped(params_text(params_a))} | {_escaped(params_text(params_b))} |")
    lines.append(f"| steps/s | {rate_a} | {rate_b} |")
    lines.append(f"| speed-up over its baseline | {speed_a} | {speed_b} |")
    lines.append(f"| machine | {_escaped(first.machine.cpu_model)} | {_escaped(second.machine.cpu_model)} |")
    return "\n".join(lines) + "\n"


def _study_with_sentences(result: StudyResult) -> dict[str, Any]:
    """All but the trials."""
    data: dict[str, Any] = to_json(replace(result, trials=()))
    _add_texts(data["warnings"], result.warnings, study_note)
    if result.best is not None:
        session = next((trial for trial in result.trials if trial.number == result.best.trial), None)
        data["best"]["bottleneck_text"] = bottleneck_text(session) if session else None
    return data


def _trial_with_sentences(trial: TrialResult) -> dict[str, Any]:
    data: dict[str, Any] = to_json(trial)
    data["message"], data["bottleneck_text"] = reason_text(trial.reason), bottleneck_text(trial)
    _add_texts(data["warnings"], trial.warnings, session_note)
    return data


def _add_texts(data: list[dict[str, Any]], findings: Sequence[Finding], words: Callable[[Finding], str]) -> None:
    for item, finding in zip(data, findings):
        item["text"] = words(finding)


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return one_line(f"'{value}" if value.startswith(_FORMULA) else value)


def _escaped(text: str) -> str:
    """Text for Markdown: in one line, and neither a column, a link nor HTML."""
    return _MARKUP.sub(r"\\\g<0>", one_line(text))
