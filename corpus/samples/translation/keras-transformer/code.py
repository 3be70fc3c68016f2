"""Translation with an encoder-decoder Transformer in Keras.

The encoder reads the sentence; the decoder writes the translation word by word and attends to both. In training all
words are learned at once, each given the true ones before it (teacher forcing behind a causal mask); in use each is
given what the decoder wrote, always the most probable word (greedy decoding). Both languages share one embedding, which
also names the next word (tied weights): few weights are left to learn from few sentences. Sinusoids tell the places
of the words. The loss is the cross-entropy of the words without padding.

Data (--data PATH): a UTF-8 text file, on each line a source sentence, a tab, and its translation. The common vocabulary
of both languages, taken from the training split, is kept in vocabulary.json.
Result (--smoke): sentences translated word by word, BLEU above 0.8 after four epochs on a CPU (untrained: 0.00).
"""

import argparse
import dataclasses
import json
import math
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "torch")  # Keras reads it when it is imported
import keras
from keras import layers

PADDING, END, START, UNKNOWN = range(4)  # the ids before the first word
Split = tuple[np.ndarray, np.ndarray]  # source and target sentences, both (N, sequence_length)


@dataclass
class Config:
    """Every setting of the project; each field is a command line flag."""

    data: str = ""
    out: str = "outputs"
    smoke: bool = False
    seed: int = 42
    vocab_size: int = 10_000  # of both languages together, with the four special ids
    sequence_length: int = 32  # words; longer sentences are cut, shorter ones padded
    hidden_size: int = 128  # width of the embeddings and of all layers
    num_layers: int = 2  # of the encoder, and of the decoder
    num_heads: int = 8
    dropout: float = 0.1
    batch_size: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    epochs: int = 40
    patience: int = 5  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: a narrow model, few examples, few epochs, at most 256 tokens."""
        caps = {"vocab_size": 1000, "sequence_length": 256, "hidden_size": 64, "num_layers": 2, "num_heads": 16}
        caps |= {"batch_size": 16, "epochs": 4}
        return dataclasses.replace(self, **{name: min(getattr(self, name), cap) for name, cap in caps.items()})


def read_pairs(path: str) -> list[list[list[str]]]:
    """The source and the target sentences, each a list of lower-case words and punctuation marks."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"{path}: cannot be read as text: {error}") from error
    pairs = [line.split("\t") for line in lines if line.strip()]
    if len(pairs) < 7 or any(len(pair) != 2 for pair in pairs):
        raise SystemExit(f"{path}: at least 7 lines are needed, each a source sentence, a tab, and a target sentence")
    return [[re.findall(r"\w+|[^\w\s]", pair[side].lower()) for pair in pairs] for side in (0, 1)]


def encode(texts: list[list[str]], vocabulary: dict[str, int], length: int) -> np.ndarray:
    """Ids (N, length), END after the last word: long texts are cut, short ones padded."""
    rows = [[vocabulary.get(word, UNKNOWN) for word in text[: length - 1]] + [END] for text in texts]
    return np.array([row + [PADDING] * (length - len(row)) for row in rows], dtype=np.int64)


