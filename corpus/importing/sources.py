"""The scripts in a file, folder or git checkout of a user: every regular file is read as text, nothing is executed."""

import io
import os
import stat
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dlcodegen.corpus.importing.checkout import checkout_origin
from dlcodegen.corpus.importing.licence import UNKNOWN, folder_licence, stated_licence
from dlcodegen.corpus.importing.notebook import NotebookError, script_of
from dlcodegen.errors import InputError

MOST_BYTES = {".py": 2_000_000, ".ipynb": 16_000_000}
"""By ending. A notebook carries its pictures with it; its code is held to the limit of a script."""
_NO_SOURCES = frozenset({"venv", "env", "virtualenv", "node_modules", "site-packages", "build", "dist", "__pycache__"})
_DEEPEST = 40


@dataclass(frozen=True)
class Source:
    """A Python script."""

    path: str
    """Relative to what was given, with `/` between folders."""
    code: str
    origin: str
    """Remote address and commit of the git checkout it lies in; else the name of what was given."""
    licence: str
    """SPDX identifier, or `unknown`."""
    notes: tuple[str, ...] = ()
    """What was left out of it, one sentence each."""


@dataclass(frozen=True)
class Skipped:
    """Something that was not read, or is of no use, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class _Folder:
    """A folder still to be walked, with what holds for the files in it."""

    path: Path
    inside: str
    origin: str
    licence: str
    depth: int = 0


def read_sources(path: Path) -> Iterator[Source | Skipped]:
    """Every script found, in a fixed order; at the end, how many files and folders were passed over.

    Hidden folders, virtual environments and build folders are left out, links are not followed. Raises InputError
    when there is nothing at `path`, or neither a file nor a folder.
    """
    try:
        root = path.expanduser().resolve(strict=True)
        kind = root.stat().st_mode
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "no usable path"
        raise InputError(f"{path}: {reason}") from error
    if stat.S_ISDIR(kind):
        return _walk(root)
    if not stat.S_ISREG(kind):
        raise InputError(f"{path}: neither a file nor a folder")
    return _single(root)


def _single(file: Path) -> Iterator[Source | Skipped]:
    if file.suffix.lower() not in MOST_BYTES:
        yield Skipped(file.name, "neither .py nor .ipynb")
    else:
        yield _read(file, file.name, file.name, folder_licence(file.parent) or UNKNOWN)


def _walk(root: Path) -> Iterator[Source | Skipped]:
    others: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    waiting = [_Folder(root, "", root.name, UNKNOWN)]
    while waiting:
        folder = _with_origin(waiting.pop())
        try:
            with os.scandir(folder.path) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            yield Skipped(folder.inside or ".", f"folder cannot be read: {error.strerror}")
            continue
        inner: list[_Folder] = []
        for entry in entries:
            inside = f"{folder.inside}/{_shown(entry.name)}".lstrip("/")
            ending = Path(entry.name).suffix.lower()
            if entry.is_symlink():
                yield Skipped(inside, "a link, not followed")
            elif entry.is_dir(follow_symlinks=False):
                if _holds_no_sources(entry) or folder.depth >= _DEEPEST:
                    left_out[_shown(entry.name)] += 1
                else:
                    inner.append(_Folder(Path(entry.path), inside, folder.origin, folder.licence, folder.depth + 1))
            elif entry.name.startswith(".") or ending not in MOST_BYTES:
                others[_shown(ending) or "no ending"] += 1
            else:
                yield _read(Path(entry.path), inside, folder.origin, folder.licence)
        waiting += reversed(inner)
    yield from _passed_over("files that are no Python", others)
    yield from _passed_over("folders", left_out)


def _shown(name: str) -> str:
    """A name that can be printed: a stranger's file names may hold anything but `/`."""
    return "".join(sign if sign.isprintable() else "?" for sign in name)


def _with_origin(folder: _Folder) -> _Folder:
    """A checkout inside the folder has an origin of its own, and nothing of the licence of what surrounds it."""
    origin = checkout_origin(folder.path)
    inherited = UNKNOWN if origin else folder.licence
    own = folder_licence(folder.path)
    return _Folder(folder.path, folder.inside, origin or folder.origin, own or inherited, folder.depth)


def _holds_no_sources(folder: os.DirEntry[str]) -> bool:
    """Hidden, built or installed: `pyvenv.cfg` marks a virtual environment of any name."""
    name = folder.name
    if name.startswith(".") or name.lower() in _NO_SOURCES or name.endswith((".egg-info", ".dist-info")):
        return True
    return os.path.lexists(os.path.join(folder.path, "pyvenv.cfg"))  # noqa: PTH118 - no Path for every folder


def _passed_over(what: str, counted: Counter[str]) -> Iterator[Skipped]:
    if counted:
        most = ", ".join(f"{count} {name}" for name, count in counted.most_common(6))
        more = ", ..." if len(counted) > 6 else ""
        yield Skipped(".", f"{counted.total()} {what} left out: {most}{more}")


def _read(file: Path, inside: str, origin: str, licence: str) -> Source | Skipped:
    """The script in a file, or why there is none. A file that is too large is not read at all."""
    ending = file.suffix.lower()
    try:
        data = _bytes_of(file, MOST_BYTES[ending])
        text = _decoded(data)
        notes: tuple[str, ...] = ()
        if ending == ".ipynb":
            text, notes = script_of(text)
    except OSError as error:
        return Skipped(inside, f"cannot be read: {error.strerror or error}")
    except (UnicodeDecodeError, SyntaxError, LookupError):
        return Skipped(inside, "no text: binary, or in an encoding that it does not name")
    except NotebookError as error:
        return Skipped(inside, str(error))
    if not text.strip():
        return Skipped(inside, "empty")
    if len(text) > MOST_BYTES[".py"]:
        return Skipped(inside, f"too large: {len(text) / 1e6:.0f} million characters of code")
    return Source(inside, text, origin, stated_licence(text) or licence, notes)


def _bytes_of(file: Path, most: int) -> bytes:
    """All of a regular file. Raises OSError for anything else (a pipe that took its place would wait forever)."""
    handle = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as opened:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError("no regular file")
        if status.st_size > most:
            raise OSError(f"too large: {status.st_size / 1e6:.0f} MB")
        return opened.read(most)


def _decoded(data: bytes) -> str:
    """As Python reads a script: UTF-8 unless a coding line says otherwise, each line ended by a newline alone.

    Raises SyntaxError, LookupError or UnicodeDecodeError when it is no text.
    """
    if b"\0" in data:
        raise SyntaxError("null bytes")
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
