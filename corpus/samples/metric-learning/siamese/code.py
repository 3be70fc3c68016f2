"""Verification of image pairs with a siamese network and a contrastive loss.

Tells whether two images show the same thing (a person, a signature, a product): twin branches with shared weights turn
both into embeddings, whose likeness decides: pairs above a threshold, chosen on validation pairs, pass as the same. The
contrastive loss pulls the pairs of one class together and pushes different ones apart, up to a margin. Every pair in a
batch counts, and same and different pairs count alike, since different ones are far more.

Data (--data PATH): a folder with one sub-folder per class, which holds its images (any format Pillow reads). Tested are
new images of the same classes: pairs of classes that training never saw are harder.
Result (--smoke): ten blotchy patterns in any light, area under the ROC curve of pairs above 0.9 (untrained: about 0.6).
"""

import argparse
import copy
import dataclasses
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset, Sampler, TensorDataset, random_split

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
    num_classes: int = 10  # of the synthetic data; real data brings its own
    embedding_dim: int = 64  # length of the vector that stands for an image
    margin: float = 1.0  # squared distance from which on a pair is different enough
    base_width: int = 16  # channels of the first stage; each further stage doubles them
    depth: int = 4  # number of stages, each of which halves the resolution
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    epochs: int = 50
    patience: int = 10  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 256 pixels."""
        height, width = min(self.image_height, 256), min(self.image_width, 256)
        batch_size, epochs = min(self.batch_size, 16), min(self.epochs, 4)
        return dataclasses.replace(self, image_height=height, image_width=width, batch_size=batch_size, epochs=epochs)


class ImageFolder(Dataset[tuple[Tensor, Tensor]]):
    """Pairs of image (channels, height, width) in [0, 1] and class number, read from one sub-folder per class."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.paths = sorted(p for p in folder.glob("[!.]*/*") if p.suffix.lower() in Image.registered_extensions())
        classes = sorted({path.parent.name for path in self.paths})
        if len(classes) < 2 or len(self.paths) < 4 * len(classes):
            raise SystemExit(f"{folder}: two sub-folders or more with several images each are needed")
        self.labels = torch.tensor([classes.index(path.parent.name) for path in self.paths])
        self.size, self.mode = (config.image_width, config.image_height), "L" if config.channels == 1 else "RGB"

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = np.array(Image.open(self.paths[index]).convert(self.mode).resize(self.size), dtype=np.float32) / 255
        return torch.from_numpy(image.reshape(*image.shape[:2], -1).transpose(2, 0, 1)), self.labels[index]


def synthetic_data(config: Config) -> TensorDataset:
    """One blotchy pattern per class, in any light: images (N, channels, height, width) and class numbers (N,)."""
    size = (config.image_height, config.image_width)
    count = max(64, min(320, 320 * 64 * 64 // (size[0] * size[1])))
    labels = torch.arange(count) % config.num_classes
    patterns = torch.rand(config.num_classes, config.channels, 4, 4)
    images = F.interpolate(patterns[labels], size=size, mode="bilinear", align_corners=False)
    light = torch.rand(count, config.channels, 1, 1)  # differs more between images than the patterns do
    return TensorDataset(0.55 * images + 0.25 * light + 0.2 * torch.rand_like(images), labels)


class BalancedBatches(Sampler[list[int]]):
    """Batches of four images of every class that was drawn: a random batch of many classes would hold no pairs."""

    def __init__(self, labels: Tensor, batch_size: int) -> None:
        self.members = [(labels == label).nonzero().squeeze(1) for label in labels.unique()]
        self.classes = max(2, batch_size // 4)  # per batch

    def __len__(self) -> int:
        return max(1, sum(map(len, self.members)) // (4 * self.classes))

    def __iter__(self) -> Iterator[list[int]]:
        for _ in range(len(self)):
            drawn = [self.members[label] for label in torch.randperm(len(self.members))[: self.classes]]
            yield [index for member in drawn for index in member[torch.randperm(len(member))[:4]].tolist()]


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training (70%), validation (15%) and test (15%) split."""
    dataset = synthetic_data(config) if config.smoke else ImageFolder(Path(config.data), config)
    labels = dataset.tensors[1] if config.smoke else dataset.labels
    held_out = max(1, round(0.15 * len(dataset)))
    sizes = [len(dataset) - 2 * held_out, held_out, held_out]
    train_set, val_set, test_set = random_split(dataset, sizes, torch.Generator().manual_seed(config.seed))
    return (
        DataLoader(train_set, batch_sampler=BalancedBatches(labels[train_set.indices], config.batch_size)),
        DataLoader(val_set, max(config.batch_size, 32)),  # a batch without a same pair would tell nothing
        DataLoader(test_set, max(config.batch_size, 32)),
    )


class EmbeddingCNN(nn.Module):
    """Convolution stages, global average pooling, and a linear layer to a vector of length one."""

    def __init__(self, in_channels: int, out_features: int, base_width: int, depth: int) -> None:
        super().__init__()
        self.stages = nn.Sequential()
        for stage in range(depth):
            out_channels = base_width * 2**stage
            self.stages.append(nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=False))
            self.stages.append(nn.Sequential(nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)))
            self.stages.append(nn.MaxPool2d(kernel_size=2, ceil_mode=True))  # rounds up: no map shrinks to nothing
            in_channels = out_channels
        self.head = nn.Linear(in_channels, out_features)
        self.register_buffer("threshold", torch.zeros(()))  # main sets it; a new model takes that of model.pt

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(self.head(self.stages(x).mean(dim=(2, 3))), dim=1)


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, channels, image_height, image_width) -> (N, embedding_dim) embeddings of length one."""
    return EmbeddingCNN(config.channels, config.embedding_dim, config.base_width, config.depth)


class ContrastiveLoss(nn.Module):
    """Squared distance of same pairs, lack of distance of different ones; embeddings (N, D), class numbers (N,)."""

    def __init__(self, margin: float) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        distances = 2 - 2 * outputs @ outputs.T  # squared, of vectors of length one
        same = targets.unsqueeze(1) == targets
        others = ~torch.eye(len(targets), dtype=torch.bool, device=targets.device)  # nobody is a pair with itself
        pulled = (distances * (same & others)).sum() / (same & others).sum().clamp(min=1)
        pushed = (F.relu(self.margin - distances) * ~same).sum() / (~same).sum().clamp(min=1)
        return pulled + pushed


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return ContrastiveLoss(config.margin)


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


def likeness_of_pairs(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Dot products of the embeddings (N, embedding_dim) of all pairs, and which pairs are of one class."""
    first, second = torch.triu_indices(len(targets), len(targets), offset=1)
    return (outputs @ outputs.T)[first, second], targets[first] == targets[second]


def pair_accuracy(scores: Tensor, same: Tensor, threshold: float) -> float:
    """Share of pairs told right when those above the threshold pass as same; both kinds count alike."""
    passed = scores > threshold
    right = (passed & same).sum() / same.sum().clamp(min=1) + (~passed & ~same).sum() / (~same).sum().clamp(min=1)
    return right.item() / 2


def best_threshold(outputs: Tensor, targets: Tensor) -> float:
    """The likeness that tells the pairs of these images best."""
    scores, same = likeness_of_pairs(outputs, targets)
    return max(np.linspace(-1, 1, 101).tolist(), key=lambda value: pair_accuracy(scores, same, value))


def compute_metrics(outputs: Tensor, targets: Tensor, threshold: float) -> dict[str, float]:
    """How well likeness tells same from different pairs, and how often the nearest image has the same class."""
    scores, same = likeness_of_pairs(outputs, targets)
    ranks = scores.double().argsort().argsort().double()
    alike, different = same.sum().item(), (~same).sum().item()
    # The share of (same, different) couples of pairs in which the same one is more alike (Mann-Whitney).
    area = (ranks[same].sum().item() - alike * (alike - 1) / 2) / max(1, alike * different)
    nearest = (outputs @ outputs.T).fill_diagonal_(-2).argmax(dim=1)
    answerable = (targets.unsqueeze(1) == targets).sum(dim=1) > 1
    recall = (targets[nearest] == targets)[answerable].sum().item() / max(1, answerable.sum().item())
    return {"roc_auc": area, "accuracy": pair_accuracy(scores, same, threshold), "recall_at_1": recall}


@torch.no_grad()
def embed(model: nn.Module, loader: DataLoader) -> tuple[Tensor, Tensor]:
    """Embeddings (N, embedding_dim) and class numbers (N,) of all examples of the loader."""
    model.eval()
    outputs, targets = zip(*((model(inputs.to(DEVICE)).cpu(), targets) for inputs, targets in loader), strict=True)
    return torch.cat(outputs), torch.cat(targets)


def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over all pairs of examples of the loader, at the threshold of the model."""
    return compute_metrics(*embed(model, loader), model.threshold.item())


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """Embeddings (N, embedding_dim) of images (N, channels, height, width).

    Two images show the same where the dot product of theirs is above `model.threshold`.
    """
    model.eval()
    return model(inputs.to(DEVICE)).cpu()


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(
        description="Verification of image pairs with a siamese network and a contrastive loss."
    )
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
    # The threshold is kept with the weights, so that model.pt alone can tell pairs.
    model.register_buffer("threshold", torch.tensor(best_threshold(*embed(model, val_loader)), device=DEVICE))
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
