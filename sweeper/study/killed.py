"""Whether the system's out-of-memory killer ended a session, of which it leaves no word in the learner's log."""

from __future__ import annotations

from sweeper.model.session import OUT_OF_MEMORY_KILLER, SessionEnd, SessionRecord
from sweeper.study.diagnosis import exception_line

SIGKILL = 9
"""POSIX; Windows has no such signal, and never tells it."""


def was_killed(record: SessionRecord) -> bool:
    """Somebody else's death is not ours: only a tree near its cap, or one that lost a process, may have been hit."""
    if record.cap_kept_by == OUT_OF_MEMORY_KILLER:
        return True
    was_hit = record.near_cap or bool(record.members_killed) or record.exit_code == -SIGKILL
    return record.end is SessionEnd.EXITED and record.oom_kills > 0 and was_hit


def may_have_been_killed(record: SessionRecord) -> bool:
    """The system's killer acted on somebody, and the learner ended without a reason of its own."""
    return record.end is SessionEnd.EXITED and record.oom_kills > 0 and exception_line(record) is None


def cap_kept_by(record: SessionRecord) -> str | None:
    """Who ended it at its memory cap; None where nobody did."""
    return OUT_OF_MEMORY_KILLER if was_killed(record) else record.cap_kept_by
