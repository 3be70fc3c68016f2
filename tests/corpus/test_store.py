"""The pool in Chroma: filled once, rebuilt when the pool changes, shared by processes, never on the network."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_socket import disable_socket

from dlcodegen.corpus.sample import all_samples
from dlcodegen.corpus.store import SampleStore, cache_folder

OPEN = "from dlcodegen.corpus.store import SampleStore; print(*SampleStore().ids('translation', 'pytorch'))"


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
        assert (process.returncode, printed.split()) == (0, ["translation/seq2seq-attention"]), errors


def test_it_needs_no_network(tmp_path: Path) -> None:
    disable_socket(allow_unix_socket=True)
    assert SampleStore(folder=tmp_path).ids("translation", "pytorch")


def test_the_variable_moves_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DLCODEGEN_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("DLCODEGEN_CACHE")
    assert cache_folder().name == "dlcodegen"
