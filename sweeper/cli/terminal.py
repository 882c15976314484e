"""Words for the terminal: what others wrote reaches it written out, never as something that it obeys."""

from __future__ import annotations

import typer

from sweeper.outside import printable


def echo(text: str, err: bool = False, nl: bool = True) -> None:
    """Print `text`; where standard error is gone, as with its terminal, nobody is told."""
    try:
        typer.echo(printable(text), err=err, nl=nl)
    except OSError:
        if not err:
            raise
