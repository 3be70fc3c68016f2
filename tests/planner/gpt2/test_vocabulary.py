"""The vocabulary: what goes in comes out, and nothing that people write can be taken for a marker or a value."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from dlcodegen.errors import InputError
from dlcodegen.planner.gpt2.rows import CLOSED, PlanRow
from dlcodegen.planner.gpt2.vocabulary import MARKERS, MAX_PROMPT, Vocabulary
from dlcodegen.planner.gpt2.weights import Predictor

ODD = [
    "Ünïcödé straße ÅÄÖ",
    "用卷积神经网络对胸部X光图像进行分类",
    "классифицировать отзывы 😀👩‍🔬 عربى",
    "a\x00b\x1b[31mred\x7f",
    "<b>bold</b> & ```python\nprint('hi')``` \\n $$x^2$$",
    '{"requirement": "x"}',
    "Conv2D(32, kernel_size=(3, 3), activation='relu')",
    "1e-4, 0.0001, 224x224",
]


@pytest.fixture(scope="module")
def vocabulary(untrained: Predictor) -> Vocabulary:
    return untrained.vocabulary


def readable(ids: list[int], vocabulary: Vocabulary) -> str:
    return vocabulary.text(token for token in ids if token < vocabulary.text_size)


@pytest.mark.parametrize("text", ODD)
def test_any_text_is_read_back_in_lower_case(vocabulary: Vocabulary, text: str) -> None:
    ids = vocabulary.prompt(text)
    assert readable(ids, vocabulary) == " ".join(text.lower().split())
    assert (ids[0], ids[-1]) == (vocabulary.marker["<requirement>"], vocabulary.marker["<plan>"])


def test_the_written_fields_are_read_back(vocabulary: Vocabulary, rows: list[PlanRow]) -> None:
    row = replace(rows[0], layers=[*rows[0].layers, "Reshape((2, 3), name='ß')"])
    ids = vocabulary.open(row)
    marks = [place for place, token in enumerate(ids) if token in vocabulary.marker.values()]
    parts = [vocabulary.text(ids[start + 1 : end]) for start, end in pairwise(marks)]
    assert parts[0] == ""  # between the field's marker and that of the first layer
    assert parts[1:] == [*row.layers, row.values["input"], row.values["output"], row.values["preprocess"]]


def test_a_frequent_layer_is_one_token_and_so_is_every_value(vocabulary: Vocabulary, rows: list[PlanRow]) -> None:
    ids = vocabulary.open(rows[0])
    for layer in rows[0].layers:
        [place] = [place for place, known in enumerate(vocabulary.layers) if known == layer]
        assert vocabulary.layer_ids[place] in ids
    for name in CLOSED:
        field, value = vocabulary.closed(name, rows[0].values[name])
        assert field == vocabulary.marker[f"<{name}>"]
        assert vocabulary.values[name][vocabulary.value_ids[name].index(value)] == rows[0].values[name]
    assert vocabulary.closed("optimizer", "Adam of another vocabulary") == []


def test_ids_are_different_and_as_many_as_the_size_says(vocabulary: Vocabulary) -> None:
    ids = [*range(vocabulary.text_size), *vocabulary.marker.values()]
    ids += [token for name in CLOSED for token in vocabulary.value_ids[name]]
    assert sorted([*ids, *vocabulary.layer_ids]) == list(range(vocabulary.size))


@pytest.mark.parametrize("framework", ["", "keras", "pytorch"])
def test_no_words_become_a_marker_a_value_or_a_layer(vocabulary: Vocabulary, framework: str) -> None:
    words = [*MARKERS, *(f"<{name}>" for name in CLOSED), *vocabulary.layers, "<|endoftext|>", "[PAD]", "</s>"]
    words += [value for name in CLOSED for value in vocabulary.values[name]]
    wanted = ["<requirement>", "<dataset>", *([f"<{framework}>"] if framework else []), "<plan>"]
    for text in (" ".join(words), "".join(words[:12]), *words):
        ids = vocabulary.prompt(text, text, framework)
        assert [token for token in ids if token >= vocabulary.text_size] == [vocabulary.marker[name] for name in wanted]


@pytest.mark.parametrize("dataset", ["", "short", "rows and columns " * 400])
@pytest.mark.parametrize("requirement", ["short", "segment " * 3000, "ß" * 5000, "x" * 100_000])
def test_a_long_prompt_is_cut_and_both_of_its_ends_stay(vocabulary: Vocabulary, requirement: str, dataset: str) -> None:
    ids = vocabulary.prompt(f"First {requirement} last", dataset)
    text = readable(ids[: ids.index(vocabulary.marker["<dataset>"])] if dataset else ids, vocabulary)
    assert len(ids) <= MAX_PROMPT + 3
    assert text.startswith("first")
    assert text.endswith("last")
    assert (vocabulary.marker["<dataset>"] in ids) == bool(dataset)


def test_neither_text_takes_the_place_of_the_other(vocabulary: Vocabulary) -> None:
    ids = vocabulary.prompt("segment " * 3000, "columns " * 3000)
    border = ids.index(vocabulary.marker["<dataset>"])
    assert border > MAX_PROMPT // 3
    assert len(ids) - border > MAX_PROMPT // 3
    assert len(vocabulary.prompt("segment " * 3000)) == MAX_PROMPT + 2  # the room of a missing dataset is used


@pytest.mark.parametrize("dataset", ["", " \n\t "])
def test_an_empty_dataset_leaves_no_trace(vocabulary: Vocabulary, dataset: str) -> None:
    assert vocabulary.prompt("outline moss", dataset) == vocabulary.prompt("Outline\n  MOSS")


def test_a_saved_vocabulary_is_the_same(vocabulary: Vocabulary, rows: list[PlanRow], tmp_path: Path) -> None:
    vocabulary.save(tmp_path)
    loaded = Vocabulary.load(tmp_path)
    assert (loaded.size, loaded.marker, loaded.values) == (vocabulary.size, vocabulary.marker, vocabulary.values)
    for text in ODD:
        assert loaded.prompt(text, text, "keras") == vocabulary.prompt(text, text, "keras")
    assert loaded.open(rows[1]) == vocabulary.open(rows[1])


@pytest.mark.parametrize("name", ["tokenizer.json", "values.json"])
@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"values": {"category": 3}, "layers": []}', "\x00"])
def test_a_damaged_vocabulary_is_one_line(
    vocabulary: Vocabulary, tmp_path: Path, name: str, content: str | None
) -> None:
    vocabulary.save(tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match="holds no vocabulary of a plan predictor") as caught:
        Vocabulary.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_fields_that_no_plan_has_are_named(rows: list[PlanRow]) -> None:
    poor = [
        replace(row, values={name: value for name, value in row.values.items() if name not in ("metric", "batch_size")})
        for row in rows
    ]
    with pytest.raises(InputError, match="no plan has a value for batch size, metric"):
        Vocabulary.of(poor)
