"""What CI systems read of a check that ended without a verdict."""

from __future__ import annotations

from xml.etree import ElementTree

from sweeper.model.gate import JUNIT_SUITE
from sweeper.outside import one_line, printable
from sweeper.report.check.ci import command_text, document

TITLE = "Training throughput was not checked"


def junit(message: str, code: int) -> str:
    """JUnit: an error."""
    suite = ElementTree.Element("testsuite", name=JUNIT_SUITE, tests="1", failures="0", errors="1", skipped="0")
    case = ElementTree.SubElement(suite, "testcase", classname="sweeper.check", name="throughput")
    error = ElementTree.SubElement(case, "error", message=one_line(message), type=f"exit code {code}")
    error.text = printable(message)
    return document(suite)


def summary(message: str, code: int) -> str:
    """Markdown for GitHub's step summary."""
    return f"### ❌ {TITLE}\n\n{one_line(message)} (exit code {code})\n"


def outputs(message: str) -> str:
    """Lines for `$GITHUB_OUTPUT`."""
    return f"verdict=error\nchange_percent=\nlow_percent=\nhigh_percent=\nheadline={one_line(message)}\n"


def annotation(message: str) -> str:
    """A workflow command of GitHub's that marks the run."""
    return command_text("error", TITLE, message)
