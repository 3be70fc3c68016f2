"""Unpaired image-to-image translation with a CycleGAN.

Turns images of one domain into such of another (summer into winter, one stain into another) where no image exists in
both. A discriminator for each domain makes the translations look right; its least squares give steady gradients. The
cycle makes them show the same thing: translated there and back, an image must be itself again. The identity loss keeps
colours that need no change. The weights kept are those with the lowest distance and cycle error on validation images.

Data (--data PATH): a folder with the sub-folders a and b, one for each domain, searched with their sub-folders (any
format Pillow reads). Each needs 7 images or more; the numbers may differ, the order does not matter.
Result (--smoke): blue discs on brown ground become yellow discs on green ground; sliced Wasserstein distance of patches
below 0.25 (untrained: 0.45).
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
    base_width: int = 12  # channels at full resolution; each of two halvings doubles them
    num_blocks: int = 3  # residual blocks of each generator
    cycle_weight: float = 5.0  # of the cycle loss, next to the adversarial loss
    identity_weight: float = 1.0
    batch_size: int = 4
    learning_rate: float = 1e-3
    epochs: int = 100

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 64 pixels."""
        height, width = min(self.image_height, 64), min(self.image_width, 64)
        batch_size, epochs = min(self.batch_size, 1), min(self.epochs, 3)
        return dataclasses.replace(self, image_height=height, image_width=width, batch_size=batch_size, epochs=epochs)


class ImageFolder(Dataset[tuple[Tensor]]):
    """All images of a folder, (channels, height, width) in [-1, 1]."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in Image.registered_extensions())
        if len(self.paths) < 7:
            raise SystemExit(f"{folder}: a folder with at least 7 images is needed")
        self.size, self.mode = (config.image_width, config.image_height), "L" if config.channels == 1 else "RGB"

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor]:
        pixels = np.array(Image.open(self.paths[index]).convert(self.mode).resize(self.size), dtype=np.float32)
        return (torch.from_numpy(pixels.reshape(*pixels.shape[:2], -1).transpose(2, 0, 1) / 127.5 - 1),)


class UnpairedImages(Dataset[tuple[Tensor, Tensor]]):
    """An image of each domain, which have nothing to do with each other: drawn anew at each access, or fixed."""

    def __init__(self, first: Dataset[tuple[Tensor]], second: Dataset[tuple[Tensor]], fresh: bool) -> None:
        self.first, self.second, self.fresh = first, second, fresh

    def __len__(self) -> int:
        return max(len(self.first), len(self.second))

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        other = random.randrange(len(self.second)) if self.fresh else index % len(self.second)
        return self.first[index % len(self.first)][0], self.second[other][0]


def synthetic_data(config: Config) -> tuple[TensorDataset, TensorDataset]:
    """Discs on plain ground, in the colours of either domain: images (N, channels, height, width) in [-1, 1]."""
    rows, columns = torch.linspace(-1, 1, config.image_height).view(-1, 1), torch.linspace(-1, 1, config.image_width)
    domains = []
    for palette in (((-0.6, -0.2, 0.8), (0.2, -0.3, -0.7)), ((0.8, 0.6, -0.6), (-0.7, 0.2, -0.2))):
        centre_row, centre_column, radius = torch.rand(3, 28, 1, 1, 1)
        inside = (rows - centre_row + 0.5) ** 2 + (columns - centre_column + 0.5) ** 2 < (0.3 + 0.4 * radius) ** 2
        colours = torch.tensor(palette)[:, torch.arange(config.channels) % 3].view(2, 1, -1, 1, 1)
        disc_colour, ground_colour = colours + 0.3 * torch.rand(2, 28, config.channels, 1, 1) - 0.15
        domains.append(TensorDataset(torch.where(inside, disc_colour, ground_colour)))
    return domains[0], domains[1]


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training (70%), validation (15%) and test (15%) split of both domains."""
    folders = [Path(config.data) / name for name in ("a", "b")]
    domains = synthetic_data(config) if config.smoke else [ImageFolder(folder, config) for folder in folders]
    generator = torch.Generator().manual_seed(config.seed)
    parts = zip(*(random_split(domain, [0.7, 0.15, 0.15], generator) for domain in domains), strict=True)
    train_set, val_set, test_set = (UnpairedImages(*part, fresh=number == 0) for number, part in enumerate(parts))
    train_loader = DataLoader(train_set, config.batch_size, shuffle=True)
    return train_loader, DataLoader(val_set, config.batch_size), DataLoader(test_set, config.batch_size)


