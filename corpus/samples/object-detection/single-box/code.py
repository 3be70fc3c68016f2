"""Detection of one object per image with a box head and a class head.

Where every photograph shows one thing (a plate, a face, a leaf), no anchors are needed: one head gives the box, fitted
with the smooth L1 loss, which outliers do not dominate, and the other the class, fitted with cross-entropy.

Data (--data PATH): a folder with images/ and boxes.csv, one row per image with the columns file, x_min, y_min, x_max,
y_max (pixels) and label. The class names are saved as classes.json: the index in this list is the predicted number.
Result (--smoke): bright rectangles on noise, mean IoU above 0.6 (box in the middle: 0.2), mAP above 0.7.
"""

import argparse
import copy
import dataclasses
import json
import random
from dataclasses import dataclass
from itertools import pairwise
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
    image_height: int = 128
    image_width: int = 128
    channels: int = 3
    num_classes: int = 3
    base_width: int = 16  # channels of the first stage; each further stage doubles them
    depth: int = 4  # number of stages, each of which halves the resolution
    hidden_size: int = 128
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    epochs: int = 50
    patience: int = 10  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 256 pixels."""
        height, width = min(self.image_height, 256), min(self.image_width, 256)
        batch_size, epochs = min(self.batch_size, 8), min(self.epochs, 4)
        return dataclasses.replace(self, image_height=height, image_width=width, batch_size=batch_size, epochs=epochs)


class BoxFolder(Dataset[tuple[Tensor, Tensor]]):
    """Pairs of image (channels, height, width) in [0, 1] and (5,): box as centre and size in [0, 1], class number."""

    def __init__(self, folder: Path, config: Config) -> None:
        types = {"file": str, "x_min": float, "y_min": float, "x_max": float, "y_max": float, "label": str}
        try:
            table = pd.read_csv(folder / "boxes.csv", usecols=list(types), dtype=types).dropna()
        except (OSError, ValueError) as error:
            raise SystemExit(f"{folder / 'boxes.csv'}: {error}") from None
        if absent := [name for name in table["file"] if not (folder / "images" / name).is_file()]:
            raise SystemExit(f"{folder / 'images' / absent[0]}: no such file")
        if len(table) < 3 or table["file"].duplicated().any():
            raise SystemExit(f"{folder}: at least 3 images with one row each are needed")
        labels, classes = table["label"].factorize(sort=True)
        if len(classes) != config.num_classes:
            raise SystemExit(f"{folder}: {len(classes)} classes found, pass --num-classes {len(classes)}")
        Path(config.out).mkdir(parents=True, exist_ok=True)
        (Path(config.out) / "classes.json").write_text(json.dumps(list(classes), indent=2) + "\n", encoding="utf-8")
        self.paths = [folder / "images" / name for name in table["file"]]
        self.targets = torch.tensor(table.assign(label=labels)[list(types)[1:]].to_numpy(dtype=np.float32))
        self.size, self.mode = (config.image_width, config.image_height), "L" if config.channels == 1 else "RGB"

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        file = Image.open(self.paths[index])
        image = np.array(file.convert(self.mode).resize(self.size), dtype=np.float32) / 255
        corners = self.targets[index, :4].view(2, 2) / torch.tensor(file.size)
        target = torch.cat([corners.mean(dim=0), corners[1] - corners[0], self.targets[index, 4:]])
        return torch.from_numpy(image.reshape(*image.shape[:2], -1).transpose(2, 0, 1)), target


def synthetic_data(config: Config) -> TensorDataset:
    """Rectangles on noise, whose colour is their class: images (N, channels, height, width) and targets (N, 5)."""
    height, width = config.image_height, config.image_width
    count = max(96, min(256, 256 * 128 * 128 // (height * width)))
    labels = torch.arange(count) % config.num_classes
    sizes = 0.25 + 0.25 * torch.rand(count, 2)
    centres = sizes / 2 + (1 - sizes) * torch.rand(count, 2)
    rows, columns = torch.linspace(0, 1, height).view(-1, 1), torch.linspace(0, 1, width)
    x, y, half_width, half_height = torch.cat([centres, sizes / 2], dim=1).T[:, :, None, None]
    inside = ((columns - x).abs() < half_width) & ((rows - y).abs() < half_height)
    colours = torch.stack([torch.linspace(1, 0.3, config.num_classes).roll(i) for i in range(config.channels)], dim=1)
    images = inside[:, None] * colours[labels, :, None, None] + 0.2 * torch.rand(count, config.channels, height, width)
    return TensorDataset(images, torch.cat([centres, sizes, labels[:, None]], dim=1))


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training (70%), validation (15%) and test (15%) split."""
    dataset = synthetic_data(config) if config.smoke else BoxFolder(Path(config.data), config)
    held_out = max(1, round(0.15 * len(dataset)))
    sizes = [len(dataset) - 2 * held_out, held_out, held_out]
    train_set, val_set, test_set = random_split(dataset, sizes, torch.Generator().manual_seed(config.seed))
    return (
        DataLoader(train_set, config.batch_size, shuffle=True),
        DataLoader(val_set, config.batch_size),
        DataLoader(test_set, config.batch_size),
    )


