"""Copies and near-copies."""

import re
from itertools import combinations

from dlcodegen.corpus.importing.similarity import NEAR_DUPLICATE, fingerprint, likeness, likeness_of, sketch
from dlcodegen.corpus.sample import all_samples
from tests.corpus.importing import scripts


def test_comments_and_formatting_make_no_difference() -> None:
    changed = scripts.ARGPARSE_CNN.replace('"cuda"', "'cuda'").replace("    args =", "\n\n    # settings\n    args =")
    assert changed != scripts.ARGPARSE_CNN
    assert fingerprint(changed) == fingerprint(scripts.ARGPARSE_CNN)
    assert fingerprint(changed.replace("32, 3,", "48, 3,")) != fingerprint(scripts.ARGPARSE_CNN)
    assert fingerprint("f(a)(b)") != fingerprint("f(a, b)")


def test_renaming_and_other_numbers_do_not_hide_a_copy() -> None:
    renamed = re.sub(r"\b(Net|conv1|conv2|fc1|fc2|drop|loader|images|labels|outputs)\b", r"my_\1", scripts.ARGPARSE_CNN)
    renamed = renamed.replace("0.25", "0.4").replace("default=14", "default=90")
    assert likeness(renamed, scripts.ARGPARSE_CNN) >= NEAR_DUPLICATE


def test_different_scripts_are_not_alike() -> None:
    texts = [scripts.ARGPARSE_CNN, scripts.MODULE_LEVEL_LSTM, scripts.KERAS_SEQUENTIAL, scripts.BLOCKS]
    assert all(likeness(a, b) < 0.5 for a, b in combinations(texts, 2))
    assert likeness("", "") == 1


def test_samples_of_the_pool_are_not_taken_for_copies_of_each_other() -> None:
    sketches = [sketch(sample.code) for sample in all_samples().values()]
    assert max(likeness_of(a, b) for a, b in combinations(sketches, 2)) < NEAR_DUPLICATE
