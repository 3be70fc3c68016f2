"""Extractive question answering with a Transformer encoder in Keras.

Finds the answer to a question as a span of a passage. Question, separator and passage form one sequence of tokens; two
softmaxes over its tokens choose the first and the last word of the answer. Two cues help where nothing was pre-trained:
passage words that occur in the question are marked, and a convolution shows each word its neighbours.

Data (--data PATH): a CSV file with the columns question, context and answer; the first occurrence of the answer in the
context is the span. Questions about one context stay in one split. vocabulary.json keeps the words for later use.
Result (--smoke): names behind the word that the question asks for, exact match above 0.8 after three epochs on a CPU.
"""

import argparse
import dataclasses
import json
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

os.environ.setdefault("KERAS_BACKEND", "torch")  # Keras reads it when it is imported
import keras
from keras import layers, ops

SEPARATOR = 2  # the token between question and passage; 0 is padding, 1 an unknown word
WORD = r"\w+|[^\w\s]"  # words and punctuation marks
Split = tuple[np.ndarray, np.ndarray]  # tokens (N, sequence_length), first and last token of the answers (N, 2)


@dataclass
class Config:
    """Every setting of the project; each field is a command line flag."""

    data: str = ""
    out: str = "outputs"
    smoke: bool = False
    seed: int = 42
    vocab_size: int = 30_000  # with padding, unknown word and separator
    sequence_length: int = 256  # question (at most a quarter), separator and passage; longer passages are cut
    hidden_size: int = 128
    num_layers: int = 3
    num_heads: int = 4
    dropout: float = 0.1
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    epochs: int = 20
    patience: int = 3  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, a small model, at most 256 tokens."""
        caps = {"vocab_size": 5000, "sequence_length": 256, "hidden_size": 64, "num_layers": 2}
        caps |= {"num_heads": 2, "dropout": 0.0, "batch_size": 8, "epochs": 3}
        return dataclasses.replace(self, **{name: min(getattr(self, name), cap) for name, cap in caps.items()})


def synthetic_data(config: Config) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Passages of three topics, each followed by up to three names: tokens (N, length), spans (N, 2), contexts (N,)."""
    generator = np.random.default_rng(config.seed)
    length, words = config.sequence_length, config.vocab_size - 3
    count, question = max(96, min(384, 100_000 // length)), max(1, length // 8)
    part = max(1, (length - question - 1) // 3)  # of the passage, for one topic
    topics, names, others = (3 + (10 * kind + np.arange(10)) % words for kind in range(3))
    tokens = generator.choice(others, (count, length))
    tokens[:, question] = SEPARATOR
    size = np.minimum(generator.integers(1, 4, (count, 3)), max(1, part - 1))
    place = question + 1 + part * np.arange(3) + (generator.random((count, 3)) * (part - size)).astype(int)
    place = np.minimum(place, length - 1 - size)
    topic = topics[generator.random((count, 10)).argsort(axis=1)[:, :3]]
    for step in range(4):  # a topic, then its names; steps beyond the last name write that one again
        written = generator.choice(names, (count, 3)) if step else topic
        np.put_along_axis(tokens, place + np.minimum(size, step), written, axis=1)
    rows, asked = np.arange(count), generator.integers(3, size=count)
    tokens[rows, generator.integers(question, size=count)] = topic[rows, asked]
    return tokens, np.stack([place + 1, place + size], axis=-1)[rows, asked], rows


def read_examples(config: Config) -> tuple[list[list[str]], np.ndarray, np.ndarray]:
    """Words (question, separator, passage), spans (N, 2) of first and last word, and context numbers (N,)."""
    columns, length = ["question", "context", "answer"], config.sequence_length
    try:
        table = pd.read_csv(config.data, dtype=str, keep_default_na=False)[columns]
    except (OSError, ValueError, KeyError) as error:
        raise SystemExit(f"{config.data}: no CSV file with the columns {', '.join(columns)}: {error}") from None
    texts, spans, contexts = [], [], []
    for row in table.itertuples():
        question, context, answer = (getattr(row, name).lower().strip() for name in columns)
        text = [*re.findall(WORD, question)[: length // 4], "[SEP]"]
        words = list(re.finditer(WORD, context))[: length - len(text)]
        begin, end = context.find(answer), context.find(answer) + len(answer)
        inside = [index for index, word in enumerate(words, len(text)) if word.start() < end and word.end() > begin]
        if answer and begin >= 0 and words and words[-1].end() >= end:
            texts.append(text + [word.group() for word in words])
            spans.append([inside[0], inside[-1]])
            contexts.append(context)
    print(f"{len(table) - len(texts)} of {len(table)} rows left out: no answer within {length} tokens")
    if len(set(contexts)) < 3:
        raise SystemExit(f"{config.data}: at least 3 different contexts that hold their answer are needed")
    return texts, np.array(spans), pd.factorize(pd.Series(contexts))[0]


def load_data(config: Config) -> tuple[Split, Split, Split]:
    """Training (70%), validation (15%) and test (15%) split of the contexts, with their questions."""
    tokens, spans, contexts = synthetic_data(config) if config.smoke else read_examples(config)
    order = np.random.default_rng(config.seed).permutation(contexts.max() + 1)
    held_out = max(1, round(0.15 * len(order)))
    parts = np.split(order, [len(order) - 2 * held_out, len(order) - held_out])
    splits = [np.flatnonzero(np.isin(contexts, part)) for part in parts]
    if not config.smoke:
        counts = Counter(word for row in splits[0] for word in tokens[row] if word != "[SEP]")
        known = enumerate(counts.most_common(config.vocab_size - 3), start=3)
        vocabulary = {"[SEP]": SEPARATOR} | {word: index for index, (word, _) in known}
        rows = [[vocabulary.get(word, 1) for word in text] for text in tokens]
        tokens = np.array([row + [0] * (config.sequence_length - len(row)) for row in rows])
        Path(config.out).mkdir(parents=True, exist_ok=True)
        Path(config.out, "vocabulary.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    train_set, val_set, test_set = ((tokens[rows], spans[rows]) for rows in splits)
    return train_set, val_set, test_set


class PassageMarks(layers.Layer):
    """Tokens (N, length) to marks (N, length): 1 in the passage, 2 at its words that the question has too, else 0."""

    def call(self, tokens: keras.KerasTensor) -> keras.KerasTensor:
        behind = ops.cumsum(ops.cast(ops.equal(tokens, SEPARATOR), "int32"), axis=1) > 0
        is_word = ops.not_equal(tokens, 0) & ops.not_equal(tokens, SEPARATOR)
        in_passage = behind & is_word
        asked = ops.where(is_word & ops.logical_not(behind) & ops.not_equal(tokens, 1), tokens, -1)
        shared = ops.any(ops.equal(ops.expand_dims(tokens, 2), ops.expand_dims(asked, 1)), axis=2)
        return ops.cast(in_passage, "int32") + ops.cast(in_passage & shared, "int32")


class PositionEmbedding(layers.Layer):
    """Adds a learned vector for each place: (N, length, size) stays."""

    def __init__(self, length: int, size: int) -> None:
        super().__init__()
        self.table = self.add_weight(shape=(length, size), initializer="uniform")

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return x + self.table


class PassageOnly(layers.Layer):
    """Logits (N, 2, length) that leave no probability outside the passage, where no answer stands."""

    def call(self, logits: keras.KerasTensor, marks: keras.KerasTensor) -> keras.KerasTensor:
        return ops.where(ops.expand_dims(marks, 1) > 0, logits, -1e4)


def transformer_block(x: keras.KerasTensor, visible: keras.KerasTensor, config: Config) -> keras.KerasTensor:
    """Attention to the visible words (N, 1, length), then a small network for each word, both added to what came in."""
    attended = layers.LayerNormalization(epsilon=1e-6)(x)
    size = max(1, config.hidden_size // config.num_heads)  # of each head
    attended = layers.MultiHeadAttention(config.num_heads, key_dim=size)(attended, attended, attention_mask=visible)
    x = layers.Add()([x, layers.Dropout(config.dropout)(attended)])
    hidden = layers.LayerNormalization(epsilon=1e-6)(x)
    hidden = layers.Dense(4 * config.hidden_size, activation="gelu")(hidden)
    hidden = layers.Dense(config.hidden_size)(hidden)
    return layers.Add()([x, layers.Dropout(config.dropout)(hidden)])


def build_model(config: Config) -> keras.Model:
    """Shapes: (N, sequence_length) -> (N, 2, sequence_length) logits of being first and last word of the answer."""
    tokens = keras.Input((config.sequence_length,), dtype="int64")
    marks = PassageMarks()(tokens)
    visible = ops.expand_dims(ops.not_equal(tokens, 0), 1)  # padding is not: (N, 1, sequence_length)
    x = layers.Embedding(config.vocab_size, config.hidden_size)(tokens)
    x = PositionEmbedding(config.sequence_length, config.hidden_size)(x)
    x = layers.Add()([x, layers.Embedding(3, config.hidden_size)(marks)])
    x = layers.Add()([x, layers.Conv1D(config.hidden_size, kernel_size=7, padding="same")(x)])
    x = layers.Dropout(config.dropout)(x)
    for _ in range(config.num_layers):
        x = transformer_block(x, visible, config)
    x = layers.LayerNormalization(epsilon=1e-6)(x)
    logits = layers.Permute((2, 1))(layers.Dense(2)(x))  # tokens last: they are the classes of the loss
    return keras.Model(tokens, PassageOnly()(logits, marks))


def build_loss(config: Config) -> keras.losses.Loss:
    """The training loss, called with (targets, outputs); it takes the tokens as classes, for start and for end."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build_optimizer(config: Config) -> keras.optimizers.Optimizer:
    """The optimizer of all weights."""
    return keras.optimizers.AdamW(learning_rate=config.learning_rate, weight_decay=config.weight_decay)


def train(model: keras.Model, train_set: Split, val_set: Split, config: Config) -> None:
    """Fit the model, stop early, and restore the weights with the lowest validation loss."""
    model.compile(optimizer=build_optimizer(config), loss=build_loss(config))
    best = keras.callbacks.EarlyStopping(monitor="val_loss", patience=config.patience, restore_best_weights=True)
    model.fit(
        *train_set,
        batch_size=config.batch_size,
        epochs=config.epochs,
        validation_data=val_set,
        callbacks=[best],
        verbose=2,
    )


def best_spans(outputs: np.ndarray) -> np.ndarray:
    """The most probable span of each row, first and last token (N, 2), the first never behind the last."""
    starts, ends = outputs[:, 0], outputs[:, 1]
    last = (np.maximum.accumulate(starts, axis=1) + ends).argmax(axis=1)  # with the best start up to each end
    up_to_last = np.arange(outputs.shape[2]) <= last[:, None]
    return np.stack([np.where(up_to_last, starts, -np.inf).argmax(axis=1), last], axis=1)


def compute_metrics(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Exact match and mean token overlap (F1) of the best spans with the true spans (N, 2)."""
    spans = best_spans(outputs)
    overlap = np.minimum(spans[:, 1], targets[:, 1]) - np.maximum(spans[:, 0], targets[:, 0]) + 1
    lengths = (spans[:, 1] - spans[:, 0]) + (targets[:, 1] - targets[:, 0]) + 2
    return {
        "exact_match": float((spans == targets).all(axis=1).mean()),
        "f1": float((2 * np.maximum(overlap, 0) / lengths).mean()),
    }


def evaluate(model: keras.Model, dataset: Split) -> dict[str, float]:
    """Metrics over all questions of the split."""
    inputs, targets = dataset
    return compute_metrics(model.predict(inputs, verbose=0), targets)


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """First and last token of the answer, (N, 2), for tokens (N, sequence_length)."""
    return best_spans(model.predict(inputs, verbose=0))


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Extractive question answering with a Transformer encoder in Keras.")
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
