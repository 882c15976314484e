"""The command line's entry: commands by name, errors to exit codes."""

from __future__ import annotations

import errno
import sys
import tempfile
import traceback
from pathlib import Path

import typer
from typer.exceptions import TyperException

from sweeper import __version__
from sweeper.cli import results, setup
from sweeper.cli.check import check
from sweeper.cli.check_ci import CheckCommand
from sweeper.cli.endings import MACHINES, code_of, is_closed, message_of
from sweeper.cli.guide import guide
from sweeper.cli.replay import replay
from sweeper.cli.run import run
from sweeper.cli.terminal import echo, forget_stdout
from sweeper.errors import ExitCode, Interrupted, SweeperError

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
app.command(cls=CheckCommand)(check)
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
        forget_stdout()
    except OSError as error:
        _complain(f"cannot write: {error.strerror}", None)
        forget_stdout()
        code = code or int(ExitCode.NOT_READY)
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    try:
        return int(app(arguments, standalone_mode=False, prog_name="sweeper") or 0)
    except typer.Exit as error:
        return error.exit_code
    except TyperException as error:
        _show_usage_error(error)
        return int(code_of(error))
    except SweeperError as error:
        _complain(str(error), error.hint)
        return int(code_of(error))
    except Interrupted as error:
        return int(code_of(error))
    except (KeyboardInterrupt, typer.Abort):
        _complain("interrupted", None)
        return int(ExitCode.INTERRUPTED)
    except SystemExit:  # `sweeper show | head`: without standalone mode, typer exits by itself for a closed pipe alone
        forget_stdout()
        return int(ExitCode.OK)
    except OSError as error:
        if is_closed(error):
            forget_stdout()
            # A reader may leave; a terminal that hung up ends us, whether its signal or its error comes first.
            return int(ExitCode.TERMINATED if error.errno == errno.EIO else ExitCode.OK)
        if error.errno not in MACHINES:
            return _internal_error()
        _complain(message_of(error), MACHINES[error.errno])
        return int(code_of(error))
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
