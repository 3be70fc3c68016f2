"""Text generation with an LSTM, character by character.

An LSTM reads a text and tells, after every character, how likely each character comes next. The same model then
writes: it draws a character from its own distribution, appends it and goes on. Light and quick to train; its state
carries the style and the words of short texts well. Cross-entropy is the logarithm of the perplexity that is reported.

Data (--data PATH): one UTF-8 text file (a book, verses, source code), some ten thousand characters or more.
Result (--smoke): sentences of a small grammar, perplexity below 4 after four epochs on a CPU.
"""

import argparse
import copy
import dataclasses
import json
import math
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
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
    vocab_size: int = 256  # characters, with 0 for padding and 1 for unknown ones
    sequence_length: int = 100  # characters that the model sees at most
    embedding_dim: int = 64
    hidden_size: int = 256
    num_layers: int = 2
    dropout: float = 0.2
    prompt: str = "The "  # the generated text begins with it
    generated_length: int = 300  # characters
    temperature: float = 0.8  # below 1 the likely characters are preferred, above 1 the text gets wilder
    batch_size: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 1e-5
    epochs: int = 20
    patience: int = 3  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, a small model, at most 256 tokens."""
        caps = {"vocab_size": 5000, "sequence_length": 256, "batch_size": 8, "epochs": 4}
        caps |= {"hidden_size": 256, "num_layers": 4, "generated_length": 100}
        return dataclasses.replace(self, **{name: min(getattr(self, name), cap) for name, cap in caps.items()})


def synthetic_data(config: Config) -> str:
    """Simple sentences of a small grammar, long enough for every split."""
    nouns, verbs, colours = ("cat", "dog", "bird", "child"), ("sees", "likes", "follows"), ("red", "green", "small")
    text = ""
    while len(text) < min(12_000, 300 * config.sequence_length):
        subject, verb, colour, thing = (random.choice(words) for words in (nouns, verbs, colours, nouns))
        text += f"The {subject} {verb} the {colour} {thing}.\n"
    return text


def windows(ids: Tensor, length: int, stride: int) -> TensorDataset:
    """Pieces of the text and the same pieces one character later, both (N, length)."""
    pieces = ids.unfold(0, length + 1, stride)
    return TensorDataset(pieces[:, :-1], pieces[:, 1:])


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the first 70% of the text, the next 15% and the last 15%; vocabulary.json keeps the characters."""
    try:
        text = synthetic_data(config) if config.smoke else Path(config.data).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"{config.data}: cannot be read as text: {error}") from error
    length, held_out = config.sequence_length, round(0.15 * len(text))
    if held_out <= length:
        raise SystemExit(f"{config.data}: {len(text)} characters are too few, pass --sequence-length {held_out // 2}")
    counts = Counter(text[: -2 * held_out]).most_common(config.vocab_size - 2)
    vocabulary = {character: index for index, (character, _) in enumerate(counts, start=2)}  # 0 padding, 1 unknown
    ids = torch.tensor([vocabulary.get(character, 1) for character in text])
    Path(config.out).mkdir(parents=True, exist_ok=True)
    Path(config.out, "vocabulary.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    train_set = windows(ids[: -2 * held_out], length, max(1, length // 2))
    val_set = windows(ids[-2 * held_out : -held_out], length, length)
    test_set = windows(ids[-held_out:], length, length)
    size = config.batch_size
    return DataLoader(train_set, size, shuffle=True), DataLoader(val_set, size), DataLoader(test_set, size)


class LSTMLanguageModel(nn.Module):
    """Embedding, LSTM layers, and logits of the next character at every position."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_dim)
        sizes = (config.embedding_dim, config.hidden_size, config.num_layers)
        dropout = config.dropout if config.num_layers > 1 else 0.0  # acts between layers only
        self.lstm = nn.LSTM(*sizes, batch_first=True, dropout=dropout)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden_size, config.vocab_size)

    def forward(self, tokens: Tensor) -> Tensor:
        states, _ = self.lstm(self.embedding(tokens))
        return self.head(self.dropout(states))


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, sequence_length) -> (N, sequence_length, vocab_size) logits of the next character."""
    return LSTMLanguageModel(config)


class TokenCrossEntropy(nn.Module):
    """Cross-entropy of logits (N, length, classes) and targets (N, length), mean over all positions."""

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(logits.transpose(1, 2), targets)


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
    """Quality of the next character: logits (N, length, vocab_size) against targets (N, length)."""
    loss = F.cross_entropy(outputs.transpose(1, 2), targets).item()
    accuracy = (outputs.argmax(dim=2) == targets).float().mean().item()
    return {"cross_entropy": loss, "perplexity": math.exp(loss), "accuracy": accuracy}


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over the loader, added up batch by batch, since the logits of a whole text would not fit into memory."""
    model.eval()
    sums: Counter[str] = Counter()
    for inputs, targets in loader:
        metrics = compute_metrics(model(inputs.to(DEVICE)), targets.to(DEVICE))
        sums.update({name: value * len(inputs) for name, value in metrics.items()})
    means = {name: total / len(loader.dataset) for name, total in sums.items()}
    return means | {"perplexity": math.exp(means["cross_entropy"])}


@torch.no_grad()
def predict(model: nn.Module, prompt: str, config: Config) -> str:
    """The prompt continued by generated_length characters, drawn one by one from the model's distribution."""
    model.eval()
    vocabulary = json.loads(Path(config.out, "vocabulary.json").read_text(encoding="utf-8"))
    characters = {index: character for character, index in vocabulary.items()}
    ids = torch.tensor([[vocabulary.get(character, 1) for character in prompt] or [1]], device=DEVICE)
    for _ in range(config.generated_length):
        logits = model(ids[:, -config.sequence_length :])[:, -1] / max(config.temperature, 1e-3)
        logits[:, :2] = -torch.inf  # neither padding nor unknown
        logits[:, 2 + len(vocabulary) :] = -torch.inf
        ids = torch.cat([ids, logits.softmax(dim=1).multinomial(1)], dim=1)
        prompt += characters[ids[0, -1].item()]
    return prompt


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Text generation with an LSTM, character by character.")
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
    random.seed(config.seed)
    np.random.seed(config.seed)
    torch.manual_seed(config.seed)
    train_loader, val_loader, test_loader = load_data(config)
    model = build_model(config).to(DEVICE)
    train(model, train_loader, val_loader, config)
    metrics = evaluate(model, test_loader)
    text = predict(model, config.prompt, config)

    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), out / "model.pt")
    (out / "generated.txt").write_text(text + "\n", encoding="utf-8")
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print("test:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
