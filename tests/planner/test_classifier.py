"""Classifiers: one learns from a few rows, sees through slips, is read from a file that may be damaged."""

import json
from pathlib import Path

import pytest

from dlcodegen.cli.main import run
from dlcodegen.errors import InputError
from dlcodegen.planner.classifier.classifier import TASKS, Classifier, task_classifier
from dlcodegen.planner.classifier.features import BUCKETS, features
from dlcodegen.planner.classifier.training import Schooling, train, train_tasks
from dlcodegen.planner.gpt2.planner import shipped_planner
from dlcodegen.planner.gpt2.rows import PlanRow
from dlcodegen.planner.request import read_requirement

SAID = {
    "Image Classification": ["sort photos of mushrooms", "photos of leaves by their disease", "which bird in a photo"],
    "Text Classification": ["sort letters by their topic", "reviews by mood", "which queries are attacks"],
}


def rows() -> list[PlanRow]:
    return [PlanRow(text, "", {"category": name}, []) for name, texts in SAID.items() for text in texts]


@pytest.fixture(scope="module")
def learnt() -> Classifier:
    return train_tasks(rows(), Schooling(epochs=60, left_out=0.0))


def likeliest(odds: dict[str, float]) -> str:
    return max(odds, key=lambda name: odds[name])


def test_it_knows_what_it_was_told_and_what_is_like_it(learnt: Classifier) -> None:
    for sentence in ("photos of bugs", "phtos of mushrooom", "tell birds apart"):
        assert likeliest(learnt.odds(sentence)) == "image-classification"
    assert likeliest(learnt.odds("a topic for each letter")) == "text-classification"


def test_the_description_of_the_data_has_a_say(learnt: Classifier) -> None:
    assert likeliest(learnt.odds("sort them", "photos of mushrooms")) == "image-classification"
    assert likeliest(learnt.odds("sort them", "queries and letters")) == "text-classification"


@pytest.mark.parametrize("text", ["", "   ", "!!! ???", "图片分类", "photo " * 5000, "x" * 20_000])
def test_odds_sum_to_one_for_any_text(text: str, learnt: Classifier) -> None:
    assert sum(learnt.odds(text, text).values()) == pytest.approx(1)


def test_features_are_the_same_in_every_process() -> None:
    found = features("sort photos", "of leaves")
    assert len(found.buckets) == len(set(found.buckets)) == len(found.values)
    assert sorted(found.buckets)[:3] == [178, 213, 713]
    assert max(found.buckets) < BUCKETS


def test_a_file_holds_all_of_it(learnt: Classifier, tmp_path: Path) -> None:
    learnt.save(tmp_path / "deep" / "tasks.safetensors")
    again = Classifier.load(tmp_path / "deep" / "tasks.safetensors")
    assert again.odds("photos of bugs") == pytest.approx(learnt.odds("photos of bugs"), abs=0.01)


@pytest.mark.parametrize("content", [b"", b"no tensors", None])
def test_a_file_that_cannot_be_used_is_named(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "tasks.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"tasks\.safetensors holds no classifier: "):
        Classifier.load(path)


def test_weights_of_another_kind_are_refused(tmp_path: Path) -> None:
    network = Path(TASKS).parents[1] / "gpt2" / "shipped" / "model.safetensors"
    with pytest.raises(InputError, match="holds no classifier"):
        Classifier.load(network)


def test_one_category_is_nothing_to_tell_apart() -> None:
    with pytest.raises(InputError, match="rows of two values of category"):
        train_tasks(rows()[:3])


def test_any_closed_field_can_be_learnt_as_it_is_written() -> None:
    told = [
        PlanRow(row.requirement, "", {"loss": "BCE" if number % 2 else "mse"}, []) for number, row in enumerate(rows())
    ]
    found = train([*told, PlanRow("has none", "", {}, [])], "loss", Schooling(epochs=60, left_out=0.0))
    assert found.names == ["BCE", "mse"]
    assert likeliest(found.odds(told[1].requirement)) == "BCE"


def test_one_command_trains_it_from_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        json.dumps({"requirement": row.requirement, "plan_text": json.dumps({"Task Category": row.values["category"]})})
        for row in rows()
    ]
    source, out = tmp_path / "rows.jsonl", tmp_path / "tasks.safetensors"
    source.write_text("\n".join([*lines, '{"requirement": "broken"']))
    assert run(["planner", "train-tasks", "--train", str(source), "--train", str(source), "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert f"{out}: 2 tasks, learnt from 12 rows" in said.out
    assert "1 rows are left out (line 7: no JSON)" in said.err
    assert Classifier.load(out).names == ["image-classification", "text-classification"]


def test_the_whole_requests_can_be_written_to_a_file(tmp_path: Path) -> None:
    out = tmp_path / "requests.jsonl"
    assert run(["planner", "data", "--whole", "--out", str(out)]) == 0
    written = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len(written) > 5000
    assert len({row["requirement"] for row in written}) == len(written)
    assert {json.loads(row["plan_text"])["Task Category"] for row in written} >= {"Depth Estimation", "Other"}


def test_the_shipped_one_knows_all_tasks() -> None:
    assert len(task_classifier().names) == 30


STRANGE = (
    ("text-classification", "which of our commit messages are bug fixes"),
    ("text-classification", "tell harmful database queries from harmless ones by how they are written"),
    ("object-detection", "where in the photo is the lost hiker, draw a frame around him"),
    ("image-regression", "how many sheep are on the meadow, from one drone picture"),
    ("depth-estimation", "distance of every pixel to the camera"),
    ("tabular-regression", "what will the renovation of a flat cost, from size, year and district"),
    ("audio-classification", "tell by the sound whether the fridge compressor is worn"),
    ("metric-learning", "do these two scrawls come from the same hand"),
    ("time-series-forecasting", "litres of milk the herd will give in the coming fortnight"),
    ("translation", "turn recipes written in dialect into plain German"),
)


@pytest.mark.parametrize(("category", "sentence"), STRANGE)
def test_wishes_without_a_textbook_word_are_understood(category: str, sentence: str) -> None:
    assert read_requirement(sentence, opinion=shipped_planner().category_odds).category == category
