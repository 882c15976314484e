"""Waiting for the Unity Editor: since when the learner listens for it, and how long somebody is asked to press Play."""

from __future__ import annotations

from pathlib import Path

from sweeper.session.follow import console_shows

ASK_AFTER_SECONDS = 3.0
"""That the learner listens before anybody is asked: a script in the Editor looks for it twice a second."""
CONNECTED = "Connected to Unity environment"
_LISTENS = "Listening on port"
"""What the learner prints once its port is open (mlagents_envs/environment.py); importing torch comes before that."""


class PlayWait:
    """Of one session. `max_seconds`: from when the learner listens; 0 where it launches its players itself."""

    def __init__(self, log: Path, max_seconds: float) -> None:
        self._log = log
        self._max_seconds = max_seconds
        self._listens_at: float | None = None
        self._ended_at: float | None = None

    def look(self, now: float, is_training: bool = False) -> None:
        """Read the learner's log, if the wait is not over. `now`: on the machine's monotonic clock, in seconds."""
        if self._max_seconds <= 0 or self._ended_at is not None:
            return
        if self._listens_at is None and console_shows(self._log, _LISTENS):
            self._listens_at = now
        if is_training or console_shows(self._log, CONNECTED):
            self._ended_at = now

    @property
    def is_on(self) -> bool:
        """Whether the learner listens and nobody has connected."""
        return self._listens_at is not None and self._ended_at is None

    def is_in_vain(self, now: float) -> bool:
        """Whether nobody came in time."""
        return self.is_on and self._waited(now) > self._max_seconds

    def seconds_left(self, now: float) -> float | None:
        """To press Play; None while nobody needs to."""
        is_asked = self.is_on and self._waited(now) >= ASK_AFTER_SECONDS
        return max(0.0, self._max_seconds - self._waited(now)) if is_asked else None

    def asked_seconds(self, now: float) -> float:
        """How long somebody was asked: time that the session had no part in."""
        return max(0.0, self._waited(now) - ASK_AFTER_SECONDS)

    def _waited(self, now: float) -> float:
        if self._listens_at is None:
            return 0.0
        return (now if self._ended_at is None else self._ended_at) - self._listens_at
