"""Results for scripts and spreadsheets: JSON, CSV, and Markdown for a pull request or a chat."""

from __future__ import annotations

import json

from sweeper.model.study import StudyResult, to_json
from sweeper.model.trial import Params
from sweeper.quantities import format_bytes, format_rate
from sweeper.report.words import headline, params_text, speedup_text


def as_json(result: StudyResult) -> str:
    """`results.json`, byte for byte."""
    return json.dumps(to_json(result), indent=1, ensure_ascii=False) + "\n"


def as_csv(result: StudyResult) -> str:
    """One row a trial; parameters as columns `params.*`, absent values empty."""
    import pandas

    rows = []
    for trial in result.trials:
        row = {key: value for key, value in to_json(trial).items() if not isinstance(value, (list, dict))}
        row.update({f"params.{knob}": value for knob, value in trial.params.items()})
        row["interval.low"], row["interval.high"] = trial.interval or (None, None)
        updates = trial.updates_per_1000_steps
        row["updates_per_1000_steps.gradient"] = updates.gradient if updates else None
        row["updates_per_1000_steps.policy"] = updates.policy if updates else None
        rows.append(row)
    return str(pandas.DataFrame(rows).convert_dtypes().to_csv(index=False))


def as_markdown(result: StudyResult) -> str:
    """The answer and the ten fastest trials."""
    lines = [f"## sweeper: {result.study.name}", "", headline(result), ""]
    ranked = sorted((t for t in result.trials if t.is_ok), key=lambda t: t.steps_per_second or 0.0, reverse=True)
    if ranked:
        lines += ["| trial | configuration | steps/s | peak memory |", "|---:|---|---:|---:|"]
    for trial in ranked[:10]:
        memory = format_bytes(trial.peak_memory_bytes) if trial.peak_memory_bytes else "–"
        rate = format_rate(trial.steps_per_second or 0.0)
        lines.append(f"| {trial.number} | {params_text(trial.params)} | {rate} | {memory} |")
    return "\n".join(lines) + "\n"


def as_comparison(first: StudyResult, second: StudyResult) -> str:
    """Two studies side by side, in Markdown."""

    def best(result: StudyResult) -> tuple[Params, str, str]:
        if result.best is None:
            return {}, "–", "–"
        return result.best.params, format_rate(result.best.steps_per_second), speedup_text(result.best.speedup)

    lines = [f"## {first.study.name} and {second.study.name}", ""]
    if first.machine.key != second.machine.key:
        lines += ["**These studies ran on different machines; their numbers are not comparable.**", ""]
    lines += [f"| | {first.study.name} | {second.study.name} |", "|---|---|---|"]
    (params_a, rate_a, speed_a), (params_b, rate_b, speed_b) = best(first), best(second)
    lines.append(f"| best configuration | {params_text(params_a)} | {params_text(params_b)} |")
    lines.append(f"| steps/s | {rate_a} | {rate_b} |")
    lines.append(f"| speed-up over its baseline | {speed_a} | {speed_b} |")
    lines.append(f"| machine | {first.machine.cpu_model} | {second.machine.cpu_model} |")
    return "\n".join(lines) + "\n"
