"""What counts as learned, and samples proved by running them."""

import dataclasses

import pytest

from dlcodegen.corpus.sample import Sample, all_samples
from dlcodegen.corpus.verify import Learned, prove
from dlcodegen.execution.sandbox.limits import Limits
from dlcodegen.execution.script import Conditions

MLP = all_samples()["tabular-regression/mlp"]
CONDITIONS = Conditions(Limits(wall=120))


@pytest.mark.parametrize(
    ("metric", "untrained", "trained", "clearly"),
    [
        ("accuracy", 0.1, 0.9, True),
        ("accuracy", 0.1, 0.3, False),  # less than a third of the way to 1
        ("accuracy", 1.0, 1.0, False),  # nothing was left to learn
        ("f1", 0.0, 0.4, True),
        ("r2", -0.5, 0.6, True),
        ("r2", -0.5, -0.4, False),
        ("mae", 8.0, 1.0, True),
        ("mae", 8.0, 7.0, False),
        ("perplexity", 290.0, 3.0, True),
        ("word_error_rate", 1.2, 0.0, True),
        ("psnr", 20.0, 25.0, True),
        ("psnr", 20.0, 21.0, False),
        ("mean_return", 14.0, 190.0, True),
        ("mean_return", 190.0, 14.0, False),
        ("elbo", -5955.0, -522.0, True),
        ("sliced_wasserstein", 0.68, 0.39, True),
        ("whatever", 0.0, 1.0, False),  # nobody knows what is better
    ],
)
def test_learned_is_clearly_better_than_untrained(metric: str, untrained: float, trained: float, clearly: bool) -> None:
    assert Learned(metric, untrained, trained).clearly == clearly


def one(sample: Sample) -> tuple[bool, str, Learned | None]:
    (proof,) = prove([sample], CONDITIONS)
    return proof.stands, proof.report["status"], proof.learned


def test_a_sample_that_learns_stands_and_one_that_does_not_falls() -> None:
    stands, status, learned = one(MLP)
    assert (stands, status) == (True, "passed")
    assert learned is not None
    assert learned.metric == "r2"
    assert learned.untrained < 0.2 < 0.8 < learned.trained
    idle = dataclasses.replace(MLP, code=MLP.code.replace("optimizer.step()", "optimizer.zero_grad()"))
    assert not one(idle)[0]


def test_a_plan_that_is_not_honoured_fells_a_sample_of_ours_and_none_of_others() -> None:
    other = MLP.plan.model_copy(update={"layers": ["Dense(7)"]})
    untrue = dataclasses.replace(MLP, plan=other)
    assert one(untrue)[:2] == (False, "passed")
    assert one(dataclasses.replace(untrue, source="somebody"))[:2] == (True, "passed")
