"""The command line of the demo build. Standard library only, so that `--help` answers at once."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import NoReturn

EDITOR_PORT = 5004
"""The port on which a trainer without a build listens (mlagents_envs/environment.py, DEFAULT_EDITOR_PORT)."""


class Work(str, Enum):
    """How the cost of a simulation step is spent."""

    SPIN = "spin"
    SLEEP = "sleep"


@dataclass(frozen=True)
class Options:
    """What the command line says. `log_file` None: the log goes to stderr; the text `-`: to stdout."""

    port: int = EDITOR_PORT
    log_file: Path | None = None
    step_ms: float = 0.0
    work: Work = Work.SPIN
    memory_mb: int = 0
    leak_mb_per_s: float = 0.0
    start_delay_seconds: float = 0.0
    crash_after: int | None = None
    hang_after: int | None = None
    fixed_areas: int | None = None
    ignore_sigterm: bool = False
    ignored: tuple[str, ...] = ()
    """Arguments that mean nothing here; a player ignores those, and says so in its log."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say it in one line, without the usage."""
        sys.stderr.write(f"{self.prog}: {message} (see --help)\n")
        raise SystemExit(2)


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line, program name left out.

    Raises:
        SystemExit: 0 after `--help`; 2 after one line on stderr about a bad value.
    """
    # `-h` is no option of the parser: argparse would take any unknown argument that begins so for it.
    known, ignored = _parser().parse_known_args(["--help" if a == "-h" else a for a in arguments])
    values = vars(known)
    values["work"] = Work(values["work"])
    for name in ("nographics", "batchmode"):  # accepted; there is nothing to draw either way
        del values[name]
    return Options(ignored=tuple(ignored), **values)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="sweeper-racer",
        description="A headless racing game that any ML-Agents trainer can train: the demo build of sweeper.",
        epilog="Arguments that are not listed are ignored, as players do, and named in the log.",
        allow_abbrev=False,
        add_help=False,
    )
    parser.add_argument("--help", action="help", help="show this text and exit")
    player = parser.add_argument_group("what trainers pass to players")
    player.add_argument("-nographics", action="store_true", help="accepted: it never draws")
    player.add_argument("-batchmode", action="store_true", help="accepted: it never asks")
    player.add_argument(
        "--mlagents-port",
        dest="port",
        type=_port,
        default=EDITOR_PORT,
        metavar="N",
        help="port of the trainer on this machine (default: %(default)s, the editor port)",
    )
    player.add_argument(
        "-logFile", "-logfile", dest="log_file", type=Path, metavar="F", help="log file; - for stdout (default: stderr)"
    )
    _add_test_options(parser.add_argument_group("for tests and demos"))
    return parser


def _add_test_options(group: argparse._ArgumentGroup) -> None:
    def number(flag: str, dest: str, text: str) -> None:
        group.add_argument(flag, dest=dest, type=_amount, default=0.0, metavar="F", help=text)

    def count(flag: str, text: str) -> None:
        group.add_argument(flag, type=_count, metavar="N", help=text)

    number("--step-ms", "step_ms", "cost of one simulation step of one area, in ms; n areas cost n times as much")
    group.add_argument(
        "--work",
        choices=[work.value for work in Work],
        default=Work.SPIN.value,
        help="spend that cost by burning the core, or by waiting as if on a core of its own (default: %(default)s)",
    )
    group.add_argument("--memory-mb", type=_size, default=0, metavar="N", help="more resident memory, in MiB")
    number("--leak-mb-per-s", "leak_mb_per_s", "resident memory that grows by this many MiB each second")
    number("--start-delay", "start_delay_seconds", "seconds to wait before connecting")
    count("--crash-after", "end with exit code 3 at this environment step")
    count("--hang-after", "answer no more from this environment step on")
    count("--fixed-areas", "have this many areas, whatever num_areas asks for")
    group.add_argument("--ignore-sigterm", action="store_true", help="live on after SIGTERM")


def _amount(text: str) -> float:
    value = _number(text)
    if not math.isfinite(value) or value < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 0 or more")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _whole(text: str, low: int, high: int, what: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return value


def _port(text: str) -> int:
    return _whole(text, 1, 65535, "a port (1 to 65535)")


def _count(text: str) -> int:
    return _whole(text, 1, 2**31 - 1, "a whole number of 1 or more")


def _size(text: str) -> int:
    return _whole(text, 0, 2**31 - 1, "a whole number of 0 or more")
