"""Node classification with a graph convolutional network in Keras.

Gives every node of one graph (papers that cite each other, users, proteins) a class. A layer mixes each node's features
with those of its neighbours, weighted by the symmetrically normalised adjacency matrix; two layers see neighbours of
neighbours. Learning is transductive: all nodes and edges are seen, but the loss knows the labels of the training split.
The graph is an input of the model, as a list of weighted edges, so that nothing of the size nodes x nodes is stored.

Data (--data PATH): a folder with nodes.csv (columns id, numeric features in any number, label; an empty label is an
unlabelled node) and edges.csv (columns source and target, ids of nodes). scaler.json keeps scales and class names.
Result (--smoke): communities with noisy features, accuracy 0.93 after 15 epochs on a CPU (chance: 0.14).
"""

import argparse
import dataclasses
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

os.environ.setdefault("KERAS_BACKEND", "torch")  # Keras reads it when it is imported
import keras
from keras import layers


@dataclass
class Config:
    """Every setting of the project; each field is a command line flag."""

    data: str = ""
    out: str = "outputs"
    smoke: bool = False
    seed: int = 42
    num_features: int = 32
    num_classes: int = 7
    hidden_size: int = 64
    num_layers: int = 2  # a node sees others up to so many edges away
    dropout: float = 0.5
    batch_size: int = 512  # labelled nodes per update; each update passes through the whole graph
    learning_rate: float = 1e-2
    weight_decay: float = 1e-2
    epochs: int = 200
    patience: int = 20  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: a small graph, small batches, few epochs."""
        return dataclasses.replace(self, batch_size=min(self.batch_size, 64), epochs=min(self.epochs, 15))


class Graph(NamedTuple):
    """Features (nodes, num_features), joined nodes (edges, 2) in both directions, with loops, and weights (edges,)."""

    features: np.ndarray
    edges: np.ndarray
    weights: np.ndarray


class Batches(keras.utils.PyDataset):
    """Batches of some labelled nodes: ((their numbers (n,), and the whole graph), their labels (n,))."""

    def __init__(self, graph: Graph, nodes: np.ndarray, targets: np.ndarray, config: Config, shuffle: bool) -> None:
        super().__init__()
        self.graph, self.nodes, self.targets, self.batch_size = graph, nodes, targets, config.batch_size
        self.shuffle = np.random.default_rng(config.seed) if shuffle else None
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self.nodes) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        rows = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return (self.nodes[rows], *self.graph), self.targets[rows]

    def on_epoch_end(self) -> None:
        if self.shuffle is not None:
            order = self.shuffle.permutation(len(self.nodes))
            self.nodes, self.targets = self.nodes[order], self.targets[order]


def synthetic_data(config: Config) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """One community per class: edges run within it three times in five, features are noisy."""
    generator = np.random.default_rng(config.seed)
    count = max(600, 40 * config.num_classes)
    labels = np.arange(count) % config.num_classes
    sources, hops = generator.integers(count, size=(2, 4 * count))
    inside = (sources + hops * config.num_classes) % (count - count % config.num_classes)  # a node of the same class
    targets = np.where(generator.random(4 * count) < 0.6, inside, hops)
    centres = generator.standard_normal((config.num_classes, config.num_features))
    features = centres[labels] + 4 * generator.standard_normal((count, config.num_features))
    return features, np.stack([sources, targets], axis=1), labels, [str(name) for name in range(config.num_classes)]


def read_graph(folder: Path, config: Config) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Features (nodes, num_features), edges (edges, 2), labels (nodes,), -1 if unknown, and names of the classes."""
    try:
        nodes = pd.read_csv(folder / "nodes.csv", dtype={"id": str, "label": str}).set_index("id")
        edges = pd.read_csv(folder / "edges.csv", dtype=str)[["source", "target"]]
        labels, names = pd.factorize(nodes.pop("label"), sort=True)
        features = nodes.to_numpy(np.float64)  # an empty cell is NaN
    except (OSError, ValueError, KeyError) as error:
        raise SystemExit(f"{folder}: nodes.csv or edges.csv is missing or lacks a column: {error}") from None
    for number, flag in ((nodes.shape[1], "num_features"), (len(names), "num_classes")):
        if number != getattr(config, flag):
            raise SystemExit(f"{folder / 'nodes.csv'}: pass --{flag.replace('_', '-')} {number}, as found there")
    ends = np.stack([nodes.index.unique().get_indexer(ids) for _, ids in edges.items()], axis=1)
    if (ends < 0).any() or not nodes.index.is_unique or np.bincount(labels[labels >= 0]).min() < 3:
        raise SystemExit(f"{folder}: ids must be unique, edges join known ids, every class have 3 nodes")
    return features, ends, labels, list(names)


