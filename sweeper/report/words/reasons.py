"""How trials ended, and why one has no number that counts."""

from __future__ import annotations

from sweeper.model.findings import Finding, FindingKind
from sweeper.model.trial import Outcome
from sweeper.report.words.finding import Sentences, Values, sentence
from sweeper.report.words.values import busiest_text, bytes_text
from sweeper.units import format_bytes, format_rate, format_seconds

OUTCOME_WORDS = {
    Outcome.OK: "measured",
    Outcome.OVER_MEMORY: "over the memory cap",
    Outcome.TOO_FEW_UPDATES: "too few updates",
    Outcome.VETOED: "not launched: sure to break the cap",
    Outcome.TIMEOUT: "timed out",
    Outcome.CRASHED: "crashed",
    Outcome.NO_STEPS: "no steps",
    Outcome.OUTPACED: "outpaced",
    Outcome.DISTURBED: "disturbed",
    Outcome.INTERRUPTED: "interrupted",
}
_AGAIN = "measured again later"
_SLOW_MEND = "name a larger measure.max_seconds or budget, or lower buffer_size"
_TURNS_MEND = (
    "self-play lets one team learn at a time and changes it every {:,} steps (self_play.team_change), so a smaller "
    "buffer_size may not help: name a larger measure.max_seconds or budget"
)


def reason_text(reason: Finding | None) -> str | None:
    """The sentence, in lower case and without a full stop, as it follows a colon; None for None."""
    return None if reason is None else sentence(reason, _SENTENCES)


def load_text(kind: FindingKind, values: Values) -> str:
    """What took the machine, as it follows `measured while`."""
    if kind is FindingKind.OTHERS_ON_CORES:
        return f"other programs used {values['others_percent']:.0f} % of the cores{_busiest(values)}"
    if kind is FindingKind.CORES_STOLEN:
        return f"the host gave {values['steal_percent']:.0f} % of the cores to other machines"
    if kind is FindingKind.OTHERS_ON_GPU:
        return f"other programs used {values['gpu_others_percent']:.0f} % of the GPU"
    raise ValueError(kind)


def _busiest(values: Values) -> str:
    return busiest_text(values["busiest"], values["busiest_cores"])


def _cause(values: Values) -> str:
    return f": {values['cause']}" if values.get("cause") else ""


def _meanwhile(values: Values) -> str:
    return f"; {load_text(FindingKind.OTHERS_ON_CORES, values)} meanwhile" if "others_percent" in values else ""


def _over_memory(values: Values) -> str:
    peak, cap = bytes_text(values["peak_bytes"]), format_bytes(values["cap_bytes"])
    return f"{peak} in use, above the cap of {cap}; stopped at once"


def _kernel(values: Values) -> str:
    peak, cap = bytes_text(values["peak_bytes"]), format_bytes(values["cap_bytes"])
    return f"the kernel ended it at the cap of {cap} ({values['mechanism']}); {peak} at its peak"


def _system(values: Values) -> str:
    peak = bytes_text(values["peak_bytes"])
    return f"the system's out-of-memory killer acted, on a process of it probably; {peak} were seen before"


def _short(values: Values) -> str:
    return (
        f"other programs took the machine's memory ({bytes_text(values['peak_bytes'])} in use by this trial); {_AGAIN}"
    )


def _exited(values: Values) -> str:
    detail = values["exception"] or values["signal"] or values["last_line"] or "it printed nothing"
    return f"the learner ended by itself after {values['steps']:,} steps: {detail}"


def _too_slow(values: Values) -> str:
    if values["from_console"]:
        return f"too few summaries printed in the time allowed; {_SLOW_MEND}{_meanwhile(values)}"
    who = f": {', '.join(values['idle'])} did not update yet" if values["idle"] else ""
    mend = _SLOW_MEND if values.get("team_change") is None else _TURNS_MEND.format(values["team_change"])
    return f"too few whole cycles in the time allowed{who}{_one_update(values)}; {mend}{_meanwhile(values)}"


def _one_update(values: Values) -> str:
    if not values.get("update_seconds"):
        return ""
    of = f" of {values['update_of']}" if values["update_of"] else ""
    seconds, steps = format_seconds(values["update_seconds"]), values["update_steps"]
    return f"; at this speed an update{of}, which takes {steps:,} steps, comes every {seconds}"


def _no_update(values: Values) -> str:
    who = f" of {values['name']}" if values.get("name") else ""
    full = f", though {values['fill_steps']:,} are enough for one" if values.get("fill_steps") else ""
    return f"no policy update{who} within {values['steps']:,} steps{full}{_meanwhile(values)}"


