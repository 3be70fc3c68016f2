"""The index has the scores of rank_bm25 to the last bit, on disk too, and never opens a file that is not sound."""

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rank_bm25 import BM25Okapi

from dlcodegen.corpus.index import Bm25Index, IndexFileError
from dlcodegen.corpus.sample import Sample, all_samples
from dlcodegen.corpus.texts import description, plan_text, tokens

FILE = "bm25.index"
DOCUMENTS = [["conv", "relu", "conv"], [], ["lstm", "relu"], ["dense"]]
SAVE = """
import sys
from collections.abc import Callable
from pathlib import Path
from dlcodegen.corpus.index import Bm25Index
index = Bm25Index.build([["word", str(number)] for number in range(int(sys.argv[2]))])
for _ in range(50):
    index.save(Path(sys.argv[1]))
    Bm25Index.load(Path(sys.argv[1])).scores(["word", "7"])
"""


def random_documents(chance: random.Random) -> list[list[str]]:
    """Of zero to 400 words, few of them or many: words of one document, of all, repeated, empty and equal documents."""
    vocabulary = [f"word{number}" for number in range(chance.choice([1, 3, 30, 1000]))]
    rarity = chance.choice([0.0, 1.0, 2.0])
    weights = [1 / (rank + 1) ** rarity for rank in range(len(vocabulary))]
    lengths = [chance.choice([0, 1, 5, 60, 400]) for _ in range(chance.randint(1, 40))]
    documents = [chance.choices(vocabulary, weights, k=length) for length in lengths]
    return [*documents, documents[0], [vocabulary[0]]]


