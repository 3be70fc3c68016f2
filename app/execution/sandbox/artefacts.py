"""Reads what a script left behind: whatever lies there is somebody else's, and may be a trap."""

import os
import stat
from contextlib import ExitStack
from pathlib import Path

_MOST_LISTED = 100


class ArtefactError(ValueError):
    """There is no such file, or none that may be read; the message says which."""


def read_artefact(folder: Path, name: str, size: int) -> bytes:
    """The content of `folder/name`, at most `size` bytes. No link on the way is followed, and nothing is waited for.

    Raises ArtefactError when it is missing, too large, or anything but a regular file of its own.
    """
    *parents, last = Path(name).parts
    with ExitStack() as stack:
        try:
            at = _open(stack, str(folder), os.O_DIRECTORY, None)
            for parent in parents:
                at = _open(stack, parent, os.O_DIRECTORY, at)
            file = _open(stack, last, os.O_NONBLOCK, at)  # or a named pipe would be waited for
        except FileNotFoundError:
            raise ArtefactError(f"{name} was not written") from None
        except OSError as error:
            raise ArtefactError(f"{name} is no regular file ({error.strerror})") from None
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise ArtefactError(f"{name} is no regular file of its own")
        if found.st_size > size:
            raise ArtefactError(f"{name} has {found.st_size} bytes, more than {size}")
        with os.fdopen(os.dup(file), "rb") as reader:
            return reader.read(size)


def list_artefacts(folder: Path, name: str) -> list[str]:
    """Paths below `folder` of what lies in its sub-folder `name`, sorted, at most a hundred; none without it."""
    with ExitStack() as stack:
        try:
            at = _open(stack, str(folder), os.O_DIRECTORY, None)
            for part in Path(name).parts:
                at = _open(stack, part, os.O_DIRECTORY, at)
            return [f"{name}/{entry}" for entry in sorted(os.listdir(at))[:_MOST_LISTED]]  # noqa: PTH208
        except OSError:  # missing, a link, or no folder: there is nothing to list
            return []


def _open(stack: ExitStack, name: str, flags: int, at: int | None) -> int:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=at)
    stack.callback(os.close, descriptor)
    return descriptor
