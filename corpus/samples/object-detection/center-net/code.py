"""Detection of several objects per image, after CenterNet.

There are no anchors: every object is the peak of a heat map of its class, and the same cell of other maps gives its
size and where in the cell its centre lies. The focal loss keeps the few peaks from drowning in background.

Data (--data PATH): images/ and boxes.csv, a row per object: file, x_min, y_min, x_max, y_max (pixels) and label.
Result (--smoke): two rectangles on noise, mean average precision above 0.85 after eight epochs.
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
from torch.utils.data import DataLoader, TensorDataset, random_split

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
STRIDE = 4  # pixels per cell of the output maps


@dataclass
class Config:
    """Every setting of the project; each field is a command line flag."""

    data: str = ""
    out: str = "outputs"
    smoke: bool = False
    seed: int = 42
    image_height: int = 128
    image_width: int = 128
    channels: int = 3
    num_classes: int = 3
    base_width: int = 64  # channels of every convolution
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    epochs: int = 50
    patience: int = 10  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 256 pixels."""
        height, width = min(self.image_height, 256), min(self.image_width, 256)
        batch_size, epochs = min(self.batch_size, 2), min(self.epochs, 8)
        return dataclasses.replace(self, image_height=height, image_width=width, batch_size=batch_size, epochs=epochs)


