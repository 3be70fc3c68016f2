"""Extractive question answering with a Transformer encoder.

Finds the answer to a question as a span of a passage. Question, separator and passage form one sequence of tokens; each
token gets one logit of being the first word of the answer and one of being the last. Two cues help where nothing was
pre-trained: passage words that occur in the question are marked, and a convolution shows each word its neighbours.

Data (--data PATH): a CSV file with the columns question, context and answer; the first occurrence of the answer in the
context is the span. Questions about one context stay in one split. vocabulary.json keeps the words for later use.
Result (--smoke): names behind the word that the question asks for, exact match above 0.7 after three epochs on a CPU.
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
SEPARATOR = 2  # the token between question and passage; 0 is padding, 1 an unknown word
WORD = r"\w+|[^\w\s]"  # words and punctuation marks


@dataclass
class Config:
    """Every setting of the project; each field is a command line flag."""

    data: str = ""
    out: str = "outputs"
    smoke: bool = False
    seed: int = 42
    vocab_size: int = 30_000  # with padding, unknown word and separator
    sequence_length: int = 256  # question (at most a quarter), separator and passage; longer passages are cut
    hidden_size: int = 128
    num_layers: int = 3
    num_heads: int = 4  # lowered where it does not divide hidden_size
    dropout: float = 0.1
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    epochs: int = 20
    patience: int = 3  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, a small model, at most 256 tokens."""
        caps = {"vocab_size": 5000, "sequence_length": 256, "hidden_size": 64, "num_layers": 2}
        caps |= {"num_heads": 2, "dropout": 0.0, "batch_size": 4, "epochs": 3}
        return dataclasses.replace(self, **{name: min(getattr(self, name), cap) for name, cap in caps.items()})


