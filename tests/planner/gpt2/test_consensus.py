"""Deciding between weighted candidates: names by their votes, numbers by the median, texts by what they share."""

import pytest

from dlcodegen.planner.gpt2.consensus import decide_name, decide_number, layer_likeness, medoid, text_likeness


@pytest.mark.parametrize(
    ("odds", "name"),
    [
        ({"Adam": 0.6, "SGD": 0.4}, "Adam"),
        ({"SGD": 0.4, "Adam": 0.35, "adam": 0.25}, "Adam"),
        ({"SGD": 0.4, "cross entropy": 0.25, "Cross-Entropy": 0.35}, "Cross-Entropy"),
        ({"SGD": 0.4, "交叉熵": 0.3, "均方误差": 0.3}, "SGD"),
        ({"a": 0.4, "!": 0.3, "?!": 0.3}, "!"),
        ({"only": 0.0}, "only"),
    ],
)
def test_spellings_count_together_and_the_most_likely_of_them_is_given(odds: dict[str, float], name: str) -> None:
    assert decide_name(odds) == name


@pytest.mark.parametrize(
    ("odds", "number"),
    [
        ({"8": 1.0}, "8"),
        ({"256": 0.3, "8": 0.3, "32": 0.4}, "32"),
        ({"100": 0.45, "9": 0.1, "10": 0.45}, "10"),  # by size, not by spelling
        ({"0.1": 0.2, "1e-05": 0.6, "0.001": 0.2}, "1e-05"),
        ({"1": 1e-12, "1000": 1 - 1e-12}, "1000"),
        ({"4": 3.0, "2": 1.0}, "4"),  # weights of any sum
        ({"7": 0.0}, "7"),
    ],
)
def test_the_median_is_wrong_by_least(odds: dict[str, float], number: str) -> None:
    assert decide_number(odds) == number


def test_the_median_has_the_least_expected_distance() -> None:
    odds = {"16": 0.2, "32": 0.25, "64": 0.3, "128": 0.25}

    def expected(value: str) -> float:
        return sum(share * abs(float(value) - float(other)) for other, share in odds.items())

    assert decide_number(odds) == min(odds, key=expected) == "64"


def test_the_medoid_is_the_candidate_that_is_most_like_all_others() -> None:
    numbers = [(1.0, 1.0), (5.0, 1.0), (6.0, 1.0), (30.0, 1.0)]
    assert medoid(numbers, lambda one, other: -abs(one - other)) == 5.0
    assert medoid([*numbers[:3], (30.0, 9.0)], lambda one, other: -abs(one - other)) == 30.0
    assert medoid([("alone", 0.0)], text_likeness) == "alone"


def test_layers_are_compared_by_their_names_first() -> None:
    plain = ["Conv2D(8)", "Flatten()", "Dense(2)"]
    assert layer_likeness(plain, plain) == 0
    other_sizes = layer_likeness(plain, ["Conv2D(16)", "Flatten()", "Dense(3)"])
    one_more = layer_likeness(plain, [*plain, "Dropout(0.5)"])
    other_kind = layer_likeness(plain, ["Embedding(8, 2)", "GRU(4)"])
    assert 0 > other_sizes > one_more > other_kind
    assert layer_likeness(plain, []) == layer_likeness([], plain) == pytest.approx(-3.3)
    assert layer_likeness(["??", "卷积层"], ["??", "卷积层"]) == 0


def test_texts_are_compared_by_their_sequences_of_words() -> None:
    text = "RGB photos of flowers, 96x96 pixels"
    assert text_likeness(text, text) == 1
    assert text_likeness(text, "") == text_likeness("", "") == 0
    near, far = (text_likeness(text, other) for other in ("RGB photos of birds, 96x96 pixels", "nine numbers"))
    assert 1 > near > far == 0
    assert text_likeness(text, "pixels 96x96 , flowers of photos RGB") < near