def conv_norm(in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution and instance normalisation, which takes the contrast of each single image away."""
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, padding_mode="reflect")
    return nn.Sequential(conv, nn.InstanceNorm2d(out_channels, affine=True))


class ResidualBlock(nn.Module):
    """Adds what two convolutions make of the maps."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(conv_norm(channels, channels), nn.ReLU(), conv_norm(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class Generator(nn.Module):
    """Images of one domain -> images of the other, in [-1, 1], of the same size."""

    def __init__(self, channels: int, base_width: int, num_blocks: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(conv_norm(channels, base_width, 5), nn.ReLU())
        for width in (base_width, 2 * base_width):
            self.encoder.extend([conv_norm(width, 2 * width, stride=2), nn.ReLU()])
        self.blocks = nn.Sequential(*(ResidualBlock(4 * base_width) for _ in range(num_blocks)))
        self.decoder = nn.ModuleList(conv_norm(2 * width, width) for width in (2 * base_width, base_width))
        self.head = nn.Conv2d(base_width, channels, kernel_size=5, padding=2, padding_mode="reflect")

    def forward(self, images: Tensor) -> Tensor:
        x = self.blocks(self.encoder(images))
        for layer, shrunk in zip(self.decoder, (2, 1), strict=True):
            size = [-(-side // shrunk) for side in images.shape[2:]]  # rounded up, like the encoder's
            x = F.relu(layer(F.interpolate(x, size=size)))
        return torch.tanh(self.head(x) + images)  # starts near the image itself, so shapes stay in place


def discriminator(channels: int, base_width: int) -> nn.Sequential:
    """Images -> a map of scores, one for each patch: 1 for real, 0 for translated."""
    first = nn.Conv2d(channels, 2 * base_width, kernel_size=4, stride=2, padding=1)
    second = nn.Conv2d(2 * base_width, 4 * base_width, kernel_size=4, stride=2, padding=1)
    third = nn.Conv2d(4 * base_width, 1, kernel_size=3, padding=1)
    return nn.Sequential(first, nn.LeakyReLU(0.2), second, nn.LeakyReLU(0.2), third)


class CycleGAN(nn.Module):
    """Both translators and both discriminators; called with images of domain a, it translates them to b."""

    def __init__(self, channels: int, base_width: int, num_blocks: int) -> None:
        super().__init__()
        self.generators = nn.ModuleDict({name: Generator(channels, base_width, num_blocks) for name in ("ab", "ba")})
        self.discriminators = nn.ModuleDict({name: discriminator(channels, base_width) for name in ("a", "b")})

    def forward(self, images: Tensor) -> Tensor:
        return self.generators["ab"](images)


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, channels, image_height, image_width) -> (N, channels, image_height, image_width) in [-1, 1]."""
    return CycleGAN(config.channels, config.base_width, config.num_blocks)


def build_loss(config: Config) -> nn.Module:
    """The adversarial loss (least squares), called with (scores, ones for real or zeros for translated)."""
    return nn.MSELoss()


def build_optimizer(model: nn.Module, config: Config) -> Optimizer:
    """The optimizer of the generators, or of the discriminators."""
    return torch.optim.Adam(model.parameters(), lr=config.learning_rate, betas=(0.5, 0.999))


def update(optimizer: Optimizer, loss: Tensor) -> float:
    """One step of the optimizer; the value of the loss."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def run_epoch(model: CycleGAN, loader: DataLoader, optimizers: list[Optimizer], config: Config) -> list[float]:
    """Update generators and discriminators with every batch; their mean losses."""
    model.train()
    criterion, losses = build_loss(config), []
    to_a, to_b = model.generators["ba"], model.generators["ab"]
    judge_a, judge_b = model.discriminators["a"], model.discriminators["b"]
    for batch in loader:
        a, b = (images.to(DEVICE) for images in batch)
        fake_a, fake_b = to_a(b), to_b(a)
        scores_a, scores_b = judge_a(fake_a), judge_b(fake_b)
        adversarial_loss = sum(criterion(scores, torch.ones_like(scores)) for scores in (scores_a, scores_b))
        cycle_loss = F.l1_loss(to_a(fake_b), a) + F.l1_loss(to_b(fake_a), b)
        identity_loss = F.l1_loss(to_a(a), a) + F.l1_loss(to_b(b), b)
        generator_loss = adversarial_loss + config.cycle_weight * cycle_loss + config.identity_weight * identity_loss
        generator_value = update(optimizers[0], generator_loss)
        real_scores, fake_scores = (judge_a(a), judge_b(b)), (judge_a(fake_a.detach()), judge_b(fake_b.detach()))
        discriminator_loss = sum(criterion(scores, torch.ones_like(scores)) for scores in real_scores)
        discriminator_loss += sum(criterion(scores, torch.zeros_like(scores)) for scores in fake_scores)
        losses.append((generator_value, update(optimizers[1], discriminator_loss)))
    return np.mean(losses, axis=0).tolist()


def train(model: CycleGAN, train_loader: DataLoader, val_loader: DataLoader, config: Config) -> None:
    """Fit all four networks, and restore the weights with the lowest validation distance and cycle error."""
    optimizers = [build_optimizer(networks, config) for networks in (model.generators, model.discriminators)]
    best_error, best_weights = float("inf"), copy.deepcopy(model.state_dict())
    for epoch in range(1, config.epochs + 1):
        losses = run_epoch(model, train_loader, optimizers, config)
        metrics = evaluate(model, val_loader)
        error = metrics["sliced_wasserstein"] + metrics["cycle_mae"]
        print(f"epoch {epoch}/{config.epochs}: losses {losses[0]:.4f}, {losses[1]:.4f}, validation error {error:.4f}")
        if error < best_error:
            best_error, best_weights = error, copy.deepcopy(model.state_dict())
    model.load_state_dict(best_weights)


def sliced_wasserstein(images: Tensor, others: Tensor) -> float:
    """Mean distance of two equally large sets of images along random directions of their 3x3 patches."""
    patches = [F.unfold(part, kernel_size=3, stride=2).transpose(1, 2).flatten(0, 1) for part in (images, others)]
    directions = F.normalize(torch.randn(patches[0].shape[1], 64, generator=torch.Generator().manual_seed(0)), dim=0)
    first, second = ((part @ directions).sort(dim=0).values for part in patches)
    return (first - second).abs().mean().item()


@torch.no_grad()
def evaluate(model: CycleGAN, loader: DataLoader) -> dict[str, float]:
    """Distance of translated to real images, of those left as they are to compare with, and the error of the cycle."""
    model.eval()
    to_a, to_b, batches = model.generators["ba"], model.generators["ab"], []
    for batch in loader:
        a, b = (images.to(DEVICE) for images in batch)
        fake_a, fake_b = to_a(b), to_b(a)
        batches.append([part.cpu() for part in (a, b, fake_a, fake_b, to_a(fake_b), to_b(fake_a))])
    a, b, fake_a, fake_b, back_a, back_b = (torch.cat(part) for part in zip(*batches, strict=True))
    distance = (sliced_wasserstein(fake_b, b) + sliced_wasserstein(fake_a, a)) / 2
    cycle_mae = (F.l1_loss(back_a, a) + F.l1_loss(back_b, b)).item() / 2
    before = sliced_wasserstein(a, b)
    return {"sliced_wasserstein": distance, "untranslated_wasserstein": before, "cycle_mae": cycle_mae}


@torch.no_grad()
def predict(model: CycleGAN, inputs: Tensor) -> Tensor:
    """Translations to domain b, in [0, 1], of images (N, channels, height, width) of domain a."""
    model.eval()
    return model(inputs.to(DEVICE)).add(1).div(2).cpu()


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Unpaired image-to-image translation with a CycleGAN.")
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
