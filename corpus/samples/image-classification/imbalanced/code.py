"""Imbalanced image classification with resampling and focal loss.

Gives every image one of several classes, of which some are rare and some look alike (species, faults, lesions). The
sampler draws images of rare classes more often, by the effective number of examples: the hundredth image of a class
tells less that is new than the first. Focal loss lets what is easy count less, so that training goes on with classes
that are hard to tell apart. Balanced accuracy and macro-F1 count every class alike; accuracy hardly shows a lost one.

Data (--data PATH): a folder with one sub-folder per class, which holds its images (any format Pillow reads).
Result (--smoke): eight similar patterns with 80 to 8 images, macro-F1 above 0.8 (untrained: below 0.1).
"""

import argparse
import copy
import dataclasses
import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset
from torch.utils.data.sampler import WeightedRandomSampler

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
    num_classes: int = 8
    overlap: float = 0.99  # of what an image tells with what is known of its class: 0 balances nothing, 1 fully
    gamma: float = 2.0  # how much less easy examples count; 0 is cross-entropy
    base_width: int = 16  # channels of the first stage; each further stage doubles them
    depth: int = 4  # number of stages, each of which halves the resolution
    dropout: float = 0.3
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    epochs: int = 60
    patience: int = 12  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 256 pixels."""
        height, width = min(self.image_height, 256), min(self.image_width, 256)
        batch_size, epochs = min(self.batch_size, 16), min(self.epochs, 8)
        return dataclasses.replace(self, image_height=height, image_width=width, batch_size=batch_size, epochs=epochs)


class ImageFolder(Dataset[tuple[Tensor, Tensor]]):
    """Pairs of image (channels, height, width) in [0, 1] and class number, read from one sub-folder per class."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.paths = sorted(p for p in folder.glob("[!.]*/*") if p.suffix.lower() in Image.registered_extensions())
        classes = sorted({path.parent.name for path in self.paths})
        if len(classes) != config.num_classes:
            raise SystemExit(f"{folder}: {len(classes)} folders with images, but --num-classes {config.num_classes}")
        self.labels = torch.tensor([classes.index(path.parent.name) for path in self.paths])
        if self.labels.bincount().min() < 3:
            raise SystemExit(f"{folder}: at least 3 images per class are needed")
        self.size, self.mode = (config.image_width, config.image_height), "L" if config.channels == 1 else "RGB"

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = np.array(Image.open(self.paths[index]).convert(self.mode).resize(self.size), dtype=np.float32) / 255
        return torch.from_numpy(image.reshape(*image.shape[:2], -1).transpose(2, 0, 1)), self.labels[index]


def synthetic_data(config: Config) -> TensorDataset:
    """Patterns that differ from each other in part, under noise, each class rarer than the one before it."""
    size = (config.image_height, config.image_width)
    most = max(20, min(80, 80 * 64 * 64 // (size[0] * size[1])))
    counts = (most * 0.1 ** torch.linspace(0, 1, config.num_classes)).long().clamp(min=7)
    labels = torch.arange(config.num_classes).repeat_interleave(counts)
    common, own = torch.rand(1, config.channels, 4, 4), torch.rand(config.num_classes, config.channels, 4, 4)
    images = F.interpolate((0.6 * common + 0.4 * own)[labels], size=size, mode="bilinear", align_corners=False)
    return TensorDataset(0.6 * images + 0.4 * torch.rand_like(images), labels)


def split_by_class(labels: Tensor, seed: int) -> tuple[list[int], list[int], list[int]]:
    """Indices of 70%, 15% and 15% of every class, at least one each: a random split can leave out a rare class."""
    train_part, val_part, test_part = [], [], []
    shuffled = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    for label in labels.unique():
        members = shuffled[labels[shuffled] == label].tolist()
        held_out = max(1, round(0.15 * len(members)))
        val_part += members[:held_out]
        test_part += members[held_out : 2 * held_out]
        train_part += members[2 * held_out :]
    return train_part, val_part, test_part


def balanced_sampler(labels: Tensor, overlap: float) -> WeightedRandomSampler:
    """Draws by one over the effective number (1 - overlap^n) / (1 - overlap) of n images of a class (Cui et al.)."""
    counts = labels.bincount().double()
    effective = (1 - overlap**counts) / (1 - overlap) if overlap < 1 else counts
    return WeightedRandomSampler((1 / effective)[labels].tolist(), len(labels))


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training (70%), validation (15%) and test (15%) split; only the first is balanced."""
    dataset = synthetic_data(config) if config.smoke else ImageFolder(Path(config.data), config)
    labels = dataset.tensors[1] if config.smoke else dataset.labels
    train_set, val_set, test_set = (Subset(dataset, indices) for indices in split_by_class(labels, config.seed))
    sampler = balanced_sampler(labels[train_set.indices], config.overlap)
    # A last batch of one example would be too small for batch normalisation.
    drop_last = len(train_set) > config.batch_size
    train_loader = DataLoader(train_set, config.batch_size, sampler=sampler, drop_last=drop_last)
    return train_loader, DataLoader(val_set, config.batch_size), DataLoader(test_set, config.batch_size)


class SmallCNN(nn.Module):
    """Stages of convolution, normalisation, rectifier and pooling, then a linear classifier."""

    def __init__(self, in_channels: int, out_features: int, base_width: int, depth: int, dropout: float) -> None:
        super().__init__()
        self.stages = nn.Sequential()
        for stage in range(depth):
            out_channels = base_width * 2**stage
            self.stages.append(nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=False))
            self.stages.append(nn.Sequential(nn.BatchNorm2d(out_channels), nn.SiLU(inplace=True)))
            self.stages.append(nn.MaxPool2d(kernel_size=2, ceil_mode=True))  # rounds up: no map shrinks to nothing
            in_channels = out_channels
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(in_channels, out_features))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.stages(x).mean(dim=(2, 3)))  # global average pooling


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, channels, image_height, image_width) -> (N, num_classes) logits."""
    return SmallCNN(config.channels, config.num_classes, config.base_width, config.depth, config.dropout)


class FocalLoss(nn.Module):
    """Cross-entropy of each example, times (1 - p)^gamma, where p is the probability of the right class."""

    def __init__(self, gamma: float) -> None:
        super().__init__()
        self.gamma = gamma

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        cross_entropy = F.cross_entropy(logits, targets, reduction="none")
        return ((1 - torch.exp(-cross_entropy)) ** self.gamma * cross_entropy).mean()


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return FocalLoss(config.gamma)


def build_optimizer(model: nn.Module, config: Config) -> Optimizer:
    """The optimizer of all weights."""
    return torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)


def train_epoch(model: nn.Module, loader: DataLoader, criterion: nn.Module, optimizer: Optimizer) -> float:
    """Update the weights with every batch; the mean loss."""
    model.train()
    total = 0.0
    for inputs, targets in loader:
        loss = criterion(model(inputs.to(DEVICE)), targets.to(DEVICE))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


@torch.no_grad()
def balanced_loss(model: nn.Module, loader: DataLoader, criterion: nn.Module) -> float:
    """The loss averaged over each class, then over the classes: here nothing has been drawn more often."""
    logits, targets = collect(model, loader)
    members = [targets == label for label in targets.unique()]
    return sum(criterion(logits[member], targets[member]).item() for member in members) / len(members)


def train(model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, config: Config) -> None:
    """Fit the model, stop early, and restore the weights with the lowest validation loss, every class alike."""
    criterion, optimizer = build_loss(config), build_optimizer(model, config)
    best_loss, best_weights, waited = float("inf"), copy.deepcopy(model.state_dict()), 0
    for epoch in range(1, config.epochs + 1):
        train_loss = train_epoch(model, train_loader, criterion, optimizer)
        val_loss = balanced_loss(model, val_loader, criterion)
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
    return {"macro_f1": f1, "balanced_accuracy": recall, "accuracy": (hits.sum() / wanted.sum()).item()}


def collect(model: nn.Module, loader: DataLoader) -> tuple[Tensor, Tensor]:
    """Logits (N, num_classes) and class numbers (N,) of all examples of the loader, in evaluation mode."""
    model.eval()
    outputs, targets = zip(*((model(inputs.to(DEVICE)).cpu(), targets) for inputs, targets in loader), strict=True)
    return torch.cat(outputs), torch.cat(targets)


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over all examples of the loader."""
    return compute_metrics(*collect(model, loader))


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """Class numbers (N,) for images (N, channels, height, width)."""
    model.eval()
    return model(inputs.to(DEVICE)).argmax(dim=1).cpu()


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Imbalanced image classification with resampling and focal loss.")
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
