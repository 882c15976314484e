"""Asking for Play in the Unity Editor."""

from __future__ import annotations

import sys

from sweeper.cli.terminal import echo
from sweeper.model.events import Event, PlayAwaited
from sweeper.units import format_seconds

BELL = "\a"


def countdown(event: PlayAwaited) -> str:
    """For a line that is drawn anew."""
    left = int(event.seconds_left)
    return f"Press Play in the Unity Editor (Stop first, if it plays): {left // 60}:{left % 60:02d} left"


def sentence(event: PlayAwaited) -> str:
    """For a line that stays."""
    return (
        f"Press Play in the Unity Editor: the learner listens on port {event.port}, "
        f"for {format_seconds(event.seconds_left)} more."
    )


class Asker:
    """Asks once a session, in a line, with a bell where somebody may hear it; everything else is not shown."""

    def __init__(self) -> None:
        self._has_asked = False

    def __call__(self, event: Event) -> None:
        """Hear of an event."""
        is_awaited = isinstance(event, PlayAwaited)
        if isinstance(event, PlayAwaited) and not self._has_asked:
            echo(sentence(event), err=True)
            if sys.stderr.isatty():
                sys.stderr.write(BELL)
                sys.stderr.flush()
        self._has_asked = is_awaited
