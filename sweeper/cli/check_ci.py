"""What CI reads of a check that ended without a verdict, wherever it ended."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from typer.core import TyperCommand
from typer.exceptions import TyperException

from sweeper.cli.endings import code_of, is_closed, message_of
from sweeper.cli.terminal import echo
from sweeper.errors import NotReady

if TYPE_CHECKING:
    from sweeper.app.check.elsewhere import Elsewhere

_PLACES = ("out", "junit")


class CheckCommand(TyperCommand):
    """`sweeper check`, of which CI hears even where its command line cannot be read."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line; raises TyperException, of which CI was told."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except TyperException as error:
            from sweeper.app.check.elsewhere import Elsewhere

            out, junit = self._places(given)
            with told_to_ci(Elsewhere(None, junit, os.environ), out):
                raise error

    def _places(self, arguments: list[str]) -> tuple[Optional[Path], ...]:
        """The values of _PLACES; all else is unknown here, so that what is wrong with it hides none of them."""
        reader = TyperCommand(self.name, params=[option for option in self.params if option.name in _PLACES])
        found = reader.make_context(
            self.name, list(arguments), resilient_parsing=True, ignore_unknown_options=True, allow_extra_args=True
        )
        return tuple(Path(found.params[name]) if found.params.get(name) else None for name in _PLACES)


@contextmanager
def told_to_ci(elsewhere: Elsewhere, out: Optional[Path]) -> Iterator[None]:
    """Of an error CI finds files and lines; it goes on to whoever tells people. `out`: as `--out` named it.

    Raises:
        NotReady: a disk or a pipe fails. Nothing is printed meanwhile, so that no reader is gone, which would end in 0.
    """
    try:
        yield
    except Exception as found:
        from sweeper.report.check import ended

        error = NotReady(f"cannot go on: {found}") if is_closed(found) else found
        message = message_of(error)
        for complaint in elsewhere.leave_error(out, message, int(code_of(error))):
            echo(complaint, err=True)
        if os.environ.get("GITHUB_ACTIONS"):
            echo(ended.annotation(message), err=True)
        if error is not found:
            raise error from found
        raise
