"""Multi-label text classification with a Transformer encoder.

Tells which of several labels hold for a text: none, one or many (topics of an article, kinds of toxic speech). Each
label is a yes-or-no question of its own, hence one logit per label and binary cross-entropy on each. Self-attention
relates every word to every other one; the states of the words, without the padding, are averaged and classified.

Data (--data PATH): a CSV file with the column text, then one column per label, 0 or 1. The vocabulary of the training
texts and the label names, in the order of the outputs, are kept in vocabulary.json.
Result (--smoke): random words with keywords of each label, F1 above 0.85 after eight epochs on a CPU (all yes: 0.46).
"""

import argparse
import copy
import dataclasses
import json
import random
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass
class Config:
    """Every setting of the project; each field is a command line flag."""

    data: str = ""
    out: str = "outputs"
    smoke: bool = False
    seed: int = 42
    num_classes: int = 6  # labels, any number of which hold at once
    vocab_size: int = 20_000  # with 0 for padding and 1 for unknown words
    sequence_length: int = 200  # longer texts are cut, shorter ones padded
    hidden_size: int = 128
    num_layers: int = 2
    num_heads: int = 4  # lowered, with a message, where it does not divide hidden_size
    dropout: float = 0.1
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    epochs: int = 20
    patience: int = 3  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, a small model, at most 256 tokens."""
        caps = {"vocab_size": 5000, "sequence_length": 256, "batch_size": 8, "epochs": 8}
        caps |= {"hidden_size": 256, "num_layers": 4}
        return dataclasses.replace(self, **{name: min(getattr(self, name), cap) for name, cap in caps.items()})


def encode(texts: list[list[str]], vocabulary: dict[str, int], length: int) -> Tensor:
    """Ids (N, length): 1 for unknown words; long texts are cut, short ones padded with 0."""
    rows = [[vocabulary.get(word, 1) for word in text[:length]] or [1] for text in texts]
    return torch.tensor([row + [0] * (length - len(row)) for row in rows])


def read_table(config: Config) -> tuple[list[list[str]], Tensor, list[str]]:
    """Texts as lower-case words and punctuation marks, zeros and ones (N, num_classes), and the names of the labels."""
    try:
        table = pd.read_csv(config.data, dtype={"text": str}, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{config.data}: cannot be read as CSV: {error}") from error
    if "text" not in table or len(table) < 20:
        raise SystemExit(f"{config.data}: needs 20 rows with a column text, has {len(table)} of {', '.join(table)}")
    texts = [re.findall(r"\w+|[^\w\s]", text.lower()) for text in table.pop("text")]
    if len(table.columns) != config.num_classes:
        raise SystemExit(
            f"{config.data}: {len(table.columns)} columns of labels, but --num-classes {config.num_classes}"
        )
    if not table.isin([0, 1]).all(axis=None):
        raise SystemExit(f"{config.data}: every label must be 0 or 1")
    return texts, torch.from_numpy(table.to_numpy(dtype=np.float32)), list(table)


def synthetic_data(config: Config) -> TensorDataset:
    """Random words and keywords of the labels that hold: tokens (N, sequence_length), labels (N, num_classes)."""
    length, words = config.sequence_length, config.vocab_size - 2
    count = max(192, min(768, 48_000 // length))
    labels = (torch.rand(count, config.num_classes) < 0.3).float()
    shown = torch.multinomial(labels + 1e-6, length, replacement=True)  # a label of the text for every place in it
    keywords = (4 * shown + torch.randint(4, (count, length))) % words  # four for each label
    is_keyword = (torch.rand(count, length) < 0.5) & labels.any(dim=1, keepdim=True)
    others = torch.randint(min(4 * config.num_classes, words - 1), words, (count, length))
    ends = torch.randint((length + 1) // 2, length + 1, (count, 1))
    tokens = 2 + torch.where(is_keyword, keywords, others)
    return TensorDataset(tokens.masked_fill(torch.arange(length) >= ends, 0), labels)


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training (70%), validation (15%) and test (15%) split; the vocabulary is of the training texts."""
    texts, names = [], []
    if config.smoke:
        tokens, labels = synthetic_data(config).tensors
    else:
        texts, labels, names = read_table(config)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(config.seed))
    held_out = max(1, round(0.15 * len(labels)))
    splits = order[: -2 * held_out], order[-2 * held_out : -held_out], order[-held_out:]
    if not config.smoke:
        counts = Counter(word for row in splits[0] for word in texts[row]).most_common(config.vocab_size - 2)
        vocabulary = {word: index for index, (word, _) in enumerate(counts, start=2)}
        tokens = encode(texts, vocabulary, config.sequence_length)
        path = Path(config.out, "vocabulary.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"labels": names, "words": vocabulary}, ensure_ascii=False), encoding="utf-8")
    train_set, val_set, test_set = (TensorDataset(tokens[rows], labels[rows]) for rows in splits)
    size = config.batch_size
    return DataLoader(train_set, size, shuffle=True), DataLoader(val_set, size), DataLoader(test_set, size)


class TransformerClassifier(nn.Module):
    """Token and position embedding, Transformer encoder, mean over the words and a logit for each label."""

    def __init__(self, config: Config, num_heads: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=0)
        self.positions = nn.Embedding(config.sequence_length, config.hidden_size)
        sizes = (config.hidden_size, num_heads, 4 * config.hidden_size, config.dropout)
        layer = nn.TransformerEncoderLayer(*sizes, activation="gelu", batch_first=True, norm_first=True)
        norm = nn.LayerNorm(config.hidden_size)
        self.encoder = nn.TransformerEncoder(layer, config.num_layers, norm, enable_nested_tensor=False)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden_size, config.num_classes)

    def forward(self, tokens: Tensor) -> Tensor:
        padding = tokens == 0
        padding[:, 0] = False  # attention to nothing at all would be NaN
        x = self.embedding(tokens) + self.positions(torch.arange(tokens.shape[1], device=tokens.device))
        x = self.encoder(self.dropout(x), src_key_padding_mask=padding)
        words = (~padding).unsqueeze(-1)
        return self.head((x * words).sum(dim=1) / words.sum(dim=1))


