"""A script that tries what generated code must not do. Harmless where nothing stops it.

Runs inside the sandbox as `main.py QUESTION`, standard library only. Writes answers.json: act -> why it was denied,
empty when it was possible.
"""

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path


def connect() -> None:
    """A datagram socket sends nothing when it is connected; it only needs a way to the address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.connect(("127.0.0.1", 9))


def read_an_environment() -> None:
    """Of any process outside: it has other variables than those that every process in here was given."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if {variable.split(b"=")[0] for variable in variables if variable} - set(os.environb):
            return
    raise PermissionError(0, "no other process can be looked into")


def signal_another(process: int) -> None:
    """Signal 0: it asks and does nothing."""
    os.kill(process, 0)


def read_file(path: str) -> None:
    with Path(path).open("rb"):
        pass


def change_file(path: str) -> None:
    with Path(path).open("r+b"):
        pass


def see_file(path: str) -> None:
    Path(path).stat()


def use_memory(size: int) -> None:
    bytes(size)  # zeros that are never touched


def write_file(size: int) -> None:
    with Path("large").open("wb") as file:
        file.truncate(size)


def start_process() -> None:
    if os.fork() == 0:
        os._exit(0)


def start_threads(count: int) -> None:
    for _ in range(count):
        threading.Thread(target=time.sleep, args=[1], daemon=True).start()
    time.sleep(0.5)  # so that they are seen


def denial(act: Callable[[], None]) -> str:
    try:
        act()
    except OSError as error:
        return error.strerror or str(error)
    except (MemoryError, RuntimeError) as error:
        return type(error).__name__
    return ""


def main() -> None:
    question = json.loads(sys.argv[1])
    acts: dict[str, Callable[[], None]] = {
        "network": connect,
        "reading files": partial(read_file, question["file"]),
        "changing files": partial(change_file, question["file"]),
        "existence of files": partial(see_file, question["file"]),
        "environment": read_an_environment,
        "other processes": partial(signal_another, question["process"]),
        "new processes": start_process,
        "memory": partial(use_memory, question["memory"]),
        "file size": partial(write_file, question["file_size"]),
        "threads": partial(start_threads, question["threads"]),  # last: it may be killed for it
    }
    answers: dict[str, str] = {}
    for name, act in acts.items():
        answers[name] = denial(act)
        Path("next.json").write_text(json.dumps(answers), encoding="utf-8")
        Path("next.json").replace("answers.json")  # whole at any moment: it may be killed at any
    os._exit(0)  # whatever was started is killed with the rest of the tree


if __name__ == "__main__":
    main()
