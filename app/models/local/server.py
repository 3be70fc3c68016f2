"""A local model's server: a process of its own on loopback, with a key of its own, there as long as this process."""

import atexit
import importlib.util
import json
import logging
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from functools import cache
from threading import Lock, Thread, Timer
from typing import IO, get_args

from dlcodegen.context import Context, Role
from dlcodegen.errors import ModelError, SettingsError
from dlcodegen.models.local.catalogue import LocalModel
from dlcodegen.models.local.cores import physical_cores
from dlcodegen.models.local.store import find_model, path_of

SLOTS = 4
"""Answers at the same time."""
CONTEXT = 24_576
"""Tokens of all prompts and answers at the same time; what one may have at the most, too."""
START_LIMIT = 300.0
"""Seconds until the model is loaded: from a slow disk it takes minutes."""
_CACHE = 512
"""MiB for prompts that were read and are in no slot any more."""
_RESTARTS = 1
_PASSED_ON = ("PATH", "PYTHONPATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")
"""Of the environment: there is no secret in it to be found."""
_ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE"}
"""Threads that wait for each other by spinning would be sixteen times slower where something else computes, too."""
_log = logging.getLogger(__name__)


def runnable(name: str = "") -> LocalModel:
    """The model of that name, or the largest that is here.

    Raises SettingsError, with what to type, when it or the package that runs it is not here.
    """
    model = find_model(name)
    if importlib.util.find_spec("xllamacpp") is None:
        raise SettingsError("local models need one more package: pip install 'dlcodegen[local]'")
    return model


def check_local_models(context: Context) -> None:
    """Raises SettingsError when a role's model is a local one that cannot be run: said now, not after ten stages."""
    for role in get_args(Role):
        provider, _, name = context.model_for(role).partition(":")
        if provider == "local":
            runnable(name)


class LocalServer:
    """One model, being served. Dies with this process, however that ends; when killed itself, it is started once more,
    at the same address and with the same key, so that whoever was waiting for an answer only has to ask again.
    """

    def __init__(self, name: str = "", port: int = 0) -> None:
        """Returns when the model is loaded, which takes seconds. Raises SettingsError, with what to type, when it or
        the package that runs it is not here or the port is taken, and ModelError when it does not start.
        """
        model = runnable(name)
        if port:
            _check_free(port)
        self.model = model.name
        self.key = secrets.token_urlsafe(32)
        self._path = path_of(model)
        self._port = port
        self._restarts = _RESTARTS
        self._stopped = False
        self._lock = Lock()
        self._start()
        self._watcher = Thread(target=self._watch, daemon=True)
        self._watcher.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def process_id(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it can be asked; when it has died for the first time it can, for it is started again."""
        with self._lock:
            return self._revived()

    def wait(self) -> None:
        """Until it has been stopped, or has died for good."""
        self._watcher.join()

    def stop(self) -> None:
        """Answers that are being written are cut off."""
        self._stopped = True
        self._process.kill()  # which ends a start that is going on, too
        with self._lock:
            self._end()

    def _end(self) -> None:
        """The process, and what has led to it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._log):
            if pipe is not None:
                pipe.close()

    def _start(self) -> None:
        self._log: IO[str] = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 - as long as the process
        self._process = subprocess.Popen(
            # -P: nothing in the folder that we happen to be in is imported
            [sys.executable, "-P", "-m", "dlcodegen.models.local.serve_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ} | _ENVIRONMENT,
            start_new_session=True,
        )
        said = self._told()
        if "address" not in said:
            reason = self._first_error() or said.get("error") or f"it ended with {self._process.wait()}, out of memory?"
            self._end()
            anew = f"dlcodegen model remove {self.model}, then dlcodegen model pull {self.model}"
            raise ModelError(f"the local model {self.model} does not start: {reason}; if its file is broken: {anew}")
        self._port = int(said["address"].rpartition(":")[2])

    def _told(self) -> dict[str, str]:
        """The address, or an error, or nothing when it ended.

        The key goes through a pipe: arguments and environment can be seen by others.
        """
        settings = {
            "path": str(self._path),
            "key": self.key,
            "port": self._port,
            "slots": SLOTS,
            "context": CONTEXT,
            "cache": _CACHE,
            "threads": physical_cores(),
        }
        assert self._process.stdin is not None and self._process.stdout is not None
        limit = Timer(START_LIMIT, self._process.kill)
        limit.start()
        try:
            self._process.stdin.write(json.dumps(settings) + "\n")
            self._process.stdin.flush()
            reply = self._process.stdout.readline()
        except BrokenPipeError:
            reply = ""
        finally:
            limit.cancel()
        said: dict[str, str] = json.loads(reply or "{}")
        return said

    def _first_error(self) -> str:
        """What llama.cpp complains of first; what comes later follows from it."""
        self._log.seek(0)
        errors = (line.partition(" E ")[2].strip() for line in self._log)
        return next(filter(None, errors), "")[:300]

    def _watch(self) -> None:
        """Whoever is waiting for an answer when it dies does not look after it."""
        alive = True
        while alive:
            self._process.wait()
            with self._lock:
                alive = self._revived()

    def _revived(self) -> bool:
        """Whether it runs; started once more if it has died unasked."""
        if self._process.poll() is None:
            return True
        self._end()
        if self._stopped or not self._restarts:
            return False
        _log.warning("the local model's server has died (%s): started once more", self._process.returncode)
        self._restarts -= 1
        try:
            self._start()
        except ModelError as error:
            if not self._stopped:
                _log.warning("%s", error)
            return False
        return not self._stopped


def _check_free(port: int) -> None:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            raise SettingsError(f"port {port} cannot be had ({error.strerror}): take another one") from error


_running: dict[str, LocalServer] = {}
_lock = Lock()


def local_server(name: str = "") -> LocalServer:
    """The server of this model, or of the largest that is here: started on demand, one for all who ask.

    Raises as LocalServer does. It is stopped when this process ends.
    """
    model = find_model(name).name
    _stop_at_exit()
    with _lock:
        server = _running.get(model)
        if server is None or not server.is_alive():
            server = _running[model] = LocalServer(model)
        return server


def stop_servers() -> None:
    """Stop all that `local_server` has started."""
    with _lock:
        while _running:
            _running.popitem()[1].stop()


@cache
def _stop_at_exit() -> None:
    """Once."""
    atexit.register(stop_servers)
