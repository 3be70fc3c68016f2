"""The command `dlcodegen`: its commands, and how every ending becomes one line and an exit code.

Exit codes: 0 passed, or checking was switched off; 1 a failure of ours; 2 bad input; 3 delivered code that did not
pass; 130 interrupted.
"""

import io
import json
import logging
import os
import sys
import warnings
from typing import Annotated

import typer

from dlcodegen.cli.bench import bench
from dlcodegen.cli.check import check
from dlcodegen.cli.corpus import corpus
from dlcodegen.cli.doctor import doctor
from dlcodegen.cli.models import model
from dlcodegen.cli.new import new
from dlcodegen.cli.plan import plan
from dlcodegen.cli.planner import planner
from dlcodegen.delivery.markdown import printable
from dlcodegen.errors import DLCodeGenError

_INTERRUPTED = 130

app = typer.Typer(
    name="dlcodegen",
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""For example:

dlcodegen new "Segment polyps in 256x256 images with a U-Net" --out polyps
dlcodegen plan "Predict house prices from 13 numeric features"
dlcodegen doctor

`dlcodegen COMMAND --help` shows every option and more examples.""",
)
app.command()(new)
app.command()(plan)
app.command()(check)
app.command()(doctor)
app.add_typer(corpus, name="corpus")
app.add_typer(planner, name="planner")
app.add_typer(model, name="model")
app.add_typer(bench, name="bench")


def _version(asked: bool) -> None:
    if asked:
        from importlib import metadata

        typer.echo(f"dlcodegen {metadata.version('dlcodegen')}")
        raise typer.Exit


@app.callback()
def dlcodegen(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """From one sentence to a deep-learning project that runs."""


def main() -> None:
    """The console script."""
    exit_code = run(sys.argv[1:])
    if exit_code == _INTERRUPTED:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)  # an ordinary exit would wait for threads, minutes for one that awaits a chat model
    sys.exit(exit_code)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code. Errors are one line on stderr, or one object with --json."""
    _quieten()
    command = typer.main.get_group(app)
    as_json = "--json" in arguments
    try:
        exit_code: int = command.main(arguments or ["--help"], prog_name="dlcodegen", standalone_mode=False) or 0
    except typer.TyperException as error:
        named = " ".join(["dlcodegen", *(name for name in arguments[:1] if name in command.commands)])
        return _complain(f"{error.format_message()} (see {named} --help)", 2, as_json)
    except DLCodeGenError as error:
        return _complain(str(error), error.exit_code, as_json)
    except Exception as error:
        if os.environ.get("DLCODEGEN_DEBUG"):
            raise
        hint = "this is a fault of dlcodegen; set DLCODEGEN_DEBUG=1 to see where it happened"
        return _complain(f"{type(error).__name__}: {error} ({hint})", 1, as_json)
    if exit_code == _INTERRUPTED:  # what typer makes of KeyboardInterrupt
        return _complain("interrupted", _INTERRUPTED, as_json)
    return exit_code


class _ToStderr(logging.Handler):
    """What we warn of, a line each, wherever stderr is at that time."""

    def emit(self, record: logging.LogRecord) -> None:
        typer.echo(f"{record.levelname.lower()}: {record.getMessage()}", err=True)


def _complain(message: str, exit_code: int, as_json: bool) -> int:
    line = printable(message)
    if as_json:
        typer.echo(json.dumps({"status": "error", "error": line}))
    else:
        typer.echo(f"error: {line}", err=True)
    return exit_code


def _quieten() -> None:
    """Progress alone goes to stderr: no warnings and logs of libraries. No terminal's encoding stops the output."""
    if not os.environ.get("DLCODEGEN_DEBUG"):
        warnings.simplefilter("ignore")
        logging.getLogger().addHandler(logging.NullHandler())
    ours = logging.getLogger("dlcodegen")
    if not ours.handlers:
        ours.addHandler(_ToStderr())
        ours.propagate = False
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
