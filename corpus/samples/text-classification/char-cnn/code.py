"""Text classification with a character-level CNN (char-CNN).

Sorts texts into classes letter by letter, without any list of words. A misspelt, joined or new word shares most of its
letters with the right one, so that this model suits messages, product names, addresses and languages rich in endings.
Convolutions and poolings by turns see ever longer pieces: letters, syllables, words. Cross-entropy: one class a text.

Data (--data PATH): a CSV file with the columns text and label; labels may be any words or numbers. The characters of
the training texts and the class names are kept in characters.json.
Result (--smoke): texts with misspelt keywords of each class, F1 above 0.9 after five epochs on a CPU.
"""

import argparse
import copy
import dataclasses
import json
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F
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
    num_classes: int = 2
    vocab_size: int = 100  # different characters, with 0 for padding and 1 for unknown ones
    sequence_length: int = 400  # characters; longer texts are cut, shorter ones padded
    embedding_dim: int = 32
    num_filters: int = 128
    dropout: float = 0.5
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    epochs: int = 30
    patience: int = 5  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, at most 256 characters."""
        caps = {"sequence_length": 256, "batch_size": 16, "epochs": 5}
        return dataclasses.replace(self, **{name: min(getattr(self, name), cap) for name, cap in caps.items()})


def read_table(config: Config) -> tuple[list[str], Tensor, list[str]]:
    """Texts, class indices, and class names of the CSV file."""
    try:
        table = pd.read_csv(config.data, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{config.data}: cannot be read as CSV: {error}") from error
    if not {"text", "label"} <= set(table.columns) or len(table) < 20:
        raise SystemExit(f"{config.data}: needs 20 rows of text and label, has {len(table)} of {', '.join(table)}")
    names = sorted(table["label"].unique())
    if len(names) != config.num_classes:
        raise SystemExit(f"{config.data}: {len(names)} classes found, pass --num-classes {len(names)}")
    texts = list(table["text"].str.lower())
    return texts, torch.tensor([names.index(label) for label in table["label"]]), names


def synthetic_data(config: Config) -> TensorDataset:
    """Ids (N, sequence_length) of words, a third of them keywords of the class, a tenth of all letters mistyped."""
    count, length, letters = 320, config.sequence_length, config.vocab_size - 2
    labels = torch.arange(count) % config.num_classes
    keywords = torch.randint(letters, (config.num_classes, 4, 7), generator=torch.Generator().manual_seed(0))
    words = torch.randint(letters, (count, length // 7 + 1, 7))
    is_keyword = torch.rand(words.shape[:2]) < 0.35
    is_keyword[:, 0] = True
    chosen = keywords[labels.unsqueeze(1), torch.randint(4, is_keyword.shape)]  # (N, words, 7)
    words = torch.where(is_keyword.unsqueeze(2), chosen, words)
    words = torch.where(torch.rand(words.shape) < 0.1, torch.randint(letters, words.shape), words)
    ends = torch.randint((length + 1) // 2, length + 1, (count, 1))
    return TensorDataset((2 + words.flatten(1)[:, :length]).masked_fill(torch.arange(length) >= ends, 0), labels)


def stratified_split(labels: Tensor, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Indices of the training (70%), validation (15%) and test (15%) split, each with the same share of every class."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    order = order[labels[order].argsort(stable=True)]  # shuffled within each class, then dealt out in turn
    turn = 3 * torch.arange(len(order)) % 20
    return order[turn < 14], order[(turn >= 14) & (turn < 17)], order[turn >= 17]


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training, validation and test split; the characters are those of the training texts only."""
    if config.smoke:
        inputs, labels = synthetic_data(config).tensors
        splits = stratified_split(labels, config.seed)
    else:
        texts, labels, names = read_table(config)
        splits = stratified_split(labels, config.seed)
        counts = Counter(character for row in splits[0] for character in texts[row]).most_common(config.vocab_size - 2)
        characters = {character: index for index, (character, _) in enumerate(counts, start=2)}
        rows = [[characters.get(character, 1) for character in text[: config.sequence_length]] or [1] for text in texts]
        inputs = torch.tensor([row + [0] * (config.sequence_length - len(row)) for row in rows])
        kept = json.dumps({"classes": names, "characters": characters}, ensure_ascii=False)
        Path(config.out).mkdir(parents=True, exist_ok=True)
        Path(config.out, "characters.json").write_text(kept, encoding="utf-8")
    train_set, val_set, test_set = (TensorDataset(inputs[rows], labels[rows]) for rows in splits)
    size = config.batch_size
    return DataLoader(train_set, size, shuffle=True), DataLoader(val_set, size), DataLoader(test_set, size)


class CharCNN(nn.Module):
    """Three convolutions over the characters, two poolings between them; the maximum over the text is classified."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.num_filters
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_dim, padding_idx=0)
        self.letters = nn.Conv1d(config.embedding_dim, width, kernel_size=7, padding=3)
        self.words = nn.Conv1d(width, width, kernel_size=5, padding=2)
        self.phrases = nn.Conv1d(width, width, kernel_size=3, padding=1)
        self.head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(width, config.num_classes))

    def forward(self, characters: Tensor) -> Tensor:
        x = self.embedding(characters).transpose(1, 2)  # (N, embedding_dim, sequence_length)
        x = F.max_pool1d(self.letters(x).relu(), kernel_size=3, ceil_mode=True)
        x = F.max_pool1d(self.words(x).relu(), kernel_size=3, ceil_mode=True)
        return self.head(self.phrases(x).relu().amax(dim=2))


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, sequence_length) -> (N, num_classes) logits."""
    return CharCNN(config)


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return nn.CrossEntropyLoss()


def build_optimizer(model: nn.Module, config: Config) -> Optimizer:
    """The optimizer of all weights."""
    return torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)


def run_epoch(model: nn.Module, loader: DataLoader, criterion: nn.Module, optimizer: Optimizer | None = None) -> float:
    """Mean loss over the loader; the weights are updated when an optimizer is given."""
    model.train(optimizer is not None)
    total = 0.0
    with torch.set_grad_enabled(optimizer is not None):
        for inputs, targets in loader:
            inputs, targets = inputs.to(DEVICE), targets.to(DEVICE)
            loss = criterion(model(inputs), targets)
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            total += loss.item() * len(inputs)
    return total / len(loader.dataset)


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


def compute_metrics(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Accuracy, and the class averages of precision, recall and F1; outputs are logits (N, num_classes)."""
    num_classes = outputs.shape[1]
    pairs = targets * num_classes + outputs.argmax(dim=1)
    confusion = torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes).double()
    hits, found, wanted = confusion.diagonal(), confusion.sum(dim=0), confusion.sum(dim=1)
    seen = found + wanted > 0  # a class that occurs nowhere has no part in the averages
    return {
        "accuracy": (hits.sum() / confusion.sum()).item(),
        "precision": (hits / found.clamp(min=1))[seen].mean().item(),
        "recall": (hits / wanted.clamp(min=1))[seen].mean().item(),
        "f1": (2 * hits / (found + wanted).clamp(min=1))[seen].mean().item(),
    }


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over all examples of the loader."""
    model.eval()
    outputs, targets = zip(*((model(inputs.to(DEVICE)).cpu(), targets) for inputs, targets in loader), strict=True)
    return compute_metrics(torch.cat(outputs), torch.cat(targets))


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """The most probable class, (N,), of character ids (N, sequence_length)."""
    model.eval()
    return model(inputs.to(DEVICE)).argmax(dim=1).cpu()


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Text classification with a character-level CNN (char-CNN).")
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