class BoxNet(nn.Module):
    """Convolution stages, a grid of 4x4 features, which unlike global pooling remembers places, and two heads."""

    def __init__(self, in_channels: int, num_classes: int, base_width: int, depth: int, hidden_size: int) -> None:
        super().__init__()
        widths = [in_channels, *(base_width * 2**stage for stage in range(depth))]
        self.stages = nn.Sequential()
        for before, after in pairwise(widths):
            self.stages.append(nn.Conv2d(before, after, kernel_size=3, padding=1, bias=False))
            self.stages.append(nn.Sequential(nn.BatchNorm2d(after), nn.ReLU(inplace=True)))
            self.stages.append(nn.MaxPool2d(kernel_size=2, ceil_mode=True))  # rounds up: no map shrinks to nothing
        self.hidden = nn.Linear(16 * widths[-1], hidden_size)
        self.box_head = nn.Linear(hidden_size, 4)
        self.class_head = nn.Linear(hidden_size, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.hidden(F.adaptive_avg_pool2d(self.stages(x), 4).flatten(1)))
        return torch.cat([torch.sigmoid(self.box_head(x)), self.class_head(x)], dim=1)


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, channels, image_height, image_width) -> (N, 4 + num_classes) box in [0, 1], then class logits."""
    return BoxNet(config.channels, config.num_classes, config.base_width, config.depth, config.hidden_size)


class BoxLoss(nn.Module):
    """Smooth L1 loss of the box plus cross-entropy of the class."""

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        box_loss = F.smooth_l1_loss(outputs[:, :4], targets[:, :4], beta=0.1)
        if outputs.shape[1] == 5:
            return 10 * box_loss  # of one class there is none to tell apart
        return 10 * box_loss + F.cross_entropy(outputs[:, 4:], targets[:, 4].long())  # 10: about equal shares


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return BoxLoss()


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


def compute_metrics(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Overlap of boxes, share of right classes, and mean average precision where a hit has an IoU of 0.5 at least."""
    low = torch.maximum(outputs[:, :2] - outputs[:, 2:4] / 2, targets[:, :2] - targets[:, 2:4] / 2)
    high = torch.minimum(outputs[:, :2] + outputs[:, 2:4] / 2, targets[:, :2] + targets[:, 2:4] / 2)
    overlap = (high - low).clamp(min=0).prod(dim=1)
    iou = overlap / (outputs[:, 2:4].prod(dim=1) + targets[:, 2:4].prod(dim=1) - overlap).clamp(min=1e-9)
    labels, precisions = targets[:, 4], []
    scores, predicted = outputs[:, 4:].softmax(dim=1).max(dim=1)
    order = scores.argsort(descending=True)
    for label in labels.unique():
        hits = ((iou >= 0.5) & (labels == label))[order][predicted[order] == label]
        precision = hits.cumsum(0) / torch.arange(1, len(hits) + 1)
        precision = precision.flip(0).cummax(0).values.flip(0)  # the best that is reached at this recall or above
        precisions.append(precision[hits].sum().item() / (labels == label).sum().item())
    accuracy, map_50 = (predicted == labels).float().mean().item(), sum(precisions) / len(precisions)
    return {"iou": iou.mean().item(), "accuracy": accuracy, "map_50": map_50}


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over all examples of the loader."""
    model.eval()
    outputs, targets = zip(*((model(inputs.to(DEVICE)).cpu(), targets) for inputs, targets in loader), strict=True)
    return compute_metrics(torch.cat(outputs), torch.cat(targets))


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """Per image (N, channels, height, width) a row of centre x, centre y, width, height, class and probability."""
    model.eval()
    outputs = model(inputs.to(DEVICE)).cpu()
    scores, labels = outputs[:, 4:].softmax(dim=1).max(dim=1)
    return torch.cat([outputs[:, :4], labels[:, None], scores[:, None]], dim=1)


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Detection of one object per image with a box head and a class head.")
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
