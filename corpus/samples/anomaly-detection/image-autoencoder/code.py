"""Anomaly detection on images with a convolutional autoencoder.

Visual inspection: finds defects (scratched or dented parts, flaws in fabric, lesions in scans) where only photos of
good ones are at hand. The autoencoder squeezes every image into a short code and rebuilds it; skip connections would
carry an anomaly past the code, so there are none. What good images do not have is missing in the rebuilt one. A scratch
covers few pixels, which a mean over the image would drown: the anomaly score is the mean squared error of the pixels
rebuilt worst. The threshold is a quantile of the scores of good validation images, which fixes the false alarms.

Data (--data PATH): a folder with the sub-folder good/ (any format Pillow reads), whose images are split into training,
validation and test. Those of all other sub-folders (bad/, scratch/, ...) are anomalies, for testing only; without them
nothing but the accuracy on good images is known. test_files.json tells which image each prediction belongs to.
Result (--smoke): washers, some of them scratched, ROC AUC above 0.98 after five epochs (untrained: below 0.65).
"""

import argparse
import copy
import dataclasses
import json
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset

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
    latent_dim: int = 64  # length of the code that an image is rebuilt from; a long one may let anomalies through
    base_width: int = 16  # channels next to the image; each halving of the resolution doubles them
    depth: int = 4  # number of times the resolution is halved
    scored_share: float = 0.01  # share of the pixels, those rebuilt worst, whose mean error is the score of an image
    threshold_quantile: float = 0.95  # share of good validation images that stay below the threshold
    batch_size: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 1e-5
    epochs: int = 100
    patience: int = 10  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 256 pixels."""
        height, width = min(self.image_height, 256), min(self.image_width, 256)
        batch_size, epochs = min(self.batch_size, 4), min(self.epochs, 5)
        return dataclasses.replace(self, image_height=height, image_width=width, batch_size=batch_size, epochs=epochs)


class Photos(Dataset[tuple[Tensor, Tensor]]):
    """Images (channels, height, width) in [0, 1] with their labels, or each as its own target where none are given."""

    def __init__(self, read: Callable[[int], Tensor], rows: Tensor, labels: Tensor | None = None) -> None:
        self.read, self.rows, self.labels = read, rows.tolist(), labels

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = self.read(self.rows[index])
        return image, image if self.labels is None else self.labels[self.rows[index]]


def image_files(folder: Path) -> tuple[list[Path], Tensor]:
    """Files of the images and their labels (N,), 0 for those in good/ and 1 for those in other sub-folders."""
    files = sorted(p for p in folder.glob("[!.]*/**/[!.]*") if p.suffix.lower() in Image.registered_extensions())
    labels = torch.tensor([float(path.relative_to(folder).parts[0] != "good") for path in files])
    if (labels == 0).sum() < 3:
        raise SystemExit(f"{folder}: at least 3 images in a sub-folder good/ are needed")
    return files, labels


def read_image(files: list[Path], config: Config, row: int) -> Tensor:
    """The image of that row as (channels, height, width) in [0, 1]."""
    mode = "L" if config.channels == 1 else "RGB"
    image = Image.open(files[row]).convert(mode).resize((config.image_width, config.image_height))
    pixels = np.array(image, dtype=np.float32).reshape(config.image_height, config.image_width, -1)
    return torch.from_numpy(pixels.transpose(2, 0, 1) / 255)


def synthetic_data(config: Config) -> tuple[Tensor, Tensor]:
    """Bright washers: images (N, channels, height, width), labels (N,); through a scratch the dark ground is seen."""
    height, width = config.image_height, config.image_width
    labels = torch.cat([torch.zeros(100 if height * width <= 128 * 128 else 60), torch.ones(25)])
    centre_row, centre_column = 0.5 * torch.rand(2, len(labels), 1, 1) - 0.25
    rows = torch.linspace(-1, 1, height).view(-1, 1) - centre_row
    columns = torch.linspace(-1, 1, width) - centre_column
    distance = (rows**2 + columns**2).sqrt()
    washers = torch.sigmoid(20 * (0.7 - distance)) * torch.sigmoid(20 * (distance - 0.2))
    place, turn = 2 * torch.pi * torch.rand(2, len(labels), 1, 1)
    rows, columns = rows - 0.45 * place.sin(), columns - 0.45 * place.cos()
    along, across = rows * turn.sin() + columns * turn.cos(), rows * turn.cos() - columns * turn.sin()
    scratches = (along.abs() < 0.25) & (across.abs() < max(0.04, 1.5 / min(height, width)))
    washers = washers * ~(scratches & (labels == 1).view(-1, 1, 1))
    images = 0.15 + (0.6 + 0.1 * torch.rand(len(labels), config.channels, 1, 1)) * washers.unsqueeze(1)
    return images + 0.02 * torch.randn_like(images), labels


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of 70%, 15% and 15% of the good images; anomalies and labels (N,) come in the third, the test split."""
    if config.smoke:
        images, labels = synthetic_data(config)
        read = images.__getitem__
    else:
        files, labels = image_files(Path(config.data))
        read = partial(read_image, files, config)
    normal, anomalies = (labels == 0).nonzero().flatten(), (labels == 1).nonzero().flatten()
    normal = normal[torch.randperm(len(normal), generator=torch.Generator().manual_seed(config.seed))]
    held_out = max(1, round(0.15 * len(normal)))
    train_rows, val_rows, test_rows = normal.split([len(normal) - 2 * held_out, held_out, held_out])
    test_rows = torch.cat([test_rows, anomalies])
    if not config.smoke:
        Path(config.out).mkdir(parents=True, exist_ok=True)
        names = [str(files[row]) for row in test_rows]
        (Path(config.out) / "test_files.json").write_text(json.dumps(names, indent=2) + "\n", encoding="utf-8")
    return (
        DataLoader(Photos(read, train_rows), config.batch_size, shuffle=True),
        DataLoader(Photos(read, val_rows), config.batch_size),
        DataLoader(Photos(read, test_rows, labels), config.batch_size),
    )