def synthetic_data(config: Config) -> Split:
    """A made-up language: every word has its own translation; sources and targets (N, sequence_length)."""
    generator, length = np.random.default_rng(config.seed), config.sequence_length
    words, longest = min(12, config.vocab_size - 4), max(1, min(10, length - 1))
    count = max(64, min(400, 16_000 // length))
    ends = generator.integers((longest + 1) // 2, longest + 1, size=(count, 1))
    numbers = generator.integers(1, 3, size=(count, length)).cumsum(axis=1)
    ids = 4 + np.stack([numbers, numbers + 1]) % words  # (2, N, sequence_length)
    ids[:, np.arange(length) >= ends] = PADDING
    ids[:, np.arange(length) == ends] = END
    return ids[0], ids[1]


def load_data(config: Config) -> tuple[Split, Split, Split]:
    """Training (70%), validation (15%) and test (15%) split; the vocabulary knows the words of the first only."""
    sources, targets = synthetic_data(config) if config.smoke else read_pairs(config.data)
    held_out = round(0.15 * len(sources))
    order = np.random.default_rng(config.seed).permutation(len(sources))
    val_rows, test_rows, train_rows = np.split(order, [held_out, 2 * held_out])
    if not config.smoke:
        counts = Counter(word for side in (sources, targets) for row in train_rows for word in side[row])
        vocabulary = {word: index for index, (word, _) in enumerate(counts.most_common(config.vocab_size - 4), start=4)}
        sources, targets = (encode(side, vocabulary, config.sequence_length) for side in (sources, targets))
        Path(config.out).mkdir(parents=True, exist_ok=True)
        Path(config.out, "vocabulary.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    train_set, val_set, test_set = ((sources[rows], targets[rows]) for rows in (train_rows, val_rows, test_rows))
    return train_set, val_set, test_set


class PositionalEncoding(layers.Layer):
    """Adds sinusoids of rising wavelength, sine and cosine by turns, to enlarged words: (N, length, size) stays."""

    def __init__(self, length: int, size: int) -> None:
        super().__init__()
        channel = np.arange(size)
        angles = np.arange(length)[:, None] / 10_000 ** (2 * (channel // 2) / size)
        self.waves = np.where(channel % 2 == 0, np.sin(angles), np.cos(angles)).astype(np.float32)
        self.scale = math.sqrt(size)  # words and places are then both of about unit size

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return keras.ops.add(self.scale * x, self.waves)


class TiedDense(layers.Layer):
    """Logits of all words by the embedding's own table: (N, length, size) -> (N, length, words)."""

    def __init__(self, embedding: layers.Embedding) -> None:
        super().__init__()
        self.embedding = embedding

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return keras.ops.matmul(x, keras.ops.transpose(self.embedding.embeddings))


def attention_block(x: keras.KerasTensor, config: Config, **attended: keras.KerasTensor | bool) -> keras.KerasTensor:
    """Adds to each word what it attends to: among the words themselves, or among those of a `value` that is given."""
    words = layers.LayerNormalization(epsilon=1e-6)(x)
    size = max(1, config.hidden_size // config.num_heads)  # of each head
    seen = layers.MultiHeadAttention(config.num_heads, key_dim=size)(words, **{"value": words} | attended)
    return layers.Add()([x, layers.Dropout(config.dropout)(seen)])


def feed_forward_block(x: keras.KerasTensor, config: Config) -> keras.KerasTensor:
    """Adds to each word what a small network makes of it."""
    hidden = layers.LayerNormalization(epsilon=1e-6)(x)
    hidden = layers.Dense(4 * config.hidden_size, activation="relu")(hidden)
    hidden = layers.Dense(config.hidden_size)(hidden)
    return layers.Add()([x, layers.Dropout(config.dropout)(hidden)])


def build_encoder(config: Config, embedding: layers.Layer) -> keras.Model:
    """Source sentences to what each of their words means: (N, sequence_length) -> (N, sequence_length, hidden_size)."""
    sources = keras.Input((config.sequence_length,), dtype="int64")
    visible = keras.ops.expand_dims(keras.ops.not_equal(sources, PADDING), 1)  # (N, 1, sequence_length)
    x = PositionalEncoding(config.sequence_length, config.hidden_size)(embedding(sources))
    x = layers.Dropout(config.dropout)(x)
    for _ in range(config.num_layers):
        x = attention_block(x, config, attention_mask=visible)
        x = feed_forward_block(x, config)
    return keras.Model(sources, layers.LayerNormalization(epsilon=1e-6)(x), name="encoder")


def build_decoder(config: Config, embedding: layers.Layer) -> keras.Model:
    """[sources, what they mean, target words (N, sequence_length)] to the words that follow each, as logits."""
    sources = keras.Input((config.sequence_length,), dtype="int64")
    memory = keras.Input((config.sequence_length, config.hidden_size))
    words = keras.Input((config.sequence_length,), dtype="int64")
    visible = keras.ops.expand_dims(keras.ops.not_equal(sources, PADDING), 1)
    x = PositionalEncoding(config.sequence_length, config.hidden_size)(embedding(words))
    x = layers.Dropout(config.dropout)(x)
    for _ in range(config.num_layers):
        x = attention_block(x, config, use_causal_mask=True)
        x = attention_block(x, config, value=memory, attention_mask=visible)
        x = feed_forward_block(x, config)
    x = layers.LayerNormalization(epsilon=1e-6)(x)
    return keras.Model([sources, memory, words], TiedDense(embedding)(x), name="decoder")


def build_model(config: Config) -> keras.Model:
    """Shapes: (N, sequence_length) and (N, sequence_length) -> (N, sequence_length, vocab_size) logits of next words.

    The first input is the source sentence, the second is the target sentence, one word late.
    """
    small = keras.initializers.RandomNormal(stddev=config.hidden_size**-0.5)  # for logits of about unit size
    embedding = layers.Embedding(config.vocab_size, config.hidden_size, embeddings_initializer=small)
    sources = keras.Input((config.sequence_length,), dtype="int64")
    words = keras.Input((config.sequence_length,), dtype="int64")
    memory = build_encoder(config, embedding)(sources)
    return keras.Model([sources, words], build_decoder(config, embedding)([sources, memory, words]))


def build_loss(config: Config) -> keras.losses.Loss:
    """The training loss, called with (targets, outputs): the mean over the words without padding."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=PADDING)


def build_optimizer(config: Config) -> keras.optimizers.Optimizer:
    """The optimizer of all weights; clipped gradients replace the warm-up that Transformers often need."""
    return keras.optimizers.AdamW(learning_rate=config.learning_rate, weight_decay=config.weight_decay, clipnorm=1.0)


def teacher_forced(dataset: Split) -> tuple[list[np.ndarray], np.ndarray]:
    """What the model reads, the sources and the targets one word late, and what it is to write."""
    sources, targets = dataset
    return [sources, np.pad(targets[:, :-1], ((0, 0), (1, 0)), constant_values=START)], targets


def train(model: keras.Model, train_set: Split, val_set: Split, config: Config) -> None:
    """Fit the model, stop early, and restore the weights with the lowest validation loss."""
    model.compile(optimizer=build_optimizer(config), loss=build_loss(config))
    best = keras.callbacks.EarlyStopping(monitor="val_loss", patience=config.patience, restore_best_weights=True)
    model.fit(
        *teacher_forced(train_set),
        batch_size=config.batch_size,
        validation_data=teacher_forced(val_set),
        epochs=config.epochs,
        callbacks=[best],
        verbose=2,
    )


def corpus_bleu(predicted: list[list[int]], references: list[list[int]]) -> float:
    """BLEU in [0, 1] with n-grams up to four words, one reference each; one is added to all counts of n above one."""
    log_precision = 0.0
    for size in range(1, 5):
        hits = total = int(size > 1)
        for pair in zip(predicted, references, strict=True):
            found, wanted = (Counter(zip(*(words[n:] for n in range(size)), strict=False)) for words in pair)
            hits, total = hits + (found & wanted).total(), total + found.total()
        log_precision += math.log(max(hits, 1e-9) / max(total, 1)) / 4
    return math.exp(log_precision + min(0.0, 1 - sum(map(len, references)) / max(1, sum(map(len, predicted)))))


def compute_metrics(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Scores of predicted ids against true ids, both (N, sequence_length)."""
    predicted, references = (
        [[word for word in row if word > END] for row in ids.tolist()] for ids in (outputs, targets)
    )
    return {
        "token_accuracy": float((outputs == targets)[targets != PADDING].mean()),
        "exact_match": sum(a == b for a, b in zip(predicted, references, strict=True)) / len(references),
        "bleu": corpus_bleu(predicted, references),
    }


def evaluate(model: keras.Model, dataset: Split) -> dict[str, float]:
    """Metrics of the translations of all sentences of the split."""
    sources, targets = dataset
    return compute_metrics(predict(model, sources), targets)


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """Greedy translations, with padding behind END, of sentences; both (N, sequence_length)."""
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    words = np.pad(np.full_like(inputs, PADDING), ((0, 0), (1, 0)), constant_values=START)
    for start in range(0, len(inputs), 64):
        sources, written = inputs[start : start + 64], words[start : start + 64]
        memory = encoder.predict_on_batch(sources)
        for place in range(inputs.shape[1]):
            logits = decoder.predict_on_batch([sources, memory, written[:, :-1]])  # blind to the places ahead
            written[:, place + 1] = logits[:, place].argmax(axis=1)
            if (written == END).any(axis=1).all():
                break
    ended = np.cumsum(words == END, axis=1) - (words == END) > 0
    return np.where(ended, PADDING, words)[:, 1:]


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Translation with an encoder-decoder Transformer in Keras.")
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
