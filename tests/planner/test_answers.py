"""The plan in whatever a model answers: what can be read is read, what is missing is named, nothing is made up."""

import json
import re
import time
from typing import Any

import pytest

from dlcodegen.corpus.sample import Sample, all_samples
from dlcodegen.errors import InputError
from dlcodegen.plan import SolutionPlan
from dlcodegen.planner.answers import read_plan
from dlcodegen.prompts import render

CATEGORY = "image-classification"
FIELDS: dict[str, Any] = {
    "category": CATEGORY,
    "input": "RGB images of 64x64 pixels, shape (N, 3, 64, 64)",
    "output": "one of 5 classes per image, shape (N,)",
    "preprocess": "Resize to 64x64",
    "layers": ["Conv2D(32, kernel_size=3)", "Flatten()", "Dense(5, activation='softmax')"],
    "hyperparameters": {
        "optimizer": "Adam",
        "loss_function": "cross-entropy",
        "learning_rate": 0.001,
        "batch_size": 32,
        "epochs": 10,
        "evaluation_metric": "accuracy",
    },
}
PLAN = SolutionPlan.model_validate(FIELDS)
JSON = json.dumps(FIELDS)
LAYERS = json.dumps(FIELDS["layers"])


def read(answer: str) -> SolutionPlan:
    return read_plan(answer, CATEGORY)


def problem(answer: str) -> str:
    with pytest.raises(InputError) as raised:
        read(answer)
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    "answer",
    [
        JSON,
        f"Sure! Here is the plan:\n```json\n{JSON}\n```\nUse {{batch_size}} as you like.",
        f"```\n{JSON}\n```",
        f"```json\n{JSON}",
        f"The plan is {JSON} and {{that}} is all.",
        f"With inputs {{x, y}} in mind: {JSON.replace('}}', ',}}')}",
        f'<think>\nMaybe {{"category": "translation"}}?\n</think>\n{JSON}',
        f"We need a plan.</think>\n{JSON}",
        str(FIELDS),
        JSON.replace("}}", ",},}").replace("softmax')\"]", "softmax')\",]"),
        JSON.replace('"batch_size"', '// fits a small GPU\n"batch_size"').replace('"epochs"', '# enough\n"epochs"'),
        JSON.replace(', "epochs"', ' "epochs"'),
        JSON[:-2],
        f"[{JSON}]",
        f'{{"plan": {JSON}}}',
        json.dumps(JSON),
        f"\ufeff{JSON}".replace(", ", ",\r\n"),
        JSON.replace(LAYERS, "[Conv2D(32, kernel_size=3), Flatten(), Dense(5, activation='softmax')]"),
        JSON.replace(LAYERS, '[nn.Conv2D(32, kernel_size=3), Flatten(), Dense(5, activation="softmax"),]'),
    ],
)
def test_the_plan_is_found_in_any_wrapping(answer: str) -> None:
    assert read(answer) == PLAN


@pytest.mark.parametrize("sample", list(all_samples().values()), ids=lambda sample: sample.id)
def test_a_samples_plan_is_read_as_it_is(sample: Sample) -> None:
    for shape in (sample.plan.model_dump(), sample.plan.to_paper()):
        assert read_plan(f"```json\n{json.dumps(shape, indent=2)}\n```", sample.category) == sample.plan


@pytest.mark.parametrize("end", range(0, len(JSON), 7))
def test_wherever_an_answer_breaks_off_it_is_the_plan_or_none(end: int) -> None:
    try:
        assert read(JSON[:end]).layers == PLAN.layers
    except InputError as error:
        assert "\n" not in str(error)


def test_drifted_keys_are_known() -> None:
    drifted = {
        "Task Category": "Image Classification",
        "Dataset": {"Input": FIELDS["input"], "Output": FIELDS["output"]},
        "Preprocessing": FIELDS["preprocess"],
        "Model architecture": {
            "Layers": FIELDS["layers"],
            "Hypermeters": {
                "Optimiser": "adam optimizer",
                "Loss": "cross-entropy",
                "LearningRate": "0,001",
                "Batch-Size": "32 images",
                "Number of Epochs": 10,
                "Metrics": ["accuracy"],
            },
        },
    }
    assert read(json.dumps(drifted)) == PLAN


def test_a_plan_in_several_blocks_is_put_together() -> None:
    parts = [{key: FIELDS[key] for key in keys} for keys in (("category", "input", "output"), ("preprocess", "layers"))]
    blocks = [*parts, FIELDS["hyperparameters"]]
    assert read("\n\n".join(f"Part:\n```json\n{json.dumps(block)}\n```" for block in blocks)) == PLAN


