"""Plan conformance: shapes, preprocessing steps and task categories."""

import pytest

from dlcodegen.corpus.sample import all_samples
from dlcodegen.report import Verdict
from tests.execution.conformance_cases import TORCH, fact, row, rows, step, torch_plan


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("images of shape (32, 32, 3)", "honoured"),
        ("images of 32x32x3", "honoured"),
        ("images (None, 32, 32, 3)", "honoured"),
        ("32x32 photos", "honoured"),
        ("48x32 photos", "contradicted"),
        ("images, shape (N, 1, 32, 32)", "contradicted"),
        ("rows of 20 features", "not found"),
    ],
)
def test_inputs_in_every_spelling(text: str, verdict: Verdict) -> None:
    assert row(TORCH, torch_plan(input=text), "input")["verdict"] == verdict


@pytest.mark.parametrize(
    ("documented", "text", "verdict"),
    [
        ("(N, 4, image_height, image_width)", "one of 4 class ids per pixel, shape (N, 32, 32)", "honoured"),
        ("(N, 4, image_height, image_width)", "one of 5 class ids per pixel, shape (N, 32, 32)", "contradicted"),
        ("(N, 1, image_height, image_width)", "a mask per image, shape (N, 32, 32)", "honoured"),
        ("(N, channels * 4)", "keypoints, shape (N, 12)", "honoured"),
        ("(N, channels * 4)", "keypoints, shape (N, 14)", "contradicted"),
        ("(N,)", "one number per image, shape (N,)", "honoured"),
        ("(N, 12)", "one number per image, shape (N, 1)", "contradicted"),
    ],
)
def test_logits_fit_the_classes_that_the_plan_speaks_of(documented: str, text: str, verdict: Verdict) -> None:
    code = TORCH.replace("(N, num_classes) logits", f"{documented} logits").replace("    num_classes: int = 10\n", "")
    code = code.replace("config.num_classes", "num_outputs")
    assert row(code, torch_plan(output=text), "output")["verdict"] == verdict


def test_steps_are_cut_at_commas_outside_brackets_and_before_a_known_step() -> None:
    text = "Resize images and masks to 32x32 and scale pixels to [0, 1], vocabulary of words, at most 256; lower-case"
    found = [one["expected"] for one in rows(TORCH, torch_plan(preprocess=text)) if one["name"] == "preprocess"]
    assert found == [
        "Resize images and masks to 32x32",
        "scale pixels to [0, 1]",
        "vocabulary of words, at most 256",
        "lower-case",
    ]


@pytest.mark.parametrize(
    ("text", "change", "verdict"),
    [
        ("resize images to 32x32", ("", ""), "honoured"),
        ("resize images to 64x64", ("", ""), "contradicted"),
        ("resize images to 32x32", (".resize((config.image_width, config.image_height))", ""), "not found"),
        ("scale pixels to [0, 1]", ("/ 255", "/ 127.5 - 1"), "contradicted"),
        ("scale pixels to [-1, 1]", ("/ 255", "/ 127.5 - 1"), "honoured"),
        ("scale pixels to [-1, 1]", ("/ 255", "/ 255 * 2 - 1"), "honoured"),
        ("scale pixels to [0, 1]", ("/ 255", ""), "not found"),
        ("split 70/15/15", ("", ""), "honoured"),
        ("split 80/10/10", ("", ""), "contradicted"),
        ("split 80/10/10", ("0.15", "0.1"), "honoured"),
        ("split 70/15/15", ("round(0.15 * len(images))", "count(images)"), "not found"),
        ("standardise features", ("/ 255", "- mean) / std"), "honoured"),
        ("standardise features", ("", ""), "not found"),
        ("flip images at random", ("", ""), "not found"),
        ("flip images at random", ("/ 255", "[::-1] if flip else image"), "honoured"),
        ("one-hot encode labels", ("", ""), "not found"),
        ("tokenize texts", ("", ""), "not found"),
        ("fill missing values", ("", ""), "not found"),
        ("frobnicate the paths", ("", ""), "honoured"),
        ("frobnicate the wombats", ("", ""), "not found"),
    ],
)
def test_preprocessing_steps(text: str, change: tuple[str, str], verdict: Verdict) -> None:
    code = TORCH.replace(*change) if change[0] else TORCH
    code = code.replace("return np.array(image, dtype=np.float32) -", "return (np.array(image, dtype=np.float32) -")
    assert step(code, text) == verdict


def test_standardising_is_contradicted_by_what_is_done_in_its_place() -> None:
    code = "from sklearn.preprocessing import MinMaxScaler\n\nscaled = MinMaxScaler().fit_transform(table)\n"
    assert step(code, "standardise features") == "contradicted"
    assert step(code, "min-max scaling") == "honoured"


def test_what_a_model_does_with_its_tensors_prepares_no_data() -> None:
    code = TORCH.replace("return self.head(", "x = nn.functional.pad(x, (0, 1)).flip(0)\n        return self.head(")
    assert step(code, "flip images at random") == "not found"


def test_what_the_requirement_states_wins_over_a_number_in_the_plans_text() -> None:
    plan = torch_plan(preprocess="resize images to 64x64")
    stated = [fact("image_height", 32), fact("image_width", 32)]
    found = next(one for one in rows(TORCH, plan, facts=stated) if one["name"] == "preprocess")
    assert found["verdict"] == "honoured"


def test_a_sample_shows_its_category_and_hardly_any_other() -> None:
    """Each sample against categories of every kind of data; its own is tested with the corpus."""
    categories = [
        *("image-segmentation", "text-classification", "tabular-regression", "time-series-forecasting"),
        *("anomaly-detection", "reinforcement-learning"),
    ]
    found = [
        row(sample.code, sample.plan.model_copy(update={"category": category}), "category")["verdict"]
        for sample in all_samples().values()
        for category in categories
        if category != sample.category
    ]
    assert found.count("honoured") <= 4  # a forecaster that finds anomalies, three decoders that caption
    assert found.count("contradicted") > 0.7 * len(found)
