"""Token classification with a bidirectional LSTM tagger in Keras.

Gives every word of a sentence a tag: named entities in BIO spelling, or parts of speech. The LSTM reads the sentence
in both directions, so each word is judged by what stands before and behind it. The embedding masks padding, which the
layers behind it then skip; its target -100 is ignored by the loss and by the metrics. Whole features of the embedding
are dropped (spatial dropout), since single numbers are easily guessed from their neighbours.

Data (--data PATH): a text file in CoNLL form, "word<space or tab>tag" on each line, a blank line between sentences.
Class 0 is always O (no entity); part-of-speech tags leave it unused. vocabulary.json keeps words and tags.
Result (--smoke): words with fixed tags, unknown ones tagged like the word before, F1 above 0.9 after four epochs.
"""

import argparse
import dataclasses
import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "torch")  # Keras reads it when it is imported
import keras
from keras import layers

IGNORED = -100  # the target of padding
Split = tuple[np.ndarray, np.ndarray]  # tokens and tags, both (N, sequence_length)


@dataclass
class Config:
    """Every setting of the project; each field is a command line flag."""

    data: str = ""
    out: str = "outputs"
    smoke: bool = False
    seed: int = 42
    num_classes: int = 9  # tags, O included
    vocab_size: int = 20_000  # with 0 for padding and 1 for unknown words
    sequence_length: int = 64  # longer sentences are cut, shorter ones padded
    embedding_dim: int = 128
    hidden_size: int = 128  # of each direction
    dropout: float = 0.3
    batch_size: int = 32
    learning_rate: float = 2e-3
    epochs: int = 30
    patience: int = 5  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, a small model, at most 20 tokens."""
        caps = {"vocab_size": 5000, "sequence_length": 20, "batch_size": 8, "epochs": 4, "hidden_size": 128}
        return dataclasses.replace(self, **{name: min(getattr(self, name), cap) for name, cap in caps.items()})


def read_sentences(path: str) -> tuple[list[list[str]], list[list[str]]]:
    """Words and tags of the sentences in a CoNLL file: its first and last column."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"{path}: cannot be read as text: {error}") from error
    words: list[list[str]] = [[]]
    tags: list[list[str]] = [[]]
    for number, line in enumerate([*lines, ""], start=1):
        fields = line.split()
        if len(fields) == 1:
            raise SystemExit(f"{path}, line {number}: a word and its tag are needed, found {line!r}")
        if fields:
            words[-1].append(fields[0])
            tags[-1].append(fields[-1])
        elif words[-1]:
            words.append([])
            tags.append([])
    return words[:-1], tags[:-1]


def encode(rows: list[list[str]], ids: dict[str, int], other: int, padding: int, length: int) -> np.ndarray:
    """Ids (N, length) of words or tags: long rows are cut, short ones padded."""
    known = [[ids.get(entry, other) for entry in row[:length]] for row in rows]
    return np.array([row + [padding] * (length - len(row)) for row in known], dtype=np.int64)