def synthetic_data(config: Config) -> tuple[Tensor, Tensor, Tensor]:
    """Passages of three topics, each followed by up to three names: tokens (N, length), spans (N, 2), contexts (N,)."""
    length, words = config.sequence_length, config.vocab_size - 3
    count, question = max(96, min(384, 100_000 // length)), max(1, length // 8)
    part = max(1, (length - question - 1) // 3)  # of the passage, for one topic
    topics, names, others = (3 + (10 * kind + torch.arange(10)) % words for kind in range(3))
    tokens = others[torch.randint(10, (count, length))]
    tokens[:, question] = SEPARATOR
    size = torch.randint(1, 4, (count, 3)).clamp(max=max(1, part - 1))
    place = question + 1 + part * torch.arange(3) + (torch.rand(count, 3) * (part - size)).long()
    place = torch.minimum(place, length - 1 - size)
    topic = topics[torch.rand(count, 10).argsort(dim=1)[:, :3]]
    for step in range(4):  # a topic, then its names; steps beyond the last name write that one again
        tokens.scatter_(1, place + size.clamp(max=step), names[torch.randint(10, (count, 3))] if step else topic)
    rows, asked = torch.arange(count), torch.randint(3, (count,))
    tokens[rows, torch.randint(question, (count,))] = topic[rows, asked]
    return tokens, torch.stack([place + 1, place + size], dim=-1)[rows, asked], rows


def read_examples(config: Config) -> tuple[list[list[str]], Tensor, Tensor]:
    """Words (question, separator, passage), spans (N, 2) of first and last word, and context numbers (N,)."""
    columns, length = ["question", "context", "answer"], config.sequence_length
    try:
        table = pd.read_csv(config.data, dtype=str, keep_default_na=False)[columns]
    except (OSError, ValueError, KeyError) as error:
        raise SystemExit(f"{config.data}: no CSV file with the columns {', '.join(columns)}: {error}") from error
    texts, spans, contexts = [], [], []
    for row in table.itertuples():
        question, context, answer = (getattr(row, name).lower().strip() for name in columns)
        text = [*re.findall(WORD, question)[: length // 4], "[SEP]"]
        words = list(re.finditer(WORD, context))[: length - len(text)]
        begin, end = context.find(answer), context.find(answer) + len(answer)
        inside = [index for index, word in enumerate(words, len(text)) if word.start() < end and word.end() > begin]
        if answer and begin >= 0 and words and words[-1].end() >= end:
            texts.append(text + [word.group() for word in words])
            spans.append([inside[0], inside[-1]])
            contexts.append(context)
    print(f"{len(table) - len(texts)} of {len(table)} rows left out: no answer within {length} tokens")
    if len(set(contexts)) < 3:
        raise SystemExit(f"{config.data}: at least 3 different contexts that hold their answer are needed")
    return texts, torch.tensor(spans), torch.from_numpy(pd.factorize(pd.Series(contexts))[0])


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training (70%), validation (15%) and test (15%) split of the contexts, with their questions."""
    tokens, spans, contexts = synthetic_data(config) if config.smoke else read_examples(config)
    order = torch.randperm(int(contexts.max()) + 1, generator=torch.Generator().manual_seed(config.seed))
    held_out = max(1, round(0.15 * len(order)))
    parts = order.split([len(order) - 2 * held_out, held_out, held_out])
    splits = [torch.isin(contexts, part).nonzero().flatten() for part in parts]
    if not config.smoke:
        counts = Counter(word for row in splits[0] for word in tokens[row] if word != "[SEP]")
        known = enumerate(counts.most_common(config.vocab_size - 3), start=3)
        vocabulary = {"[SEP]": SEPARATOR} | {word: index for index, (word, _) in known}
        rows = [[vocabulary.get(word, 1) for word in text] for text in tokens]
        tokens = torch.tensor([row + [0] * (config.sequence_length - len(row)) for row in rows])
        Path(config.out).mkdir(parents=True, exist_ok=True)
        Path(config.out, "vocabulary.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    train_set, val_set, test_set = (TensorDataset(tokens[rows], spans[rows]) for rows in splits)
    size = config.batch_size
    return DataLoader(train_set, size, shuffle=True), DataLoader(val_set, size), DataLoader(test_set, size)


class SpanTransformer(nn.Module):
    """Token, position and part embeddings, a convolution over neighbours, Transformer encoder, two logits a token."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=0)
        self.positions = nn.Embedding(config.sequence_length, config.hidden_size)
        self.parts = nn.Embedding(3, config.hidden_size)  # question, passage, passage word that the question has too
        self.neighbours = nn.Conv1d(config.hidden_size, config.hidden_size, kernel_size=7, padding=3)
        heads = max(number for number in range(1, config.num_heads + 1) if config.hidden_size % number == 0)
        sizes = (config.hidden_size, heads, 4 * config.hidden_size, config.dropout)
        layer = nn.TransformerEncoderLayer(*sizes, activation="gelu", batch_first=True, norm_first=True)
        norm = nn.LayerNorm(config.hidden_size)
        self.encoder = nn.TransformerEncoder(layer, config.num_layers, norm, enable_nested_tensor=False)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.hidden_size, 2)

    def forward(self, tokens: Tensor) -> Tensor:
        in_passage = ((tokens == SEPARATOR).cumsum(dim=1) > 0) & (tokens > 0) & (tokens != SEPARATOR)
        question = tokens.masked_fill(in_passage | (tokens <= SEPARATOR), -1)
        shared = in_passage & (tokens.unsqueeze(2) == question.unsqueeze(1)).any(dim=2)
        x = self.embedding(tokens) + self.positions.weight + self.parts(in_passage.long() + shared.long())
        x = x + self.neighbours(x.transpose(1, 2)).transpose(1, 2)
        padding = tokens == 0
        padding[:, 0] = False  # attention to nothing at all would be NaN
        logits = self.head(self.encoder(self.dropout(x), src_key_padding_mask=padding))
        return logits.masked_fill(~in_passage.unsqueeze(2), -1e4)  # an answer stands in the passage


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, sequence_length) -> (N, sequence_length, 2) logits of being first and last word of the answer."""
    return SpanTransformer(config)


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets); it takes the tokens as classes, for start and for end."""
    return nn.CrossEntropyLoss()


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


def best_spans(outputs: Tensor) -> Tensor:
    """The most probable span of each row, first and last token (N, 2), the first never behind the last."""
    best_start = outputs[..., 0].cummax(dim=1)  # the best start up to each end
    ends = (best_start.values + outputs[..., 1]).argmax(dim=1, keepdim=True)
    return torch.cat([best_start.indices.gather(1, ends), ends], dim=1)


def compute_metrics(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Exact match and mean token overlap (F1) of the best spans with the true spans (N, 2)."""
    spans = best_spans(outputs)
    overlap = torch.minimum(spans[:, 1], targets[:, 1]) - torch.maximum(spans[:, 0], targets[:, 0]) + 1
    lengths = (spans[:, 1] - spans[:, 0]) + (targets[:, 1] - targets[:, 0]) + 2
    return {
        "exact_match": (spans == targets).all(dim=1).float().mean().item(),
        "f1": (2 * overlap.clamp(min=0) / lengths).mean().item(),
    }


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over all examples of the loader."""
    model.eval()
    outputs, targets = zip(*((model(inputs.to(DEVICE)).cpu(), targets) for inputs, targets in loader), strict=True)
    return compute_metrics(torch.cat(outputs), torch.cat(targets))


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """First and last token of the answer, (N, 2), for tokens (N, sequence_length)."""
    model.eval()
    return best_spans(model(inputs.to(DEVICE))).cpu()


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Extractive question answering with a Transformer encoder.")
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
