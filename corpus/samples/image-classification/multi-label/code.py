"""Multi-label image classification with a small convolutional network.

Tells which of several labels hold for an image: none, one or many (scene tags, findings on an X-ray). Each label is a
yes-or-no question of its own, hence one logit per label and binary cross-entropy on each. F1 counts yes from
probability 0.5 on; the mean average precision judges the order of the images and needs no threshold.

Data (--data PATH): a folder with images/ (any format Pillow reads) and labels.csv: a column "file" with the name of the
image, then one column per label, 0 or 1. The label names are saved as labels.json, in the order of the outputs.
Result (--smoke): eight patterns laid over each other, F1 above 0.7 after four epochs on a CPU (all yes: 0.46).
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
from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split

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
    num_classes: int = 8  # labels, any number of which hold at once
    base_width: int = 32  # channels of the first stage; each further stage doubles them
    depth: int = 4  # number of stages, each of which halves the resolution
    dropout: float = 0.3
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    epochs: int = 50
    patience: int = 10  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 256 pixels."""
        height, width = min(self.image_height, 256), min(self.image_width, 256)
        batch_size, epochs = min(self.batch_size, 8 if height * width <= 64 * 64 else 4), min(self.epochs, 4)
        return dataclasses.replace(self, image_height=height, image_width=width, batch_size=batch_size, epochs=epochs)


class LabelledImages(Dataset[tuple[Tensor, Tensor]]):
    """Pairs of image (channels, height, width) in [0, 1] and label vector (num_classes,) of zeros and ones."""

    def __init__(self, folder: Path, config: Config) -> None:
        try:
            table = pd.read_csv(folder / "labels.csv")
        except (OSError, ValueError) as error:
            raise SystemExit(f"{folder}: a folder with images/ and labels.csv is needed: {error}") from error
        if "file" not in table or len(table) < 3:
            raise SystemExit(f"{folder}/labels.csv: a column 'file' and at least 3 rows are needed")
        self.paths = [folder / "images" / name for name in table.pop("file").astype(str)]
        missing = [path for path in self.paths if not path.is_file()]
        if missing:
            raise SystemExit(f"{missing[0]}: this file is named in labels.csv, but missing")
        self.names = list(table.columns)
        if len(self.names) != config.num_classes:
            raise SystemExit(f"{folder}/labels.csv: {len(self.names)} labels, but --num-classes {config.num_classes}")
        if not table.isin([0, 1]).all(axis=None):
            raise SystemExit(f"{folder}/labels.csv: every label must be 0 or 1")
        self.targets = torch.from_numpy(table.to_numpy(dtype=np.float32))
        self.size = (config.image_width, config.image_height)
        self.mode = "L" if config.channels == 1 else "RGB"

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = np.array(Image.open(self.paths[index]).convert(self.mode).resize(self.size), dtype=np.float32) / 255
        image = image.reshape(*image.shape[:2], -1).transpose(2, 0, 1)
        return torch.from_numpy(image), self.targets[index]


def synthetic_data(config: Config) -> TensorDataset:
    """One blotchy pattern per label, overlaid: images (N, channels, height, width) and labels (N, num_classes)."""
    size = (config.image_height, config.image_width)
    count = max(48, min(320, 320 * 64 * 64 // (size[0] * size[1])))
    targets = (torch.rand(count, config.num_classes) < 0.3).float()
    patterns = torch.rand(config.num_classes, config.channels * 4 * 4) - 0.5
    blotches = 0.5 + 0.5 * (targets @ patterns).view(count, config.channels, 4, 4)
    images = F.interpolate(blotches, size=size, mode="bilinear", align_corners=False)
    return TensorDataset((images + 0.1 * torch.randn_like(images)).clamp(0, 1), targets)


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training (70%), validation (15%) and test (15%) split."""
    dataset = synthetic_data(config) if config.smoke else LabelledImages(Path(config.data), config)
    if not config.smoke:
        Path(config.out).mkdir(parents=True, exist_ok=True)
        (Path(config.out) / "labels.json").write_text(json.dumps(dataset.names, indent=2) + "\n", encoding="utf-8")
    held_out = max(1, round(0.15 * len(dataset)))
    sizes = [len(dataset) - 2 * held_out, held_out, held_out]
    train_set, val_set, test_set = random_split(dataset, sizes, torch.Generator().manual_seed(config.seed))
    return (
        # A last batch of one example would be too small for batch normalisation.
        DataLoader(train_set, config.batch_size, shuffle=True, drop_last=len(train_set) > config.batch_size),
        DataLoader(val_set, config.batch_size),
        DataLoader(test_set, config.batch_size),
    )


class SmallCNN(nn.Module):
    """Stages of convolution, normalisation, rectifier and pooling, then a linear classifier."""

    def __init__(self, in_channels: int, out_features: int, base_width: int, depth: int, dropout: float) -> None:
        super().__init__()
        self.stages = nn.Sequential()
        for stage in range(depth):
            out_channels = base_width * 2**stage
            self.stages.append(nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=False))
            self.stages.append(nn.BatchNorm2d(out_channels))
            self.stages.append(nn.ReLU(inplace=True))
            self.stages.append(nn.MaxPool2d(kernel_size=2, ceil_mode=True))  # rounds up: no map shrinks to nothing
            in_channels = out_channels
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(in_channels, out_features)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stages(x).mean(dim=(2, 3))  # global average pooling: (N, in_channels of the head)
        return self.head(self.dropout(x))


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, channels, image_height, image_width) -> (N, num_classes) logits, one per label."""
    return SmallCNN(config.channels, config.num_classes, config.base_width, config.depth, config.dropout)


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return nn.BCEWithLogitsLoss()


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


def average_precision(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean precision at the rank of each true example, for every label: (N, num_classes) -> (num_classes,)."""
    hits = targets.gather(0, outputs.argsort(dim=0, descending=True))
    precision = hits.cumsum(dim=0) / torch.arange(1, len(hits) + 1).unsqueeze(1)
    return (precision * hits).sum(dim=0) / hits.sum(dim=0).clamp(min=1)


def compute_metrics(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Averages over the labels that occur, from logits and zeros and ones, both (N, num_classes)."""
    predicted = (outputs > 0).float()
    overlap, found, wanted = (predicted * targets).sum(dim=0), predicted.sum(dim=0), targets.sum(dim=0)
    occurs = (found + wanted > 0).sum().clamp(min=1)  # all ratios below are 0 where a label does not occur
    return {
        "f1": ((2 * overlap / (found + wanted).clamp(min=1)).sum() / occurs).item(),
        "precision": ((overlap / found.clamp(min=1)).sum() / occurs).item(),
        "recall": ((overlap / wanted.clamp(min=1)).sum() / occurs).item(),
        "mean_average_precision": (average_precision(outputs, targets).sum() / (wanted > 0).sum().clamp(min=1)).item(),
        "subset_accuracy": (predicted == targets).all(dim=1).float().mean().item(),
        "hamming_loss": (predicted != targets).float().mean().item(),
    }


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over all examples of the loader."""
    model.eval()
    outputs, targets = zip(*((model(inputs.to(DEVICE)).cpu(), targets) for inputs, targets in loader), strict=True)
    return compute_metrics(torch.cat(outputs), torch.cat(targets))


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """Zeros and ones (N, num_classes), one per label, for images (N, channels, height, width)."""
    model.eval()
    return (model(inputs.to(DEVICE)) > 0).to(torch.uint8).cpu()


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Multi-label image classification with a small convolutional network.")
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
