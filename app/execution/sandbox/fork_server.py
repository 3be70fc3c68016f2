"""Our end of the fork servers: starting, asking, recycling them, and stopping what runs.

A warm server has the heavy libraries loaded and forks a run in milliseconds. A cold one is started for a single run
and loads what the script imports: slower, and the same in everything else.
"""

import atexit
import json
import os
import site
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

from dlcodegen.errors import SandboxError, StoppedError
from dlcodegen.execution.sandbox.spec import Outcome, Spec

WARM = ("torch", "torch._dynamo", "torch.optim", "torch.utils.data", "numpy.random", "PIL.Image", "hashlib", "tempfile")
"""What every training script loads sooner or later; the first optimizer alone costs 1.3 s without `torch._dynamo`."""
_FLAGS = (
    "-I",  # neither variables nor the working directory decide what is loaded
    "-u",  # what was printed before a kill is not lost
    "-B",
    "-Xfaulthandler",  # a crash in native code names the line too
)
WARM_KERAS = (*WARM, "keras")
"""For scripts that import Keras, which takes a second of its own."""
_START = (
    "import site, sys; folder = sys.argv.pop(1); folder and site.addsitedir(folder); "
    "from dlcodegen.execution.sandbox.server import main; main()"
)
_MOST_RUNS = 200  # then a fresh server: what is loaded is a snapshot of the installed packages
_GRACE = (
    45.0  # seconds on top of the script's time, for a server that is still loading and one that is slow to clean up
)


class ForkServer:
    """One server process. May be asked from several threads at once."""

    def __init__(self, libraries: tuple[str, ...]) -> None:
        self.runs = 0
        self.installed = _installed()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - read when the server fails, closed with it
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, *_FLAGS, "-c", _START, _user_site(), *libraries],
                    stdin=its.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=self._errors,
                    cwd="/",
                    env=_environment(),
                    start_new_session=True,  # a Ctrl-C in the terminal is ours to deal with
                )
            except OSError as error:
                ours.close()
                self._errors.close()
                raise SandboxError(f"generated code could not be started: {error}") from error
        self._socket = ours

    def ask(self, spec: Spec) -> Outcome | None:
        """Run one script; None when the server, or the supervisor of the run, died on the way.

        Raises StoppedError when `stop_all` did that.
        """
        self.runs += 1
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb", buffering=0) as answer, _lifeline() as (held, lifeline):
            try:
                socket.send_fds(self._socket, [json.dumps(spec).encode()], [writer, held])
            except OSError:
                return None
            finally:
                os.close(writer)
                os.close(held)
            text = _read_all(answer, spec["wall"] + _GRACE)
            if lifeline.closed:
                raise StoppedError("the run was stopped")
        return cast(Outcome, json.loads(text)) if text else None

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> str:
        """Let it end; runs at work go on, on lifelines of their own. Its last words, which say why it failed."""
        self._socket.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        if self.alive:
            self._process.kill()
            self._process.wait()
        with self._errors:
            self._errors.seek(0)
            words = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return words[-1] if words else f"it ended with exit code {self._process.returncode}"


def stop_all() -> None:
    """Kill every running script, at once and from any thread; the calls that run them raise SandboxError."""
    with _lock:
        for lifeline in list(_lifelines):
            lifeline.close()


def warm_server(libraries: tuple[str, ...]) -> ForkServer:
    """The server that has these loaded, started when there is none, or none that is still good."""
    key = (os.getpid(), libraries)  # a forked child of ours does not share its parent's
    with _lock:
        server = _servers.get(key)
        if server and (not server.alive or server.runs >= _MOST_RUNS or server.installed != _installed()):
            del _servers[key]
            server.stop()
            server = None
        if server is None:
            if not _servers:
                atexit.register(_stop_servers)
            server = _servers[key] = ForkServer(libraries)
        return server


def _stop_servers() -> None:
    """Those of this process; a forked child has no business with its parent's."""
    for process, libraries in list(_servers):
        if process == os.getpid():
            _servers.pop((process, libraries)).stop()


def warm_up() -> None:
    """Start the warm server without waiting for it, where there can be one; a failure shows when it is asked."""
    if os.name == "posix":
        with suppress(SandboxError):
            warm_server(WARM)


_lock = threading.RLock()  # a signal handler may call `stop_all` while its own thread holds the lock
_lifelines: set[IO[bytes]] = set()
_servers: dict[tuple[int, tuple[str, ...]], ForkServer] = {}


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
            with _lock:
                _lifelines.discard(lifeline)


def _read_all(answer: IO[bytes], seconds: float) -> bytes:
    """Raises SandboxError when it does not end in time."""
    import selectors
    import time

    deadline = time.monotonic() + seconds
    parts: list[bytes] = []
    with selectors.DefaultSelector() as selector:
        selector.register(answer, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            part = answer.read(1 << 16)
            if not part:
                return b"".join(parts)
            parts.append(part)
    raise SandboxError("the supervisor of generated code does not answer")


def _environment() -> dict[str, str]:
    """All that generated code gets to know, apart from its scratch folder: nothing of ours."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "LANG": "C.UTF-8",
        "USER": "sandbox",
        "HOME": "/dev/null",  # the server has none; each run gets its scratch folder
        "KERAS_HOME": "/dev/null",
        "CUDA_VISIBLE_DEVICES": "",  # a smoke run is for the CPU, and CUDA reserves more than the address space
        "OMP_NUM_THREADS": "1",  # the server stays single-threaded; a run gets its share of cores later
        "OMP_WAIT_POLICY": "PASSIVE",  # threads that wait by spinning starve each other on a busy computer
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "TORCHDYNAMO_DISABLE": "1",  # torch.compile needs a C compiler: without it, it runs the model as it is
        "KERAS_BACKEND": "torch",
    }


def _user_site() -> str:
    """Where packages lie that were installed with --user, which `python -I` leaves out; empty where there are none."""
    return site.getusersitepackages() if site.ENABLE_USER_SITE else ""


def _installed() -> float:
    """When packages were last installed or removed."""
    folders = [Path(folder) for folder in sys.path if folder.endswith("-packages")]
    return max((folder.stat().st_mtime for folder in folders if folder.is_dir()), default=0.0)
