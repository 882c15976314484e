"""The sentences of a check. Made here and nowhere else."""

from __future__ import annotations

from sweeper.model.gate import Because, Change, CheckResult, GateVerdict, Mode, PhaseChange, SideFacts
from sweeper.model.measurement import PerThousandSteps
from sweeper.model.trial import TrialResult
from sweeper.outside import short
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


def notes(baseline: SideFacts, candidate: SideFacts) -> list[str]:
    """What a reader of the verdict has to know of the two sides."""
    found = [
        f"Careful: {' and '.join(side.from_today)} of the {side.name} ({' '.join(side.named)}) "
        f"{'is' if len(side.from_today) == 1 else 'are'} today's: git does not hold what the revision had."
        for side in (baseline, candidate)
        if side.from_today
    ]
    before, after = (side.fingerprint.get("behaviours") or [] for side in (baseline, candidate))
    if set(before) != set(after) and before and after:
        found.append(
            f"Careful: the baseline trains {short(', '.join(before))}, the candidate {short(', '.join(after))}: "
            "if that is more than a name, their agent steps are not comparable."
        )
    return found


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
    return (reason_text(trial.reason) or OUTCOME_WORDS[trial.outcome]).rstrip(".")


def because(result: CheckResult) -> str:
    """Why, without the verdict's name."""
    tolerance = f"{100 * result.tolerance:g} %"
    if result.verdict is GateVerdict.CANDIDATE_FAILS and result.mode is Mode.STORED:
        return f"two of its sessions failed: {failure_text(result)}."
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
    if result.because is Because.MEMORY and result.memory_growth is not None:
        growth = f"{change_text(result.memory_growth)}, where {100 * (result.max_memory_growth or 0):g} % are allowed"
        if result.verdict is GateVerdict.REGRESSED:
            return f"in two batches of sessions its memory grew, by {growth}; {change}."
        return f"as fast, but its memory differs too much between sessions to say that it did not grow: {growth}."
    if result.verdict is GateVerdict.REGRESSED:
        return f"two batches of sessions were slower than the recorded ones would be in one of a hundred; {change}."
    if result.verdict.is_pass:
        return f"as fast as the recorded sessions, and a slowdown of {tolerance} or more is excluded; {change}."
    if result.because is Because.NOT_REPEATED:
        return f"one batch of sessions was slow or took more memory, and a second one did not repeat it; {change}."
    if result.because is Because.SPEED:
        return (
            "no slower than the recorded sessions, but their days are too few or differ too much to exclude "
            f"{tolerance}; {change}. Recording on more days helps."
        )
    return f"too few sessions counted in the time allowed; {change}."


def _regression(result: CheckResult) -> str:
    if result.because is Because.MEMORY and result.memory_growth is not None:
        return (
            f"as fast, but its memory grew by {change_text(result.memory_growth)}, where "
            f"{100 * (result.max_memory_growth or 0):g} % are allowed."
        )
    if result.because is Because.UPDATES:
        kind, before, after = _scarcer(result.updates["baseline"], result.updates["candidate"])
        return f"it learns less: {after:.2f} {kind} updates per 1,000 steps, the baseline {before:.2f}."
    return "the candidate is slower, by more than 1 % beyond doubt."


def _scarcer(before: PerThousandSteps, after: PerThousandSteps) -> tuple[str, float, float]:
    """The kind of updates of which the candidate makes the smaller share, and how many each side makes."""
    kinds = [("policy", before.policy, after.policy)]
    if before.gradient and after.gradient is not None:
        kinds.append(("gradient", before.gradient, after.gradient))
    return min(kinds, key=lambda one: one[2] / one[1] if one[1] else 1.0)


def _open(result: CheckResult, tolerance: str) -> str:
    if result.because is Because.BUSY:
        void = sum(pair.void is not None for pair in result.pairs)
        return f"other programs disturbed {void} of {len(result.pairs)} pairs{_culprits(result)}."
    if result.because is Because.MEMORY and result.memory_growth is not None:
        return (
            f"as fast, but its memory differs too much between sessions to say that it grew by "
            f"{100 * (result.max_memory_growth or 0):g} % at most: {change_text(result.memory_growth)}."
        )
    if result.because is Because.UNEVEN_LOAD:
        return "it looks slower, but other programs took more of the candidate's time than of the baseline's."
    return f"neither a slowdown of {tolerance} nor its absence could be shown in the time allowed{_needed(result)}."


def _needed(result: CheckResult) -> str:
    if result.pair_deviation is None:
        return "; too few pairs counted to say what it would take"
    differ = f": pairs differ by {100 * result.pair_deviation:.1f} %"
    if result.pairs_needed is None and result.tolerance_in_reach is None:
        return f"{differ}; this machine is too unsteady for a check"
    if result.pairs_needed is not None and result.pairs_needed <= result.counted:
        return f"{differ}, which is little: the change lies between what is no regression (1 %) and the tolerance"
    ways = []
    if result.pairs_needed is not None and result.seconds_needed is not None:
        ways.append(f"about {result.pairs_needed} pairs (--max-time {_minutes(result.seconds_needed)})")
    if result.tolerance_in_reach is not None and result.tolerance_in_reach > result.tolerance:
        ways.append(f"--tolerance {100 * result.tolerance_in_reach:g}%")
    return f"{differ}; it would take {' or '.join(ways)}" if ways else differ


def _minutes(seconds: float) -> str:
    return f"{max(1, -(-int(seconds) // 60))}m"


def _culprits(result: CheckResult) -> str:
    names, cores = [one.name for one in result.busiest], [one.cores for one in result.busiest]
    return busiest_text(names, cores) if names else ""


def _unit(result: CheckResult) -> str:
    words = {Mode.SLICES: "restarts of both sides", Mode.SESSIONS: "pairs of sessions", Mode.STORED: "sessions"}
    return words[result.mode]
