"""The command line's entry: commands by name, errors to exit codes."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import traceback
from pathlib import Path

import typer
from typer.exceptions import TyperException

from sweeper import __version__
from sweeper.cli import results, setup
from sweeper.cli.check import check
from sweeper.cli.guide import guide
from sweeper.cli.replay import replay
from sweeper.cli.run import run
from sweeper.cli.terminal import echo
from sweeper.errors import ExitCode, Interrupted, SweeperError

_MACHINES = {
    getattr(errno, "EDQUOT", errno.ENOSPC): "your quota there is used up: remove what you can",
    errno.ENOSPC: "free some space there",
    errno.EROFS: "choose a place that can be written",
    errno.EMFILE: "raise the limit on open files: `ulimit -n`",
    errno.ENFILE: "end other programs first",
    errno.ENOMEM: "end other programs first",
    errno.EAGAIN: "raise the limit on processes (`ulimit -u`), or end other programs first",
}
"""What the machine refuses to any program, and is no bug of this one; with its mend."""

app = typer.Typer(
    help="Find the settings that make ML-Agents training fastest on this machine, without running out of memory.",
    epilog="Start with: sweeper init, then sweeper run STUDY. Without a build, try: sweeper run studies/demo.yaml",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run)
app.command()(results.show)
app.command()(results.report)
app.command()(results.apply)
app.command()(check)
app.command()(guide)
app.command()(replay)
app.command()(setup.doctor)
app.command()(setup.init)
app.command()(setup.validate)
app.command()(setup.schema)
app.command("editor-script")(setup.editor_script)


def _version(wanted: bool) -> None:
    if wanted:
        echo(f"sweeper {__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Options of the program itself."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit."""
    code = _run(sys.argv[1:] if arguments is None else arguments)
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
    except OSError as error:
        _complain(f"cannot write: {error.strerror}", None)
        _forget_stdout()
        code = code or int(ExitCode.NOT_READY)
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    try:
        return int(app(arguments, standalone_mode=False, prog_name="sweeper") or 0)
    except typer.Exit as error:
        return error.exit_code
    except TyperException as error:
        _show_usage_error(error)
        return int(ExitCode.INVALID_INPUT)
    except SweeperError as error:
        _complain(str(error), error.hint)
        return int(error.exit_code)
    except Interrupted as error:
        return int(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        _complain("interrupted", None)
        return int(ExitCode.INTERRUPTED)
    except SystemExit:  # `sweeper show | head`: without standalone mode, typer exits by itself for a closed pipe alone
        _forget_stdout()
        return int(ExitCode.OK)
    except OSError as error:
        if error.errno in (errno.EPIPE, errno.EIO):  # whoever read us is gone
            _forget_stdout()
            return int(ExitCode.OK)
        if error.errno not in _MACHINES:
            return _internal_error()
        where = error.filename or "where this is printed"
        _complain(f"cannot go on: {error.strerror} ({where})", _MACHINES[error.errno])
        return int(ExitCode.NOT_READY)
    except Exception:
        return _internal_error()


def _show_usage_error(error: TyperException) -> None:
    if show := getattr(error, "show", None):  # usage and the message
        show()
    else:
        _complain(error.format_message(), "sweeper --help")


def _complain(message: str, hint: str | None) -> None:
    echo(f"sweeper: {message}", err=True)
    if hint:
        echo(f"  try: {hint}", err=True)


def _internal_error() -> int:
    summary, details = traceback.format_exc(limit=0).strip().splitlines()[-1], traceback.format_exc()
    try:
        with tempfile.NamedTemporaryFile("w", prefix="sweeper-error-", suffix=".log", delete=False) as file:
            file.write(details)
        hint = f"this is a bug; please report it with the file {Path(file.name)}"
    except OSError:  # nothing can be written anywhere
        echo(details, err=True)
        hint = "this is a bug; please report it with the lines above"
    _complain(f"internal error: {summary}", hint)
    return int(ExitCode.INTERNAL)


def _forget_stdout() -> None:
    """Python flushes stdout once more at exit, and would complain of the closed pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
