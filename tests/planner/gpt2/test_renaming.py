"""Rows told about other things: what request and plan have in common changes in both, and nothing else does."""

from dataclasses import replace
from random import Random

from dlcodegen.planner.gpt2.renaming import Renaming
from dlcodegen.planner.gpt2.rows import PlanRow

SUBJECTS = ("walnuts", "ferries", "glaciers", "violins", "invoices", "pelicans", "turbines", "mosques")
ROWS = [
    PlanRow(
        requirement=f"Classify images of {subject.capitalize()} with a CNN",
        dataset=f"{417 + place} images of {subject}, 64x64, resized",
        values={
            "category": "Image Classification",
            "input": f"Images of {subject}, {417 + place} of them",
            "output": "One of two classes",
            "preprocess": "resized",
        },
        layers=["Conv2D(64)"],
    )
    for place, subject in enumerate(SUBJECTS)
] * 2


def told_anew(row: PlanRow, share: float = 1.0, times: int = 40) -> list[PlanRow]:
    renaming, random = Renaming(ROWS, share), Random(3)
    return [renaming(row, random) for _ in range(times)]


def test_what_the_plan_takes_over_changes_in_both() -> None:
    changed = [row for row in told_anew(ROWS[0]) if row != ROWS[0]]
    assert changed
    for row in changed:
        new = row.values["input"].split()[2].strip(",")
        number = row.values["input"].split()[3]
        assert row.requirement == f"Classify images of {new.capitalize()} with a CNN"
        assert row.dataset == f"{number} images of {new}, 64x64, resized"
        assert len(number) == 3
    assert len({row.values["input"] for row in changed}) > 5


def test_common_words_layers_and_decided_fields_stay() -> None:
    for row in told_anew(ROWS[0]):
        assert row.layers == ROWS[0].layers
        assert row.values["category"] == "Image Classification"
        assert row.values["output"] == "One of two classes"
        assert "images of" in row.requirement and "64x64" in row.dataset


def test_a_share_of_the_rows_and_the_same_ones_for_a_seed() -> None:
    assert told_anew(ROWS[0], share=0.0) == [ROWS[0]] * 40
    assert told_anew(ROWS[0]) == told_anew(ROWS[0])
    some = sum(row != ROWS[0] for row in told_anew(ROWS[0], share=0.3, times=200))
    assert 10 < some < 90


def test_a_row_with_nothing_to_take_over_stays() -> None:
    bare = replace(ROWS[0], values={"category": "Image Classification"})
    assert told_anew(bare) == [bare] * 40
    assert Renaming([bare], 1.0)(bare, Random(1)) == bare
