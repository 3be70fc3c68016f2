"""The fork server: loads the heavy libraries once, then forks a supervisor for each run.

Started by `fork_server.py` as `main()`, with the names of the libraries as arguments, a socket as standard input, and a
clean environment: there is no secret in it to be found. Each message is a Spec with two descriptors: where to write the
Outcome, and the lifeline. It stays single-threaded: a child of a process with OpenMP threads hangs for ever. Ends when
the socket does.
"""

import gc
import importlib
import json
import os
import signal
import socket
import sys

from dlcodegen.execution.observer import keras_hooks, torch_hooks, training
from dlcodegen.execution.sandbox import supervisor
from dlcodegen.execution.sandbox.kernel import PR_SET_DUMPABLE, control_process

_LOADED = (keras_hooks, torch_hooks, training)
"""Whoever is shut in cannot load them any more: our own files are out of reach."""
_MESSAGE = 1 << 18


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C in the terminal is dealt with by who started us
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the supervisors
    for library in sys.argv[1:]:
        importlib.import_module(library)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    if sys.platform == "linux":
        control_process(PR_SET_DUMPABLE, 0)
    gc.collect()
    gc.freeze()  # or every child's first collection would copy all of it
    requests = socket.socket(fileno=0)
    while True:
        message, descriptors, _, _ = socket.recv_fds(requests, _MESSAGE, 2)
        if not message:
            return
        if os.fork() == 0:
            _serve(message, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _serve(message: bytes, outcome: int, lifeline: int) -> None:
    """Supervise one run, in a process of its own. Never returns."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(0)
        supervisor.supervise(json.loads(message), outcome, lifeline)
    finally:
        os._exit(0)
