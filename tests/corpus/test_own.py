"""The user's corpus, in a real Chroma collection: in a folder, and on a server."""

import dataclasses
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.corpus.importing.similarity import fingerprint
from dlcodegen.corpus.own import OwnCorpus, data_folder
from dlcodegen.corpus.sample import Sample, all_samples
from dlcodegen.errors import SettingsError


def own_sample(name: str, **changes: Any) -> Sample:
    """A sample as if a user had added it."""
    changed: dict[str, Any] = {"id": f"translation/own-{name}", "source": "me/repo", "licence": "MIT", **changes}
    return dataclasses.replace(all_samples()["translation/seq2seq-attention"], **changed)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Chroma server on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--host", "127.0.0.1", "--port", str(port)]
    running = subprocess.Popen(
        [*command, "--path", str(tmp_path_factory.mktemp("server"))],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path_factory.mktemp("work"),
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{address}/api/v2/heartbeat", timeout=1).close()
                break
            except OSError:
                assert running.poll() is None, "the Chroma server ended"
                time.sleep(0.1)
        yield address
    finally:
        running.terminate()
        running.wait(timeout=30)


@pytest.fixture(params=["folder", "server"])
def own(request: pytest.FixtureRequest, tmp_path: Path) -> OwnCorpus:
    if request.param == "folder":
        return OwnCorpus(tmp_path / "corpus")
    corpus = OwnCorpus(tmp_path / "unused", request.getfixturevalue("server"))
    corpus.remove(corpus.ids())
    return corpus


def test_what_is_added_is_found_by_its_facts_and_comes_back_whole(own: OwnCorpus) -> None:
    added = own_sample("one", by_contract=False)
    own.add([added, own_sample("two")])
    assert own.ids() == ["translation/own-one", "translation/own-two"]
    assert own.ids(category="translation", framework="pytorch", by_contract=True) == ["translation/own-two"]
    assert own.ids(fingerprint=fingerprint(added.code)) == own.ids()
    assert own.ids(category="summarization") == []
    assert own.samples([added.id, "translation/own-gone"]) == {added.id: added}
    (outline,) = own.outlines(by_contract=False)
    assert (outline.id, outline.code, outline.sketch) == (added.id, "", added.sketch)
    assert own.samples([added.id])[added.id].config == added.config
    assert len(own) == 2


def test_every_change_is_a_new_revision_that_others_see(own: OwnCorpus) -> None:
    other = OwnCorpus(own.folder, own.server)
    before = own.revision
    own.add([own_sample("one")])
    assert before != own.revision == other.revision
    own.remove(["translation/own-one", "translation/own-never-there"])
    assert own.revision == other.revision
    assert other.ids() == []


def test_an_empty_corpus_opens_nothing(tmp_path: Path) -> None:
    own = OwnCorpus(tmp_path / "corpus")
    assert own.is_empty
    assert (own.ids(), own.outlines(), own.samples(["x/y"]), own.revision, len(own)) == ([], [], {}, "", 0)
    assert not (tmp_path / "corpus").exists()


def test_two_processes_may_add_at_once(tmp_path: Path) -> None:
    script = (
        "import dataclasses, sys; from pathlib import Path; from dlcodegen.corpus.own import OwnCorpus;"
        "from dlcodegen.corpus.sample import all_samples; one = all_samples()['translation/seq2seq-attention'];"
        "own = OwnCorpus(Path(sys.argv[1]));"
        "[own.add([dataclasses.replace(one, id=f'translation/own-{sys.argv[2]}-{n}')]) for n in range(5)]"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path), name], stderr=subprocess.PIPE, text=True)
        for name in ("a", "b")
    ]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert len(OwnCorpus(tmp_path)) == 10


def test_a_server_that_is_down_is_one_line_that_hides_what_is_secret() -> None:
    own = OwnCorpus(server="http://me:hush@127.0.0.1:9")
    with pytest.raises(SettingsError, match=r"the Chroma server at http://127.0.0.1:9 does not answer") as raised:
        own.ids()
    assert "unset DLCODEGEN_CHROMA" in str(raised.value)
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    "address", ["localhost:8000", "ftp://host", "http://", "x", "http://h:99999", "http://h:abc", "http://[::1"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="DLCODEGEN_CHROMA is no address such as http://localhost:8000"):
        OwnCorpus(server=address)


def test_a_folder_that_cannot_be_made_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingsError, match="set DLCODEGEN_DATA to a folder of yours"):
        OwnCorpus(tmp_path / "file" / "corpus").add([own_sample("one")])


def test_a_broken_collection_is_said_in_one_line_and_nothing_is_deleted(tmp_path: Path) -> None:
    (tmp_path / "chroma.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(Exception, match=r"your corpus in .* cannot be used .*: move the folder away to start anew"):
        OwnCorpus(tmp_path).ids()
    assert (tmp_path / "chroma.sqlite3").read_bytes().startswith(b"no database")


def test_variables_move_folder_and_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLCODEGEN_DATA", str(tmp_path))
    monkeypatch.setenv("DLCODEGEN_CHROMA", "https://chroma.example/")
    assert OwnCorpus().folder == tmp_path / "corpus"
    assert OwnCorpus().place == "https://chroma.example"
    monkeypatch.delenv("DLCODEGEN_DATA")
    assert data_folder().name == "dlcodegen"