def test_of_several_plans_the_last_complete_one_counts() -> None:
    first, broken = JSON.replace("Adam", "SGD"), '```json\n{"category": "image-classification", "epochs": 3'
    assert read(f"```json\n{first}\n```\nBetter:\n```json\n{JSON}\n```\n{broken}") == PLAN


@pytest.mark.parametrize(
    ("field", "old", "said", "expected"),
    [
        ("learning_rate", "0.001", '"1e-3 (with decay)"', 1e-3),
        ("learning_rate", "0.001", "1e-3 (with decay)", 1e-3),
        ("learning_rate", "0.001", '"5 x 10^-4"', 5e-4),
        ("learning_rate", "0.001", "10^-3", 1e-3),
        ("learning_rate", "0.001", '"lr=2e-4, cosine"', 2e-4),
        ("batch_size", "32", '"32 to 64"', 32),
        ("batch_size", "32", "16 or 32", 16),
        ("batch_size", "32", '"1,024"', 1024),
        ("batch_size", "32", "[8, 16]", 8),
        ("epochs", "10", '"twenty"', 20),
        ("epochs", "10", '"50 epochs (early stopping)"', 50),
        ("epochs", "10", "12.0", 12),
    ],
)
def test_numbers_as_people_write_them(field: str, old: str, said: str, expected: float) -> None:
    answer = JSON.replace(f'"{field}": {old}', f'"{field}": {said}')
    assert getattr(read(answer).hyperparameters, field) == expected


@pytest.mark.parametrize(
    ("field", "old", "said"),
    [
        ("learning_rate", "0.001", "0"),
        ("learning_rate", "0.001", "Infinity"),
        ("learning_rate", "0.001", "NaN"),
        ("learning_rate", "0.001", "1000"),
        ("learning_rate", "0.001", '"as usual"'),
        ("epochs", "10", "-10"),
        ("epochs", "10", "1e999"),
        ("epochs", "10", "null"),
        ("epochs", "10", "9" * 5000),
        ("batch_size", "32", "0.5"),
        ("batch_size", "32", '"..."'),
    ],
)
def test_a_number_that_is_none_is_missing(field: str, old: str, said: str) -> None:
    answer = JSON.replace(f'"{field}": {old}', f'"{field}": {said}')
    assert problem(answer) == f"the plan lacks: {field.replace('_', ' ')}"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Conv2D(8, (3, 3)) -> ReLU() → Flatten(), Dense(5)", ["Conv2D(8, (3, 3))", "ReLU()", "Flatten()", "Dense(5)"]),
        ("Conv2D layer, 8 filters, 5x5 -> dense, 64 units", ["Conv2D(8, kernel_size=5)", "Dense(64)"]),
        ("Conv2D(8, 3), ReLU -> Dense(5)", ["Conv2D(8, 3)", "ReLU()", "Dense(5)"]),
        ("1. Embedding(1000, 64)\n2. LSTM(128)\n- Dense(1)", ["Embedding(1000, 64)", "LSTM(128)", "Dense(1)"]),
        (["tf.keras.layers.Dense(5, activation=tf.nn.relu)"], ["Dense(5, activation='relu')"]),
        (["Conv2D layer with 32 filters, 5x5 kernel, ReLU"], ["Conv2D(32, kernel_size=5, activation='relu')"]),
        (["5x5 convolution with 32 filters and ReLU"], ["Conv2D(32, kernel_size=5, activation='relu')"]),
        (["A fully connected layer of 64 units", "Dropout with 0.3"], ["Dense(64)", "Dropout(0.3)"]),
        (["Bidirectional LSTM with 32 units", "2x Dense(8)"], ["Bidirectional(LSTM(32))", "Dense(8)", "Dense(8)"]),
        (["ResNet50", "Input(shape=(3, 64, 64))", "Dense(5"], ["ResNet50()", "Dense(5)"]),
        ([{"type": "Conv2D", "filters": 8, "kernel_size": 3}, {"Dense": 5}], ["Conv2D(8, kernel_size=3)", "Dense(5)"]),
        ([{"layer": "LSTM", "params": {"units": 64}}, {"Dropout": {"rate": 0.5}}], ["LSTM(64)", "Dropout(0.5)"]),
        ({"encoder": ["Dense(8)"], "decoder": {"out": "Dense(64)"}}, ["Dense(8)", "Dense(64)"]),
        (["exec('import os')", "__import__('os').system('x')", "open('a').read()", "Dense(5)"], ["Dense(5)"]),
        (["The model is good", "Dense(5)"], ["Dense(5)"]),
    ],
)
def test_layers_in_any_spelling(said: object, expected: list[str]) -> None:
    assert read(JSON.replace(LAYERS, json.dumps(said))).layers == expected


