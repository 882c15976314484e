"""Words for the terminal: what others wrote reaches it written out, never as something that it obeys."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import typer

from sweeper.outside import printable


def echo(text: str, err: bool = False, nl: bool = True) -> None:
    """Print `text`; where standard error is gone, as with its terminal, nobody is told."""
    try:
        typer.echo(printable(text), err=err, nl=nl)
    except OSError:
        if not err:
            raise


def forget_stdout() -> None:
    """What was not written is given up: Python flushes stdout once more at exit, and would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def settle_streams() -> None:
    """What a locale cannot say ends nothing: data are UTF-8 wherever they go, a terminal shows what it can."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us: what is said goes nowhere
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 as long as we live
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty() or stream is sys.stderr:
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")
