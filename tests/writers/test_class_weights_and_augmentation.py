"""Class weights and augmentation that are asked for stand in the training code, where they suit the task."""

import ast
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from dlcodegen.corpus.sample import all_samples
from dlcodegen.writers.block_source import block_classes
from dlcodegen.writers.framework import framework_of

WEIGHED = {
    "tabular-classification/mlp": "criterion.weight = class_weights(train_loader, config.num_classes).to(DEVICE)",
    "image-classification/resnet": "criterion.weight = class_weights(train_loader, config.num_classes).to(DEVICE)",
    "text-classification/char-cnn": "criterion.weight = class_weights(train_loader, config.num_classes).to(DEVICE)",
    "tabular-classification/keras-mlp": "class_weight=class_weights(train_set[1])",
    "text-classification/keras-bilstm": "class_weight=class_weights(train_set[1])",
    "time-series-classification/keras-cnn-1d": "class_weight=class_weights(train_set[1])",
    "image-classification/keras-small-cnn": "class_weight=class_weights(train_set.targets[train_set.rows])",
    "audio-classification/keras-logmel-cnn": "class_weight=class_weights(train_set.targets[train_set.rows])",
}
NOT_WEIGHED = (
    "tabular-classification/binary-mlp",  # has a pos_weight of its own
    "image-segmentation/unet-multiclass",  # a class for each pixel
    "token-classification/keras-bilstm-tagger",  # a class for each word, some to be ignored
    "tabular-regression/mlp",
    "image-classification/multi-label",
    "image-segmentation/keras-unet-multiclass",
)


def extended(sample: str, **stated: object) -> str:
    code = all_samples()[sample].code
    return framework_of(code).add_training_extras(code, stated)


@pytest.mark.parametrize(("sample", "expected"), WEIGHED.items())
def test_stated_class_weights_reach_the_training(sample: str, expected: str) -> None:
    code = extended(sample, class_weights=True)
    defined = [node.name for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)]
    assert expected in code
    assert defined.count("class_weights") == 1
    assert defined.index("class_weights") < defined.index("train")


@pytest.mark.parametrize("sample", NOT_WEIGHED)
def test_where_classes_cannot_be_weighed_so_the_script_stays(sample: str) -> None:
    assert extended(sample, class_weights=True) == all_samples()[sample].code


def test_weights_are_put_in_once() -> None:
    code = extended("tabular-classification/mlp", class_weights=True)
    assert framework_of(code).add_training_extras(code, {"class_weights": True}) == code


def test_rare_classes_count_as_much_as_frequent_ones_in_both_frameworks() -> None:
    labels = torch.tensor([0] * 6 + [1] * 2 + [2] * 4)
    weights = {}
    for framework in ("pytorch", "keras"):
        names: dict[str, object] = {"torch": torch, "np": np, "Tensor": torch.Tensor, "DataLoader": DataLoader}
        exec(block_classes(framework)["class_weights"], names)
        weights[framework] = SimpleNamespace(**names).class_weights
    loader = DataLoader(TensorDataset(torch.zeros(12, 2), labels), 5)
    assert weights["pytorch"](loader, 3).tolist() == pytest.approx([12 / 18, 2, 1])
    assert weights["keras"](labels.numpy()) == pytest.approx({0: 12 / 18, 1: 2, 2: 1})
    assert weights["pytorch"](loader, 4).isfinite().all()  # a class that does not occur


def test_pictures_are_changed_in_front_of_a_keras_model() -> None:
    code = extended("image-classification/keras-small-cnn", augmentation=True)
    assert 'augmented = layers.RandomRotation(0.05)(layers.RandomFlip("horizontal")(inputs))' in code
    assert "x = augmented" in code
    assert "keras.Model(inputs, " in code


def test_a_picture_with_a_number_is_not_mirrored() -> None:
    code = extended("image-regression/keras-cnn", augmentation=True)
    assert "RandomRotation(0.05)(inputs)" in code
    assert "RandomFlip" not in code


@pytest.mark.parametrize(
    "sample",
    ["image-segmentation/keras-unet-binary", "image-classification/keras-resnet", "tabular-classification/keras-mlp"],
)
def test_where_pictures_must_stay_or_are_changed_already_so_does_the_script(sample: str) -> None:
    assert extended(sample, augmentation=True) == all_samples()[sample].code