def _too_few(values: Values, name: str, digits: int) -> str:
    actual, required = values["actual_per_1000"], values["required_per_1000"]
    return f"{actual:.{digits}f} {name} per 1,000 steps; at least {required:.{digits}f} are required"


def _bursts(values: Values) -> str:
    """Of what an update sees, and how that is mended."""
    if values.get("steps_an_update") is None:
        return ""
    agents, horizon = values["agents"], values["time_horizon"]
    who = f"{agents:.0f} agents" if agents else "agents"
    shorter = ", ".join(str(horizon // part) for part in (4, 2, 1) if horizon // part)
    return (
        f"; an update sees {values['steps_an_update']:,.0f} steps and not buffer_size {values['buffer_size']:,}, "
        f"because {who} hand in time_horizon {horizon} steps each at once; a larger buffer_size in your own settings "
        f"mends that, or a shorter horizon, which can be searched (`time_horizon: [{shorter}]` under space)"
    )


def _outpaced(values: Values) -> str:
    own, fastest = format_rate(values["steps_per_second"]), format_rate(values["fastest"])
    return (
        f"ended early, for it cannot become the fastest: {own} steps/s before its first update, with which no cycle is "
        f"faster, and the fastest so far makes {fastest}"
    )


def _would_break(values: Values) -> str:
    low, high, cap = (format_bytes(values[name]) for name in ("low_bytes", "high_bytes", "cap_bytes"))
    return f"it would need {low} to {high}, and the cap is {cap}"


_SENTENCES: Sentences = {
    FindingKind.OUTPACED: _outpaced,
    FindingKind.OTHERS_ON_CORES: lambda v: f"{load_text(FindingKind.OTHERS_ON_CORES, v)}; {_AGAIN}",
    FindingKind.CORES_STOLEN: lambda v: f"{load_text(FindingKind.CORES_STOLEN, v)}; {_AGAIN}",
    FindingKind.OTHERS_ON_GPU: lambda v: f"{load_text(FindingKind.OTHERS_ON_GPU, v)}; {_AGAIN}",
    FindingKind.SLICES_ALL_DISTURBED: lambda _: f"other programs disturbed nearly all of its slices; {_AGAIN}",
    FindingKind.STOOD_STILL: lambda v: (
        f"the machine stood still for {v['pause_seconds']:.0f} s, asleep perhaps; {_AGAIN}"
    ),
    FindingKind.MACHINE_SHORT_OF_MEMORY: _short,
    FindingKind.OVER_MEMORY: _over_memory,
    FindingKind.KERNEL_KEPT_CAP: _kernel,
    FindingKind.SYSTEM_KILLED: _system,
    FindingKind.SYSTEM_KILLED_SOMEBODY: lambda _: (
        "the system's out-of-memory killer acted, on whom is not known, and the learner ended; measured again later"
    ),
    FindingKind.OVER_GPU_MEMORY: lambda v: (
        f"{bytes_text(v['peak_bytes'])} of GPU memory in use, above its cap; stopped at once"
    ),
    FindingKind.EXITED: _exited,
    FindingKind.NO_WHOLE_CYCLE: lambda _: (
        "the session said it had measured enough, but its samples hold no whole cycle"
    ),
    FindingKind.NOBODY_PLAYED: lambda _: "nobody pressed Play in the Unity Editor",
    FindingKind.DISK_SHORT: lambda _: "the disk was nearly full; measured again later",
    FindingKind.NOT_CONNECTED: lambda _: "no player connected in time",
    FindingKind.NO_STEPS: lambda _: "players connected, but no step arrived in time",
    FindingKind.STALLED: lambda _: "progress stopped",
    FindingKind.TOO_SLOW: _too_slow,
    FindingKind.INTERRUPTED: lambda _: "we were asked to stop",
    FindingKind.TURNS_BROKEN: lambda v: f"running in turn with others did not work{_cause(v)}",
    FindingKind.NO_UPDATE: _no_update,
    FindingKind.LEARNS_NOTHING: lambda _: "the policy was never updated: training at this setting would learn nothing",
    FindingKind.TOO_FEW_POLICY_UPDATES: lambda v: f"{_too_few(v, 'policy updates', 2)}{_bursts(v)}",
    FindingKind.TOO_FEW_GRADIENT_UPDATES: lambda v: _too_few(v, "gradient updates", 1),
    FindingKind.TOO_FEW_UPDATES_OF: lambda v: _too_few(v, v["name"], 2),
    FindingKind.WOULD_BREAK_CAP: _would_break,
    FindingKind.SMALLER_BROKE_CAP: lambda v: f"trial {v['trial']} broke the cap, and is no larger in anything",
}
