"""Text generation with an LSTM in Keras, character by character.

An LSTM reads a text and tells, after every character, how likely each character comes next. To write, the same layers
are wired up a second time with their states as inputs and outputs: every new character then costs one step, however
long the text has grown, and nothing that was read is cut off. Clipped gradients keep the recurrent network from
leaping. Cross-entropy is the logarithm of the perplexity that is reported.

Data (--data PATH): one UTF-8 text file (a book, verses, source code), some ten thousand characters or more.
Result (--smoke): sentences of a small grammar, perplexity below 2 after four epochs on a CPU.
"""

import argparse
import dataclasses
import json
import math
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "torch")  # Keras reads it when it is imported
import keras
from keras import layers

Split = tuple[np.ndarray, np.ndarray]


@dataclass
class Config:
    """Every setting of the project; each field is a command line flag."""

    data: str = ""
    out: str = "outputs"
    smoke: bool = False
    seed: int = 42
    vocab_size: int = 128  # characters, with 0 for padding and 1 for unknown ones
    sequence_length: int = 80  # characters of one training example
    embedding_dim: int = 32
    hidden_size: int = 256
    num_layers: int = 1
    dropout: float = 0.2
    prompt: str = "The "  # the generated text begins with it
    generated_length: int = 300  # characters
    temperature: float = 0.8  # below 1 the likely characters are preferred, above 1 the text gets wilder
    batch_size: int = 64
    learning_rate: float = 5e-3
    epochs: int = 30
    patience: int = 3  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU, where a recurrent layer takes its time for every character."""
        caps = {"vocab_size": 5000, "sequence_length": 24, "hidden_size": 256, "num_layers": 3}
        caps |= {"batch_size": 16, "epochs": 4, "generated_length": 100}
        return dataclasses.replace(self, **{name: min(getattr(self, name), cap) for name, cap in caps.items()})


def synthetic_data(config: Config) -> str:
    """Simple sentences of a small grammar, long enough for every split."""
    generator = np.random.default_rng(config.seed)
    nouns, verbs, colours = ("cat", "dog", "bird", "child"), ("sees", "likes", "follows"), ("red", "green", "small")
    sentences = [
        "The {} {} the {} {}.\n".format(*(generator.choice(words) for words in (nouns, verbs, colours, nouns)))
        for _ in range(330)
    ]
    return "".join(sentences)  # about nine thousand characters


def cut_pieces(ids: np.ndarray, length: int, stride: int) -> Split:
    """Pieces of the text and the same pieces one character later, both (N, length)."""
    pieces = np.lib.stride_tricks.sliding_window_view(ids, length + 1)[::stride]
    return pieces[:, :-1], pieces[:, 1:]


def load_data(config: Config) -> tuple[Split, Split, Split]:
    """The first 70% of the text (training), the next 15% (validation) and the last 15% (test), cut into pieces.

    vocabulary.json keeps the characters of the training part.
    """
    try:
        text = synthetic_data(config) if config.smoke else Path(config.data).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"{config.data}: cannot be read as text: {error}") from error
    length, held_out = config.sequence_length, round(0.15 * len(text))
    if held_out <= length:
        raise SystemExit(f"{config.data}: {len(text)} characters are too few, pass --sequence-length {held_out // 2}")
    counts = Counter(text[: -2 * held_out]).most_common(config.vocab_size - 2)
    vocabulary = {character: index for index, (character, _) in enumerate(counts, start=2)}
    ids = np.array([vocabulary.get(character, 1) for character in text], dtype=np.int64)
    Path(config.out).mkdir(parents=True, exist_ok=True)
    Path(config.out, "vocabulary.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    train_set = cut_pieces(ids[: -2 * held_out], length, max(1, length // 2))
    val_set = cut_pieces(ids[-2 * held_out : -held_out], length, length)
    test_set = cut_pieces(ids[-held_out:], length, length)
    return train_set, val_set, test_set


def build_model(config: Config) -> keras.Model:
    """Shapes: (N, sequence_length) -> (N, sequence_length, vocab_size) logits of the next character."""
    inputs = keras.Input((None,), dtype="int64")  # any length
    x = layers.Embedding(config.vocab_size, config.embedding_dim)(inputs)
    for _ in range(config.num_layers):
        x, *_ = layers.LSTM(config.hidden_size, return_sequences=True, return_state=True)(x)  # states: build_writer()
        x = layers.Dropout(config.dropout)(x)
    return keras.Model(inputs, layers.Dense(config.vocab_size)(x))


def build_loss(config: Config) -> keras.losses.Loss:
    """The training loss, called with (targets, outputs)."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build_optimizer(config: Config) -> keras.optimizers.Optimizer:
    """The optimizer of all weights."""
    return keras.optimizers.Adam(learning_rate=config.learning_rate, clipnorm=1.0)


