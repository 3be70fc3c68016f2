"""Classification of examples that consist of an image and a table row.

Joins what a picture shows with what is known in numbers: skin lesions and age, houses and area. A CNN reads the image,
an MLP the row; their concatenated vectors are classified, so that classes may depend on how the two go together.

Data (--data PATH): a folder with images/ (any format Pillow reads) and table.csv, whose columns are file (name of the
image), numeric features in any number, and label. scaler.json keeps the scales and the class names.
Result (--smoke): classes that need image and row, accuracy 0.98 after eight epochs on a CPU (chance: 0.25).
"""

import argparse
import copy
import dataclasses
import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
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
    num_features: int = 10
    num_classes: int = 4
    base_width: int = 16  # channels of the first image stage; each further stage doubles them
    depth: int = 4  # number of image stages, each of which halves the resolution
    hidden_size: int = 64  # of the table branch and of the classifier
    dropout: float = 0.3
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    epochs: int = 50
    patience: int = 10  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 256 pixels."""
        height, width = min(self.image_height, 256), min(self.image_width, 256)
        batch_size, epochs = min(self.batch_size, 8), min(self.epochs, 8 if height * width <= 128 * 128 else 2)
        return dataclasses.replace(self, image_height=height, image_width=width, batch_size=batch_size, epochs=epochs)


class ImageTableDataset(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Triples of image (channels, height, width) in [0, 1], read when asked for, row and class number."""

    def __init__(self, images: Tensor | list[Path], rows: Tensor, labels: Tensor, config: Config) -> None:
        self.images, self.rows, self.labels = images, rows, labels
        self.size, self.mode = (config.image_width, config.image_height), "L" if config.channels == 1 else "RGB"

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        image = self.images[index]
        if isinstance(image, Path):
            pixels = np.array(Image.open(image).convert(self.mode).resize(self.size), dtype=np.float32) / 255
            image = torch.from_numpy(pixels.reshape(*pixels.shape[:2], -1).transpose(2, 0, 1))
        return image, self.rows[index], self.labels[index]


