"""The program's entry: `sweeper`, and `python -m sweeper`."""

from __future__ import annotations

import signal
import warnings


def main() -> None:
    """Run the command line and exit."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing runs yet: a Ctrl-C ends us without a traceback
    warnings.simplefilter("ignore")  # PYTHONWARNINGS is for other programs, and may make errors of them
    from sweeper.cli.main import main as run
    from sweeper.cli.terminal import settle_streams

    settle_streams()
    signal.signal(signal.SIGINT, before)
    run()


if __name__ == "__main__":
    main()
