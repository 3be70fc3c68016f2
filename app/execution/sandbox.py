"""Runs generated code in a process tree of its own: bounded, without our environment, gone when the run is over.

What is enforced depends on the machine: `dlcodegen.execution.protection` finds out. The layers are set by two scripts
of their own, `launcher.py` and `enclosure.py`.
"""

import json
import math
import os
import site
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

from dlcodegen.errors import SandboxError
from dlcodegen.execution.artefacts import ArtefactError, read_artefact
from dlcodegen.execution.launcher import Outcome, Spec

Status = Literal["exit", "timeout", "memory", "processes", "output", "disk"]

MIB, GIB = 1 << 20, 1 << 30
SCRIPT = "main.py"
_LAUNCHER = Path(__file__).with_name("launcher.py")
_GRACE = 15.0  # seconds that the launcher itself may take on top of the script's time


@dataclass(frozen=True)
class Limits:
    """How much one run may take: seconds and bytes, for the whole process tree unless it says otherwise."""

    wall: float = 60.0
    memory: int = 2 * GIB
    """Each process gets a MemoryError at 7/8 of it; the tree is killed at all of it."""
    address_space: int = 16 * GIB
    """Of each process, reserved or used; generous, since torch maps far more than it uses."""
    file_size: int = 256 * MIB
    """Of each file."""
    disk: int = 1 * GIB
    """In the scratch folder."""
    open_files: int = 1024
    """In each process."""
    processes: int = 256
    output: int = 64 * 1024
    """Kept of each of stdout and stderr; the run is stopped at 64 times as much."""
    artefact: int = 1 * MIB
    """Of each file read back."""
    parallel: int = 2
    """Runs side by side, which share the cores."""

    @property
    def threads(self) -> int:
        """Threads for the numeric libraries of one run."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, cores // self.parallel)


@dataclass(frozen=True)
class RunResult:
    """What became of a script."""

    status: Status
    """`exit`: it ended by itself. Else the limit for which it was killed."""
    exit_code: int | None
    """-N when signal N ended it; None when it was killed for a limit."""
    stdout: str
    """Head and tail; the path of the scratch folder is taken out, so that the script is `main.py`."""
    stderr: str
    seconds: float
    artefacts: dict[str, bytes]
    refused: dict[str, str]
    """Artefact -> why it could not be read."""
    layers: dict[str, str]
    """Layer of the enclosure -> why the kernel refused it; empty when it holds."""


def run_script(code: str, arguments: list[str], limits: Limits, artefacts: tuple[str, ...] = ()) -> RunResult:
    """Run `code` as main.py in a scratch folder, which is its working directory, its home, and gone afterwards.

    `artefacts` are paths in that folder which are read back. May be called from several threads at once. Raises
    SandboxError when the script could not be started, which says nothing about it, and when `stop_all` stopped it.
    """
    if os.name != "posix":
        raise SandboxError("generated code can be run on Linux and macOS only: add --no-check to deliver it unchecked")
    with tempfile.TemporaryDirectory(prefix="dlcodegen-", ignore_cleanup_errors=True) as folder:
        scratch = Path(folder).resolve()
        (scratch / SCRIPT).write_text(code, encoding="utf-8")
        outcome = _launch(_spec(scratch, arguments, limits), _environment(scratch, limits))
        if outcome["failed"]:
            raise SandboxError(f"generated code could not be started: {outcome['failed']}")
        found, refused = _read_back(scratch, artefacts, limits)
        return RunResult(
            status=cast(Status, outcome["stopped"] or "exit"),
            exit_code=outcome["exit_code"],
            stdout=outcome["stdout"].replace(f"{scratch}/", ""),
            stderr=outcome["stderr"].replace(f"{scratch}/", ""),
            seconds=outcome["seconds"],
            artefacts=found,
            refused=refused,
            layers=outcome["layers"],
        )


def stop_all() -> None:
    """Kill every running script, at once and from any thread; the calls that run them raise SandboxError."""
    with _lock:
        for lifeline in list(_lifelines):
            lifeline.close()


_lock = threading.RLock()  # a signal handler may call `stop_all` while its own thread holds the lock
_lifelines: set[IO[bytes]] = set()


@contextmanager
def _lifeline() -> Iterator[tuple[int, IO[bytes]]]:
    """Reading and writing end of a pipe. Only this process has the writing end: when it closes, the run is over."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb", buffering=0) as lifeline:
        with _lock:
            _lifelines.add(lifeline)
        try:
            yield reader, lifeline
        finally:
            os.close(reader)
            with _lock:
                _lifelines.discard(lifeline)


def _launch(spec: Spec, environment: dict[str, str]) -> Outcome:
    command = [sys.executable, "-IS", str(_LAUNCHER), json.dumps(spec)]
    with _lifeline() as (reader, lifeline):
        try:
            process = subprocess.Popen(
                command,
                stdin=reader,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=spec["scratch"],
                env=environment,
                start_new_session=True,  # a Ctrl-C in the terminal is ours to deal with
            )
        except OSError as error:
            raise SandboxError(f"generated code could not be started: {error}") from error
        with process:
            try:
                answer, complaint = process.communicate(timeout=spec["wall"] + _GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                raise SandboxError("the launcher of generated code does not answer") from None
            finally:
                stopped = lifeline.closed
                lifeline.close()
    if stopped:
        raise SandboxError("the run was stopped")
    if process.returncode != 0:
        raise SandboxError(f"the launcher of generated code failed: {_last_line(complaint)}")
    return cast(Outcome, json.loads(answer))


def _last_line(complaint: bytes) -> str:
    return (complaint.decode("utf-8", "replace").strip().splitlines() or ["it was killed"])[-1]


def _spec(scratch: Path, arguments: list[str], limits: Limits) -> Spec:
    return {
        "command": [sys.executable, str(scratch / SCRIPT), *arguments],
        "scratch": str(scratch),
        "wall": limits.wall,
        "memory": limits.memory,
        "disk": limits.disk,
        "processes": limits.processes,
        "output": limits.output,
        "limits": {
            "data": limits.memory * 7 // 8,  # below what the launcher kills for: a traceback says more than a kill
            "address_space": limits.address_space,
            "file_size": limits.file_size,
            "open_files": limits.open_files,
            "cpu": math.ceil(limits.wall * limits.threads) + 5,  # should the clock's watcher fail
        },
    }


def _environment(scratch: Path, limits: Limits) -> dict[str, str]:
    """All that the script gets to know: nothing of ours but where Python and its packages are."""
    threads = str(limits.threads)
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "LANG": "C.UTF-8",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "PYTHONUNBUFFERED": "1",  # what was printed before a kill is not lost
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONFAULTHANDLER": "1",  # a crash in native code names the line too
        "CUDA_VISIBLE_DEVICES": "",  # a smoke run is for the CPU, and CUDA reserves more than the address space
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
    }
    if site.ENABLE_USER_SITE:
        environment["PYTHONUSERBASE"] = site.getuserbase()  # else HOME would hide packages installed with --user
    return environment


def _read_back(scratch: Path, names: tuple[str, ...], limits: Limits) -> tuple[dict[str, bytes], dict[str, str]]:
    found: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    for name in names:
        try:
            found[name] = read_artefact(scratch, name, limits.artefact)
        except ArtefactError as error:
            refused[name] = str(error)
    return found, refused
