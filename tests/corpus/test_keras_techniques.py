"""The Keras parts of techniques: shapes, one step of training on the backend that scripts use, and being recognised."""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlcodegen.corpus import techniques
from dlcodegen.corpus.sample import all_samples
from dlcodegen.execution.conformance.table import conformance
from dlcodegen.report import Fact
from dlcodegen.techniques import BY_NAME
from dlcodegen.writers.pieces import defined, with_parts
from dlcodegen.writers.segments import split

FILES = sorted(Path(techniques.__file__).parent.glob("keras_*.py"))
MAP, STEPS, ROW = (6, 6, 8), (5, 8), (8,)
SCRIPT = all_samples()["image-classification/keras-small-cnn"]
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own, of NumPy


@pytest.fixture(scope="module")
def keras() -> Any:
    """Keras on the backend that the scripts use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        import keras
    return keras


def part(technique: str) -> Any:
    """The module of a part, imported once Keras has its backend."""
    return import_module(f"dlcodegen.corpus.techniques.keras_{technique}")


USES: dict[str, tuple[str, tuple[int, ...]]] = {
    "squeeze_excitation": ("squeeze_excitation(x)", MAP),
    "squeeze_excitation of steps": ("squeeze_excitation(x)", STEPS),
    "depthwise_separable": ("layers.SeparableConv2D(8, 3, padding='same')(x)", MAP),
    "dilated": ("layers.Conv2D(8, 3, dilation_rate=2, padding='same')(x)", MAP),
    "pyramid_pooling": ("pyramid_pooling(x)", MAP),
    "residual": ("residual(x, layers.Conv2D(8, 3, padding='same'))", MAP),
    "residual that widens": ("layers.Dense(8)(residual(x, layers.LSTM(12, return_sequences=True)))", STEPS),
    "layer_norm": ("layers.LayerNormalization()(x)", ROW),
    "group_norm": ("layers.GroupNormalization(1)(x)", MAP),
    "group_norm of a row": ("layers.GroupNormalization(1)(x)", ROW),
    "instance_norm": ("instance_norm(x)", MAP),
    "stochastic_depth": ("stochastic_depth(x, 0.5)", MAP),
    "positional_encoding": ("PositionalEncoding()(x)", STEPS),
    "gated": ("gated_dense(x, 8)", STEPS),
    "spec_augment": ("SpecAugment()(x)", (20, 30)),
    "spec_augment of a map": ("SpecAugment()(x)", MAP),
}
"""Technique, and what is special -> the part or layer as `keras` says, and the shape of an example."""


def built(keras: Any, case: str) -> Any:
    """A model of the part alone that has weights to train."""
    technique, (use, shape) = case.partition(" ")[0], USES[case]
    known = vars(part(technique)) if any(technique == path.stem.removeprefix("keras_") for path in FILES) else {}
    inputs = keras.Input(shape)
    scaled = keras.layers.Dense(shape[-1])(inputs)
    return keras.Model(inputs, eval(use, {"layers": keras.layers, **known}, {"x": scaled}))


@pytest.mark.parametrize("case", USES)
def test_the_shape_stays_and_one_step_trains(keras: Any, case: str) -> None:
    model = built(keras, case)
    assert model.output_shape == (None, *USES[case][1])
    inputs = np.random.default_rng(1).normal(size=(4, *USES[case][1])).astype("float32")
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    before = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    assert np.isfinite(model.train_on_batch(inputs, np.ones_like(inputs)))
    after = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    assert all(np.isfinite(weight).all() for weight in after)
    assert any((old != new).any() for old, new in zip(before, after, strict=True))
    assert model.predict(inputs, verbose=0).shape == inputs.shape


@pytest.mark.parametrize("case", ["spec_augment", "stochastic_depth", "positional_encoding"])
def test_a_model_is_written_down_and_read_again(keras: Any, case: str) -> None:
    objects = {name: value for name, value in vars(part(case)).items() if isinstance(value, type)}
    again = keras.Model.from_config(built(keras, case).get_config(), custom_objects=objects)
    assert again.output_shape == (None, *USES[case][1])


def test_only_training_is_disturbed(keras: Any) -> None:
    keras.utils.set_random_seed(1)
    ones = keras.ops.ones((64, 4, 4, 2))
    inputs = keras.Input((4, 4, 2))
    dropped = keras.Model(inputs, part("stochastic_depth").stochastic_depth(inputs, 0.5))
    assert keras.ops.convert_to_numpy(dropped(ones)).tolist() == np.ones((64, 4, 4, 2)).tolist()
    kept = keras.ops.convert_to_numpy(dropped(ones, training=True)).reshape(64, -1)
    assert {tuple(set(example)) for example in kept.tolist()} == {(0.0,), (2.0,)}, "an example is dropped as a whole"

    spectrograms = np.random.default_rng(1).uniform(1, 2, size=(8, 20, 30)).astype("float32")
    augment = part("spec_augment").SpecAugment(share=0.4)
    assert (keras.ops.convert_to_numpy(augment(spectrograms)) == spectrograms).all()
    changed = keras.ops.convert_to_numpy(augment(spectrograms, training=True)) != spectrograms
    assert changed.any() and not changed.all()
    masks = {example.tobytes() for example in changed}
    assert len(masks) == len(spectrograms), "each example has a mask of its own"


def test_places_are_told_apart_and_padding_stays_padding(keras: Any) -> None:
    encode = part("positional_encoding").PositionalEncoding()
    encoded = keras.ops.convert_to_numpy(encode(keras.ops.zeros((1, 5, 8))))
    assert len({tuple(step) for step in encoded[0].tolist()}) == 5
    inputs = keras.Input((5,), dtype="int32")
    assert encode(keras.layers.Embedding(9, 8, mask_zero=True)(inputs))._keras_mask is not None


def test_each_channel_is_normalised_by_itself(keras: Any) -> None:
    inputs = keras.Input(MAP)
    maps = np.random.default_rng(1).normal(5, 3, size=(2, *MAP)).astype("float32")
    outputs = keras.Model(inputs, part("instance_norm").instance_norm(inputs)).predict(maps, verbose=0)
    assert np.abs(outputs.mean(axis=(1, 2))).max() < 1e-3
    assert np.abs(outputs.std(axis=(1, 2)) - 1).max() < 1e-2


def classifier(keras: Any) -> tuple[Any, np.ndarray, np.ndarray]:
    """A model whose training needs fit, and data for it."""
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.BatchNormalization()(inputs)))
    return model, np.random.default_rng(1).normal(size=(24, 4)).astype("float32"), np.arange(24) % 3


def test_mixtures_are_learnt_from_with_weights_in_a_running_fit(keras: Any) -> None:
    model, inputs, targets = classifier(keras)
    before = keras.ops.convert_to_numpy(model.trainable_weights[-2])
    mixed = part("mixup").MixupModel(model.input, model.output)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    mixed.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    best = keras.callbacks.EarlyStopping(monitor="val_loss", restore_best_weights=True)
    weights = np.where(targets == 1, 2.0, 1.0).astype("float32")
    history = mixed.fit(
        inputs, targets, 8, 2, verbose=0, sample_weight=weights, callbacks=[best], validation_data=(inputs, targets)
    ).history
    assert np.isfinite(history["loss"]).all()
    assert (keras.ops.convert_to_numpy(model.trainable_weights[-2]) != before).any(), "the layers are the model's"
    plain = model.predict(inputs, verbose=0)
    assert (mixed.predict(inputs, verbose=0) == plain).all(), "nothing is mixed outside of training"


def test_a_mixture_has_its_share_of_either_target(keras: Any) -> None:
    inputs = keras.Input((1,))
    mixed = part("mixup").MixupModel(inputs, inputs)
    mixed.compile(loss="mse")
    values = keras.ops.convert_to_tensor([[0.0], [1.0], [2.0]])
    outputs = mixed(values, training=True)
    share, order = mixed.share, keras.ops.convert_to_numpy(mixed.order)
    first, other = values.cpu().numpy(), values.cpu().numpy()[order]
    found = keras.ops.convert_to_numpy(outputs)
    assert found == pytest.approx(share * first + (1 - share) * other, abs=1e-6)
    wanted = share * ((found - first) ** 2).mean() + (1 - share) * ((found - other) ** 2).mean()
    assert float(mixed.compute_loss(values, values, outputs, None, True)) == pytest.approx(wanted, abs=1e-6)


def test_token_ids_are_not_mixed(keras: Any) -> None:
    inputs = keras.Input((5,), dtype="int32")
    mixed = part("mixup").MixupModel(inputs, keras.layers.Embedding(9, 4)(inputs))
    with pytest.raises(TypeError, match="leave it out for text"):
        mixed(np.ones((2, 5), dtype="int32"), training=True)


def test_settings_of_the_optimizer_train(keras: Any) -> None:
    """What the lines for averaged weights and accumulated gradients name."""
    model, inputs, targets = classifier(keras)
    optimizer = keras.optimizers.Adam(0.1, use_ema=True, gradient_accumulation_steps=2)
    model.compile(optimizer=optimizer, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    callbacks = [
        keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
        keras.callbacks.EarlyStopping(monitor="val_loss", restore_best_weights=True),
    ]
    validation = (inputs, targets)
    history = model.fit(inputs, targets, 4, 2, verbose=0, callbacks=callbacks, validation_data=validation).history
    assert np.isfinite(history["val_loss"]).all()
    best = min(history["val_loss"])
    assert model.evaluate(*validation, batch_size=4, verbose=0) == pytest.approx(best, rel=1e-3)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_part_is_named_as_its_technique_says_and_needs_no_torch(path: Path) -> None:
    technique, code = BY_NAME[path.stem.removeprefix("keras_")], path.read_text()
    names = [node.name for node in ast.parse(code).body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    assert names and all(f"{name}(" in technique.keras for name in names)
    assert any(map(technique.shown_by, names))
    assert "torch" not in code


def judged(code: str, technique: str) -> str:
    facts = [Fact(name=technique, value=True, text=technique)]
    return next(row["verdict"] for row in conformance(code, SCRIPT.plan, facts) if row["name"] == technique)


def used(technique: str, use: str) -> str:
    """The script with the part, and this line in its training or at the start of its model."""
    segment = BY_NAME[technique].segment_in("keras")
    script = with_parts(SCRIPT.code, segment, [technique])
    before = "    model.compile(" if segment == "train" else "    x = layers.GlobalAveragePooling2D()(x)\n"
    assert script.count(before) == 1
    return script.replace(before, f"    {use}\n{before}")


@pytest.mark.parametrize("technique", [path.stem.removeprefix("keras_") for path in FILES])
def test_a_part_counts_once_it_is_used(technique: str) -> None:
    names = {"mixup": "MixupModel(model.input, model.output)"}
    use = names.get(technique) or USES[technique][0]
    unused = with_parts(SCRIPT.code, BY_NAME[technique].segment_in("keras"), [technique])
    assert unused != SCRIPT.code
    assert judged(unused, technique) == "not found"
    assert judged(used(technique, f"x = {use}"), technique) == "honoured"


def test_the_script_decides_which_part_it_is_given() -> None:
    in_torch = all_samples()["image-classification/small-cnn"].code
    assert "SqueezeExcitation" in defined(split(with_parts(in_torch, "model", ["squeeze_excitation"]))["model"])
    given = with_parts(SCRIPT.code, "model", ["squeeze_excitation", "depthwise_separable", "cross_validation"])
    added = set(defined(split(given)["model"])) - set(defined(split(SCRIPT.code)["model"]))
    assert added == {"squeeze_excitation"}, "what Keras has, and what we have no part for, adds nothing"
    assert with_parts(given, "model", ["squeeze_excitation"]) == given
