"""Predicted plans are scored as the published table was made."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dlcodegen.corpus.sample import all_samples
from dlcodegen.errors import InputError, SettingsError
from dlcodegen.evals.plan_files import Id, Plans, ReadPlan, read_plan, read_plans
from dlcodegen.evals.plan_scores import LOWER_IS_BETTER, PlanScores, best, printed, score
from dlcodegen.evals.published import published_data, published_predictions

PERFECT = [0.0 if name in LOWER_IS_BETTER else 100.0 for name in PlanScores._fields]
EMPTY = {"layers": 3.0, "lr": 1.0, "batch": 1000.0, "epochs": 1000.0}
"""What an empty plan costs against `plan()`; BLEU counts the names of the fields, the other columns are 0."""
PUBLISHED_ROWS = {
    "GPT-2 Large, beam (the paper's)": "GPT-2-Large_Beam",
    "GPT-2 Large, greedy": "GPT-2-Large_Greedy",
    "GPT-3.5-turbo, 3-shot": "GPT-3.5-Turbo-0125_3-Shot",
    "GPT-4o-mini, 5-shot": "GPT-4o-mini_5-Shot",
}
"""Row of the published table -> file of predictions; the nearest neighbours' rows have none."""


def plan(**changed: Any) -> dict[str, Any]:
    """A plan as the paper writes it, with some hyperparameters or components changed."""
    hyperparameters = {
        "optimizer": "Adam",
        "loss function": "Binary Crossentropy",
        "learning rate": 0.001,
        "batch size": 32,
        "epochs": 20,
        "evaluation metric": "Accuracy and AUC",
    }
    components = {
        "Task Category": "Tabular Data Classification",
        "Dataset": {"Input": "14 numbers about a bicycle", "Output": "whether it was stolen"},
        "Preprocess": "scale every column",
        "Layers": ["Dense(64, activation='relu')", "Dropout(0.2)", "Dense(1)"],
    }
    components |= {name: changed[name] for name in components if name in changed}
    hyperparameters |= {name: changed[name] for name in hyperparameters if name in changed}
    layers = components.pop("Layers")
    return components | {"Model Architecture": {"Layers": layers, "Hyperparameters": hyperparameters}}


def scored(predicted: str, right: str = json.dumps(plan())) -> dict[str, float]:
    return score(Plans("right", {1: read_plan(right)}), Plans("made", {1: read_plan(predicted)}))._asdict()


def test_perfect_predictions_score_perfect() -> None:
    """Whatever the plans: those of every sample that is shipped."""
    texts = {key: json.dumps(sample.plan.to_paper()) for key, sample in all_samples().items()}
    same = Plans("same", {key: read_plan(text) for key, text in texts.items()})
    assert list(score(same, same)) == pytest.approx(PERFECT)


def test_an_empty_plan_scores_worst() -> None:
    for text in ("", "{}", "null", "I cannot help with that.", "[" * 100_000):
        row = scored(text)
        assert row.pop("BLEU") < 50
        assert row == {name: EMPTY.get(name, 0.0) for name in row}


def test_malformed_json_costs_only_its_validity() -> None:
    text = json.dumps(plan())
    for broken in (text[:-3], text.replace('"Adam",', '"Adam"'), f"```json\n{text}\n```", text.replace('"', "'")):
        row = scored(broken)
        assert row["valid"] == 0
        assert list(row.values())[2:] == pytest.approx(PERFECT[2:])


def test_a_plan_that_lacks_a_component_is_not_valid() -> None:
    for name in ("Task Category", "Dataset", "Model Architecture"):
        assert scored(json.dumps({key: value for key, value in plan().items() if key != name}))["valid"] == 0
    assert scored(json.dumps({key: value for key, value in plan().items() if key != "Preprocess"}))["valid"] == 100
    assert scored(json.dumps([plan()]))["valid"] == 0


def test_drifted_spellings_cost_nothing() -> None:
    text = json.dumps(plan())
    for wanted, drifted in [
        ("Hyperparameters", "Hypermeters"),
        ("Model Architecture", "Model architecture"),
        ("Task Category", " task category "),
        ('"epochs"', '"Epochs"'),
    ]:
        assert list(scored(text.replace(wanted, drifted)).values()) == pytest.approx(PERFECT)


