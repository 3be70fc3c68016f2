"""The requirement suite is what it promises: broad, fixed, with facts in canonical names; a broken row is named."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.errors import InputError
from dlcodegen.evals.suite import chosen, read_suite, suite

ROW: dict[str, Any] = {
    "id": "a",
    "requirement": "Classify photos of 3 birds",
    "dataset": "",
    "framework": "",
    "category": "image-classification",
    "kept": False,
    "facts": {"num_classes": 3},
}


def written(folder: Path, *rows: object) -> Path:
    path = folder / "suite.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_the_suite_is_broad() -> None:
    assert len(suite()) >= 66
    assert len({sentence.category for sentence in suite()}) >= 20
    assert {"pytorch", "keras"} <= {sentence.facts.get("framework") for sentence in suite()}
    assert any(sentence.dataset for sentence in suite())
    assert any(not sentence.facts for sentence in suite())


def test_a_third_is_kept() -> None:
    assert len(chosen(kept=True)) == len(suite()) // 3
    assert {sentence.id for sentence in chosen(True)} | {sentence.id for sentence in chosen(False)} == {
        sentence.id for sentence in suite()
    }


def test_no_sentence_is_one_that_retrieval_was_tuned_on(repository: Path) -> None:
    known = (repository / "app" / "evals" / "retrieval_pairs.jsonl").read_text(encoding="utf-8").splitlines()
    texts = {json.loads(line)["requirement"].lower() for line in known}
    assert not texts & {sentence.requirement.lower() for sentence in suite()}


def test_few_sentences_cover_many_categories() -> None:
    few = Counter(sentence.category for sentence in chosen(kept=False, limit=24))
    assert set(few.values()) == {1}
    assert [sentence.id for sentence in chosen(False, 5)] == [sentence.id for sentence in chosen(False)][:5]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"requirement": " "}, "the requirement is empty"),
        ({"category": "birds"}, "there is no category 'birds'"),
        ({"framework": "jax"}, "there is no framework 'jax'"),
        ({"framework": "keras"}, "lack the framework"),
        ({"kept": True}, "every third row is kept"),
        ({"facts": {"optimizer": "adam"}}, "optimizer has no canonical value 'adam'"),
        ({"facts": {"metric": ["f1", "good"]}}, "metric has no canonical value 'good'"),
        ({"facts": {"classes": 3}}, "no fact is called 'classes'"),
        ({"facts": 3}, "its facts are no object"),
    ],
)
def test_a_wrong_row_is_named(change: dict[str, object], problem: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"line 1 .*{problem}"):
        read_suite(written(tmp_path, ROW | change))


def test_an_id_occurs_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 2 .*its id occurs twice"):
        read_suite(written(tmp_path, ROW, ROW))


@pytest.mark.parametrize("text", ["no json\n", '{"id": "a"}\n', "[]\n", "3\n"])
def test_what_is_no_sentence_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "suite.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="line 1 is no sentence of a suite"):
        read_suite(path)
