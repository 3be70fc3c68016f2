"""Text summarization with an LSTM encoder-decoder and attention.

The encoder reads the text in both directions; at each word of the summary the decoder looks for the places of the text
that matter now (attention), given the true word before (teacher forcing) or, in use, its own (greedy decoding). ROUGE-L
measures the longest common subsequence.

Data (--data PATH): a CSV file with the columns text and summary. vocabulary.json keeps the words of the training split.
Result (--smoke): keep the salient words of a text, ROUGE-L above 0.8 after seven epochs on a CPU.
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
    vocab_size: int = 20_000  # with the four special ids
    sequence_length: int = 200  # words; longer texts are cut, shorter ones padded
    summary_length: int = 40  # words, END included
    embedding_dim: int = 128
    hidden_size: int = 256
    num_layers: int = 1  # of the encoder, and of the decoder
    dropout: float = 0.2
    batch_size: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 1e-5
    epochs: int = 30
    patience: int = 3  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, at most 256 tokens."""
        caps = {"vocab_size": 5000, "sequence_length": 256, "batch_size": 8, "epochs": 7}
        caps |= {"hidden_size": 128, "num_layers": 4, "summary_length": 64}
        return dataclasses.replace(self, **{name: min(getattr(self, name), cap) for name, cap in caps.items()})


def encode(texts: list[list[str]], vocabulary: dict[str, int], length: int) -> Tensor:
    """Ids (N, length), END after the last word: long texts are cut, short ones padded."""
    rows = [[vocabulary.get(word, UNKNOWN) for word in text[: length - 1]] + [END] for text in texts]
    return torch.tensor([row + [PADDING] * (length - len(row)) for row in rows])


