"""Translation with a GRU encoder-decoder and attention.

The encoder reads a sentence in both directions; at each step the decoder looks for the source words that matter now
(attention) and names the next word, given the true one before (teacher forcing) or, in use, its own (greedy decoding).

Data (--data PATH): a UTF-8 text file, on each line a source sentence, a tab, and its translation. The common vocabulary
of both languages, taken from the training split, is kept in vocabulary.json.
Result (--smoke): sentences translated word by word, BLEU above 0.8 after four epochs on a CPU.
"""

import argparse
import copy
import dataclasses
import json
import math
import random
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import rnn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, TensorDataset, random_split

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
PADDING, END, START, UNKNOWN = range(4)  # the ids before the first word


@dataclass
class Config:
    """Every setting of the project; each field is a command line flag."""

    data: str = ""
    out: str = "outputs"
    smoke: bool = False
    seed: int = 42
    vocab_size: int = 10_000  # of both languages together, with the four special ids
    sequence_length: int = 30  # words; longer sentences are cut, shorter ones padded
    embedding_dim: int = 128
    hidden_size: int = 256
    num_layers: int = 1
    dropout: float = 0.2
    batch_size: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 1e-5
    epochs: int = 30
    patience: int = 5  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, at most 256 tokens."""
        caps = {"vocab_size": 5000, "sequence_length": 256, "hidden_size": 128, "batch_size": 8, "epochs": 4}
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


def encode(texts: list[list[str]], vocabulary: dict[str, int], length: int) -> Tensor:
    """Ids (N, length), END after the last word: long texts are cut, short ones padded."""
    rows = [[vocabulary.get(word, UNKNOWN) for word in text[: length - 1]] + [END] for text in texts]
    return torch.tensor([row + [PADDING] * (length - len(row)) for row in rows])


def synthetic_data(config: Config) -> TensorDataset:
    """A made-up language: every word has its own translation; sources and targets (N, sequence_length)."""
    length, words = config.sequence_length, min(12, config.vocab_size - 4)
    count, longest = max(64, min(400, 10_000 // length)), max(1, min(10, length - 1))
    places, ends = torch.arange(length), torch.randint((longest + 1) // 2, longest + 1, (count, 1))
    numbers = torch.randint(1, 3, (count, length)).cumsum(dim=1)
    ids = 4 + torch.stack([numbers, numbers + 1]) % words  # (2, N, sequence_length)
    return TensorDataset(*ids.masked_fill(places >= ends, PADDING).masked_fill(places == ends, END))


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training (70%), validation (15%) and test (15%) split; the vocabulary knows the first only."""
    sources, targets = synthetic_data(config).tensors if config.smoke else read_pairs(config.data)
    generator = torch.Generator().manual_seed(config.seed)
    splits = [part.indices for part in random_split(range(len(sources)), [0.7, 0.15, 0.15], generator)]
    if not config.smoke:
        counts = Counter(word for side in (sources, targets) for row in splits[0] for word in side[row])
        vocabulary = {word: index for index, (word, _) in enumerate(counts.most_common(config.vocab_size - 4), start=4)}
        sources, targets = (encode(side, vocabulary, config.sequence_length) for side in (sources, targets))
        Path(config.out).mkdir(parents=True, exist_ok=True)
        Path(config.out, "vocabulary.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    train_set, val_set, test_set = (TensorDataset(sources[rows], targets[rows]) for rows in splits)
    size = config.batch_size
    return DataLoader(train_set, size, shuffle=True), DataLoader(val_set, size), DataLoader(test_set, size)


class Seq2Seq(nn.Module):
    """Encoder and decoder of GRU layers; each state of the decoder attends to the states of the encoder."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_dim, padding_idx=PADDING)
        sizes = (config.embedding_dim, config.hidden_size, config.num_layers)
        dropout = config.dropout if config.num_layers > 1 else 0.0  # acts between layers only
        self.encoder = nn.GRU(*sizes, batch_first=True, dropout=dropout, bidirectional=True)
        self.decoder = nn.GRU(*sizes, batch_first=True, dropout=dropout)
        self.combine = nn.Linear(2 * config.hidden_size, config.hidden_size)
        self.head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(config.hidden_size, config.vocab_size))

    def decode(self, words: Tensor, state: Tensor, memory: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (N, steps, vocab_size) of the words that follow the given ones (N, steps), and the new state."""
        queries, state = self.decoder(self.embedding(words), state)
        scores = (queries @ memory.transpose(1, 2)).masked_fill(padding.unsqueeze(1), -1e9)
        attention = scores.softmax(dim=2)
        context = attention @ memory
        combined = torch.tanh(self.combine(torch.cat([queries, context], dim=2)))
        return self.head(combined), state

    def forward(self, source: Tensor, target: Tensor | None = None) -> Tensor:
        lengths, padding = (source != PADDING).sum(dim=1).clamp(min=1).cpu(), source == PADDING
        packed = rnn.pack_padded_sequence(self.embedding(source), lengths, batch_first=True, enforce_sorted=False)
        packed, state = self.encoder(packed)
        states, _ = rnn.pad_packed_sequence(packed, batch_first=True, total_length=source.shape[1])
        memory, state = states.unflatten(2, (2, -1)).mean(dim=2), state.unflatten(0, (-1, 2)).mean(dim=1)
        words, steps = torch.full_like(source[:, :1], START), []
        if target is not None:  # teacher forcing: all steps at once
            return self.decode(torch.cat([words, target[:, :-1]], dim=1), state, memory, padding)[0]
        for _ in range(source.shape[1]):
            logits, state = self.decode(words, state, memory, padding)
            words = logits.argmax(dim=2)
            steps.append(logits)
        return torch.cat(steps, dim=1)


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, sequence_length) -> (N, sequence_length, vocab_size) logits, greedy if no target is given too."""
    return Seq2Seq(config)


class TokenCrossEntropy(nn.Module):
    """Cross-entropy of logits (N, length, classes) and targets (N, length), mean over the words without padding."""

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=PADDING)


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return TokenCrossEntropy()


def build_optimizer(model: nn.Module, config: Config) -> Optimizer:
    """The optimizer of all weights."""
    return torch.optim.Adam(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)


def run_epoch(model: nn.Module, loader: DataLoader, criterion: nn.Module, optimizer: Optimizer | None = None) -> float:
    """Mean loss over the loader, with teacher forcing; the weights are updated when an optimizer is given."""
    model.train(optimizer is not None)
    total, count = 0.0, 0
    with torch.set_grad_enabled(optimizer is not None):
        for inputs, targets in loader:
            inputs, targets = inputs.to(DEVICE), targets.to(DEVICE)
            loss = criterion(model(inputs, targets), targets)
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


def compute_metrics(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Scores of predicted ids against true ids, both (N, sequence_length)."""
    predicted, references = (
        [[word for word in row if word > END] for row in ids.tolist()] for ids in (outputs, targets)
    )
    return {
        "token_accuracy": (outputs == targets)[targets != PADDING].float().mean().item(),
        "exact_match": sum(a == b for a, b in zip(predicted, references, strict=True)) / len(references),
        "bleu": corpus_bleu(predicted, references),
    }


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics of greedy decoding over all examples of the loader."""
    outputs, targets = zip(*((predict(model, inputs), targets) for inputs, targets in loader), strict=True)
    return compute_metrics(torch.cat(outputs), torch.cat(targets))


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """Ids of the translations, (N, sequence_length), by greedy decoding; padding after END."""
    model.eval()
    ids = model(inputs.to(DEVICE)).argmax(dim=2).cpu()
    ended = (ids == END).cumsum(dim=1) - (ids == END).long()
    return ids.masked_fill(ended > 0, PADDING)


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Translation with a GRU encoder-decoder and attention.")
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
