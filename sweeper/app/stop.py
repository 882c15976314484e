"""Being asked to stop: Ctrl-C, SIGTERM, a closed terminal."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

from sweeper.errors import ExitCode, Interrupted, InterruptedNow


class StopSignal:
    """Remembers that we were asked to stop. Long work polls it; nothing is cut off in mid-write."""

    def __init__(self) -> None:
        self._code: ExitCode | None = None
        self._now = False

    def asked(self) -> bool:
        """Whether to end as soon as possible."""
        return self._code is not None

    def check(self) -> None:
        """Raises Interrupted if we were asked to stop."""
        if self._code is not None:
            raise Interrupted(self._code)

    def ask(self, code: ExitCode = ExitCode.INTERRUPTED) -> None:
        """Ask, as a signal does."""
        self._code = self._code or code

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """Listen to signals meanwhile; only the main thread can.

        SIGINT counts even where it was inherited as ignored, as background jobs of a shell do, so that they can be
        stopped. An inherited ignored SIGHUP stays ignored: that is what `nohup` asks for.
        """
        codes = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            codes[signal.SIGHUP] = ExitCode.TERMINATED

        def remember(number: int, _: FrameType | None) -> None:
            code = codes[signal.Signals(number)]
            # Only Ctrl-C: a terminal that closes sends SIGHUP more than once.
            if number == signal.SIGINT and self.asked() and not self._now:
                self._now = True  # once: whatever comes now must not cut off the ending of processes
                raise InterruptedNow(code)
            self.ask(code)

        before = {number: signal.signal(number, remember) for number in codes}
        try:
            yield
        finally:
            for number, handler in before.items():
                # Once we stop, a second Ctrl-C must not cut off the words that say how to go on.
                signal.signal(number, signal.SIG_IGN if self.asked() else handler)
