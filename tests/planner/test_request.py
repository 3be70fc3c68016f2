"""Bad input is refused with a line that says what to type; doubts become notes; any allowed text is read quickly."""

import time
from pathlib import Path

import pytest

from dlcodegen.context import Context
from dlcodegen.errors import RequirementError, SettingsError
from dlcodegen.planner import choice, make_plan
from dlcodegen.planner.request import MAX_CHARACTERS, read_requirement

GOOD = "classify photos of flowers into 5 classes"


@pytest.mark.parametrize("empty", ["", "   ", "\n\t\r\n", "\u00a0"])
def test_an_empty_requirement_is_refused(empty: str) -> None:
    with pytest.raises(RequirementError, match="the requirement is empty: say what should be learnt from which data"):
        read_requirement(empty)


def test_a_text_that_is_too_long_is_refused_and_one_of_the_longest_length_read() -> None:
    with pytest.raises(RequirementError, match="has 200,000 characters, at most 20,000 can be read"):
        read_requirement("x" * 200_000)
    with pytest.raises(RequirementError, match="the dataset description has 20,001 characters"):
        read_requirement(GOOD, "x" * (MAX_CHARACTERS + 1))
    assert read_requirement(GOOD.ljust(MAX_CHARACTERS, ".")).category == "image-classification"


@pytest.mark.parametrize("bad", ["\x00", "\x1b[31m", "\x7f", "\ud800", "\udfff", "\ufffd"])
def test_what_is_no_text_is_refused(bad: str) -> None:
    with pytest.raises(RequirementError, match="the requirement holds bytes that are no text: give it as UTF-8 text"):
        read_requirement(f"{GOOD} {bad}")
    with pytest.raises(RequirementError, match="the dataset description holds bytes that are no text"):
        read_requirement(GOOD, bad)


def test_a_vague_wish_is_answered_with_what_is_missing() -> None:
    with pytest.raises(RequirementError, match="it is not clear what should be learnt: name the data and the goal"):
        read_requirement("train a neural network")


def test_a_goal_that_is_not_understood_is_answered_with_the_nearest_tasks() -> None:
    with pytest.raises(RequirementError, match=r"; if it is text-classification.*, say so in these words"):
        read_requirement("transformer encoder from scratch, sorts wire reports into 20 topics")


def test_a_missing_data_path_and_an_unknown_framework_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--data nowhere: there is no such file or folder"):
        read_requirement(GOOD, data="nowhere")
    with pytest.raises(SettingsError, match="framework is pytorch or keras, not 'jax'"):
        read_requirement(GOOD, framework="jax")
    assert read_requirement(GOOD, data=str(tmp_path)).framework == "pytorch"


def test_the_framework_given_wins_over_the_one_that_is_named() -> None:
    read = read_requirement(f"{GOOD} with Keras", framework="pytorch")
    assert read.framework == "pytorch"
    assert any(
        note.startswith("framework is stated as pytorch (“--framework pytorch”) and as keras") for note in read.notes
    )
    assert read_requirement(f"{GOOD} with Keras").framework == "keras"


def test_contradictions_are_reported_and_the_first_counts() -> None:
    read = read_requirement("classify photos into 10 classes, no, 5 classes, batch size 32, batch size 64")
    assert {fact["name"]: fact["value"] for fact in read.facts} == {"num_classes": 10, "batch_size": 32}
    assert read.notes == [
        "num_classes is stated as 10 (“10 classes”) and as 5 (“5 classes”): the first counts",
        "batch_size is stated as 32 (“batch size 32”) and as 64 (“batch size 64”): the first counts",
    ]


def test_impossible_numbers_are_reported_and_left_out() -> None:
    read = read_requirement("classify photos with a batch size of 0 and dropout 100%")
    assert read.facts == []
    assert read.notes == [
        "dropout cannot be 1 (“dropout 100%”): it is left as it is",
        "batch_size cannot be 0 (“batch size of 0”): it is left as it is",
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "Klassifiziere Bilder von Hunden und Katzen",
        "segmentation sémantique d'images médicales par réseau",
        "对猫和狗的图像进行分类",
    ],
)
def test_another_language_is_understood_with_a_note(sentence: str) -> None:
    assert read_requirement(sentence).notes == [
        "the requirement does not look like English: it was understood as far as its words were recognised"
    ]


@pytest.mark.parametrize("sentence", ["mnist cnn", GOOD, "Tell spam from real e-mails.", "U-Net, ISIC, 256x256, Dice"])
def test_english_gets_no_note(sentence: str) -> None:
    assert read_requirement(sentence).notes == []


ADVERSARIAL = [
    "1", "1,", "1.", "0.1.", "1e", "1 x ", "1x", "10^", "10−", "1,000,", "1/2/", "12 and ", "12 -> ", "a ", "a, ",
    "aa bb, ", "x", "é", "图像", "(", "(1,", "[1, ",
    " ", "\t\n", "-", "a-", "a_", "a'", "of ", "the ", "dense ", "dice + ", "as (a, ", "into a, ",
    "batch size of ", "learning rate = ", "dropout rate ", "detect a b ", "generate ", "images of ", "users a b ",
    "next 1 ", "hidden layers of ", "channels ", "price from ", "7 a-b ", "twenty ", "class=", "2 lstm ",
    "80/10/10 ", "or not, ",
    "classify images into 5 classes with batch size 32, ",
]  # fmt: skip


@pytest.mark.parametrize("unit", ADVERSARIAL)
def test_the_longest_text_is_read_in_under_a_second(unit: str) -> None:
    text = ("classify images " + unit * MAX_CHARACTERS)[:MAX_CHARACTERS].strip()
    start = time.process_time()
    read_requirement(text)
    assert time.process_time() - start < 1


@pytest.mark.parametrize("requirement", ["", "a " * 20_000, "photos\x00"])
def test_what_nobody_can_read_is_refused_before_a_predictor_is_loaded(
    requirement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "choose", lambda context: pytest.fail("it was loaded"))
    with pytest.raises(RequirementError):
        make_plan(requirement, "", "", Context())