def train(model: keras.Model, train_set: Split, val_set: Split, config: Config) -> None:
    """Fit the model, stop early, and restore the weights with the lowest validation loss."""
    model.compile(optimizer=build_optimizer(config), loss=build_loss(config), metrics=["accuracy"])
    best = keras.callbacks.EarlyStopping(monitor="val_loss", patience=config.patience, restore_best_weights=True)
    model.fit(
        *train_set,
        batch_size=config.batch_size,
        epochs=config.epochs,
        validation_data=val_set,
        callbacks=[best],
        verbose=2,
    )


def compute_metrics(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Quality of the next character: logits (N, length, vocab_size) against targets (N, length)."""
    logits = outputs.astype(np.float64) - outputs.max(axis=2, keepdims=True)
    right = np.take_along_axis(logits, targets[:, :, None], axis=2)[:, :, 0]
    loss = float((np.log(np.exp(logits).sum(axis=2)) - right).mean())
    accuracy = float((outputs.argmax(axis=2) == targets).mean())
    return {"cross_entropy": loss, "perplexity": math.exp(loss), "accuracy": accuracy}


def evaluate(model: keras.Model, dataset: Split) -> dict[str, float]:
    """Metrics over the split, added up batch by batch, since the logits of a whole text would not fit into memory."""
    inputs, targets = dataset
    sums: Counter[str] = Counter()
    for start in range(0, len(inputs), 64):
        batch = slice(start, start + 64)
        metrics = compute_metrics(model.predict_on_batch(inputs[batch]), targets[batch])
        sums.update({name: value * len(inputs[batch]) for name, value in metrics.items()})
    means = {name: total / len(inputs) for name, total in sums.items()}
    return means | {"perplexity": math.exp(means["cross_entropy"])}


def build_writer(model: keras.Model) -> keras.Model:
    """The layers of the model, with states: [characters (N, length), *states] -> [logits (N, length, vocab), *states].

    Every LSTM has two states of shape (N, hidden_size); those that come out go in with the next character.
    """
    characters = keras.Input((None,), dtype="int64")
    x, before, after = characters, [], []
    for layer in model.layers[1:]:
        if isinstance(layer, layers.LSTM):
            states = [keras.Input((layer.units,)) for _ in range(2)]
            x, *new_states = layer(x, initial_state=states)
            before, after = before + states, after + new_states
        else:
            x = layer(x)
    return keras.Model([characters, *before], [x, *after])


def predict(model: keras.Model, prompt: str, config: Config) -> str:
    """The prompt continued by generated_length characters, drawn one by one from the model's distribution."""
    vocabulary = json.loads(Path(config.out, "vocabulary.json").read_text(encoding="utf-8"))
    characters, generator = list(vocabulary), np.random.default_rng(config.seed)
    writer = build_writer(model)
    states = [np.zeros((1, config.hidden_size), np.float32) for _ in writer.inputs[1:]]
    unread = [vocabulary.get(character, 1) for character in prompt] or [1]
    for _ in range(config.generated_length):
        logits, *states = writer.predict_on_batch([np.array([unread]), *states])
        known = logits[0, -1, 2 : 2 + len(characters)].astype(np.float64)  # neither padding nor unknown
        weights = np.exp((known - known.max()) / max(config.temperature, 1e-3))
        choice = int(generator.choice(len(characters), p=weights / weights.sum()))
        unread, prompt = [2 + choice], prompt + characters[choice]
    return prompt


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Text generation with an LSTM in Keras, character by character.")
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
    """Train, evaluate on the test split, and save weights, metrics and a generated text."""
    config = parse_config()
    keras.utils.set_random_seed(config.seed)
    train_set, val_set, test_set = load_data(config)
    model = build_model(config)
    train(model, train_set, val_set, config)
    metrics = evaluate(model, test_set)
    text = predict(model, config.prompt, config)

    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    model.save_weights(out / "model.weights.h5")
    (out / "generated.txt").write_text(text + "\n", encoding="utf-8")
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print("test:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