def usable_heads(config: Config) -> int:
    """The largest number of heads up to num_heads that divides hidden_size; says so if that is not num_heads."""
    heads = max(number for number in range(1, config.num_heads + 1) if config.hidden_size % number == 0)
    if heads != config.num_heads:
        print(f"hidden_size {config.hidden_size} is no multiple of num_heads {config.num_heads}: using {heads} heads")
    return heads


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, sequence_length) -> (N, num_classes) logits, one per label."""
    return TransformerClassifier(config, usable_heads(config))


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return nn.BCEWithLogitsLoss()


def build_optimizer(model: nn.Module, config: Config) -> Optimizer:
    """The optimizer of all weights."""
    return torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)


def run_epoch(model: nn.Module, loader: DataLoader, criterion: nn.Module, optimizer: Optimizer | None = None) -> float:
    """Mean loss over the loader; the weights are updated when an optimizer is given."""
    model.train(optimizer is not None)
    total, count = 0.0, 0
    with torch.set_grad_enabled(optimizer is not None):
        for inputs, targets in loader:
            inputs, targets = inputs.to(DEVICE), targets.to(DEVICE)
            loss = criterion(model(inputs), targets)
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            total += loss.item() * len(inputs)
            count += len(inputs)
    return total / count


def train(model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, config: Config) -> None:
    """Fit the model, stop early, and restore the weights with the lowest validation loss."""
    criterion, optimizer = build_loss(config), build_optimizer(model, config)
    best_loss, best_weights, waited = float("inf"), copy.deepcopy(model.state_dict()), 0
    for epoch in range(1, config.epochs + 1):
        train_loss = run_epoch(model, train_loader, criterion, optimizer)
        val_loss = run_epoch(model, val_loader, criterion)
        print(f"epoch {epoch}/{config.epochs}: training loss {train_loss:.4f}, validation loss {val_loss:.4f}")
        waited += 1
        if val_loss < best_loss:
            best_loss, best_weights, waited = val_loss, copy.deepcopy(model.state_dict()), 0
        if waited >= config.patience:
            break
    model.load_state_dict(best_weights)


def average_precision(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean precision at the rank of each true example, for every label: (N, num_classes) -> (num_classes,)."""
    hits = targets.gather(0, outputs.argsort(dim=0, descending=True))
    precision = hits.cumsum(dim=0) / torch.arange(1, len(hits) + 1).unsqueeze(1)
    return (precision * hits).sum(dim=0) / hits.sum(dim=0).clamp(min=1)


def compute_metrics(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Averages over the labels that occur, from logits and zeros and ones, both (N, num_classes)."""
    predicted = (outputs > 0).float()
    overlap, found, wanted = (predicted * targets).sum(dim=0), predicted.sum(dim=0), targets.sum(dim=0)
    occurs = (found + wanted > 0).sum().clamp(min=1)  # all ratios below are 0 where a label does not occur
    return {
        "f1": ((2 * overlap / (found + wanted).clamp(min=1)).sum() / occurs).item(),
        "precision": ((overlap / found.clamp(min=1)).sum() / occurs).item(),
        "recall": ((overlap / wanted.clamp(min=1)).sum() / occurs).item(),
        "mean_average_precision": (average_precision(outputs, targets).sum() / (wanted > 0).sum().clamp(min=1)).item(),
        "subset_accuracy": (predicted == targets).all(dim=1).float().mean().item(),
        "hamming_loss": (predicted != targets).float().mean().item(),
    }


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over all examples of the loader."""
    model.eval()
    outputs, targets = zip(*((model(inputs.to(DEVICE)).cpu(), targets) for inputs, targets in loader), strict=True)
    return compute_metrics(torch.cat(outputs), torch.cat(targets))


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """Zeros and ones (N, num_classes), one per label, for tokens (N, sequence_length)."""
    model.eval()
    return (model(inputs.to(DEVICE)) > 0).to(torch.uint8).cpu()


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Multi-label text classification with a Transformer encoder.")
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
    random.seed(config.seed)
    np.random.seed(config.seed)
    torch.manual_seed(config.seed)
    train_loader, val_loader, test_loader = load_data(config)
    model = build_model(config).to(DEVICE)
    train(model, train_loader, val_loader, config)
    metrics = evaluate(model, test_loader)
    predictions = torch.cat([predict(model, inputs) for inputs, _ in test_loader])

    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), out / "model.pt")
    np.save(out / "predictions.npy", predictions.numpy())
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print("test:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