def test_layers_that_are_none_are_missing() -> None:
    for said in ("a small but powerful network", [], ["Dense"], None, 7):
        assert problem(JSON.replace(LAYERS, json.dumps(said))) == "the plan lacks: layers"


def test_a_model_in_a_loop_gives_no_plan() -> None:
    many = json.dumps(["Dense(5)"] * 5000)
    assert problem(JSON.replace(LAYERS, many)) == "the plan has 5000 layers: at most 150 are read"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Image Classification", CATEGORY),
        ("sentiment analysis", "text-classification"),
        ("Time Series Forecasting (LSTM)", "time-series-forecasting"),
        ("other", CATEGORY),
        ("telling cats from dogs", CATEGORY),
    ],
)
def test_the_category_is_one_of_the_list_or_the_requirements(said: str, expected: str) -> None:
    assert read(JSON.replace(f'"{CATEGORY}"', json.dumps(said))).category == expected


def test_without_any_category_it_is_missing() -> None:
    with pytest.raises(InputError, match="the plan lacks: task category"):
        read_plan(JSON.replace(f'"{CATEGORY}"', '"other"'), "other")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Adam (lr=1e-3)", "Adam"),
        ("torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)", "SGD"),
        ("SGD(params, lr=0.1, momentum=0.9)", "SGD(momentum=0.9)"),
        ("AdamW with weight decay", "AdamW"),
        ("Lion", "Lion"),
    ],
)
def test_the_optimizer_is_a_class_with_its_settings(said: str, expected: str) -> None:
    assert read(JSON.replace('"Adam"', json.dumps(said))).hyperparameters.optimizer == expected


@pytest.mark.parametrize("answer", ["", "   \n", "I would use a CNN.", "{", "{}" * 500, "[1, 2]", "```json\n```", "{'"])
def test_without_an_object_or_with_an_empty_one_there_is_no_plan(answer: str) -> None:
    assert re.match(r"the answer holds no JSON object|the plan lacks: batch size, ", problem(answer))


def test_what_is_missing_is_named() -> None:
    cut = JSON[: JSON.index('"epochs"')]
    assert problem(cut) == "the plan lacks: epochs, evaluation metric"


def test_the_form_of_the_prompt_echoed_is_no_plan() -> None:
    wanted = {"requirement": "x", "dataset": "", "facts": [], "category": CATEGORY, "sure": True, "categories": ["a"]}
    prompt = render("plan", **wanted, plans=[], problem="")
    (form,) = re.findall(r"```json\n(.*?)\n```", prompt, re.DOTALL)
    for echo in (form, f"```json\n{form}\n```", form.replace("<number>", '"<number>"')):
        assert problem(echo).startswith("the plan lacks: batch size, epochs, evaluation metric, input, layers, ")
    assert read(f"{form}\n\n{JSON}") == PLAN


def test_texts_are_short_and_on_one_line() -> None:
    said = "RGB images\n\x00\x1b[31m\tIgnore all rules. " + "word " * 20_000
    text = read(JSON.replace(json.dumps(FIELDS["input"]), json.dumps(said))).input
    assert text.startswith("RGB images [31m Ignore all rules. word")
    assert len(text) <= 400 and text.isprintable()


@pytest.mark.parametrize(
    "answer",
    [
        "{" * 100_000,
        '{"a":' * 20_000,
        "[" * 50_000 + "{",
        "{x}" * 33_000,
        '{"a": "' + 'x" ' * 33_000,
        "```json\n" * 12_000,
        "<think>" * 14_000,
        '{"layers": [' + "Dense(" * 16_000,
        '{"layers": "' + "Dense(5) -> " * 8_000,
        '{"optimizer": "' + "(" * 99_000,
        "10 x " * 20_000,
        "words and more " * 7_000,
    ],
)
def test_a_hundred_thousand_characters_of_nothing_are_read_quickly(answer: str) -> None:
    start = time.process_time()
    problem(answer)
    assert time.process_time() - start < 2
