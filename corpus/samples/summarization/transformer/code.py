"""Text summarization with an encoder-decoder Transformer.

The encoder reads the whole text; the decoder attends to it and writes the summary word by word, given the true words
before (teacher forcing) or, in use, its own (greedy decoding). ROUGE-L measures the longest common subsequence.

Data (--data PATH): a CSV file with the columns text and summary. vocabulary.json keeps the words of the training split.
Result (--smoke): keep the salient words of a text, ROUGE-L above 0.8 after four epochs on a CPU.
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
    hidden_size: int = 128
    num_layers: int = 2  # of the encoder, and of the decoder
    num_heads: int = 4  # lowered, with a message, where it does not divide hidden_size
    dropout: float = 0.1
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    epochs: int = 30
    patience: int = 3  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, at most 256 tokens."""
        caps = {"vocab_size": 5000, "sequence_length": 256, "batch_size": 8, "epochs": 4}
        caps |= {"hidden_size": 256, "num_layers": 4, "summary_length": 64}
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


class SummaryTransformer(nn.Module):
    """Transformer, normalised first; no mask hides the first word, for attention to nothing at all would be NaN."""

    def __init__(self, config: Config, num_heads: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=PADDING)
        self.text_positions = nn.Parameter(0.02 * torch.randn(config.sequence_length, config.hidden_size))
        self.summary_positions = nn.Parameter(0.02 * torch.randn(config.summary_length, config.hidden_size))
        sizes = (config.hidden_size, num_heads, 4 * config.hidden_size, config.dropout)
        layer = nn.TransformerEncoderLayer(*sizes, activation="gelu", batch_first=True, norm_first=True)
        norm = nn.LayerNorm(config.hidden_size)
        self.encoder = nn.TransformerEncoder(layer, config.num_layers, norm, enable_nested_tensor=False)
        layer = nn.TransformerDecoderLayer(*sizes, activation="gelu", batch_first=True, norm_first=True)
        self.decoder = nn.TransformerDecoder(layer, config.num_layers, nn.LayerNorm(config.hidden_size))
        self.head = nn.Linear(config.hidden_size, config.vocab_size)

    def decode(self, words: Tensor, memory: Tensor, padding: Tensor) -> Tensor:
        """Logits (N, steps, vocab_size) of the words that follow the given ones (N, steps)."""
        future = nn.Transformer.generate_square_subsequent_mask(words.shape[1], device=words.device)
        x = self.embedding(words) + self.summary_positions[: words.shape[1]]
        return self.head(self.decoder(x, memory, tgt_mask=future, memory_key_padding_mask=padding))

    def forward(self, text: Tensor, summary: Tensor | None = None) -> Tensor:
        padding, words = F.pad(text[:, 1:] == PADDING, (1, 0)), torch.full_like(text[:, :1], START)
        memory = self.encoder(self.embedding(text) + self.text_positions[: text.shape[1]], src_key_padding_mask=padding)
        if summary is not None:  # teacher forcing: all steps at once
            return self.decode(torch.cat([words, summary[:, :-1]], dim=1), memory, padding)
        for _ in self.summary_positions:
            logits = self.decode(words, memory, padding)
            words = torch.cat([words, logits[:, -1:].argmax(dim=2)], dim=1)
        return logits


def usable_heads(config: Config) -> int:
    """The largest number of heads up to num_heads that divides hidden_size; says so if that is not num_heads."""
    heads = max(number for number in range(1, config.num_heads + 1) if config.hidden_size % number == 0)
    if heads != config.num_heads:
        print(f"hidden_size {config.hidden_size} is no multiple of num_heads {config.num_heads}: using {heads} heads")
    return heads


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, sequence_length) -> (N, summary_length, vocab_size) logits, greedy if no summary is given too."""
    return SummaryTransformer(config, usable_heads(config))


class TokenCrossEntropy(nn.Module):
    """Cross-entropy of logits (N, length, classes) and targets (N, length), mean over the words without padding."""

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=PADDING)


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return TokenCrossEntropy()


def build_optimizer(model: nn.Module, config: Config) -> Optimizer:
    """The optimizer of all weights."""
    return torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)


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
    parser = argparse.ArgumentParser(description="Text summarization with an encoder-decoder Transformer.")
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
