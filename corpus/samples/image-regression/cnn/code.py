"""Regression of one number from an image with a convolutional network.

Reads an age, a count, a price or a ripeness off an image: stages of convolutions, global average pooling, one number.
Targets are standardised for training, where mean squared error is then well scaled; predictions and metrics are in the
original unit.

Data (--data PATH): a folder with images/ and targets.csv, one row per image with the columns file and target. Mean and
deviation of the training targets are saved as scaler.json.
Result (--smoke): what percentage of the image a bright disc covers, R2 above 0.8 after five epochs.
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
    base_width: int = 16  # channels of the first stage; each further stage doubles them
    depth: int = 4  # number of stages, each of which halves the resolution
    dropout: float = 0.1
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    epochs: int = 50
    patience: int = 10  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 256 pixels."""
        height, width = min(self.image_height, 256), min(self.image_width, 256)
        batch_size, epochs = min(self.batch_size, 8), min(self.epochs, 5)
        return dataclasses.replace(self, image_height=height, image_width=width, batch_size=batch_size, epochs=epochs)


class TargetFolder(Dataset[tuple[Tensor, Tensor]]):
    """Pairs of image (channels, height, width) in [0, 1] and target ()."""

    def __init__(self, folder: Path, config: Config) -> None:
        types = {"file": str, "target": np.float32}
        try:
            table = pd.read_csv(folder / "targets.csv", usecols=list(types), dtype=types).dropna()
        except (OSError, ValueError) as error:
            raise SystemExit(f"{folder / 'targets.csv'}: {error}") from None
        self.paths = [folder / "images" / name for name in table["file"]]
        if absent := [path for path in self.paths if not path.is_file()]:
            raise SystemExit(f"{absent[0]}: there is no such file")
        if len(self.paths) < 3:
            raise SystemExit(f"{folder}: at least 3 images with a row in targets.csv are needed")
        self.targets = torch.tensor(table["target"].to_numpy())
        self.size = (config.image_width, config.image_height)
        self.mode = "L" if config.channels == 1 else "RGB"

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = np.array(Image.open(self.paths[index]).convert(self.mode).resize(self.size), dtype=np.float32) / 255
        image = image.reshape(*image.shape[:2], -1).transpose(2, 0, 1)
        return torch.from_numpy(image), self.targets[index]


def synthetic_data(config: Config) -> TensorDataset:
    """A bright disc on noise, and what percentage it covers: images (N, channels, height, width) and targets (N,)."""
    height, width = config.image_height, config.image_width
    count = max(96, min(200, 200 * 128 * 128 // (height * width)))
    rows, columns = torch.linspace(-1, 1, height).view(-1, 1), torch.linspace(-1, 1, width)
    x, y = 0.6 * torch.rand(2, count, 1, 1) - 0.3
    radius = 0.2 + 0.5 * torch.rand(count, 1, 1)
    discs = ((columns - x) ** 2 + (rows - y) ** 2 < radius**2).float()
    images = 0.6 * discs.unsqueeze(1) + 0.4 * torch.rand(count, config.channels, height, width)
    return TensorDataset(images, 100 * discs.mean(dim=(1, 2)))


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training (70%), validation (15%) and test (15%) split; targets are standardised."""
    dataset = synthetic_data(config) if config.smoke else TargetFolder(Path(config.data), config)
    held_out = max(1, round(0.15 * len(dataset)))
    sizes = [len(dataset) - 2 * held_out, held_out, held_out]
    train_set, val_set, test_set = random_split(dataset, sizes, torch.Generator().manual_seed(config.seed))
    targets = dataset.tensors[1] if config.smoke else dataset.targets
    mean, std = targets[train_set.indices].mean().item(), targets[train_set.indices].std(correction=0).item() or 1.0
    targets.sub_(mean).div_(std)  # in place, so that the loaders give standardised targets
    Path(config.out).mkdir(parents=True, exist_ok=True)
    scaler = {"target_mean": mean, "target_std": std}
    (Path(config.out) / "scaler.json").write_text(json.dumps(scaler, indent=2) + "\n", encoding="utf-8")
    return (
        DataLoader(train_set, config.batch_size, shuffle=True),
        DataLoader(val_set, config.batch_size),
        DataLoader(test_set, config.batch_size),
    )


class RegressionCNN(nn.Module):
    """Convolution stages, global average pooling, and one number per image."""

    def __init__(self, in_channels: int, base_width: int, depth: int, dropout: float) -> None:
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
        self.head = nn.Linear(in_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.dropout(self.stages(x).mean(dim=(2, 3)))).squeeze(1)


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, channels, image_height, image_width) -> (N,) standardised targets."""
    return RegressionCNN(config.channels, config.base_width, config.depth, config.dropout)


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return nn.MSELoss()


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
    """Errors of the predictions (N,), and the share r2 of the target's variance that they explain."""
    errors = (outputs - targets).double()
    mse, variance = errors.square().mean().item(), targets.double().var(correction=0).item()
    return {"mae": errors.abs().mean().item(), "mse": mse, "rmse": mse**0.5, "r2": 1 - mse / max(variance, 1e-12)}


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over all examples of the loader, in the original unit of the target."""
    model.eval()
    outputs, targets = zip(*((model(inputs.to(DEVICE)).cpu(), targets) for inputs, targets in loader), strict=True)
    mean, std = model.target_mean.cpu(), model.target_std.cpu()
    return compute_metrics(torch.cat(outputs) * std + mean, torch.cat(targets) * std + mean)


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """Targets in their original unit, (N,), for images (N, channels, height, width)."""
    model.eval()
    return (model(inputs.to(DEVICE)) * model.target_std + model.target_mean).cpu()


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Regression of one number from an image with a convolutional network.")
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
    # The scale of the target joins the weights, so that model.pt can predict in the original unit.
    scaler = json.loads((Path(config.out) / "scaler.json").read_text(encoding="utf-8"))
    for name in ("target_mean", "target_std"):
        model.register_buffer(name, torch.tensor(scaler[name], device=DEVICE))
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
