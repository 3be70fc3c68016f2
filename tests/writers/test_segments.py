"""A script is cut at the contract's parts, and put together again to the letter."""

import pytest

from dlcodegen.corpus.sample import all_samples
from dlcodegen.writers.segments import SEGMENTS, SegmentError, join, segment_at, split

CODE = next(iter(all_samples().values())).code


def test_cut_and_join_are_inverse() -> None:
    assert join(split(CODE)) == CODE
    assert tuple(split(CODE)) == SEGMENTS


def test_what_stands_between_two_parts_belongs_to_the_later_one() -> None:
    segments = split(CODE)
    assert "class Config" in segments["config"]
    assert "def synthetic_data" in segments["data"]
    assert "def build_loss" in segments["train"]
    assert "def compute_metrics" in segments["evaluate"]
    assert "def parse_config" in segments["main"]


def test_a_line_is_found_in_its_segment() -> None:
    line = next(number for number, text in enumerate(CODE.splitlines(), 1) if text.startswith("def train("))
    assert segment_at(CODE, line) == "train"
    assert segment_at(CODE, 1) == "imports"


def test_a_script_of_another_shape_is_refused_by_name() -> None:
    with pytest.raises(SegmentError, match="the script has no load_data, build_model"):
        split("class Config: pass\ndef train(): pass\ndef evaluate(): pass\ndef predict(): pass\n")