def synthetic_data(config: Config) -> tuple[Tensor, Tensor, Tensor, list[str]]:
    """Two classes share each blotchy pattern, and their rows tell them apart: images, rows, labels and class names."""
    size = (config.image_height, config.image_width)
    labels = torch.arange(max(60, min(300, 600 * 64 * 64 // (size[0] * size[1])))) % config.num_classes
    patterns = torch.rand((config.num_classes + 1) // 2, config.channels, 4, 4)[labels // 2]
    images = F.interpolate(patterns, size=size, mode="bilinear", align_corners=False)
    noise = torch.randn(len(labels), config.num_features) * config.num_features**0.5
    rows = (labels % 2 * 2.0 - 1).unsqueeze(1) + 0.5 * noise
    return 0.6 * images + 0.4 * torch.rand_like(images), rows, labels, [str(name) for name in range(config.num_classes)]


def read_table(folder: Path, config: Config) -> tuple[list[Path], Tensor, Tensor, list[str]]:
    """Paths of the images, rows (N, num_features) with NaN in empty cells, class numbers (N,) and class names."""
    try:
        table = pd.read_csv(folder / "table.csv", dtype={"file": str, "label": str})
        files = [folder / "images" / name for name in table.pop("file")]
        labels, names = pd.factorize(table.pop("label"), sort=True)
        rows = torch.tensor(table.to_numpy(np.float32))
    except (OSError, ValueError, KeyError) as error:
        raise SystemExit(f"{folder / 'table.csv'}: no table of file, numeric features and label: {error}") from None
    for number, flag in ((rows.shape[1], "num_features"), (len(names), "num_classes")):
        if number != getattr(config, flag):
            raise SystemExit(f"{folder / 'table.csv'}: pass --{flag.replace('_', '-')} {number}, as found there")
    if labels.min() < 0 or np.bincount(labels).min() < 3 or not all(path.is_file() for path in files):
        raise SystemExit(f"{folder}: every row needs a label and an existing image, every class at least 3 rows")
    return files, rows, torch.tensor(labels), list(names)


def stratified_split(labels: Tensor, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Indices of the training (70%), validation (15%) and test (15%) split, each with the same share of every class."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    order = order[labels[order].argsort(stable=True)]  # shuffled within each class, then dealt out in turn
    turn = (17 + 9 * torch.arange(len(order))) % 20  # the first three already fill all splits
    return order[turn < 14], order[(turn >= 14) & (turn < 17)], order[turn >= 17]


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training, validation and test split; rows are scaled with the statistics of the first."""
    images, rows, labels, names = synthetic_data(config) if config.smoke else read_table(Path(config.data), config)
    splits = stratified_split(labels, config.seed)
    mean = rows[splits[0]].nanmean(dim=0).nan_to_num()
    std = (rows[splits[0]] - mean).square().nanmean(dim=0).sqrt().nan_to_num()
    std[std < 1e-8] = 1  # a constant column carries nothing, but must not divide by zero
    Path(config.out).mkdir(parents=True, exist_ok=True)
    learned = {"classes": names, "mean": mean.tolist(), "std": std.tolist()}
    Path(config.out, "scaler.json").write_text(json.dumps(learned, indent=2) + "\n", encoding="utf-8")
    rows = ((rows - mean) / std).nan_to_num()  # an empty cell becomes the mean
    dataset = ImageTableDataset(images, rows, labels, config)
    train_set, val_set, test_set = (Subset(dataset, part.tolist()) for part in splits)
    size, drop_last = config.batch_size, len(train_set) > config.batch_size  # batch normalisation dislikes small rests
    train_loader = DataLoader(train_set, size, shuffle=True, drop_last=drop_last)
    return train_loader, DataLoader(val_set, size), DataLoader(test_set, size)


class ImageTableNet(nn.Module):
    """Convolution stages for the image, a multi-layer perceptron for the row, and a classifier of both together."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.image_branch = nn.Sequential()
        width = config.channels
        for stage in range(config.depth):
            stage_width = config.base_width * 2**stage
            self.image_branch.append(nn.Conv2d(width, stage_width, kernel_size=3, padding=1, bias=False))
            self.image_branch.extend([nn.BatchNorm2d(stage_width), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)])
            width = stage_width
        hidden = config.hidden_size
        layers = nn.Linear(config.num_features, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
        self.table_branch = nn.Sequential(*layers)
        self.joint = nn.Sequential(nn.Linear(width + hidden, hidden), nn.ReLU(), nn.Dropout(config.dropout))
        self.head = nn.Linear(hidden, config.num_classes)

    def forward(self, images: Tensor, rows: Tensor) -> Tensor:
        seen = self.image_branch(images).mean(dim=(2, 3))  # global average pooling: (N, width)
        return self.head(self.joint(torch.cat([seen, self.table_branch(rows)], dim=1)))


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, channels, image_height, image_width) and (N, num_features) -> (N, num_classes) logits."""
    return ImageTableNet(config)


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return nn.CrossEntropyLoss()


def build_optimizer(model: nn.Module, config: Config) -> Optimizer:
    """The optimizer of all weights."""
    return torch.optim.Adam(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)


def run_epoch(model: nn.Module, loader: DataLoader, criterion: nn.Module, optimizer: Optimizer | None = None) -> float:
    """Mean loss over the loader; the weights are updated when an optimizer is given."""
    model.train(optimizer is not None)
    total, count = 0.0, 0
    with torch.set_grad_enabled(optimizer is not None):
        for images, rows, targets in loader:
            images, rows, targets = images.to(DEVICE), rows.to(DEVICE), targets.to(DEVICE)
            loss = criterion(model(images, rows), targets)
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
    """Scores of logits (N, num_classes) against labels (N,); averages over classes are macro averages."""
    predicted, num_classes = outputs.argmax(dim=1), outputs.shape[1]
    hits = torch.bincount(targets[predicted == targets], minlength=num_classes)
    found, wanted = (torch.bincount(labels, minlength=num_classes) for labels in (predicted, targets))
    present = found + wanted > 0
    return {
        "accuracy": (predicted == targets).float().mean().item(),
        "precision": (hits / found.clamp(min=1))[present].mean().item(),
        "recall": (hits / wanted.clamp(min=1))[present].mean().item(),
        "f1": (2 * hits / (found + wanted).clamp(min=1))[present].mean().item(),
    }


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over all examples of the loader."""
    model.eval()
    batches = ((model(images.to(DEVICE), rows.to(DEVICE)).cpu(), targets) for images, rows, targets in loader)
    outputs, targets = zip(*batches, strict=True)
    return compute_metrics(torch.cat(outputs), torch.cat(targets))


@torch.no_grad()
def predict(model: nn.Module, images: Tensor, rows: Tensor) -> Tensor:
    """Class numbers (N,) for images (N, channels, height, width) and scaled rows (N, num_features)."""
    model.eval()
    return model(images.to(DEVICE), rows.to(DEVICE)).argmax(dim=1).cpu()


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Classification of examples that consist of an image and a table row.")
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
    predictions = torch.cat([predict(model, images, rows) for images, rows, _ in test_loader])

    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), out / "model.pt")
    np.save(out / "predictions.npy", predictions.numpy())
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print("test:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
