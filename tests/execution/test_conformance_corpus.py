"""Plan conformance: a false plan is noticed in every sample; that true ones are honoured is tested with the corpus."""

import re
from typing import Any

import pytest

from dlcodegen.corpus.sample import Sample, all_samples
from dlcodegen.plan import SolutionPlan
from tests.execution.conformance_cases import row, rows


def changed(sample: Sample, **changes: Any) -> SolutionPlan:
    return sample.plan.model_copy(update={"hyperparameters": sample.plan.hyperparameters.model_copy(update=changes)})


@pytest.mark.parametrize("sample", all_samples().values(), ids=list(all_samples()))
def test_false_numbers_are_noticed_in_every_sample(sample: Sample) -> None:
    hyper = sample.plan.hyperparameters
    for name, value in (
        ("learning_rate", hyper.learning_rate * 3),
        ("batch_size", hyper.batch_size + 7),
        ("epochs", hyper.epochs + 3),
        ("optimizer", "RMSprop"),
    ):
        assert row(sample.code, changed(sample, **{name: value}), name)["verdict"] == "contradicted"


@pytest.mark.parametrize("sample", all_samples().values(), ids=list(all_samples()))
def test_a_layer_more_than_there_is_is_noticed_in_every_sample(sample: Sample) -> None:
    plan = sample.plan.model_copy(update={"layers": [*sample.plan.layers, "Conv3D(32, kernel_size=3)", "PReLU()"]})
    assert [one["verdict"] for one in rows(sample.code, plan)[-2:]] == ["not found", "not found"]


def test_false_widths_are_noticed_where_the_code_shows_them() -> None:
    noticed, missed = 0, []
    for sample in all_samples().values():
        for index, text in enumerate(sample.plan.layers):
            false = re.sub(r"(?<=\()(\d+)", lambda match: str(int(match[1]) * 2 + 5), text, count=1)
            if false == text or not text.startswith(("Conv", "Dense", "LSTM", "GRU", "Embedding")):
                continue
            layers = [*sample.plan.layers[:index], false, *sample.plan.layers[index + 1 :]]
            found = rows(sample.code, sample.plan.model_copy(update={"layers": layers}))
            if next(one for one in found if one["expected"] == false)["verdict"] == "honoured":
                missed.append((sample.id, false))
            noticed += 1
    assert noticed > 100
    assert len(missed) <= noticed / 50, missed
