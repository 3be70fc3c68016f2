"""Writing the project folder: all of it or nothing, and never over something that the user did not give up."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path, PurePosixPath

from dlcodegen.errors import DLCodeGenError, SettingsError


def ensure_writable(folder: Path, force: bool) -> None:
    """Find out before the work whether the project can be written to `folder` after it; leaves nothing behind.

    Raises SettingsError when the folder holds something and `force` is not set, when the path is a file or leads
    through one, and when nothing may be written there.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise SettingsError(f"{folder} is a file: name a folder with --out")
        if folder.is_dir() and any(folder.iterdir()) and not force:
            raise SettingsError(f"{folder} is not empty: replace the project in it with --force, or name another --out")
        with tempfile.TemporaryDirectory(prefix=".dlcodegen-", dir=_nearest_folder(folder)):
            pass
    except (OSError, ValueError) as error:  # ValueError: a null byte
        raise SettingsError(f"cannot write to {folder}: {_reason(error)}; name another folder with --out") from error


def write_project(files: dict[str, str], folder: Path, force: bool = False) -> None:
    """Write `files` (path within the folder -> text) so that an interruption leaves the old content or the new.

    With `force`, files of the same name are replaced; whatever else lies in the folder stays.
    Raises SettingsError as `ensure_writable` does, and DLCodeGenError when the disk fails or a path in `files` leaves
    the folder.
    """
    ensure_writable(folder, force)
    folder = folder.resolve()
    for name in files:
        _ensure_within(name, folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _write(files, folder)
    except OSError as error:
        raise DLCodeGenError(f"cannot write the project to {folder}: {_reason(error)}") from error


def _write(files: dict[str, str], folder: Path) -> None:
    """Everything is written aside first. An existing folder keeps its place: it may be a shell's or a mount's."""
    beside = folder if folder.is_dir() else folder.parent
    staged = Path(tempfile.mkdtemp(prefix=".dlcodegen-", dir=beside))
    try:
        new, old = staged / "new", staged / "old"
        for name, text in files.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_text(text, encoding="utf-8", newline="\n")
        if folder.is_dir():
            _exchange(list(files), new, folder, old)
        else:
            new.rename(folder)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _exchange(names: list[str], new: Path, folder: Path, old: Path) -> None:
    """Put the new files into the folder; whatever interrupts that, the ones that were there are put back."""
    with contextlib.ExitStack() as undo:
        for name in names:
            target, kept = folder / name, old / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(target, kept)
                undo.callback(os.replace, kept, target)
            else:
                undo.callback(target.unlink, missing_ok=True)
            (new / name).replace(target)
        undo.pop_all()


def _nearest_folder(folder: Path) -> Path:
    """The folder itself, or the first of its parents that exists."""
    return next(path for path in (folder.resolve(), *folder.resolve().parents) if path.exists())


def _ensure_within(name: str, folder: Path) -> None:
    """Raises DLCodeGenError for a path that is absolute, goes upwards, or leads out through a link."""
    path = PurePosixPath(name)
    inside = not path.is_absolute() and ".." not in path.parts and "\\" not in name and path.name
    if not inside or not (folder / path).parent.resolve().is_relative_to(folder):
        raise DLCodeGenError(f"the file {name!r} would leave the project folder")


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
