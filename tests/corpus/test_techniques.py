"""The ready PyTorch parts of techniques do what they say: shapes stay, and each is found by its own technique."""

import ast
from pathlib import Path

import pytest
import torch
from torch import nn

from dlcodegen.corpus import techniques
from dlcodegen.corpus.techniques.depthwise_separable import DepthwiseSeparableConv2d
from dlcodegen.corpus.techniques.gated import GatedLinear
from dlcodegen.corpus.techniques.mixup import mixup_loss
from dlcodegen.corpus.techniques.positional_encoding import PositionalEncoding
from dlcodegen.corpus.techniques.pyramid_pooling import PyramidPooling
from dlcodegen.corpus.techniques.residual import Residual
from dlcodegen.corpus.techniques.spec_augment import spec_augment
from dlcodegen.corpus.techniques.squeeze_excitation import SqueezeExcitation
from dlcodegen.corpus.techniques.stochastic_depth import StochasticDepth
from dlcodegen.corpus.techniques.weight_average import WeightAverage
from dlcodegen.techniques import BY_NAME

FILES = [path for path in Path(techniques.__file__).parent.glob("*.py") if not path.stem.startswith(("__", "keras_"))]
MAP, STEPS = (2, 8, 6, 6), (2, 5, 8)


@pytest.mark.parametrize(
    ("part", "shape"),
    [
        (SqueezeExcitation(8), MAP),
        (DepthwiseSeparableConv2d(8, 8), MAP),
        (PyramidPooling(8), MAP),
        (Residual(nn.Conv2d(8, 8, 3, padding=1)), MAP),
        (StochasticDepth(0.5), MAP),
        (PositionalEncoding(8), STEPS),
        (GatedLinear(8, 8), STEPS),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_shape_stays_and_gradients_flow(part: nn.Module, shape: tuple[int, ...]) -> None:
    inputs = torch.randn(shape, requires_grad=True)
    outputs = part.train()(inputs)
    assert outputs.shape == shape
    outputs.sum().backward()
    assert inputs.grad is not None and torch.isfinite(inputs.grad).all()


def test_places_are_told_apart() -> None:
    encoded = PositionalEncoding(8)(torch.zeros(STEPS))
    assert len({tuple(step.tolist()) for step in encoded[0]}) == STEPS[1]


def test_mixtures_have_a_loss() -> None:
    model = nn.Linear(4, 3)
    loss = mixup_loss(model, nn.CrossEntropyLoss(), torch.randn(6, 4), torch.arange(6) % 3)
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() > 0


def test_averaged_weights_forget_the_first_ones_soon_and_then_follow_slowly() -> None:
    model, shown = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    average = WeightAverage(model, decay=0.9)
    nn.init.ones_(model.weight)
    average.update(model)
    average.copy_to(shown)
    assert shown.weight.item() == pytest.approx(0.9)
    for _ in range(100):
        average.update(model)
    nn.init.zeros_(model.weight)
    average.update(model)
    average.copy_to(shown)
    assert shown.weight.item() == pytest.approx(0.9)


def test_masked_spectrograms_keep_their_shape() -> None:
    masked = spec_augment(torch.ones(3, 20, 30))
    assert masked.shape == (3, 20, 30)
    assert bool(((masked == 0) | (masked == 1)).all())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_part_is_named_as_its_technique_says(path: Path) -> None:
    technique = BY_NAME[path.stem]
    names = [node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    assert names and all(f"`{name}(" in technique.how for name in names)
    assert any(map(technique.shown_by, names))
