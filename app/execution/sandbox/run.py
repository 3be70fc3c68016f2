"""Runs generated code shut in: bounded, without our environment and files, gone when the run is over.

What is enforced is the tier (`dlcodegen.execution.sandbox.tiers`). Whoever starts it, the script runs in a process
forked by a fork server (`fork_server.py`), watched by a supervisor (`supervisor.py`), shut in by `enclosure.py`.
"""

import itertools
import os
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from dlcodegen.errors import SandboxError
from dlcodegen.execution.sandbox.artefacts import ArtefactError, list_artefacts, read_artefact
from dlcodegen.execution.sandbox.fork_server import WARM, WARM_KERAS, ForkServer, warm_server
from dlcodegen.execution.sandbox.limits import MIB, Limits, cores
from dlcodegen.execution.sandbox.other_sandboxes import COULD_NOT_START, docker, sandbox_exec
from dlcodegen.execution.sandbox.removal import remove
from dlcodegen.execution.sandbox.spec import Outcome, Spec

Status = Literal["exit", "timeout", "memory", "processes", "output", "disk"]
Tier = str
"""Name of a sandbox (`dlcodegen.execution.sandbox.tiers`)."""

SCRIPT, DRIVER = "main.py", "judge.py"
_LEAST_FREE = 64 * MIB  # of memory and disk; below it a failure says nothing about the script
_LIBRARIES = ("/usr", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types")
_SYSTEM = ("/etc/ssl/openssl.cnf", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system/cpu")
_USES_KERAS = re.compile(r"^[ \t]*(?:import|from) keras\b", re.MULTILINE)
_at_once = threading.BoundedSemaphore(max(2, cores()))


@dataclass(frozen=True)
class RunResult:
    """What became of a script."""

    status: Status
    """`exit`: it ended by itself. Else the limit for which it was killed."""
    exit_code: int | None
    """-N when signal N ended it; None when it was killed for a limit."""
    completed: bool
    """It came to its own end: it returned, raised, or called `sys.exit`. A hasty `os._exit(0)` does not."""
    stdout: str
    """Head and tail; the path of the scratch folder is taken out, so that the script is `main.py`."""
    stderr: str
    seconds: float
    artefacts: dict[str, bytes]
    refused: dict[str, str]
    """Artefact -> why it could not be read."""
    record: dict[str, Any]
    """What the harness saw from inside, a stranger's word: `ended`, `autopsy`, `seen`, `warnings`, `faults`."""
    tier: Tier


def run_script(  # noqa: PLR0913  a run has that many sides, and most calls name two or three
    code: str,
    arguments: list[str],
    limits: Limits,
    artefacts: tuple[str, ...] = (),
    *,
    tier: Tier = "full",
    driver: str = "",
    beside: Mapping[str, bytes] | None = None,
    observe: bool = False,
    warm: bool = True,
) -> RunResult:
    """Run `code` as main.py in a scratch folder, which is its working directory, its home, and gone afterwards.

    `artefacts` are paths in that folder which are read back, `outputs/*.pt` for all of a kind; `beside` are files laid
    there first. With a `driver`, that script is executed instead, and finds main.py beside it. `observe` records what
    the running model shows. A cold run (`warm` false) loads its libraries itself. May be called from several threads at
    once: more than there are cores wait for each other. Raises SandboxError when the script could not be started, which
    says nothing about it, and StoppedError when `stop_all` ended it.
    """
    if os.name != "posix":
        raise SandboxError("generated code can be run on Linux and macOS only: add --no-check to deliver it unchecked")
    with _at_once, _scratch() as folder:
        work = folder / "work"
        _lay(work, {SCRIPT: code.encode("utf-8", "surrogatepass"), **(beside or {})})
        if driver:
            _lay(work, {DRIVER: driver.encode()})
        spec = _spec(folder, DRIVER if driver else SCRIPT, arguments, limits, tier)
        if tier.startswith("docker:"):
            spec["command"], spec["cleanup"] = docker(spec, tier.removeprefix("docker:"))
        elif tier == "sandbox-exec":
            spec["command"] = sandbox_exec(spec)
        libraries = WARM_KERAS if _USES_KERAS.search(code) else WARM
        outcome = _execute({**spec, "observe": observe}, libraries if warm and not spec["command"] else ())
        found, refused = _read_back(work, artefacts, limits)
        return RunResult(
            status=cast(Status, outcome["stopped"] or "exit"),
            exit_code=outcome["exit_code"],
            completed=outcome["record"] is not None or bool(spec["command"]),
            stdout=_without(work, outcome["stdout"]),
            stderr=_without(work, outcome["stderr"]),
            seconds=outcome["seconds"],
            artefacts=found,
            refused=refused,
            record=outcome["record"] or {},
            tier=tier,
        )


def _execute(spec: Spec, libraries: tuple[str, ...]) -> Outcome:
    """Ask the server that has these loaded; a run that died with it is run once more, cold, as one without any is.

    Raises SandboxError when that fails too.
    """
    outcome = warm_server(libraries).ask(spec) if libraries else None
    if outcome is None:
        server = ForkServer(())
        try:
            outcome = server.ask(spec)
        finally:
            last_words = server.stop()
        if outcome is None:
            raise SandboxError(f"the sandbox failed: {last_words}")
    failed = outcome["failed"]
    if spec["command"] and outcome["exit_code"] == COULD_NOT_START:
        failed = (outcome["stderr"].strip().splitlines() or ["no reason was given"])[-1]
    if failed:
        raise SandboxError(f"generated code could not be started: {failed}")
    return outcome


def _without(work: Path, text: str) -> str:
    """Output in which the script is `main.py`, wherever it lay."""
    return text.replace(f"{work}/", "").replace('File "/work/', 'File "')


@contextmanager
def _scratch() -> Iterator[Path]:
    """A folder with an empty `work` and `root` in it. Raises SandboxError when there is no room for a run."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="dlcodegen-")).resolve()
        try:
            if os.geteuid() == 0:
                folder.chmod(0o711)  # the user that is lent to the script may pass, and see nothing
            for part in ("work", "root"):
                (folder / part).mkdir(0o700)
            _demand_room(folder)
            yield folder
            _demand_room(folder)
        finally:
            remove(str(folder))
    except OSError as error:
        raise SandboxError(f"the sandbox has no room: {error}; set TMPDIR to a folder with space") from error


def _demand_room(folder: Path) -> None:
    if shutil.disk_usage(folder).free < _LEAST_FREE:
        raise SandboxError(f"the disk of {folder.parent} is full: set TMPDIR to a folder with space")
    if _free_memory() < _LEAST_FREE:
        raise SandboxError("this computer has no memory left: close something, then try again")


def _free_memory() -> int:
    """Bytes that can be had without swapping; plenty where the system does not tell."""
    try:
        rows = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return sys.maxsize
    return next((int(row.split()[1]) * 1024 for row in rows if row.startswith("MemAvailable")), sys.maxsize)


def _lay(work: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _spec(folder: Path, entry: str, arguments: list[str], limits: Limits, tier: Tier) -> Spec:
    scratch = str(folder / "work")
    return {
        "tier": tier,
        "folder": str(folder),
        "scratch": scratch,
        "mount_point": str(folder / "root"),
        "entry": entry,
        "arguments": arguments,
        "environment": {
            **dict.fromkeys(("HOME", "TMPDIR", "KERAS_HOME", "MPLCONFIGDIR", "TORCHINDUCTOR_CACHE_DIR"), scratch),
            **{name: str(limits.threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")},
        },
        "readable": readable(),
        "devices": [f"/dev/{name}" for name in ("null", "full", "random", "urandom")],
        "command": [],
        "cleanup": [],
        "observe": False,
        "threads": limits.threads,
        "wall": limits.wall,
        "memory": limits.memory,
        "disk": limits.disk,
        "processes": limits.processes,
        "output": limits.output,
        "bounds": limits.bounds,
    }


def readable() -> list[str]:
    """Where Python and its packages lie, and the little of the system that they read. Not the user's files."""
    python = {path for prefix in (sys.prefix, sys.base_prefix) for path in (prefix, str(Path(prefix).resolve()))}
    # Some lie elsewhere, by a .pth file or by the system's packagers; ours may be in no such folder, and stays closed.
    packages = [folder for folder in sys.path if folder.endswith(("site-packages", "dist-packages"))]
    return [*dict.fromkeys([*sorted(python), *packages]), *_LIBRARIES, *_SYSTEM]


def _read_back(work: Path, names: tuple[str, ...], limits: Limits) -> tuple[dict[str, bytes], dict[str, str]]:
    found: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    for name in itertools.chain.from_iterable(_matching(work, pattern) for pattern in names):
        try:
            found[name] = read_artefact(work, name, limits.artefact)
        except ArtefactError as error:
            refused[name] = str(error)
    return found, refused


def _matching(work: Path, name: str) -> list[str]:
    folder, _, pattern = name.rpartition("/")
    if not pattern.startswith("*"):
        return [name]
    return [path for path in list_artefacts(work, folder) if path.endswith(pattern[1:])]
