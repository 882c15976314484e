"""The sentences of a check. Made here and nowhere else."""

from __future__ import annotations

from sweeper.model.gate import Because, Change, CheckResult, GateVerdict, Mode, PhaseChange
from sweeper.model.trial import TrialResult
from sweeper.report.words.reasons import OUTCOME_WORDS, reason_text
from sweeper.report.words.values import busiest_text
from sweeper.units import format_seconds

PHASE_WORDS = {
    "players": "waiting for players and their messages",
    "inference": "choosing actions",
    "processing": "preparing trajectories",
    "updates": "policy updates",
    "rest": "everything else in collecting",
}
TITLES = {
    GateVerdict.PASS: "PASS",
    GateVerdict.IMPROVED: "PASS: improved",
    GateVerdict.REGRESSED: "REGRESSED",
    GateVerdict.INCONCLUSIVE: "INCONCLUSIVE",
    GateVerdict.CANDIDATE_FAILS: "THE CANDIDATE DOES NOT RUN",
}


def percent(share: float, digits: int = 1) -> str:
    """A share with its sign."""
    return f"{100 * share:+.{digits}f} %"


def change_text(change: Change) -> str:
    """A change with its interval."""
    low, high = change.interval
    return f"{percent(change.estimate)} ({100 * low:+.1f} to {100 * high:+.1f})"


def headline(result: CheckResult) -> str:
    """The verdict and why, in a sentence or two."""
    return f"{TITLES[result.verdict]}: {because(result)}"


def why_text(result: CheckResult) -> str | None:
    """What got slower or faster beyond doubt; None where no phase did."""
    sure = [phase for phase in result.why if phase.is_sure]
    if not sure:
        return None
    total = sum(phase.baseline for phase in result.why)
    return (
        "Of 1,000 agent steps, which took " + f"{total:.2f} s: " + "; ".join(phase_text(phase) for phase in sure) + "."
    )


def phase_text(phase: PhaseChange) -> str:
    """What a phase takes more or less, in seconds per 1,000 steps."""
    low, high = phase.interval
    more = "more" if phase.more > 0 else "less"
    low, high = sorted((abs(low), abs(high)))
    return f"{PHASE_WORDS[phase.phase]} {abs(phase.more):.3f} s {more} ({low:.3f} to {high:.3f})"


def failure_text(result: CheckResult) -> str:
    """Why the candidate does not run."""
    failed = [trial for trial in result.trials if trial.outcome.is_infeasible]
    return _failure(failed[-1]) if failed else "its sessions end without a number"


def _failure(trial: TrialResult) -> str:
    return reason_text(trial.reason) or OUTCOME_WORDS[trial.outcome]


def because(result: CheckResult) -> str:
    """Why, without the verdict's name."""
    tolerance = f"{100 * result.tolerance:g} %"
    if result.verdict is GateVerdict.CANDIDATE_FAILS:
        return f"two of its sessions failed, and the baseline's did not: {failure_text(result)}."
    if result.mode is Mode.STORED:
        return f"{_stored(result, tolerance)} {_STORED_LIMITS}"
    counted = f"{result.counted} {_unit(result)}, {format_seconds(result.seconds)}"
    change = "" if result.change is None else change_text(result.change)
    if result.verdict.is_pass:
        gain = "the candidate is faster" if result.verdict is GateVerdict.IMPROVED else "no slowdown worth the name"
        return f"{gain}; one of {tolerance} or more is excluded. Candidate {change}, {counted}."
    if result.verdict is GateVerdict.REGRESSED:
        return f"{_regression(result)} Candidate {change}, {counted}."
    return f"{_open(result, tolerance)} {f'Candidate {change} so far, ' if change else ''}{counted}."


_STORED_LIMITS = (
    "Against a recorded baseline, a change of the machine cannot be told from one of the build: to be sure, compare "
    "side by side with --baseline."
)


def _stored(result: CheckResult, tolerance: str) -> str:
    change = "no session counted" if result.change is None else f"candidate {change_text(result.change)}"
    if result.verdict is GateVerdict.REGRESSED:
        return f"two batches of sessions were slower than the recorded ones would be in one of a hundred; {change}."
    if result.verdict.is_pass:
        return f"as fast as the recorded sessions, and a slowdown of {tolerance} or more is excluded; {change}."
    if result.because is Because.NOT_REPEATED:
        return f"one batch of sessions was slow, and a second one was not; {change}."
    if result.because is Because.SPEED:
        return f"no slower than the recorded sessions, but they differ too much to exclude {tolerance}; {change}."
    return f"too few sessions counted in the time allowed; {change}."


def _regression(result: CheckResult) -> str:
    if result.because is Because.MEMORY and result.memory_growth is not None:
        return (
            f"as fast, but its memory grew by {change_text(result.memory_growth)}, where "
            f"{100 * (result.max_memory_growth or 0):g} % are allowed."
        )
    if result.because is Because.UPDATES:
        before, after = (result.updates[side].policy for side in ("baseline", "candidate"))
        return f"it learns less: {after:.2f} policy updates per 1,000 steps, the baseline {before:.2f}."
    return "the candidate is slower, by more than 1 % beyond doubt."


def _open(result: CheckResult, tolerance: str) -> str:
    if result.because is Because.BUSY:
        void = sum(pair.void is not None for pair in result.pairs)
        return f"other programs disturbed {void} of {len(result.pairs)} pairs{_culprits(result)}."
    if result.because is Because.UNEVEN_LOAD:
        return "it looks slower, but other programs took more of the candidate's time than of the baseline's."
    return f"neither a slowdown of {tolerance} nor its absence could be shown in the time allowed{_needed(result)}."


def _needed(result: CheckResult) -> str:
    if result.pair_deviation is None:
        return "; too few pairs counted to say what it would take"
    ways = []
    if result.pairs_needed is not None and result.seconds_needed is not None:
        ways.append(f"about {result.pairs_needed} pairs (--max-time {_minutes(result.seconds_needed)})")
    if result.tolerance_in_reach is not None and result.tolerance_in_reach > result.tolerance:
        ways.append(f"--tolerance {100 * result.tolerance_in_reach:g}%")
    would = f"; it would take {' or '.join(ways)}" if ways else "; this machine is too unsteady for a check"
    return f": pairs differ by {100 * result.pair_deviation:.1f} %{would}"


def _minutes(seconds: float) -> str:
    return f"{max(1, -(-int(seconds) // 60))}m"


def _culprits(result: CheckResult) -> str:
    names, cores = [one.name for one in result.busiest], [one.cores for one in result.busiest]
    return busiest_text(names, cores) if names else ""


def _unit(result: CheckResult) -> str:
    words = {Mode.SLICES: "restarts of both sides", Mode.SESSIONS: "pairs of sessions", Mode.STORED: "sessions"}
    return words[result.mode]
