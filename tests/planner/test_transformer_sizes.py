"""Sizes that people write of networks with attention, and a width that the heads divide."""

import pytest

from dlcodegen.context import Context
from dlcodegen.planner import make_plan
from dlcodegen.planner.stated import read_stated
from dlcodegen.widths import width_settings

READ: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("image-classification", "ViT; dim 192; depth 6; 3 heads", {"hidden_size": 192, "num_layers": 6, "num_heads": 3}),
    ("text-generation", "a GPT of 6 layers, 8 heads, 384 dim", {"hidden_size": 384, "num_layers": 6}),
    ("text-classification", "a transformer, dim=256, depth 4", {"hidden_size": 256, "num_layers": 4}),
    ("text-classification", "a transformer with an embedding size of 96", {"hidden_size": 96}),
    ("self-supervised-learning", "MAE pre-training, encoder depth 6, dim 256", {"hidden_size": 256, "num_layers": 6}),
    (
        "self-supervised-learning",
        "MAE pre-training of a ViT, dim 256",
        {"architecture": "vit", "hidden_size": 256},
    ),
    ("graph-machine-learning", "graph attention, 8 heads, 8 hidden units each", {"hidden_size": 64, "num_heads": 8}),
    ("graph-machine-learning", "GAT with 4 heads, 16 hidden units", {"hidden_size": 16}),
)
NOT_READ = (
    ("image-classification", "ViT whose MLP dim 512 is wide", "hidden_size"),
    ("image-classification", "a ViT without dim 512", "hidden_size"),
    ("image-segmentation", "U-Net of depth 5", "num_layers"),
    ("metric-learning", "a ViT with an embedding size of 96", "hidden_size"),
)


@pytest.mark.parametrize(("category", "sentence", "expected"), READ)
def test_sizes_are_read(category: str, sentence: str, expected: dict[str, object]) -> None:
    facts = read_stated(sentence, "", category).facts
    assert {name: facts[name]["value"] if name in facts else None for name in expected} == expected
    assert "depth" not in facts


@pytest.mark.parametrize(("category", "sentence", "name"), NOT_READ)
def test_sizes_of_something_else_are_not(category: str, sentence: str, name: str) -> None:
    assert name not in read_stated(sentence, "", category).facts


@pytest.mark.parametrize(
    ("stated", "implied"),
    [
        ({"num_heads": 6}, {"hidden_size": 132}),
        ({"num_heads": 8}, {}),
        ({"num_heads": 6, "hidden_size": 128}, {}),
        ({}, {}),
    ],
)
def test_heads_that_divide_no_width_widen_it(stated: dict[str, int], implied: dict[str, int]) -> None:
    assert width_settings("class Config:\n    hidden_size: int = 128\n    num_heads: int = 4\n", stated) == implied


def test_the_plan_has_a_width_that_the_stated_heads_divide() -> None:
    request = "text generation: a GPT of 6 heads that learns to write poems"
    layers = make_plan(request, "", "", Context(planner="nearest")).plan.layers
    assert any("hidden_size=132, num_heads=6" in layer for layer in layers), layers
