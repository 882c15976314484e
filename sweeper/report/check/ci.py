"""The files and lines that CI systems read."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

from sweeper.model.gate import JUNIT_SUITE, CheckResult, GateVerdict
from sweeper.outside import one_line
from sweeper.report.check.words import TITLES, change_text, headline, notes, why_text

_GITHUB = {"%": "%25", "\r": "%0D", "\n": "%0A"}


def junit(result: CheckResult) -> str:
    """JUnit: a regression is a failure, a candidate that does not run an error, and an open answer skipped."""
    suite = ElementTree.Element("testsuite", name=JUNIT_SUITE, tests="1", failures="0", errors="0", skipped="0")
    suite.set("time", f"{result.seconds:.3f}")
    suite.set("timestamp", result.started_at[:19])
    name = f"throughput of {compared(result)}"
    case = ElementTree.SubElement(suite, "testcase", classname="sweeper.check", name=name)
    case.set("time", f"{result.seconds:.3f}")
    kind, counter = {
        GateVerdict.REGRESSED: ("failure", "failures"),
        GateVerdict.CANDIDATE_FAILS: ("error", "errors"),
        GateVerdict.INCONCLUSIVE: ("skipped", "skipped"),
    }.get(result.verdict, (None, None))
    if kind is not None and counter is not None:
        suite.set(counter, "1")
        found = ElementTree.SubElement(case, kind, message=headline(result))
        if kind != "skipped":
            found.set("type", result.because.value)
            found.text = details(result)
    ElementTree.SubElement(case, "system-out").text = details(result)
    return document(suite)


def document(suite: ElementTree.Element) -> str:
    """A JUnit file with this suite."""
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def compared(result: CheckResult) -> str:
    """The study and what is compared, which tells two checks of a study apart."""
    before, after = (" ".join(one_line(word) for word in side.named) for side in (result.baseline, result.candidate))
    return f"{result.name} ({after} against {before})"


def details(result: CheckResult) -> str:
    """All that is worth saying, in lines of plain text."""
    lines = [headline(result), *notes(result.baseline, result.candidate)]
    if (why := why_text(result)) is not None:
        lines.append(why)
    if result.memory_growth is not None:
        lines.append(f"Peak memory: {change_text(result.memory_growth)}.")
    for side, rate in result.steps_per_second.items():
        lines.append(f"{side}: {rate:,.0f} agent steps/s")
    return "\n".join(lines)


def summary(result: CheckResult) -> str:
    """Markdown for GitHub's step summary, and for a comment."""
    marks = {GateVerdict.PASS: "✅", GateVerdict.IMPROVED: "✅", GateVerdict.INCONCLUSIVE: "❔"}
    rows = [("candidate against baseline", "–" if result.change is None else change_text(result.change))]
    rows += [(f"{side}, agent steps/s", f"{rate:,.0f}") for side, rate in result.steps_per_second.items()]
    if result.memory_growth is not None:
        rows.append(("peak memory", change_text(result.memory_growth)))
    if result.pair_deviation is not None:
        rows.append(("pairs differ by", f"{100 * result.pair_deviation:.1f} %"))
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    told = [*notes(result.baseline, result.candidate), why_text(result)]
    rest = "".join(f"\n{line}\n" for line in told if line)
    return (
        f"### {marks.get(result.verdict, '❌')} Training throughput of {result.name}: {TITLES[result.verdict]}\n\n"
        f"{headline(result)}\n\n| | |\n|---|---|\n{table}\n{rest}"
    )


def annotation(result: CheckResult) -> str | None:
    """A workflow command of GitHub's that marks the run; None where it passed."""
    level = {GateVerdict.REGRESSED: "error", GateVerdict.CANDIDATE_FAILS: "error", GateVerdict.INCONCLUSIVE: "warning"}
    if result.verdict not in level:
        return None
    return command_text(level[result.verdict], "Training throughput", headline(result))


def command_text(level: str, title: str, text: str) -> str:
    """A workflow command of GitHub's."""
    escaped = "".join(_GITHUB.get(character, character) for character in text)
    return f"::{level} title={title}::{escaped}"


def outputs(result: CheckResult) -> str:
    """Lines for `$GITHUB_OUTPUT`."""
    values = {
        "verdict": result.verdict.value,
        "change_percent": "" if result.change is None else f"{100 * result.change.estimate:.2f}",
        "low_percent": "" if result.change is None else f"{100 * result.change.interval[0]:.2f}",
        "high_percent": "" if result.change is None else f"{100 * result.change.interval[1]:.2f}",
        "headline": one_line(headline(result)),
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


def metrics(result: CheckResult) -> str:
    """OpenMetrics text, as GitLab's metrics reports read it."""
    lines = [f'sweeper_steps_per_second{{side="{side}"}} {rate:.6g}' for side, rate in result.steps_per_second.items()]
    if result.change is not None:
        lines.append(f"sweeper_change_percent {100 * result.change.estimate:.4g}")
    if result.memory_growth is not None:
        lines.append(f"sweeper_memory_growth_percent {100 * result.memory_growth.estimate:.4g}")
    return "\n".join([*lines, "# EOF"]) + "\n"


def code_quality(result: CheckResult) -> str:
    """GitLab's code quality report: an entry where the check did not pass."""
    if result.verdict.is_pass:
        return "[]\n"
    severity = "minor" if result.verdict is GateVerdict.INCONCLUSIVE else "major"
    entry = {
        "description": headline(result),
        "check_name": "sweeper-check",
        "fingerprint": f"sweeper-check-{compared(result)}-{result.because.value}",
        "severity": severity,
        "location": {"path": result.candidate.study or result.name, "lines": {"begin": 1}},
    }
    return json.dumps([entry], indent=1) + "\n"


def benchmark(result: CheckResult) -> str:
    """For github-action-benchmark, its kind `customBiggerIsBetter`."""
    rows: list[dict[str, Any]] = []
    for side, rate in result.steps_per_second.items():
        row: dict[str, Any] = {"name": f"{compared(result)}: {side}", "unit": "steps/s", "value": rate}
        if side == "candidate" and result.change is not None:
            row["extra"] = f"against the baseline: {change_text(result.change)}"
        rows.append(row)
    return json.dumps(rows, indent=1) + "\n"
