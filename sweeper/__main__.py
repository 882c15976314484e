"""The program's entry: `sweeper`, and `python -m sweeper`."""

from __future__ import annotations

import signal


def main() -> None:
    """Run the command line and exit."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing runs yet: a Ctrl-C ends us without a traceback
    from sweeper.cli.main import main as run

    signal.signal(signal.SIGINT, before)
    run()


if __name__ == "__main__":
    main()
