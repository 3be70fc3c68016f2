"""The pool in Chroma: filled once, rebuilt when the pool changes, shared by processes, never on the network."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_socket import disable_socket

from dlcodegen.corpus.sample import all_samples
from dlcodegen.corpus.store import SampleStore, cache_folder

OPEN = "from dlcodegen.corpus.store import SampleStore; print(*SampleStore().ids('depth-estimation', 'pytorch'))"


def test_it_answers_by_category_and_framework(tmp_path: Path) -> None:
    store = SampleStore(folder=tmp_path)
    for category in {sample.category for sample in all_samples().values()}:
        for framework in ("pytorch", "keras"):
            expected = [
                sample.id
                for sample in all_samples().values()
                if (sample.category, sample.framework) == (category, framework)
            ]
            assert store.ids(category, framework) == expected
    assert store.ids("no-such-category", "pytorch") == []


def test_it_is_rebuilt_when_the_pool_changes_and_drops_the_old_state(tmp_path: Path) -> None:
    pool = dict(all_samples())
    SampleStore(pool, tmp_path)
    removed = pool.pop("translation/seq2seq-attention")
    smaller = SampleStore(pool, tmp_path)
    assert removed.id not in smaller.ids("translation", "pytorch")
    changed = {**pool, removed.id: dataclasses.replace(removed, code=f"{removed.code}\n# changed\n")}
    newest = SampleStore(changed, tmp_path)
    assert removed.id in newest.ids("translation", "pytorch")
    assert len(newest.client.list_collections()) == 1


def test_whose_state_another_version_of_the_pool_has_dropped_fills_it_again(tmp_path: Path) -> None:
    whole, smaller = dict(all_samples()), dict(all_samples())
    removed = smaller.pop("translation/seq2seq-attention")
    store, other = SampleStore(whole, tmp_path), SampleStore(smaller, tmp_path)
    for _ in range(2):
        assert removed.id in store.ids("translation", "pytorch")
        assert removed.id not in other.ids("translation", "pytorch")


def test_an_unchanged_pool_is_not_filled_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = SampleStore(folder=tmp_path)
    monkeypatch.setattr(SampleStore, "_fill", lambda *_: pytest.fail("filled again"))
    assert SampleStore(folder=tmp_path).ids("translation", "pytorch") == first.ids("translation", "pytorch")


def test_several_processes_may_fill_it_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLCODEGEN_CACHE", str(tmp_path))
    running = [
        subprocess.Popen([sys.executable, "-c", OPEN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in running:
        printed, errors = process.communicate(timeout=60)
        assert (process.returncode, printed.split()) == (0, ["depth-estimation/unet"]), errors


def test_it_needs_no_network(tmp_path: Path) -> None:
    disable_socket(allow_unix_socket=True)
    assert SampleStore(folder=tmp_path).ids("translation", "pytorch")


def test_the_variable_moves_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DLCODEGEN_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("DLCODEGEN_CACHE")
    assert cache_folder().name == "dlcodegen"


@pytest.mark.parametrize("damage", ["cut off", "garbage"])
def test_a_broken_index_is_made_anew_and_said_so(tmp_path: Path, damage: str) -> None:
    """In a process of its own, as a user meets it: Chroma keeps a store open as long as its process lives."""
    SampleStore(folder=tmp_path / "corpus")
    database = tmp_path / "corpus" / "chroma.sqlite3"
    content = database.read_bytes()
    database.write_bytes(content[: len(content) // 2] if damage == "cut off" else b"garbage" * 1000)
    found, errors = opened_elsewhere(tmp_path)
    assert found == ["depth-estimation/unet"]
    assert f"the sample index in {tmp_path / 'corpus'} was broken and is made anew" in errors
    assert opened_elsewhere(tmp_path) == (["depth-estimation/unet"], "")


def test_where_nothing_can_be_written_it_is_kept_in_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    store = SampleStore(folder=tmp_path / "file" / "corpus")
    assert store.ids("depth-estimation", "pytorch") == ["depth-estimation/unet"]
    assert "the sample index is made anew at every start" in caplog.text


def opened_elsewhere(cache: Path) -> tuple[list[str], str]:
    """What another process finds, and what it says on stderr."""
    command = [sys.executable, "-c", f"import logging; logging.basicConfig(level='WARNING'); {OPEN}"]
    environment = {**os.environ, "DLCODEGEN_CACHE": str(cache)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split(), done.stderr
