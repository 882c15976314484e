"""What a reader of one session's number should know."""

from __future__ import annotations

from sweeper.model.findings import Finding, FindingKind
from sweeper.report.words.finding import Sentences, Values, sentence
from sweeper.report.words.reasons import load_text
from sweeper.report.words.values import busiest_text


def session_note(finding: Finding) -> str:
    """The sentence of a trial's warning."""
    return sentence(finding, _SENTENCES)


def _few_cycles(values: Values) -> str:
    return (
        f"Only {values['cycles']} whole cycles were measured; fewer than {values['good_cycles']} give an estimate, not "
        "a measurement."
    )


def _not_precise(values: Values) -> str:
    return (
        f"The standard error within the session is {values['error_percent']:.1f} %, above the "
        f"{values['asked_percent']:.1f} % asked for."
    )


def _blocks(_: Values) -> str:
    return "Updates do not alternate with collecting here; blocks of time stand in for cycles."


def _phases(values: Values) -> str:
    return (
        f"Cycles are long: from {values['cycles']} of them, collecting and updating were estimated apart and put "
        "together."
    )


def _console(_: Values) -> str:
    return (
        "Our counter could not be loaded into this learner: the number comes from what it prints, which does not tell "
        "cycles from each other, so its interval is wider; updates were not counted."
    )


def _rare(values: Values) -> str:
    return (
        f"An exchange with a player brought {values['decisions']:.2g} decisions on average: its agents ask for them "
        "rarely, and most messages carry nothing to train on. In Unity, see the Decision Requester's period, and "
        "scripts that call RequestDecision."
    )


def _trend(values: Values) -> str:
    direction = "slower" if values["slower"] else "faster"
    return f"Cycles kept getting {direction} while this was measured: no steady state was reached."


def _outliers(values: Values) -> str:
    times = "cycle lies" if values["outliers"] == 1 else "cycles lie"
    return f"{values['outliers']} of {values['cycles']} {times} far from the others; counted, not removed."


def _memory_bound(_: Values) -> str:
    return "Memory is summed RSS here, an upper bound that counts shared pages more than once."


def _memory_pressure(values: Values) -> str:
    return f"Programs waited for memory {values['stall_percent']:.0f} % of the time: the machine was short of it."


def _left_behind(values: Values) -> str:
    return f"What this session started could not be ended: {', '.join(values['processes'])}. End it by hand."


def _busy(values: Values) -> str:
    return f"Measured while {load_text(FindingKind(values['cause']), values)}."


def _unsteady(values: Values) -> str:
    return (
        "The machine changed its speed while this was measured: gradient steps of "
        f"{1000 * values['fastest_seconds']:.3g} ms at one time took {1000 * values['slowest_seconds']:.3g} ms at "
        "another. A host shared with others, heat or a power plan may do that; the number is a mean over it."
    )


def _slices(values: Values) -> str:
    lost, slices = values["lost_slices"], values["slices"]
    were, do = ("was", "does") if lost == 1 else ("were", "do")
    busiest = busiest_text(values["busiest"], values["busiest_cores"])
    return f"{lost} of {slices} slices {were} disturbed by other programs and {do} not count{busiest}."


_SENTENCES: Sentences = {
    FindingKind.TOO_FEW_CYCLES: _few_cycles,
    FindingKind.NOT_PRECISE: _not_precise,
    FindingKind.BLOCKS_NOT_CYCLES: _blocks,
    FindingKind.PHASES_APART: _phases,
    FindingKind.FROM_CONSOLE: _console,
    FindingKind.DECISIONS_RARE: _rare,
    FindingKind.TREND: _trend,
    FindingKind.OUTLIER_CYCLES: _outliers,
    FindingKind.MEMORY_UPPER_BOUND: _memory_bound,
    FindingKind.MEMORY_PRESSURE: _memory_pressure,
    FindingKind.LEFT_BEHIND: _left_behind,
    FindingKind.MACHINE_BUSY: _busy,
    FindingKind.MACHINE_UNSTEADY: _unsteady,
    FindingKind.SLICES_DISTURBED: _slices,
}
