"""Translation with an encoder-decoder Transformer.

The encoder reads the sentence; the decoder writes the translation word by word and attends to both. In training all
words are learned at once, each given the true ones before it; in use each is given what the decoder wrote (greedy
decoding). Smoothed labels keep it from being too sure, for a sentence has more than one good translation; both
languages share one embedding.

Data (--data PATH): a UTF-8 text file, on each line a source sentence, a tab, and its translation. The common vocabulary
of both languages, taken from the training split, is kept in vocabulary.json.
Result (--smoke): sentences translated word by word, BLEU above 0.9 after six epochs on a CPU.
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
    sequence_length: int = 40  # words; longer sentences are cut, shorter ones padded
    hidden_size: int = 256  # width of the embeddings and of all layers
    num_layers: int = 3  # of the encoder, and of the decoder
    num_heads: int = 4  # lowered where they do not divide hidden_size
    dropout: float = 0.1
    label_smoothing: float = 0.1  # share of the probability that is spread over all words
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    epochs: int = 30
    patience: int = 5  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: a narrow model, few examples, few epochs, at most 256 tokens."""
        caps = {"vocab_size": 1000, "sequence_length": 256, "hidden_size": 64, "num_layers": 2, "batch_size": 8}
        caps["epochs"] = 6
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


def positional_encoding(length: int, width: int) -> Tensor:
    """Sinusoids (length, width) of rising wavelength, sine and cosine by turns."""
    channel = torch.arange(width)
    angles = torch.arange(length).unsqueeze(1) / 10_000 ** (2 * (channel // 2) / width)
    return torch.where(channel % 2 == 0, angles.sin(), angles.cos())


class TranslationTransformer(nn.Module):
    """Transformer, normalised first; the head shares its weights with the embedding of both languages."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.hidden_size
        self.embedding = nn.Embedding(config.vocab_size, width)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        self.register_buffer("positions", positional_encoding(config.sequence_length, width), persistent=False)
        sizes = (width, math.gcd(width, config.num_heads), 4 * width, config.dropout)
        layer = nn.TransformerEncoderLayer(*sizes, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, config.num_layers, nn.LayerNorm(width), enable_nested_tensor=False)
        layer = nn.TransformerDecoderLayer(*sizes, batch_first=True, norm_first=True)
        self.decoder = nn.TransformerDecoder(layer, config.num_layers, nn.LayerNorm(width))
        self.head = nn.Linear(width, config.vocab_size)
        self.head.weight = self.embedding.weight

    def embed(self, words: Tensor) -> Tensor:
        """Vectors (N, length, hidden_size) of words and places, both of about unit size."""
        return self.embedding(words) * self.embedding.embedding_dim**0.5 + self.positions[: words.shape[1]]

    def decode(self, words: Tensor, memory: Tensor, padding: Tensor) -> Tensor:
        """Logits (N, steps, vocab_size) of the words that follow the given ones (N, steps)."""
        future = torch.ones(2 * words.shape[1:], dtype=torch.bool, device=words.device).triu(1)
        return self.head(self.decoder(self.embed(words), memory, tgt_mask=future, memory_key_padding_mask=padding))

    def forward(self, source: Tensor, target: Tensor | None = None) -> Tensor:
        padding = F.pad(source[:, 1:] == PADDING, (1, 0))  # the first word stays: attention to nothing would be NaN
        memory = self.encoder(self.embed(source), src_key_padding_mask=padding)
        words = torch.full_like(source[:, :1], START)
        if target is not None:  # teacher forcing: all steps at once
            return self.decode(torch.cat([words, target[:, :-1]], dim=1), memory, padding)
        for _ in range(source.shape[1]):
            logits = self.decode(words, memory, padding)
            words = torch.cat([words, logits[:, -1:].argmax(dim=2)], dim=1)
        return logits


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, sequence_length) -> (N, sequence_length, vocab_size) logits, greedy if no target is given too."""
    return TranslationTransformer(config)


class TokenCrossEntropy(nn.CrossEntropyLoss):
    """Cross-entropy of logits (N, length, classes) and targets (N, length)."""

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        return super().forward(logits.transpose(1, 2), targets)


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return TokenCrossEntropy(ignore_index=PADDING, label_smoothing=config.label_smoothing)


def build_optimizer(model: nn.Module, config: Config) -> Optimizer:
    """The optimizer of all weights."""
    return torch.optim.Adam(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)


def run_epoch(model: nn.Module, loader: DataLoader, criterion: nn.Module, optimizer: Optimizer | None = None) -> float:
    """Mean loss over the loader, with teacher forcing; the weights are updated when an optimizer is given."""
    model.train(optimizer is not None)
    total = 0.0
    with torch.set_grad_enabled(optimizer is not None):
        for inputs, targets in loader:
            inputs, targets = inputs.to(DEVICE), targets.to(DEVICE)
            loss = criterion(model(inputs, targets), targets)
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
    outputs = outputs.masked_fill(outputs == UNKNOWN, -1)  # no translation, not even of an unknown word
    predicted, references = (
        [[word for word in row if word not in (PADDING, END)] for row in ids.tolist()] for ids in (outputs, targets)
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
    parser = argparse.ArgumentParser(description="Translation with an encoder-decoder Transformer.")
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
