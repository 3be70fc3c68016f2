"""Token classification with a bidirectional LSTM tagger.

Gives every word of a sentence a tag: named entities in BIO spelling, or parts of speech. The LSTM reads the sentence
in both directions, so each word is judged by what stands before and behind it. Cross-entropy is taken word by word;
padding has the target -100 and counts neither in the loss nor in the metrics.

Data (--data PATH): a text file in CoNLL form, "word<space or tab>tag" on each line, a blank line between sentences.
Class 0 is always O (no entity); part-of-speech tags leave it unused. vocabulary.json keeps words and tags.
Result (--smoke): words with fixed tags, unknown ones tagged like the word before, F1 above 0.9 after four epochs.
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
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.optim import Optimizer
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
IGNORED = -100  # the target of padding


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
    num_layers: int = 1
    dropout: float = 0.3
    batch_size: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 1e-5
    epochs: int = 30
    patience: int = 5  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, a small model, at most 256 tokens."""
        caps = {"vocab_size": 5000, "sequence_length": 256, "batch_size": 8, "epochs": 4}
        caps |= {"hidden_size": 256, "num_layers": 4}
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


def encode(rows: list[list[str]], ids: dict[str, int], other: int, padding: int, length: int) -> Tensor:
    """Ids (N, length) of words or tags: long rows are cut, short ones padded."""
    known = [[ids.get(entry, other) for entry in row[:length]] for row in rows]
    return torch.tensor([row + [padding] * (length - len(row)) for row in known])


def synthetic_data(config: Config) -> TensorDataset:
    """Random sentences: tokens (N, sequence_length) and tags (N, sequence_length)."""
    length = config.sequence_length
    shape = (max(96, min(256, 20_000 // length)), length)
    tags = torch.where(torch.rand(shape) < 0.4, torch.randint(config.num_classes, shape), 0)
    tokens = 2 + (tags + config.num_classes * torch.randint(4, shape)) % (config.vocab_size - 2)  # four words each
    unknown = torch.rand(shape) < 0.15
    for step in range(1, length):  # only the context tells the tag of an unknown word
        tags[:, step] = torch.where(unknown[:, step], tags[:, step - 1], tags[:, step])
        tokens[:, step] = torch.where(unknown[:, step], 1, tokens[:, step])
    padding = torch.arange(length) >= torch.randint((length + 1) // 2, length + 1, (shape[0], 1))
    return TensorDataset(tokens.masked_fill(padding, 0), tags.masked_fill(padding, IGNORED))


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training (70%), validation (15%) and test (15%) split; the vocabulary knows the first only."""
    words, tags = ([], []) if config.smoke else read_sentences(config.data)
    tokens, targets = synthetic_data(config).tensors if config.smoke else (words, tags)
    if len(tokens) < 7:
        raise SystemExit(f"{config.data}: at least 7 sentences are needed, found {len(tokens)}")
    held_out = round(0.15 * len(tokens))
    order = torch.randperm(len(tokens), generator=torch.Generator().manual_seed(config.seed))
    splits = order[2 * held_out :], order[:held_out], order[held_out : 2 * held_out]
    if not config.smoke:
        names = ["O", *sorted({tag for row in tags for tag in row} - {"O"})]
        if len(names) != config.num_classes:
            raise SystemExit(f"{config.data}: {len(names)} tags found (O included), pass --num-classes {len(names)}")
        counts = Counter(word for row in splits[0] for word in words[row]).most_common(config.vocab_size - 2)
        vocabulary = {word: index for index, (word, _) in enumerate(counts, start=2)}
        tokens = encode(words, vocabulary, 1, 0, config.sequence_length)
        targets = encode(tags, {name: index for index, name in enumerate(names)}, 0, IGNORED, config.sequence_length)
        path = Path(config.out, "vocabulary.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"tags": names, "words": vocabulary}, ensure_ascii=False), encoding="utf-8")
    train_set, val_set, test_set = (TensorDataset(tokens[rows], targets[rows]) for rows in splits)
    size = config.batch_size
    return DataLoader(train_set, size, shuffle=True), DataLoader(val_set, size), DataLoader(test_set, size)


class BiLSTMTagger(nn.Module):
    """Bidirectional LSTM, packed so that it starts at the last word and not in the padding; classifier of each word."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_dim, padding_idx=0)
        sizes = (config.embedding_dim, config.hidden_size, config.num_layers)
        dropout = config.dropout if config.num_layers > 1 else 0.0  # acts between layers only
        self.lstm = nn.LSTM(*sizes, batch_first=True, dropout=dropout, bidirectional=True)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(2 * config.hidden_size, config.num_classes)

    def forward(self, tokens: Tensor) -> Tensor:
        lengths = (tokens != 0).sum(dim=1).clamp(min=1).cpu()
        embedded = self.dropout(self.embedding(tokens))
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=tokens.shape[1])
        return self.head(self.dropout(states))


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, sequence_length) -> (N, sequence_length, num_classes) logits of each word."""
    return BiLSTMTagger(config)


class TokenCrossEntropy(nn.Module):
    """Cross-entropy of logits (N, length, classes) and targets (N, length), mean over the words without padding."""

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=IGNORED)


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return TokenCrossEntropy()


def build_optimizer(model: nn.Module, config: Config) -> Optimizer:
    """The optimizer of all weights."""
    return torch.optim.Adam(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)


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


def compute_metrics(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Scores of logits (N, length, classes) without padding; averages are macro averages over the tags other than O."""
    counted, num_classes = targets != IGNORED, outputs.shape[2]
    predicted, true = outputs.argmax(dim=2)[counted], targets[counted]
    hits = torch.bincount(true[predicted == true], minlength=num_classes)[1:]
    found, wanted = (torch.bincount(tags, minlength=num_classes)[1:] for tags in (predicted, true))
    present = (found + wanted > 0).sum().clamp(min=1)  # tags that occur at all
    return {
        "accuracy": (predicted == true).float().mean().item(),
        "precision": ((hits / found.clamp(min=1)).sum() / present).item(),
        "recall": ((hits / wanted.clamp(min=1)).sum() / present).item(),
        "f1": ((2 * hits / (found + wanted).clamp(min=1)).sum() / present).item(),
    }


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over all examples of the loader."""
    model.eval()
    outputs, targets = zip(*((model(inputs.to(DEVICE)).cpu(), targets) for inputs, targets in loader), strict=True)
    return compute_metrics(torch.cat(outputs), torch.cat(targets))


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """The tag of each token, both (N, sequence_length); padding gets -100."""
    model.eval()
    return model(inputs.to(DEVICE)).argmax(dim=2).cpu().masked_fill(inputs == 0, IGNORED)


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Token classification with a bidirectional LSTM tagger.")
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
