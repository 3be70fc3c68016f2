"""What runs a script inside the enclosure: as `python main.py` would, and with a record of how it ended.

The record is a stranger's word: the script shares this process and can forge it. It tells an ending from a hasty exit;
what must be proved is proved elsewhere (`dlcodegen.execution.judgement.verdict`).
"""

import atexit
import inspect
import json
import os
import random
import re
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, NoReturn

from dlcodegen.execution.autopsy import autopsy
from dlcodegen.execution.observer.watch import Observer
from dlcodegen.execution.sandbox.spec import Spec

SCRIPT = "main.py"
_MOST_RECORD = 200_000  # bytes
_OF_WORKERS = ("num_workers", "prefetch_factor", "persistent_workers", "multiprocessing_context", "timeout")
_USES_TORCH = re.compile(rb"^[ \t]*(?:import|from) (?:torch|keras)\b", re.MULTILINE)


def run_harness(spec: Spec, record: int, token: str) -> NoReturn:
    """Run the script of `spec` as `__main__`, write the record, and end this process with the script's exit code."""
    entry = Path(spec["scratch"], spec["entry"])
    source = entry.read_bytes()
    _prepare(spec, str(entry), source)
    observer = Observer(str(Path(spec["scratch"], SCRIPT)))
    code, told = _run(entry, source, observer if spec["observe"] else None)
    _leave_python()
    if spec["observe"]:
        told |= {"seen": observer.seen(), "warnings": observer.warnings, "faults": observer.faults}
    text = json.dumps({"token": token, **told}).encode()
    if len(text) > _MOST_RECORD:
        text = json.dumps({"token": token, "ended": told["ended"]}).encode()
    while text:
        text = text[os.write(record, text) :]
    os._exit(code)


def _run(entry: Path, source: bytes, observer: Observer | None) -> tuple[int, dict[str, Any]]:
    """Exit code, and how it ended: `returned`, `exit`, or `raised` with what was found at the place."""
    module = ModuleType("__main__")
    module.__file__ = str(entry)
    sys.modules["__main__"] = module
    try:
        compiled = compile(source, str(entry), "exec", dont_inherit=True)
        if observer:
            observer.install(source.decode("utf-8", "replace"))
        exec(compiled, module.__dict__)
    except SystemExit as request:
        return _exit_code(request), {"ended": "exit"}
    except BaseException as error:
        _print_traceback(error)
        return 1, {"ended": "raised", "autopsy": autopsy(error, str(entry.with_name(SCRIPT)))}
    return 0, {"ended": "returned"}


def _prepare(spec: Spec, entry: str, source: bytes) -> None:
    """What a fresh interpreter would have: arguments, variables, its own random numbers."""
    os.environ.update(spec["environment"])
    sys.argv = [entry, *spec["arguments"]]
    sys.path.insert(0, spec["scratch"])
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    tempfile.tempdir = None  # where it lay for the fork server
    if _USES_TORCH.search(source):
        import torch

        torch.set_num_threads(spec["threads"])
        _load_in_this_process(torch.utils.data.DataLoader)


def _load_in_this_process(loader: Any) -> None:
    """Data loaders ask for worker processes, which the sandbox does not give: they load in this one instead."""
    original, signature = loader.__init__, inspect.signature(loader.__init__)

    def __init__(*arguments: Any, **settings: Any) -> None:  # noqa: N807
        given = signature.bind(*arguments, **settings)
        for name in _OF_WORKERS:
            given.arguments.pop(name, None)
        original(*given.args, **given.kwargs)

    loader.__init__ = __init__


def _print_traceback(error: BaseException) -> None:
    """As Python does, without the frames of this file."""
    frames: TracebackType | None = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    traceback.print_exception(type(error), error, frames)


def _exit_code(request: SystemExit) -> int:
    """As Python does: a number, success for None, anything else is printed and means 1."""
    if request.code is None:
        return 0
    if isinstance(request.code, int):
        return request.code & 0xFF
    sys.stderr.write(f"{request.code}\n")
    return 1


def _leave_python() -> None:
    """What the interpreter does at its end: wait for threads, call exit functions, write what is buffered."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException as error:  # the script's own: a closed stream, an exit function that fails
        traceback.print_exception(error)