def read_table(path: str) -> list[list[list[str]]]:
    """The texts and the summaries, each a list of lower-case words and punctuation marks."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{path}: cannot be read as CSV: {error}") from error
    if not {"text", "summary"} <= set(table.columns) or len(table) < 7:
        raise SystemExit(f"{path}: needs 7 rows of text and summary, has {len(table)} of {', '.join(table)}")
    return [[re.findall(r"\w+|[^\w\s]", text.lower()) for text in table[name]] for name in ("text", "summary")]


def synthetic_data(config: Config) -> TensorDataset:
    """Texts (N, sequence_length) of random words, a third of them salient; the summaries keep those, each word once."""
    length, kept = config.sequence_length, max(1, min(4, config.summary_length - 1, config.sequence_length))
    count, salient = max(96, min(400, 16_000 // length)), min(8, config.vocab_size - 5)
    words = 4 + (torch.randint(salient, (count, 1)) + torch.arange(kept)) % salient  # (N, kept)
    shown = words[:, torch.arange(length) * kept // length]  # each word in its own part of the text
    summaries = F.pad(F.pad(words, (0, 1), value=END), (0, config.summary_length), value=PADDING)
    texts = torch.randint(4 + salient, config.vocab_size, shown.shape).where(torch.rand(shown.shape) > 0.3, shown)
    return TensorDataset(texts, summaries[:, : config.summary_length])


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training (70%), validation (15%) and test (15%) split; the vocabulary knows the first only."""
    texts, summaries = synthetic_data(config).tensors if config.smoke else read_table(config.data)
    generator = torch.Generator().manual_seed(config.seed)
    splits = [part.indices for part in random_split(range(len(texts)), [0.7, 0.15, 0.15], generator)]
    if not config.smoke:
        counts = Counter(word for side in (texts, summaries) for row in splits[0] for word in side[row])
        vocabulary = {word: index for index, (word, _) in enumerate(counts.most_common(config.vocab_size - 4), start=4)}
        texts = encode(texts, vocabulary, config.sequence_length)
        summaries = encode(summaries, vocabulary, config.summary_length)
        Path(config.out).mkdir(parents=True, exist_ok=True)
        Path(config.out, "vocabulary.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    train_set, val_set, test_set = (TensorDataset(texts[rows], summaries[rows]) for rows in splits)
    size = config.batch_size
    return DataLoader(train_set, size, shuffle=True), DataLoader(val_set, size), DataLoader(test_set, size)


class Seq2Seq(nn.Module):
    """Encoder and decoder of LSTM layers; each state of the decoder attends to the states of the encoder."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.summary_length = config.summary_length
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_dim, padding_idx=PADDING)
        sizes = (config.embedding_dim, config.hidden_size, config.num_layers)
        dropout = config.dropout if config.num_layers > 1 else 0.0  # acts between layers only
        self.encoder = nn.LSTM(*sizes, batch_first=True, dropout=dropout, bidirectional=True)
        self.decoder = nn.LSTM(*sizes, batch_first=True, dropout=dropout)
        self.combine = nn.Linear(2 * config.hidden_size, config.hidden_size)
        self.head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(config.hidden_size, config.vocab_size))

    def encode(self, text: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """A state for each word (N, sequence_length, hidden_size), and where the decoder begins; means of both ways."""
        lengths = (text != PADDING).sum(dim=1).clamp(min=1).cpu()
        packed = rnn.pack_padded_sequence(self.embedding(text), lengths, batch_first=True, enforce_sorted=False)
        packed, (hidden, cell) = self.encoder(packed)
        states, _ = rnn.pad_packed_sequence(packed, batch_first=True, total_length=text.shape[1])
        hidden, cell = (state.unflatten(0, (-1, 2)).mean(dim=1) for state in (hidden, cell))
        return states.unflatten(2, (2, -1)).mean(dim=2), (hidden, cell)

    def decode(
        self, words: Tensor, state: tuple[Tensor, Tensor], memory: Tensor, padding: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Logits (N, steps, vocab_size) of the words that follow the given ones (N, steps), and the new state."""
        queries, state = self.decoder(self.embedding(words), state)
        scores = (queries @ memory.transpose(1, 2)).masked_fill(padding.unsqueeze(1), -1e9)
        attention = scores.softmax(dim=2)
        combined = torch.tanh(self.combine(torch.cat([queries, attention @ memory], dim=2)))
        return self.head(combined), state

    def forward(self, text: Tensor, summary: Tensor | None = None) -> Tensor:
        padding, words = text == PADDING, torch.full_like(text[:, :1], START)
        memory, state = self.encode(text)
        if summary is not None:  # teacher forcing: all steps at once
            return self.decode(torch.cat([words, summary[:, :-1]], dim=1), state, memory, padding)[0]
        steps = []
        for _ in range(self.summary_length):
            logits, state = self.decode(words, state, memory, padding)
            words = logits.argmax(dim=2)
            steps.append(logits)
        return torch.cat(steps, dim=1)


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, sequence_length) -> (N, summary_length, vocab_size) logits, greedy if no summary is given too."""
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


def rouge_l(predicted: list[int], reference: list[int]) -> float:
    """F1 score of the longest common subsequence of two word lists."""
    lengths = [0] * (len(reference) + 1)  # shared by the predicted words so far and each beginning of the reference
    for word in predicted:
        above, lengths = lengths, [0]
        for place, other in enumerate(reference):
            lengths.append(above[place] + 1 if word == other else max(above[place + 1], lengths[-1]))
    return 2 * lengths[-1] / max(1, len(predicted) + len(reference))


def compute_metrics(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Scores of predicted ids against true ids, both (N, summary_length)."""
    rows = ([[word for word in row if word > END] for row in ids.tolist()] for ids in (outputs, targets))
    scores = [rouge_l(predicted, reference) for predicted, reference in zip(*rows, strict=True)]
    accuracy = (outputs == targets)[targets != PADDING].float().mean().item()
    return {"rouge_l": sum(scores) / len(scores), "token_accuracy": accuracy}


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics of greedy decoding over all examples of the loader."""
    outputs, targets = zip(*((predict(model, inputs), targets) for inputs, targets in loader), strict=True)
    return compute_metrics(torch.cat(outputs), torch.cat(targets))


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """Ids of the summaries, (N, summary_length), by greedy decoding; padding after END."""
    model.eval()
    ids = model(inputs.to(DEVICE)).argmax(dim=2).cpu()
    ended = (ids == END).cumsum(dim=1) - (ids == END).long()
    return ids.masked_fill(ended > 0, PADDING)


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Text summarization with an LSTM encoder-decoder and attention.")
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
