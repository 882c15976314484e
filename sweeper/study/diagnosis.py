"""What went wrong in a session, in one sentence with the remedy; read from the end, the progress and the log.

The learner's exit code is no evidence: it is 1 after a complete training with torch 2.9, and 0 when interrupted
before any player connected (docs/sources.md).
"""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping

from sweeper.model.session import SessionEnd, SessionRecord
from sweeper.troubles import BY_PLAYERS, BY_THE_LEARNER, OF_PLAYERS
from sweeper.troubles.beforehand import PROXY
from sweeper.troubles.endings import ENDED_BY_SIGNAL, LEARNER_SILENT, NO_DECISION, NOT_CONNECTED, OVER_MEMORY, STALLED
from sweeper.units import format_bytes

_NOBODY_CAME = r"Couldn't connect to trainer|The Unity environment took too long to respond"
_BY_ENDING = {
    SessionEnd.STALLED: STALLED,
    SessionEnd.NOT_CONNECTED: NOT_CONNECTED,
    SessionEnd.NO_STEPS: NO_DECISION,
}
_EXCEPTION = re.compile(r"^(?:[A-Za-z_][\w.]*\.)?(?:[A-Z]\w*)?(?:Error|Exception|Interrupt)(?::|$)")


def diagnose(record: SessionRecord, about: Mapping[str, object] | None = None) -> str | None:
    """The likely cause and what to do about it; None where nothing is recognised.

    `about`: values by name that remedies may say, of the session's plan: `num_envs`, `behaviors`, `base_port`.
    """
    values = {**_of_the_machine(record), **(about or {})}
    if record.end is SessionEnd.OVER_MEMORY:
        return OVER_MEMORY.told(values)
    if record.end in (SessionEnd.MEASURED, SessionEnd.OUTPACED, SessionEnd.INTERRUPTED, SessionEnd.DISK_SHORT):
        return None
    learner, player = "\n".join(record.log_tail), "\n".join(record.player_log_tail)
    both = f"{learner}\n{player}"
    if record.proxy is not None and (record.end is SessionEnd.NOT_CONNECTED or re.search(_NOBODY_CAME, both)):
        return PROXY.told({"proxy": record.proxy})
    for troubles, text in ((BY_THE_LEARNER, learner), (BY_PLAYERS, both), (OF_PLAYERS, both)):
        for trouble in troubles:
            if (said := trouble.found_in(text, values)) is not None:
                return said
    if record.end is SessionEnd.EXITED and (name := signal_name(record)) is not None:
        return ENDED_BY_SIGNAL.told({"signal": name})
    if record.end is SessionEnd.NOT_CONNECTED and not record.samples and not record.log_tail:
        return LEARNER_SILENT.told()
    ending = _BY_ENDING.get(record.end)
    return None if ending is None else ending.told(values)


def _of_the_machine(record: SessionRecord) -> dict[str, object]:
    peak, limits = record.peak_memory_bytes, record.limits
    amounts = {"peak": peak, "shm": limits.shm_bytes, "shm_free": limits.shm_free_bytes}
    told: dict[str, object] = {name: format_bytes(size) for name, size in amounts.items() if size is not None}
    return {**told, "open_files": limits.open_files, "last": _last_line_of_player(record)}


def signal_name(record: SessionRecord) -> str | None:
    """The signal that ended the learner, as POSIX tells by a negative exit code; None where it ended otherwise."""
    if record.exit_code is None or record.exit_code >= 0:
        return None
    try:
        return signal.Signals(-record.exit_code).name
    except ValueError:
        return f"signal {-record.exit_code}"


def exception_line(record: SessionRecord) -> str | None:
    """The last exception that the learner printed."""
    for line in reversed(record.log_tail):
        if _EXCEPTION.match(line):
            return line
    return None


def _last_line_of_player(record: SessionRecord) -> str:
    if not record.player_log_tail or record.player is None:
        return ""
    return f" (the last line of Player-{record.player}.log: {record.player_log_tail[-1][:200]})"