class ConvAutoencoder(nn.Module):
    """Strided convolutions down to a code, transposed convolutions back; `threshold` is that of the scores."""

    def __init__(self, channels: int, height: int, width: int, latent_dim: int, base_width: int, depth: int) -> None:
        super().__init__()
        self.register_buffer("threshold", torch.tensor(0.0))  # saved with the weights, which are of no use without it
        self.size = (height, width)
        widths = [base_width * 2**level for level in range(depth)]
        map_shape = (widths[-1], -(-height // 2**depth), -(-width // 2**depth))  # each halving rounds up
        from_code = nn.Linear(latent_dim, math.prod(map_shape))
        self.encoder, self.decoder = nn.Sequential(), nn.Sequential(from_code, nn.ReLU(), nn.Unflatten(1, map_shape))
        for in_width, out_width in zip([channels, *widths], widths, strict=False):
            self.encoder.append(nn.Conv2d(in_width, out_width, kernel_size=3, stride=2, padding=1, bias=False))
            self.encoder.append(nn.Sequential(nn.BatchNorm2d(out_width), nn.ReLU(inplace=True)))
        self.encoder.append(nn.Sequential(nn.Flatten(), nn.Linear(math.prod(map_shape), latent_dim)))
        for in_width, out_width in zip(widths[::-1], widths[-2::-1], strict=False):
            self.decoder.append(nn.ConvTranspose2d(in_width, out_width, kernel_size=4, stride=2, padding=1, bias=False))
            self.decoder.append(nn.Sequential(nn.BatchNorm2d(out_width), nn.ReLU(inplace=True)))
        self.decoder.append(nn.ConvTranspose2d(base_width, channels, kernel_size=4, stride=2, padding=1))

    def forward(self, images: Tensor) -> Tensor:
        rebuilt = self.decoder(self.encoder(images))
        return torch.sigmoid(rebuilt[..., : self.size[0], : self.size[1]])


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, channels, image_height, image_width) -> (N, channels, image_height, image_width) rebuilt images."""
    shape = (config.channels, config.image_height, config.image_width)
    return ConvAutoencoder(*shape, config.latent_dim, config.base_width, config.depth)


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return nn.MSELoss()


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


def roc_auc(scores: Tensor, positive: Tensor) -> float:
    """Chance that a positive scores above a negative, from the ranks of the scores; ties count half."""
    _, place, sizes = scores.unique(return_inverse=True, return_counts=True)
    ranks = (sizes.cumsum(dim=0) - (sizes - 1) / 2).double()[place]
    positives, negatives = positive.sum().item(), (~positive).sum().item()
    wins = ranks[positive].sum().item() - positives * (positives + 1) / 2
    return wins / max(1, positives * negatives)


def average_precision(scores: Tensor, positive: Tensor) -> float:
    """Mean over the positives of the precision among all that score at least as high."""
    hits = positive[scores.argsort(descending=True)].double()
    precision = hits.cumsum(dim=0) / torch.arange(1, len(hits) + 1)
    return ((precision * hits).sum() / hits.sum().clamp(min=1)).item()


def compute_metrics(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Metrics of finding anomalies; outputs are scores minus threshold (N,), targets (N,) are 0 or 1."""
    predicted, true = outputs > 0, targets > 0.5
    hits, found, wanted = (images.sum().item() for images in (predicted & true, predicted, true))
    accuracy = (predicted == true).float().mean().item()
    if not wanted:
        return {"accuracy": accuracy}  # nothing else is known where there are good images only
    return {
        "accuracy": accuracy,
        "precision": hits / max(1, found),
        "recall": hits / wanted,
        "f1": 2 * hits / (found + wanted),
        "roc_auc": roc_auc(outputs, true),
        "average_precision": average_precision(outputs, true),
    }


@torch.no_grad()
def anomaly_scores(model: nn.Module, inputs: Tensor, config: Config) -> Tensor:
    """Mean squared error (N,) of the worst rebuilt pixels of images (N, channels, height, width)."""
    model.eval()
    inputs = inputs.to(DEVICE)
    errors = (model(inputs) - inputs).square().mean(dim=1)
    errors = F.avg_pool2d(errors, kernel_size=3, stride=1, padding=1).flatten(1)  # noise is in single pixels
    return errors.topk(max(1, round(config.scored_share * errors.shape[1]))).values.mean(dim=1).cpu()


def evaluate(model: nn.Module, loader: DataLoader, config: Config) -> dict[str, float]:
    """Metrics over all images of the loader, whose targets are labels."""
    scores, labels = zip(*((anomaly_scores(model, inputs, config), labels) for inputs, labels in loader), strict=True)
    return compute_metrics(torch.cat(scores) - model.threshold.cpu(), torch.cat(labels))


def predict(model: nn.Module, inputs: Tensor, config: Config) -> Tensor:
    """Labels (N,), 0 for good and 1 for anomaly, of images (N, channels, height, width)."""
    return (anomaly_scores(model, inputs, config) > model.threshold.cpu()).to(torch.uint8)


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Anomaly detection on images with a convolutional autoencoder.")
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
    scores = torch.cat([anomaly_scores(model, inputs, config) for inputs, _ in val_loader])
    model.threshold.fill_(scores.quantile(config.threshold_quantile))
    metrics = evaluate(model, test_loader, config)
    predictions = torch.cat([predict(model, inputs, config) for inputs, _ in test_loader])

    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), out / "model.pt")
    np.save(out / "predictions.npy", predictions.numpy())
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print("test:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
