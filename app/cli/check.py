"""`dlcodegen check`: the ladder of checks, for any script."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dlcodegen.cli import options
from dlcodegen.errors import InputError

if TYPE_CHECKING:
    from dlcodegen.plan import SolutionPlan

_EXIT_CODES = {"passed": 0, "failed": 3, "not_executed": 3, "sandbox_error": 1}
_MOST_BYTES = 5 * 1024 * 1024


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE.py", show_default=False, help="The script to check.")],
    plan: options.PlanFile = None,
    time_limit: options.TimeLimit = 60,
    sandbox: options.Sandbox = "auto",
    accept_unsandboxed: options.AcceptUnsandboxed = False,
    as_json: options.AsJson = False,
) -> int:
    """Run a script's smoke mode in the sandbox and check what it does.

    The script must know `--smoke` and `--out DIR` as delivered projects do.
    With a plan, every field of it is looked up in the code.
    Exit code 0: it passed; 3: it did not; 1: the sandbox failed.

    For example:

    dlcodegen check polyps/main.py
    dlcodegen check polyps/main.py --plan polyps/plan.json --json
    """
    from dlcodegen.cli import show
    from dlcodegen.execution.ladder import check as climb
    from dlcodegen.execution.sandbox.limits import Limits
    from dlcodegen.execution.script import Conditions

    code, solution = _read(file), _read_plan(plan)
    report = climb(code, solution, [], Conditions(Limits(wall=time_limit), sandbox, accept_unsandboxed))
    if as_json:
        show.as_json(report)
    else:
        show.check(file, report)
    return _EXIT_CODES[report["status"]]


def _read_plan(path: Path | None) -> "SolutionPlan | None":
    from dlcodegen.plan import SolutionPlan

    return SolutionPlan.from_text(_read(path)) if path else None


def _read(path: Path) -> str:
    """The file's text. Raises InputError when it is missing, unreadable, too large, or no UTF-8."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path} is larger than 5 MB: that is no script")
        return path.read_text(encoding="utf-8-sig")  # a byte-order mark is no fault of the script
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no UTF-8 text: save it as UTF-8") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