@pytest.mark.parametrize("seed", range(60))
def test_its_scores_are_those_of_rank_bm25(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    documents = random_documents(chance)
    oracle = BM25Okapi(documents)
    half = chance.randint(0, len(documents))
    built = Bm25Index.build(documents)
    built.save(tmp_path)
    loaded = Bm25Index.load(tmp_path)
    added = Bm25Index.build(documents[:half]).add(documents[half:])
    known = [*{word for document in documents for word in document}]
    for _ in range(10):
        query = chance.choices([*known, "unknown"], k=chance.randint(0, 30))
        rows = np.array(chance.choices(range(len(documents)), k=chance.randint(0, 10)), np.int64)
        expected = oracle.get_scores(query)
        for index in (built, loaded, added):
            np.testing.assert_array_equal(index.scores(query), expected, strict=True)
            np.testing.assert_array_equal(index.scores(query, rows), expected[rows], strict=True)
            assert index.scores(query, rows).tolist() == oracle.get_batch_scores(query, rows.tolist())


@pytest.mark.parametrize("text", [lambda sample: plan_text(sample.plan), description], ids=["plans", "descriptions"])
def test_its_scores_are_those_of_rank_bm25_over_the_pool(text: Callable[[Sample], str]) -> None:
    documents = [tokens(text(sample)) for sample in all_samples().values()]
    index, oracle = Bm25Index.build(documents), BM25Okapi(documents)
    for document in documents:
        np.testing.assert_array_equal(index.scores(document), oracle.get_scores(document))


def test_rows_far_apart_have_the_scores_of_rank_bm25() -> None:
    chance = random.Random(0)
    documents = [chance.choices("abcdefghij", k=5) for _ in range(6000)]
    rows = np.array([5999, 7, 3000, 3001, 7, 0, 4500])
    query = ["a", "b", "a", "unknown"]
    expected = BM25Okapi(documents).get_scores(query)[rows]
    np.testing.assert_array_equal(Bm25Index.build(documents).scores(query, rows), expected)


def test_equal_documents_tie_and_a_word_counts_as_often_as_it_is_asked_for() -> None:
    index = Bm25Index.build([["a", "b"], ["b", "a"], ["c"], ["d"], ["e"]])
    first, second, *others = index.scores(["a", "b"])
    assert first == second > max(others)
    np.testing.assert_array_equal(index.scores(["a", "a"]), 2 * index.scores(["a"]))


def test_a_word_of_most_documents_gets_the_floor() -> None:
    index = Bm25Index.build([["all", str(number)] for number in range(9)])
    common, rare = index.scores(["all"])[3], index.scores(["3"])[3]
    assert 0 < common < rare


def test_a_count_beyond_a_byte_is_kept() -> None:
    documents = [["a"] * 300, ["a"] * 70_000, ["b"], ["c"], ["d"]]
    index = Bm25Index.build(documents[2:]).add(documents[:2])
    np.testing.assert_array_equal(index.scores(["a"])[-2:], BM25Okapi(documents).get_scores(["a"])[:2])


@pytest.mark.parametrize("documents", [[], [[]], [[], []]])
def test_a_pool_without_words_scores_nothing(documents: list[list[str]], tmp_path: Path) -> None:
    Bm25Index.build(documents).save(tmp_path)
    assert Bm25Index.load(tmp_path).scores(["a"]).tolist() == [0.0] * len(documents)


def test_any_text_may_be_a_word(tmp_path: Path) -> None:
    odd = ["", "two\nlines", "naïve", "\ud800", '"', "\0"]
    Bm25Index.build([[word] for word in odd]).save(tmp_path)
    loaded = Bm25Index.load(tmp_path)
    for row, word in enumerate(odd):
        assert loaded.scores([word]).argmax() == row


@pytest.mark.parametrize("row", [-1, 4])
def test_rows_that_are_none_are_refused(row: int) -> None:
    with pytest.raises(IndexError, match="rows are 0 to 3"):
        Bm25Index.build(DOCUMENTS).scores(["conv"], np.array([row]))


def test_it_is_mapped_and_can_be_extended_and_saved_where_it_came_from(tmp_path: Path) -> None:
    Bm25Index.build(DOCUMENTS).save(tmp_path)
    loaded = Bm25Index.load(tmp_path)
    assert not loaded.rows.flags.writeable
    before = loaded.scores(["conv"])
    loaded.add([["conv"]]).save(tmp_path)
    np.testing.assert_array_equal(loaded.scores(["conv"]), before)
    assert len(Bm25Index.load(tmp_path)) == len(DOCUMENTS) + 1


def test_a_folder_without_index_is_no_index(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(IndexFileError, match="cannot be read"):
            Bm25Index.load(folder)


def test_a_file_that_was_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    Bm25Index.build(DOCUMENTS).save(tmp_path)
    whole = (tmp_path / FILE).read_bytes()
    for length in range(len(whole)):
        (tmp_path / FILE).write_bytes(whole[:length])
        with pytest.raises(IndexFileError, match=r"cut off or corrupt|no index of this version"):
            Bm25Index.load(tmp_path)


def test_a_file_with_any_byte_changed_is_refused(tmp_path: Path) -> None:
    Bm25Index.build(DOCUMENTS).save(tmp_path)
    whole = (tmp_path / FILE).read_bytes()
    for place in range(len(whole)):
        (tmp_path / FILE).write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(IndexFileError, match=r"cut off or corrupt|no index of this version"):
            Bm25Index.load(tmp_path)


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    Bm25Index.build(DOCUMENTS).save(tmp_path)
    file = tmp_path / FILE
    file.write_bytes(file.read_bytes().replace(b"dlcodegen-bm25-1", b"dlcodegen-bm25-9"))
    with pytest.raises(IndexFileError, match="no index of this version"):
        Bm25Index.load(tmp_path)


def test_a_write_that_fails_leaves_the_old_file_and_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Bm25Index.build(DOCUMENTS).save(tmp_path)

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space left"):
        Bm25Index.build(DOCUMENTS[:1]).save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert len(Bm25Index.load(tmp_path)) == len(DOCUMENTS)


def test_processes_that_write_at_once_never_leave_a_mixture(tmp_path: Path) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", SAVE, str(tmp_path), size], stderr=subprocess.PIPE, text=True)
        for size in ("10", "2000")
    ]
    for process in running:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert len(Bm25Index.load(tmp_path)) in (10, 2000)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
