"""Which names in a Keras script show a technique, which nearly do, and what its lines for Keras say."""

import pytest

from dlcodegen.corpus.sample import all_samples
from dlcodegen.execution.conformance.table import conformance
from dlcodegen.report import Fact
from dlcodegen.techniques import TECHNIQUES

PLAN = all_samples()["image-classification/keras-small-cnn"].plan


def judged(line: str, technique: str) -> str:
    """The verdict on a script of this one line."""
    code = f"import keras\nfrom keras import layers\n\n{line}\n"
    facts = [Fact(name=technique, value=True, text=technique)]
    return next(row["verdict"] for row in conformance(code, PLAN, facts) if row["name"] == technique)


@pytest.mark.parametrize(
    ("technique", "line"),
    [
        ("group_norm", "x = layers.GroupNormalization(4)(x)"),
        ("layer_norm", "x = layers.LayerNormalization()(x)"),
        ("depthwise_separable", "x = layers.SeparableConv2D(32, 3)(x)"),
        ("depthwise_separable", "x = layers.DepthwiseConv2D(3)(x)"),
        ("depthwise_separable", "x = layers.Conv2D(8, 3, groups=8)(x)"),
        ("dilated", "x = layers.Conv2D(8, 3, dilation_rate=2)(x)"),
        ("global_pooling", "x = layers.GlobalMaxPooling2D()(x)"),
        ("global_pooling", "x = keras.ops.mean(x, axis=(1, 2))"),
        ("global_pooling", "x = x.mean((2, 3))"),
        ("gated", "x = keras.ops.glu(x)"),
        ("weight_average", "optimizer = keras.optimizers.Adam(use_ema=True)"),
        ("weight_average", "best = keras.callbacks.SwapEMAWeights()"),
        ("gradient_accumulation", "optimizer = keras.optimizers.Adam(gradient_accumulation_steps=2)"),
        ("mixup", "x = layers.MixUp(0.2)(x)"),
        ("mixed_precision", "keras.mixed_precision.set_global_policy('mixed_bfloat16')"),
        ("mixed_precision", "keras.config.set_dtype_policy('mixed_bfloat16')"),
        ("cross_validation", "folds = KFold(5)"),
        ("spec_augment", "x = PitchMasking(0.1)(x)"),
    ],
)
def test_a_layer_of_keras_counts(technique: str, line: str) -> None:
    assert judged(line, technique) == "honoured"


@pytest.mark.parametrize(
    ("technique", "line"),
    [
        ("group_norm", "x = layers.BatchNormalization()(x)"),
        ("layer_norm", "x = layers.GroupNormalization(1)(x)"),
        ("instance_norm", "x = layers.LayerNormalization()(x)"),
        ("layer_norm", "x = layers.Normalization()(x)"),
        ("depthwise_separable", "x = layers.Conv2D(8, 3)(x)"),
        ("depthwise_separable", "x = layers.GroupNormalization(groups=4)(x)"),
        ("squeeze_excitation", "x = keras.ops.squeeze(x)"),
        ("pyramid_pooling", "x = FeaturePyramid(64)(x)"),
        ("pyramid_pooling", "x = layers.MaxPooling2D()(x)"),
        ("residual", "model.load_weights(path, skip_mismatch=True)"),
        ("residual", "x = is_resident(x)"),
        ("stochastic_depth", "x = layers.Dropout(0.1)(x)"),
        ("positional_encoding", "x = decomposition(x)"),
        ("global_pooling", "x = layers.AveragePooling2D()(x)"),
        ("global_pooling", "accuracy = (x == targets).float().mean().item()"),
        ("gated", "x = keras.ops.negative(aggregate(x))"),
        ("gated", "x = layers.Dense(8, activation='gelu')(glucose)"),
        ("weight_average", "x = layers.AveragePooling2D()(x)"),
        ("weight_average", "x = layers.GlobalAveragePooling2D()(layers.Average()([x, x]))"),
        ("weight_average", "x = keras.ops.swapaxes(emails, 0, 1)"),
        ("mixup", "x = mixed(x)"),
        ("gradient_accumulation", "optimizer = keras.optimizers.Adagrad(initial_accumulator_value=0.1)"),
        ("spec_augment", "x = layers.Masking()(layers.MelSpectrogram()(x))"),
        ("cross_validation", "files = image_folder(folder)"),
        ("deep_supervision", "loss = unsupervised(x)"),
    ],
)
def test_a_name_that_is_nearly_one_does_not(technique: str, line: str) -> None:
    assert judged(line, technique) == "not found"


def test_every_line_for_keras_speaks_keras() -> None:
    assert not [technique.name for technique in TECHNIQUES if "nn." in technique.keras or "torch" in technique.keras]
    assert [one.name for one in TECHNIQUES if one.segment_in("keras") != one.segment_in("pytorch")] == ["spec_augment"]
