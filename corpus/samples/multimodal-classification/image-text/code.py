"""Classification of images with text by a CNN and a bidirectional GRU.

Joins what a picture shows with what is written about it: products by photo and title, memes by picture and caption.
Late fusion: a CNN reads the picture, a GRU the words in both directions, and layers over both vectors classify. They
are more than linear, as a harmless picture and harmless words may together be harmful, which no sum of votes can say.
Cross-entropy fits one class per example; balanced accuracy and F1 count rare classes as much as common ones.

Data (--data PATH): a folder with images/ (any format Pillow reads) and labels.csv, whose columns are file (name of the
image), text and label. The vocabulary of the training texts and the class names are kept in vocabulary.json.
Result (--smoke): classes that need image and text, accuracy 1 after five epochs on a CPU (chance: 0.25).
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
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset, Subset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass
class Config:
    """Every setting of the project; each field is a command line flag."""

    data: str = ""
    out: str = "outputs"
    smoke: bool = False
    seed: int = 42
    image_height: int = 64
    image_width: int = 64
    channels: int = 3
    num_classes: int = 4
    vocab_size: int = 10_000  # with 0 for padding and 1 for unknown words
    sequence_length: int = 32  # words of a title or caption; longer texts are cut, shorter ones padded
    embedding_dim: int = 64
    base_width: int = 16  # channels of the first image stage; each further stage doubles them
    depth: int = 4  # number of image stages, each of which halves the resolution
    hidden_size: int = 64  # of each direction of the GRU, and of the classifier
    dropout: float = 0.3
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    epochs: int = 40
    patience: int = 8  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, the narrower a CNN the larger the images, few epochs."""
        caps = {"image_height": 256, "image_width": 256, "vocab_size": 1000, "sequence_length": 256}
        longest = max(self.image_height, self.image_width)
        caps |= {"base_width": max(4, 1024 // longest), "batch_size": 8}
        caps["epochs"] = 5 if self.sequence_length <= 64 else 3  # a recurrent network takes its time for every word
        return dataclasses.replace(self, **{name: min(getattr(self, name), cap) for name, cap in caps.items()})


class ImageTextDataset(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Triples of image (channels, height, width) in [0, 1], read when asked for, word ids and class number."""

    def __init__(self, images: Tensor | list[Path], tokens: Tensor, labels: Tensor, config: Config) -> None:
        self.images, self.tokens, self.labels = images, tokens, labels
        self.size, self.mode = (config.image_width, config.image_height), "L" if config.channels == 1 else "RGB"

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        image = self.images[index]
        if isinstance(image, Path):
            pixels = np.array(Image.open(image).convert(self.mode).resize(self.size), dtype=np.float32) / 255
            image = torch.from_numpy(pixels.reshape(*pixels.shape[:2], -1).transpose(2, 0, 1))
        return image, self.tokens[index], self.labels[index]


def synthetic_data(config: Config) -> tuple[Tensor, Tensor, Tensor]:
    """Images, tokens and labels: two classes share each blotchy pattern, and the topic of the text tells them apart."""
    size, length, words = (config.image_height, config.image_width), config.sequence_length, config.vocab_size - 2
    number = torch.arange(max(160, min(280, 1120 * 64 * 64 // (size[0] * size[1]))))
    labels = number % config.num_classes
    shown, topics = labels // 2, labels % 2
    if config.num_classes == 2:  # the topic would tell everything: the same words mean the contrary with another image
        shown = number // 2 % 2
        topics = (labels + shown) % 2
    patterns = torch.rand(config.num_classes, config.channels, 4, 4)[shown]
    images = F.interpolate(patterns, size=size, mode="bilinear", align_corners=False)
    keywords = (4 * topics.unsqueeze(1) + torch.randint(4, (len(labels), length))) % words  # four for each topic
    is_keyword = torch.rand(len(labels), length) < 0.5
    is_keyword[:, 0] = True
    tokens = 2 + torch.where(is_keyword, keywords, torch.randint(words, (len(labels), length)))
    ends = torch.randint((length + 1) // 2, length + 1, (len(labels), 1))
    return 0.7 * images + 0.3 * torch.rand_like(images), tokens.masked_fill(torch.arange(length) >= ends, 0), labels


def read_table(folder: Path, config: Config) -> tuple[list[Path], list[list[str]], Tensor, list[str]]:
    """Paths of the images, texts as lower-case words and punctuation marks, class numbers (N,) and class names."""
    try:
        table = pd.read_csv(folder / "labels.csv", dtype=str, keep_default_na=False)
        files = [folder / "images" / name for name in table["file"]]
        texts = [re.findall(r"\w+|[^\w\s]", text.lower()) for text in table["text"]]
        labels, names = pd.factorize(table["label"], sort=True)
    except (OSError, ValueError, KeyError) as error:
        raise SystemExit(f"{folder / 'labels.csv'}: no table of file, text and label: {error}") from None
    if len(names) != config.num_classes:
        raise SystemExit(f"{folder / 'labels.csv'}: {len(names)} classes found, pass --num-classes {len(names)}")
    if np.bincount(labels).min() < 3:
        raise SystemExit(f"{folder / 'labels.csv'}: at least 3 examples per class are needed")
    if absent := [path for path in files if not path.is_file()]:
        raise SystemExit(f"{absent[0]}: there is no such file")
    return files, texts, torch.tensor(labels), list(names)


def encode(texts: list[list[str]], vocabulary: dict[str, int], length: int) -> Tensor:
    """Ids (N, length): 1 for unknown words; long texts are cut, short ones padded with 0."""
    rows = [[vocabulary.get(word, 1) for word in text[:length]] or [1] for text in texts]
    return torch.tensor([row + [0] * (length - len(row)) for row in rows])


def stratified_split(labels: Tensor, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Indices of the training (70%), validation (15%) and test (15%) split, each with the same share of every class."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    order = order[labels[order].argsort(stable=True)]  # shuffled within each class, then dealt out in turn
    turn = (17 + 9 * torch.arange(len(order))) % 20  # the first three already fill all splits
    return order[turn < 14], order[(turn >= 14) & (turn < 17)], order[turn >= 17]


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training, validation and test split; the vocabulary knows the training texts only."""
    if config.smoke:
        images, tokens, labels = synthetic_data(config)
        splits = stratified_split(labels, config.seed)
    else:
        images, texts, labels, names = read_table(Path(config.data), config)
        splits = stratified_split(labels, config.seed)
        counts = Counter(word for row in splits[0] for word in texts[row]).most_common(config.vocab_size - 2)
        vocabulary = {word: index for index, (word, _) in enumerate(counts, start=2)}
        tokens = encode(texts, vocabulary, config.sequence_length)
        path = Path(config.out, "vocabulary.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"classes": names, "words": vocabulary}, ensure_ascii=False), encoding="utf-8")
    dataset = ImageTextDataset(images, tokens, labels, config)
    train_set, val_set, test_set = (Subset(dataset, part.tolist()) for part in splits)
    size, drop_last = config.batch_size, len(train_set) > config.batch_size  # batch normalisation dislikes small rests
    train_loader = DataLoader(train_set, size, shuffle=True, drop_last=drop_last)
    return train_loader, DataLoader(val_set, size), DataLoader(test_set, size)


class ImageTextNet(nn.Module):
    """Convolution stages for the image, a recurrent network for the words, and a classifier of both vectors."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.image_branch = nn.Sequential()
        width = config.channels
        for stage in range(config.depth):
            stage_width = config.base_width * 2**stage
            self.image_branch.append(nn.Conv2d(width, stage_width, kernel_size=3, padding=1, bias=False))
            self.image_branch.extend([nn.BatchNorm2d(stage_width), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)])
            width = stage_width
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_dim, padding_idx=0)
        self.gru = nn.GRU(config.embedding_dim, config.hidden_size, batch_first=True, bidirectional=True)
        joint = nn.Linear(width + 2 * config.hidden_size, config.hidden_size)
        self.joint = nn.Sequential(joint, nn.ReLU(), nn.Dropout(config.dropout))
        self.head = nn.Linear(config.hidden_size, config.num_classes)

    def read(self, tokens: Tensor) -> Tensor:
        """Last states of both directions, (N, 2 * hidden_size); packed, so that neither starts in the padding."""
        lengths = (tokens != 0).sum(dim=1).clamp(min=1).cpu()
        packed = pack_padded_sequence(self.embedding(tokens), lengths, batch_first=True, enforce_sorted=False)
        return torch.cat(tuple(self.gru(packed)[1]), dim=1)

    def forward(self, images: Tensor, tokens: Tensor) -> Tensor:
        seen = self.image_branch(images).mean(dim=(2, 3))  # global average pooling: (N, width)
        return self.head(self.joint(torch.cat([seen, self.read(tokens)], dim=1)))


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, channels, image_height, image_width) and (N, sequence_length) -> (N, num_classes) logits."""
    return ImageTextNet(config)


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return nn.CrossEntropyLoss()


def build_optimizer(model: nn.Module, config: Config) -> Optimizer:
    """The optimizer of all weights."""
    return torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)


def run_epoch(model: nn.Module, loader: DataLoader, criterion: nn.Module, optimizer: Optimizer | None = None) -> float:
    """Mean loss over the loader; the weights are updated when an optimizer is given."""
    model.train(optimizer is not None)
    total, count = 0.0, 0
    with torch.set_grad_enabled(optimizer is not None):
        for images, tokens, targets in loader:
            images, tokens, targets = images.to(DEVICE), tokens.to(DEVICE), targets.to(DEVICE)
            loss = criterion(model(images, tokens), targets)
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            total += loss.item() * len(targets)
            count += len(targets)
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
    """Accuracy, and averages over the classes that occur, from logits (N, num_classes) and class numbers (N,)."""
    predicted, true = (F.one_hot(labels, outputs.shape[1]).double() for labels in (outputs.argmax(dim=1), targets))
    hits, found, wanted = (predicted * true).sum(dim=0), predicted.sum(dim=0), true.sum(dim=0)
    f1, recall = (2 * hits / (found + wanted))[wanted > 0].mean().item(), (hits / wanted)[wanted > 0].mean().item()
    return {"accuracy": (hits.sum() / wanted.sum()).item(), "f1": f1, "balanced_accuracy": recall}


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over all examples of the loader."""
    model.eval()
    batches = ((model(images.to(DEVICE), tokens.to(DEVICE)).cpu(), targets) for images, tokens, targets in loader)
    outputs, targets = zip(*batches, strict=True)
    return compute_metrics(torch.cat(outputs), torch.cat(targets))


@torch.no_grad()
def predict(model: nn.Module, images: Tensor, tokens: Tensor) -> Tensor:
    """Class numbers (N,) for images (N, channels, height, width) and tokens (N, sequence_length)."""
    model.eval()
    return model(images.to(DEVICE), tokens.to(DEVICE)).argmax(dim=1).cpu()


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Classification of images with text by a CNN and a bidirectional GRU.")
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
    predictions = torch.cat([predict(model, images, tokens) for images, tokens, _ in test_loader])

    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), out / "model.pt")
    np.save(out / "predictions.npy", predictions.numpy())
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print("test:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
