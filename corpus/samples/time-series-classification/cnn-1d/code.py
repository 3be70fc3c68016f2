"""Time series classification with a one-dimensional CNN.

Sorts windows of sensor readings into classes (activities from an accelerometer, heart beats of an ECG, machine states).
Three convolution blocks detect short shapes and a global average makes it unimportant where they occur; having no
pooling before it, the network takes windows of any length.

Data (--data PATH): a .npz file with the arrays x (N, window, num_features) and y (N,) of class numbers or names.
Result (--smoke): one mix of waves per class in random phase plus noise, accuracy 1.0 after four epochs on a CPU.
"""

import argparse
import copy
import dataclasses
import json
import random
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
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
    window: int = 128
    num_features: int = 6
    num_classes: int = 6
    base_width: int = 64  # channels of the first and last block; the middle one has twice as many
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-5
    epochs: int = 100
    patience: int = 15  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no window above 512 steps."""
        window, batch_size, epochs = min(self.window, 512), min(self.batch_size, 16), min(self.epochs, 4)
        return dataclasses.replace(self, window=window, batch_size=batch_size, epochs=epochs)


def synthetic_data(config: Config) -> tuple[Tensor, Tensor]:
    """Windows (N, window, num_features), each the two waves of its class in random phase plus noise; classes (N,)."""
    count = max(10 * config.num_classes, min(400, 60_000 // config.window))
    labels = torch.arange(count) % config.num_classes
    frequencies = 0.02 + 0.4 * torch.rand(2, config.num_classes, 1, config.num_features)
    time = torch.arange(config.window).view(1, -1, 1) + 50 * torch.rand(count, 1, 1)
    waves = torch.sin(2 * torch.pi * frequencies[:, labels] * time).sum(dim=0)
    return waves + 0.3 * torch.randn(waves.shape), labels


def save_json(value: object, name: str, config: Config) -> None:
    """Keep under config.out what was learned from the data and is needed to predict on new data."""
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / name).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def read_windows(config: Config) -> tuple[Tensor, Tensor]:
    """Windows (N, window, num_features) and class numbers (N,) of the .npz file."""
    try:
        with np.load(config.data) as arrays:
            windows, names = arrays["x"].astype(np.float32), arrays["y"]
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        raise SystemExit(f"{config.data}: no .npz file with the arrays x and y") from None
    if windows.ndim != 3 or names.shape != windows.shape[:1]:
        raise SystemExit(f"{config.data}: x must be (N, window, num_features) and y (N,)")
    if windows.shape[1:] != (config.window, config.num_features):
        steps, features = windows.shape[1:]
        raise SystemExit(f"{config.data}: x is {windows.shape}, pass --window {steps} --num-features {features}")
    classes, labels, counts = np.unique(names, return_inverse=True, return_counts=True)
    if len(classes) != config.num_classes:
        raise SystemExit(f"{config.data}: {len(classes)} classes in y, pass --num-classes {len(classes)}")
    if counts.min() < 3:
        raise SystemExit(f"{config.data}: every class needs at least 3 windows")
    save_json([str(name) for name in classes], "classes.json", config)
    return torch.from_numpy(windows), torch.from_numpy(labels)


def stratified_split(labels: Tensor, seed: int) -> list[Tensor]:
    """Row numbers of the training (70%), validation (15%) and test (15%) split; each has its share of every class."""
    generator = torch.Generator().manual_seed(seed)
    parts: list[list[Tensor]] = [[], [], []]
    for label in labels.unique():
        rows = (labels == label).nonzero().flatten()
        held_out = max(1, round(0.15 * len(rows)))
        shuffled = rows[torch.randperm(len(rows), generator=generator)]
        for part, chunk in zip(parts, shuffled.split([len(rows) - 2 * held_out, held_out, held_out]), strict=True):
            part.append(chunk)
    return [torch.cat(part) for part in parts]


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training (70%), validation (15%) and test (15%) split, stratified by class."""
    windows, labels = synthetic_data(config) if config.smoke else read_windows(config)
    splits = stratified_split(labels, config.seed)
    mean, std = windows[splits[0]].mean(dim=(0, 1)), windows[splits[0]].std(dim=(0, 1), correction=0)
    std[std < 1e-8] = 1  # a constant feature carries nothing, but must not divide by zero
    save_json({"mean": mean.tolist(), "std": std.tolist()}, "scaler.json", config)
    windows = (windows - mean) / std
    train_set, val_set, test_set = (TensorDataset(windows[rows], labels[rows]) for rows in splits)
    return (
        DataLoader(train_set, config.batch_size, shuffle=True),
        DataLoader(val_set, config.batch_size),
        DataLoader(test_set, config.batch_size),
    )


class ConvBlock(nn.Module):
    """One convolution, normalised and rectified; the number of steps stays."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=False)
        self.norm = nn.BatchNorm1d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.norm(self.convolution(x)))


class CNN1D(nn.Module):
    """Three convolution blocks with ever smaller kernels, the mean over the steps, and a linear layer."""

    def __init__(self, num_features: int, num_classes: int, base_width: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            ConvBlock(num_features, base_width, kernel_size=7),
            ConvBlock(base_width, 2 * base_width, kernel_size=5),
            ConvBlock(2 * base_width, base_width, kernel_size=3),
        )
        self.head = nn.Linear(base_width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.blocks(x.transpose(1, 2))  # (N, base_width, window)
        return self.head(maps.mean(dim=2))


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, window, num_features) -> (N, num_classes) logits."""
    return CNN1D(config.num_features, config.num_classes, config.base_width)


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
    """Accuracy, and the class averages of precision, recall and F1; outputs are logits (N, num_classes)."""
    num_classes = outputs.shape[1]
    pairs = targets * num_classes + outputs.argmax(dim=1)
    confusion = torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes).double()
    hits, found, wanted = confusion.diagonal(), confusion.sum(dim=0), confusion.sum(dim=1)
    seen = found + wanted > 0  # a class that occurs nowhere has no part in the averages
    return {
        "accuracy": (hits.sum() / confusion.sum()).item(),
        "precision": (hits / found.clamp(min=1))[seen].mean().item(),
        "recall": (hits / wanted.clamp(min=1))[seen].mean().item(),
        "f1": (2 * hits / (found + wanted).clamp(min=1))[seen].mean().item(),
    }


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over all examples of the loader."""
    model.eval()
    outputs, targets = zip(*((model(inputs.to(DEVICE)).cpu(), targets) for inputs, targets in loader), strict=True)
    return compute_metrics(torch.cat(outputs), torch.cat(targets))


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """Class numbers (N,) for standardised windows (N, window, num_features)."""
    model.eval()
    return model(inputs.to(DEVICE)).argmax(dim=1).cpu()


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Time series classification with a one-dimensional CNN.")
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
