"""Start the demo build: `sweeper-racer`, or `python -m sweeper.racer`."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sweeper.racer.options import Options, parse

_log = logging.getLogger("sweeper.racer")


def main(arguments: Sequence[str] | None = None) -> int:
    """Play until the trainer ends it.

    Args:
        arguments: the command line, program name left out; None: of this process.

    Returns:
        Exit code: 0 the trainer ended it or went away, 1 there was no trainer or something broke, 2 bad usage,
        130 interrupted.
    """
    options = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        _open_log(options.log_file)
    except OSError as error:
        sys.stderr.write(f"sweeper-racer: cannot write the log file: {error}\n")
        return 2
    try:
        return _run(options)
    except KeyboardInterrupt:
        _log.info("interrupted")
        return 130
    except BaseException:
        _log.exception("the player broke")
        return 1


def _run(options: Options) -> int:
    _log.info("process %d, arguments understood: %s", os.getpid(), options)
    for argument in options.ignored:
        _log.info("ignored argument: %s", argument)
    if options.ignore_sigterm:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # One small car needs no thread pool, and players come by the dozen. Before numpy is imported.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    # Here, not above: --help must not wait for numpy and grpc, and the log must hear of it if they are missing.
    from sweeper.racer.connection import Connection, Disconnected, NoTrainer
    from sweeper.racer.load import Load
    from sweeper.racer.player import play

    load = Load(options)
    load.start()
    time.sleep(options.start_delay_seconds)
    try:
        with Connection(options.port) as connection:
            _log.info("leaving: %s", play(connection.exchange, load, options.fixed_areas))
    except NoTrainer as error:
        _log.error("leaving: %s", error)
        return 1
    except Disconnected as error:
        _log.info("leaving: the channel broke (%s)", error)
    return 0


def _open_log(path: Path | None) -> None:
    if path is None or str(path) == "-":
        handler: logging.Handler = logging.StreamHandler(sys.stdout if path else sys.stderr)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


if __name__ == "__main__":
    sys.exit(main())