def synthetic_data(config: Config) -> Split:
    """Random sentences: tokens (N, sequence_length) and tags (N, sequence_length)."""
    generator, length = np.random.default_rng(config.seed), config.sequence_length
    shape = (max(96, min(400, 12_000 // length)), length)
    tags = np.where(generator.random(shape) < 0.4, generator.integers(config.num_classes, size=shape), 0)
    word = generator.integers(4, size=shape)  # each tag has four words
    tokens = 2 + (tags + config.num_classes * word) % (config.vocab_size - 2)
    unknown = generator.random(shape) < 0.15
    for step in range(1, length):  # only the context tells the tag of an unknown word
        tags[:, step] = np.where(unknown[:, step], tags[:, step - 1], tags[:, step])
        tokens[:, step] = np.where(unknown[:, step], 1, tokens[:, step])
    padding = np.arange(length) >= generator.integers((length + 1) // 2, length + 1, size=(shape[0], 1))
    return np.where(padding, 0, tokens), np.where(padding, IGNORED, tags)


def load_data(config: Config) -> tuple[Split, Split, Split]:
    """Training (70%), validation (15%) and test (15%) split; the vocabulary knows the first only."""
    words, tags = ([], []) if config.smoke else read_sentences(config.data)
    tokens, targets = synthetic_data(config) if config.smoke else (words, tags)
    if len(tokens) < 7:
        raise SystemExit(f"{config.data}: at least 7 sentences are needed, found {len(tokens)}")
    held_out = round(0.15 * len(tokens))
    val_rows, test_rows, train_rows = np.split(
        np.random.default_rng(config.seed).permutation(len(tokens)), [held_out, 2 * held_out]
    )
    if not config.smoke:
        names = ["O", *sorted({tag for row in tags for tag in row} - {"O"})]
        if len(names) != config.num_classes:
            raise SystemExit(f"{config.data}: {len(names)} tags found (O included), pass --num-classes {len(names)}")
        counts = Counter(word for row in train_rows for word in words[row]).most_common(config.vocab_size - 2)
        vocabulary = {word: index for index, (word, _) in enumerate(counts, start=2)}
        tokens = encode(words, vocabulary, 1, 0, config.sequence_length)
        targets = encode(tags, {name: index for index, name in enumerate(names)}, 0, IGNORED, config.sequence_length)
        path = Path(config.out, "vocabulary.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"tags": names, "words": vocabulary}, ensure_ascii=False), encoding="utf-8")
    train_set, val_set, test_set = ((tokens[rows], targets[rows]) for rows in (train_rows, val_rows, test_rows))
    return train_set, val_set, test_set


def build_model(config: Config) -> keras.Model:
    """Shapes: (N, sequence_length) -> (N, sequence_length, num_classes) logits of each word."""
    inputs = keras.Input((config.sequence_length,), dtype="int64")
    x = layers.Embedding(config.vocab_size, config.embedding_dim, mask_zero=True)(inputs)
    x = layers.SpatialDropout1D(config.dropout)(x)
    x = layers.Bidirectional(layers.LSTM(config.hidden_size, return_sequences=True))(x)
    x = layers.Dropout(config.dropout)(x)
    return keras.Model(inputs, layers.Dense(config.num_classes)(x))


def build_loss(config: Config) -> keras.losses.Loss:
    """The training loss, called with (targets, outputs): mean over the words without padding."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=IGNORED)


def build_optimizer(config: Config) -> keras.optimizers.Optimizer:
    """The optimizer of all weights."""
    return keras.optimizers.Adam(learning_rate=config.learning_rate)


def train(model: keras.Model, train_set: Split, val_set: Split, config: Config) -> None:
    """Fit the model, stop early, and restore the weights with the lowest validation loss."""
    model.compile(optimizer=build_optimizer(config), loss=build_loss(config))
    best = keras.callbacks.EarlyStopping(monitor="val_loss", patience=config.patience, restore_best_weights=True)
    model.fit(
        *train_set,
        batch_size=config.batch_size,
        validation_data=val_set,
        epochs=config.epochs,
        callbacks=[best],
        verbose=2,
    )


def compute_metrics(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Scores of logits (N, length, classes) without padding; averages are macro averages over the tags other than O."""
    counted, num_classes = targets != IGNORED, outputs.shape[2]
    predicted, true = outputs.argmax(axis=2)[counted], targets[counted]
    hits = np.bincount(true[predicted == true], minlength=num_classes)[1:]
    found, wanted = (np.bincount(tags, minlength=num_classes)[1:] for tags in (predicted, true))
    present = max(1, int((found + wanted > 0).sum()))  # tags that occur at all
    return {
        "accuracy": float((predicted == true).mean()),
        "precision": float((hits / np.maximum(found, 1)).sum() / present),
        "recall": float((hits / np.maximum(wanted, 1)).sum() / present),
        "f1": float((2 * hits / np.maximum(found + wanted, 1)).sum() / present),
    }


def evaluate(model: keras.Model, dataset: Split) -> dict[str, float]:
    """Metrics over all examples of the split."""
    tokens, targets = dataset
    return compute_metrics(model.predict(tokens, verbose=0), targets)


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """The tag of each token, both (N, sequence_length); padding gets -100."""
    return np.where(inputs == 0, IGNORED, model.predict(inputs, verbose=0).argmax(axis=2))


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Token classification with a bidirectional LSTM tagger in Keras.")
    for field in dataclasses.fields(Config):
        flag = "--" + field.name.replace("_", "-")
        if isinstance(field.default, bool):
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=field.default)
        else:
            parser.add_argument(flag, type=type(field.default), default=field.default, help="default: %(default)s")
    config = Config(**vars(parser.parse_args()))
    if not (config.data or config.smoke):
        parser.error("give --data PATH for real data, or --smoke for a quick trial on synthetic data")
    return config.for_smoke() if config.smoke else config


def main() -> None:
    """Train, evaluate on the test split, and save weights, metrics and predictions."""
    config = parse_config()
    keras.utils.set_random_seed(config.seed)
    train_set, val_set, test_set = load_data(config)
    model = build_model(config)
    train(model, train_set, val_set, config)
    metrics = evaluate(model, test_set)
    predictions = predict(model, test_set[0])

    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    model.save_weights(out / "model.weights.h5")
    np.save(out / "predictions.npy", predictions)
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print("test:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