def stratified_split(labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices of the training (70%), validation (15%) and test (15%) split, each with the same share of every class."""
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[labels[order].argsort(kind="stable")]  # shuffled within each class, then dealt out in turn
    turn = (17 + 9 * np.arange(len(order))) % 20  # the first three already fill all splits
    return order[turn < 14], order[(turn >= 14) & (turn < 17)], order[turn >= 17]


def weighted_edges(edges: np.ndarray, num_nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Edges in both directions and loops, each weighted by one over the roots of the degrees of its ends."""
    loops = np.arange(num_nodes).repeat(2).reshape(-1, 2)
    edges = np.unique(np.concatenate([edges, edges[:, ::-1], loops]), axis=0)  # an edge listed twice counts once
    degrees = np.bincount(edges[:, 0], minlength=num_nodes)
    return edges, (degrees[edges].prod(axis=1) ** -0.5).astype(np.float32)


def load_data(config: Config) -> tuple[Batches, Batches, Batches]:
    """Batches of the training, validation and test split of the labelled nodes, each with the graph of all nodes."""
    raw = synthetic_data(config) if config.smoke else read_graph(Path(config.data), config)
    features, edges, labels, classes = raw
    labelled = np.flatnonzero(labels >= 0)
    splits = [labelled[rows] for rows in stratified_split(labels[labelled], config.seed)]
    known = np.ma.masked_invalid(features[splits[0]])
    mean, std = known.mean(axis=0).filled(0.0), known.std(axis=0).filled(0.0)
    std[std < 1e-8] = 1  # a constant column carries nothing, but must not divide by zero
    features = np.nan_to_num((features - mean) / std).astype(np.float32)  # an empty cell becomes the mean
    learned = {"classes": classes, "mean": mean.tolist(), "std": std.tolist()}
    Path(config.out).mkdir(parents=True, exist_ok=True)
    Path(config.out, "scaler.json").write_text(json.dumps(learned, indent=2) + "\n", encoding="utf-8")
    graph = Graph(features, *weighted_edges(edges, len(features)))
    return tuple(Batches(graph, nodes, labels[nodes], config, shuffle=nodes is splits[0]) for nodes in splits)


class GraphConvolution(layers.Layer):
    """A dense layer, then the weighted sum over each node and its neighbours: (nodes, features) -> (nodes, units)."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units
        self.dense = layers.Dense(units)

    def build(self, shape: tuple[int | None, ...], *_: tuple[int | None, ...]) -> None:
        self.dense.build(shape)

    def call(self, x: keras.KerasTensor, edges: keras.KerasTensor, weights: keras.KerasTensor) -> keras.KerasTensor:
        sent = keras.ops.take(self.dense(x), edges[:, 0], axis=0) * weights[:, None]
        return keras.ops.segment_sum(sent, edges[:, 1], num_segments=keras.ops.shape(x)[0])

    def compute_output_shape(self, shape: tuple[int | None, ...], *_: tuple[int | None, ...]) -> tuple[int | None, int]:
        return shape[0], self.units


def build_model(config: Config) -> keras.Model:
    """Shapes: (N) -> (N, num_classes) logits of the nodes with these numbers; the other inputs are the graph."""
    nodes, edges = keras.Input((), dtype="int64"), keras.Input((2,), dtype="int64")
    features, weights = keras.Input((config.num_features,)), keras.Input(())
    x = features
    for _ in range(config.num_layers - 1):
        x = layers.Dropout(config.dropout)(x)
        x = GraphConvolution(config.hidden_size)(x, edges, weights)
        x = layers.ReLU()(x)
    x = layers.Dropout(config.dropout)(x)
    x = GraphConvolution(config.num_classes)(x, edges, weights)
    return keras.Model([nodes, features, edges, weights], keras.ops.take(x, nodes, axis=0), name="gcn")


def build_loss(config: Config) -> keras.losses.Loss:
    """The training loss, called with (targets, outputs)."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build_optimizer(config: Config) -> keras.optimizers.Optimizer:
    """The optimizer of all weights."""
    return keras.optimizers.AdamW(learning_rate=config.learning_rate, weight_decay=config.weight_decay)


def train(model: keras.Model, train_set: Batches, val_set: Batches, config: Config) -> None:
    """Fit the model, stop early, and restore the weights with the lowest validation loss."""
    model.compile(optimizer=build_optimizer(config), loss=build_loss(config), metrics=["accuracy"])
    best = keras.callbacks.EarlyStopping(monitor="val_loss", patience=config.patience, restore_best_weights=True)
    model.fit(train_set, validation_data=val_set, epochs=config.epochs, callbacks=[best], verbose=2)


def compute_metrics(outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Accuracy, and averages over the classes that occur, from logits (N, num_classes) and class numbers (N,)."""
    predicted, true = (np.eye(outputs.shape[1])[labels] for labels in (outputs.argmax(axis=1), targets))
    hits, found, wanted = (predicted * true).sum(axis=0), predicted.sum(axis=0), true.sum(axis=0)
    occurs = found + wanted > 0
    return {
        "accuracy": float(hits.sum() / wanted.sum()),
        "precision": float((hits / np.maximum(found, 1))[occurs].mean()),
        "recall": float((hits / np.maximum(wanted, 1))[occurs].mean()),
        "f1": float((2 * hits / np.maximum(found + wanted, 1))[occurs].mean()),
    }


def evaluate(model: keras.Model, dataset: Batches) -> dict[str, float]:
    """Metrics over all nodes of the data set."""
    return compute_metrics(model.predict(dataset, verbose=0), dataset.targets)


def predict(model: keras.Model, inputs: np.ndarray, graph: Graph) -> np.ndarray:
    """Class numbers (N,) for node numbers (N,) of the graph."""
    return model.predict_on_batch([inputs, *graph]).argmax(axis=1)


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Node classification with a graph convolutional network in Keras.")
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
    predictions = predict(model, np.arange(len(test_set.graph.features)), test_set.graph)  # the unlabelled nodes, too

    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    model.save_weights(out / "model.weights.h5")
    np.save(out / "predictions.npy", predictions)
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print("test:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
