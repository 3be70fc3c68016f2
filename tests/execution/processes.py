"""Finding the processes of a run, wherever they hide."""

import time
import uuid
from collections.abc import Callable
from pathlib import Path

NAME_ITSELF = "import ctypes\nctypes.CDLL(None).prctl(15, sys.argv[1].encode(), 0, 0, 0)\n"
"""Lets a script call its process by its first argument: forked, it has the fork server's command line."""


def unique_word() -> str:
    """A process can be called by fifteen characters."""
    return f"w{uuid.uuid4().hex[:14]}"


def running(word: str) -> list[int]:
    """Ids of the processes that call themselves so: forked processes share their arguments with the fork server."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name = (folder / "comm").read_text(errors="replace").strip()
        except OSError:
            continue
        if name == word:
            found.append(int(folder.name))
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether the condition comes true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False
