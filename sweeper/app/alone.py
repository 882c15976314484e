"""One measurement at a time on a machine: two would only measure each other."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from sweeper.app.stop import StopSignal
from sweeper.session.host import WAIT_SECONDS, exclusive, host_lock


def alone(stack: ExitStack, say: Callable[[str], None], stop: StopSignal) -> None:
    """Nobody else measures on this machine until `stack` is closed; waits for who does, and says so.

    Raises:
        NotReady: it took too long.
        Interrupted: we were asked to stop.
    """
    hint = "two sweeps would only measure each other: wait for it"
    try:
        stack.enter_context(exclusive(host_lock(), "this machine", hint, WAIT_SECONDS, say, stop.asked))
    finally:
        stop.check()
