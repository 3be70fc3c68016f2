"""Copies are told from scripts that only share the project contract."""

import re
from dataclasses import replace
from itertools import combinations

import pytest

from dlcodegen.corpus.duplicates import nearly_same
from dlcodegen.corpus.sample import all_samples

LSTM = all_samples()["time-series-forecasting/lstm"]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"\bmodel\b", "network"),
        (r"epochs: int = \d+", "epochs: int = 7"),
        (r"  # .*", ""),
        (r'"""[^"]*"""\n\nimport', "import"),
    ],
    ids=["names", "numbers", "comments", "docstring"],
)
def test_a_copy_stays_one_whatever_is_renamed_or_left_out(pattern: str, text: str) -> None:
    assert nearly_same(LSTM, replace(LSTM, id="x/copy", code=re.sub(pattern, text, LSTM.code)))


def test_other_layers_make_another_sample_though_most_lines_are_the_same() -> None:
    assert not nearly_same(LSTM, all_samples()["time-series-forecasting/tcn"])
    unet = all_samples()["image-segmentation/unet-binary"]
    assert not nearly_same(unet, all_samples()["image-segmentation/attention-unet"])


def test_no_two_samples_of_the_pool_are_nearly_the_same() -> None:
    pairs = combinations(all_samples().values(), 2)
    assert [(one.id, other.id) for one, other in pairs if nearly_same(one, other)] == []
