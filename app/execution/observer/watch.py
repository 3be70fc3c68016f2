"""Runs beside a generated script, in its process, and notes what the running model shows.

It knows nothing of the script's structure: it hooks PyTorch, and Keras on PyTorch, for the whole process. What it
returns is plain data, made where a stranger's code runs: to be validated by whoever reads it outside.

Standard library only: this is imported before the process is shut in; torch is imported by `install`.
"""

import ast
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, TextIO

from dlcodegen.execution.observer.notes import NonFiniteLoss, NonFiniteWeights, Note, Record, frames

if TYPE_CHECKING:
    from dlcodegen.report import Seen

__all__ = ["NonFiniteLoss", "NonFiniteWeights", "Note", "Observer"]

_DEPRECATIONS = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)


class Observer:
    """Observes one run of one script; hooks stay until the process ends.

    `script` is the file name that the script's code objects carry (`co_filename`).
    """

    def __init__(self, script: str) -> None:
        self._record = Record(script)

    def install(self, code: str) -> None:
        """Start the clock and hook what the script's text imports: PyTorch, Keras, or nothing but warnings.

        Raises SyntaxError when `code` is no Python, and ImportError when the framework is not installed.
        """
        imported = _imported(code)
        if "keras" in imported:
            from dlcodegen.execution.observer.keras_hooks import hook_keras

            hook_keras(self._record)
        elif "torch" in imported:
            from dlcodegen.execution.observer.torch_hooks import hook_torch

            hook_torch(self._record)
        self._record.start()
        _record_warnings(self._record)

    def seen(self) -> "Seen":
        """What was seen; to be read when the script has ended."""
        self._record.conclude()
        seen, values = self._record.seen.copy(), self._record.loss_values
        tenth = -(-len(values) // 10)
        if values:
            seen["first_loss"], seen["last_loss"] = fmean(values[:tenth]), fmean(values[-tenth:])
        return seen

    @property
    def warnings(self) -> list[Note]:
        """Deprecation, future and user warnings that the script caused, at most 20."""
        return list(self._record.warnings.entries)

    @property
    def faults(self) -> list[Note]:
        """Silent mistakes, at most 20; to be read when the script has ended, for some are told by the whole run."""
        self._record.conclude()
        return list(self._record.faults.entries)

    @property
    def failures(self) -> list[str]:
        """Failures of the observer itself, which the script never notices; empty unless something is wrong with us."""
        return list(self._record.guard.failures)


def _imported(code: str) -> set[str]:
    """Top-level names of the modules that the text imports, wherever it does."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def _record_warnings(record: Record) -> None:
    """Every warning of the watched categories is recorded, and printed the first time."""
    print_warning = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        watched = issubclass(category, (*_DEPRECATIONS, UserWarning))
        caused_at = _cause(record.script, category, filename) if watched else None
        if not watched or (caused_at and record.warnings.add(category.__name__, str(message), caused_at)):
            print_warning(message, category, filename, lineno, file, line)

    warnings.showwarning = show
    for category in (*_DEPRECATIONS, UserWarning):
        warnings.filterwarnings("always", category=category)
    warnings.filterwarnings = _keep_deprecations(warnings.filterwarnings, record.script)
    warnings.simplefilter = _keep_deprecations(warnings.simplefilter, record.script)


def _cause(script: str, category: type[Warning], filename: str) -> int | None:
    """The script's line that leads to this warning; None where it is about a library's own code.

    That is what a library warns of while it is imported, and deprecations that point into a library: by convention
    they are for whoever wrote that line. PyTorch's point at itself where they mean its caller.
    """
    if issubclass(category, (DeprecationWarning, PendingDeprecationWarning)) and filename != script:
        torch = sys.modules.get("torch")
        if torch is None or not filename.startswith(str(Path(str(torch.__file__)).parent)):
            return None
    for frame in frames():
        if frame.f_code.co_filename == script:
            return frame.f_lineno
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return None
    return None


def _keep_deprecations(add_filter: Callable[..., None], script: str) -> Callable[..., None]:
    """A script may silence what it likes, but not hide that it uses what is deprecated."""

    def add(action: str, *args: Any, **kwargs: Any) -> None:
        add_filter(action, *args, **kwargs)
        if action == "ignore" and sys._getframe(1).f_code.co_filename == script:
            for category in _DEPRECATIONS:
                add_filter("always", category=category)

    return add