def encode(boxes: Tensor, labels: Tensor, config: Config) -> Tensor:
    """Maps (num_classes + 5, rows, columns) of boxes (K, 4) in pixels: heat, width, height, offset x, y, is centre."""
    rows, columns = -(-config.image_height // STRIDE), -(-config.image_width // STRIDE)
    maps = torch.zeros(config.num_classes + 5, rows, columns)
    for (x_min, y_min, x_max, y_max), label in zip((boxes / STRIDE).tolist(), labels, strict=True):
        x, y, width, height = (x_min + x_max) / 2, (y_min + y_max) / 2, max(x_max - x_min, 0.1), max(y_max - y_min, 0.1)
        column, row = min(int(x), columns - 1), min(int(y), rows - 1)
        away_x, away_y = (torch.arange(columns) - column) / width, (torch.arange(rows).view(-1, 1) - row) / height
        maps[label] = torch.maximum(maps[label], torch.exp(-18 * (away_x**2 + away_y**2)))
        maps[config.num_classes :, row, column] = torch.tensor([width, height, x - column, y - row, 1])
    return maps


def read_folder(config: Config) -> TensorDataset:
    """Images (N, channels, height, width) in [0, 1], held in memory, and maps; class names go to classes.json."""
    folder, size = Path(config.data), (config.image_width, config.image_height)
    types = {"file": str, "x_min": float, "y_min": float, "x_max": float, "y_max": float, "label": str}
    try:
        table = pd.read_csv(folder / "boxes.csv", usecols=list(types), dtype=types).dropna()
    except (OSError, ValueError) as error:
        raise SystemExit(f"{folder / 'boxes.csv'}: {error}") from None
    table["label"], classes = table["label"].factorize(sort=True)
    if len(classes) != config.num_classes:
        raise SystemExit(f"{folder}: {len(classes)} classes found, pass --num-classes {len(classes)}")
    Path(config.out).mkdir(parents=True, exist_ok=True)
    (Path(config.out) / "classes.json").write_text(json.dumps(list(classes), indent=2) + "\n", encoding="utf-8")
    groups, images, targets = list(table.groupby("file")), [], []
    if len(groups) < 3 or not all((folder / "images" / name).is_file() for name, _ in groups):
        raise SystemExit(f"{folder}: at least 3 images with objects are needed, each in images/")
    for name, rows in groups:
        file = Image.open(folder / "images" / name)
        pixels = np.array(file.convert("L" if config.channels == 1 else "RGB").resize(size), dtype=np.float32) / 255
        images.append(torch.from_numpy(pixels.reshape(*pixels.shape[:2], -1).transpose(2, 0, 1)))
        boxes = torch.tensor(rows[list(types)[1:5]].to_numpy()) * torch.tensor(size * 2) / torch.tensor(file.size * 2)
        targets.append(encode(boxes, torch.tensor(rows["label"].to_numpy()), config))
    return TensorDataset(torch.stack(images), torch.stack(targets))


def synthetic_data(config: Config) -> TensorDataset:
    """Two rectangles on noise, whose colour is their class: images (N, channels, height, width) and maps."""
    size = torch.tensor([config.image_width, config.image_height])
    count = max(26, min(72, 72 * 128 * 128 // int(size.prod())))
    colours = torch.stack([torch.linspace(1, 0.3, config.num_classes).roll(i) for i in range(config.channels)], dim=1)
    images, targets = 0.2 * torch.rand(count, config.channels, config.image_height, config.image_width), []
    for image in images:
        low = torch.tensor([[0.0, 0.5 * torch.rand(())], [0.5, 0.5 * torch.rand(())]]) + 0.1 * torch.rand(2, 2)
        boxes = (torch.cat([low, low + 0.2 + 0.15 * torch.rand(2, 2)], dim=1) * size.repeat(2)).round()
        labels = torch.randint(config.num_classes, (2,))
        for (x_min, y_min, x_max, y_max), label in zip(boxes.int().tolist(), labels, strict=True):
            image[:, y_min:y_max, x_min:x_max] += colours[label, :, None, None]
        targets.append(encode(boxes, labels, config))
    return TensorDataset(images, torch.stack(targets))


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training (70%), validation (15%) and test (15%) split."""
    dataset = synthetic_data(config) if config.smoke else read_folder(config)
    held_out = max(1, round(0.15 * len(dataset)))
    sizes = [len(dataset) - 2 * held_out, held_out, held_out]
    train_set, val_set, test_set = random_split(dataset, sizes, torch.Generator().manual_seed(config.seed))
    return (
        DataLoader(train_set, config.batch_size, shuffle=True),
        DataLoader(val_set, config.batch_size),
        DataLoader(test_set, config.batch_size),
    )


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, channels, image_height, image_width) -> (N, num_classes + 4, image_height/4, image_width/4) maps."""
    model, width = nn.Sequential(), config.base_width
    for in_channels, stride, gap in [(config.channels, 2, 1), (width, 2, 1), *((width, 1, 2**i) for i in range(1, 5))]:
        model.append(nn.Conv2d(in_channels, width, 3, stride, padding=gap, dilation=gap, bias=False))
        model.append(nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(inplace=True)))
    head = nn.Conv2d(width, config.num_classes + 4, kernel_size=1)
    nn.init.constant_(head.bias[:-4], -2.2)  # at first a heat of 0.1 everywhere: most cells are empty
    return model.append(head)


class CenterLoss(nn.Module):
    """Focal loss of the heat, forgiving near a centre, plus L1 loss of size and offset at the centres."""

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        logits, heat, centres = outputs[:, :-4], targets[:, :-5], targets[:, -1:]
        hit, miss = logits.sigmoid() ** 2 * F.logsigmoid(-logits), (-logits).sigmoid() ** 2 * F.logsigmoid(logits)
        focal_loss = -torch.where(heat == 1, miss, (1 - heat) ** 4 * hit).sum()
        errors = (centres * (outputs[:, -4:] - targets[:, -5:-1]).abs()).sum(dim=(0, 2, 3))
        return (focal_loss + 0.1 * errors[:2].sum() + errors[2:].sum()) / centres.sum().clamp(min=1)


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return CenterLoss()


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


def decode(heat: Tensor, geometry: Tensor, threshold: float) -> Tensor:
    """Objects (K, 7), best first: number of the image, class, score, x_min, y_min, x_max, y_max in pixels."""
    peaks = (heat > threshold) & (heat == F.max_pool2d(heat, kernel_size=3, stride=1, padding=1))
    image, label, row, column = peaks.nonzero(as_tuple=True)
    size, offset = geometry[image, :2, row, column].clamp(min=0), geometry[image, 2:, row, column]
    centre = offset + torch.stack([column, row], dim=1)
    corners = STRIDE * torch.cat([centre - size / 2, centre + size / 2], dim=1)
    return torch.column_stack([image, label, heat[peaks], corners])[heat[peaks].argsort(descending=True)]


def compute_metrics(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Mean average precision, precision and recall of objects with a score above 0.3; hits have an IoU of 0.5."""
    found = decode(outputs[:, :-4].sigmoid(), outputs[:, -4:], 0.3)
    true, areas, right = decode(targets[:, :-5], targets[:, -5:-1], 0.999), [], 0
    for label in true[:, 1].unique():
        ours, theirs = found[found[:, 1] == label], true[true[:, 1] == label]
        low, high = torch.maximum(ours[:, None, 3:5], theirs[:, 3:5]), torch.minimum(ours[:, None, 5:], theirs[:, 5:])
        overlap = (high - low).clamp(min=0).prod(dim=2) * (ours[:, None, 0] == theirs[:, 0])
        our_area, their_area = ((objects[:, 5:] - objects[:, 3:5]).prod(dim=1) for objects in (ours, theirs))
        iou = overlap / (our_area[:, None] + their_area - overlap)
        claims = (iou >= 0.5) & (iou == iou.amax(dim=1, keepdim=True))
        hits = (claims & (claims.cumsum(dim=0) == 1)).any(dim=1)  # of several on one object, the best counts
        precision = (hits.cumsum(0) / torch.arange(1, len(hits) + 1)).flip(0).cummax(0).values.flip(0)
        areas.append(precision[hits].sum().item() / len(theirs))
        right += hits.sum().item()
    return {"map_50": sum(areas) / len(areas), "precision": right / max(1, len(found)), "recall": right / len(true)}


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over all examples of the loader."""
    model.eval()
    outputs, targets = zip(*((model(inputs.to(DEVICE)).cpu(), targets) for inputs, targets in loader), strict=True)
    return compute_metrics(torch.cat(outputs), torch.cat(targets))


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> list[Tensor]:
    """Per image its objects (K, 6) with a score above 0.3: class, score, x_min, y_min, x_max, y_max in pixels."""
    model.eval()
    outputs = model(inputs.to(DEVICE)).cpu()
    objects = decode(outputs[:, :-4].sigmoid(), outputs[:, -4:], 0.3)
    return [objects[objects[:, 0] == number, 1:] for number in range(len(inputs))]


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Detection of several objects per image, after CenterNet.")
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
    predictions = [found.tolist() for inputs, _ in test_loader for found in predict(model, inputs)]

    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), out / "model.pt")
    (out / "predictions.json").write_text(json.dumps(predictions) + "\n", encoding="utf-8")
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print("test:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