@pytest.mark.parametrize(
    ("column", "changed", "right"),
    [
        ("category", {"Task Category": "tabular-data classification"}, True),
        ("category", {"Task Category": "Tabular Classification"}, False),
        ("loss", {"loss function": "BCE"}, True),
        ("loss", {"loss function": "binary_crossentropy loss"}, True),
        ("loss", {"loss function": "MSE"}, False),
        ("optimizer", {"optimizer": "adam (betas 0.9, 0.999)"}, True),
        ("optimizer", {"optimizer": "AdamW"}, False),
        ("metric", {"evaluation metric": "AUC, accuracy"}, True),
        ("metric", {"evaluation metric": "Accuracy"}, False),
    ],
)
def test_what_means_the_same_is_right(column: str, changed: dict[str, str], right: bool) -> None:
    assert scored(json.dumps(plan(**changed)))[column] == (100 if right else 0)


@pytest.mark.parametrize(
    ("column", "changed", "distance"),
    [
        ("lr", {"learning rate": "1e-4, halved on a plateau"}, 0.0009),
        ("lr", {"learning rate": 7}, 1),
        ("lr", {"learning rate": "the default"}, 1),
        ("batch", {"batch size": "64 (128 for evaluation)"}, 32),
        ("epochs", {"epochs": 100_000}, 1000),
        ("layers", {"Layers": ["Dense(8)", "Dense(1)"]}, 1),
        ("layers", {"Layers": "Dense(64, activation='relu'), Dropout(0.2), Dense(1)"}, 0),
        ("layers", {"Layers": ["LSTM(8)", "Dropout(0.5)", "Dense(1)", "Softmax"]}, 2),
    ],
)
def test_distances(column: str, changed: dict[str, Any], distance: float) -> None:
    assert scored(json.dumps(plan(**changed)))[column] == pytest.approx(distance)


def test_references_without_a_number_are_not_counted() -> None:
    right: dict[Id, ReadPlan] = {
        1: read_plan(json.dumps(plan(epochs="until it converges"))),
        2: read_plan(json.dumps(plan())),
    }
    made = dict.fromkeys(right, read_plan(json.dumps(plan(epochs=30))))
    assert score(Plans("right", right), Plans("made", made)).epochs == 10
    with pytest.raises(InputError, match="no reference plan states its epochs as a number"):
        score(Plans("right", {1: right[1]}), Plans("made", made))


def test_the_best_of_each_column_is_of_what_is_printed() -> None:
    worse, better = (PlanScores(*[value] * 12) for value in (1.004, 2.0))
    assert best([worse, better]) == PlanScores(2, 2, 2, 2, 2, 1, 1.004, 2, 2, 1, 1, 2)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [("lr", 0.008874, "0.0089"), ("lr", 0.009, "0.009"), ("lr", 0, "0.00"), ("batch", 35.9227, "35.92")],
)
def test_learning_rates_are_told_to_four_decimals(name: str, value: float, text: str) -> None:
    """They are all around a hundredth."""
    assert printed(name, value) == text


@pytest.mark.parametrize("name", ["sacrebleu", "rapidfuzz"])
def test_without_the_extra_it_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SettingsError, match=rf"{name}: pip install 'dlcodegen\[eval\]'"):
        scored("{}")


@pytest.fixture(scope="module")
def published() -> Path:
    try:
        return published_data()
    except SettingsError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def table(published: Path) -> dict[str, PlanScores]:
    """Name of each file of published predictions -> its row."""
    right = read_plans(published / "plans" / "test.jsonl")
    return {path.stem: score(right, read_plans(path)) for path in published_predictions(published)}


def test_the_published_table_is_reproduced(published: Path, table: dict[str, PlanScores]) -> None:
    """Each row whose predictions are published, as it is printed."""
    lines = (published / "README.md").read_text(encoding="utf-8").splitlines()
    rows = ([cell.strip() for cell in line.strip("| ").split("|")] for line in lines if line.startswith("|"))
    printed = {name: cells for name, *cells in rows}
    for name, stem in PUBLISHED_ROWS.items():
        decimals = [len(cell.partition(".")[2]) for cell in printed[name]]
        shown = [f"{value:.{places}f}" for value, places in zip(table[stem], decimals, strict=True)]
        assert shown == printed[name], name


def test_every_published_predictor_scores_as_with_the_published_scorer(
    published: Path, table: dict[str, PlanScores]
) -> None:
    scorer = published.parents[1] / "tools" / "score_plans.py"
    if not scorer.is_file():
        pytest.skip(f"there is no published scorer at {scorer}")
    files = [published / "plans" / "test.jsonl", *published_predictions(published)]
    command = [sys.executable, str(scorer), *map(str, files)]
    _, *lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == len(table)
    for line, (stem, values) in zip(lines, table.items(), strict=True):
        assert line.split() == [stem, *(f"{value:.2f}" for value in values)]
