"""Image generation with a denoising diffusion model.

A small U-Net learns to estimate the noise that was mixed into images, at any strength. New images come from pure noise,
from which it takes a little at every step. Training is plain regression, far more stable than that of a GAN.

Data (--data PATH): a folder of images (any format Pillow reads), searched with its sub-folders.
Result (--smoke): bright discs on a dark ground, mean squared error of the noise below 0.25 (no learning: 1).
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
    image_height: int = 32
    image_width: int = 32
    channels: int = 3
    base_width: int = 32  # channels of the first level; each level below doubles them
    depth: int = 2  # number of times the resolution is halved
    num_steps: int = 1000  # steps from a clean image to pure noise
    batch_size: int = 64
    learning_rate: float = 1e-3
    epochs: int = 200
    patience: int = 20  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, epochs and steps, no image side above 64 pixels."""
        height, width = min(self.image_height, 64), min(self.image_width, 64)
        small = dataclasses.replace(self, image_height=height, image_width=width, num_steps=min(self.num_steps, 20))
        return dataclasses.replace(small, batch_size=min(self.batch_size, 4), epochs=min(self.epochs, 4))


class ImageFolder(Dataset[tuple[Tensor, Tensor]]):
    """Images (channels, height, width) in [-1, 1], each as its own target."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in Image.registered_extensions())
        if len(self.paths) < 3:
            raise SystemExit(f"{folder}: a folder with at least 3 images is needed")
        self.size = (config.image_width, config.image_height)
        self.mode = "L" if config.channels == 1 else "RGB"

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        pixels = np.array(Image.open(self.paths[index]).convert(self.mode).resize(self.size), dtype=np.float32)
        image = torch.from_numpy(pixels.reshape(*pixels.shape[:2], -1).transpose(2, 0, 1) / 127.5 - 1)
        return image, image


def synthetic_data(config: Config) -> TensorDataset:
    """Bright discs on a dark ground: images (N, channels, height, width), each as its own target."""
    count = max(48, min(112, 112 * 32 * 32 // (config.image_height * config.image_width)))
    rows, columns = torch.linspace(-1, 1, config.image_height).view(-1, 1), torch.linspace(-1, 1, config.image_width)
    centre_row, centre_column, radius = torch.rand(3, count, 1, 1, 1) - 0.5
    discs = (rows - centre_row) ** 2 + (columns - centre_column) ** 2 < (0.4 + 0.2 * radius) ** 2
    images = 2 * discs * (0.5 + 0.5 * torch.rand(count, config.channels, 1, 1)) - 1
    return TensorDataset(images, images)


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training (70%), validation (15%) and test (15%) split."""
    dataset = synthetic_data(config) if config.smoke else ImageFolder(Path(config.data), config)
    held_out = max(1, round(0.15 * len(dataset)))
    sizes = [len(dataset) - 2 * held_out, held_out, held_out]
    train_set, val_set, test_set = random_split(dataset, sizes, torch.Generator().manual_seed(config.seed))
    return (
        DataLoader(train_set, config.batch_size, shuffle=True),
        DataLoader(val_set, config.batch_size),
        DataLoader(test_set, config.batch_size),
    )


class ResidualBlock(nn.Module):
    """Two convolutions around the time embedding, plus a shortcut; height and width stay."""

    def __init__(self, in_channels: int, out_channels: int, time_width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1)
        self.time = nn.Linear(time_width, out_channels)
        self.norm = nn.GroupNorm(1, out_channels)
        self.second = nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1)
        self.shortcut = nn.Conv2d(in_channels, out_channels, kernel_size=1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        hidden = self.first(F.silu(x)) + self.time(time)[:, :, None, None]
        return self.shortcut(x) + self.second(F.silu(self.norm(hidden)))


class Diffusion(nn.Module):
    """U-Net that estimates the noise in images at known steps, from 0 (clean) to num_steps (all but pure noise)."""

    def __init__(self, image_shape: tuple[int, int, int], base_width: int, depth: int, num_steps: int) -> None:
        super().__init__()
        self.image_shape, self.num_steps = image_shape, num_steps
        # Share of the image in the variance of each step. It stops short of zero, which sampling divides by.
        self.register_buffer("signal", torch.linspace(0, 0.99 * torch.pi / 2, num_steps + 1).cos() ** 2)
        self.register_buffer("frequencies", torch.logspace(3, -1, 32) / num_steps)
        time_width, widths = 4 * base_width, [base_width * 2**level for level in range(depth + 1)]
        self.embed = nn.Sequential(nn.Linear(64, time_width), nn.SiLU(), nn.Linear(time_width, time_width), nn.SiLU())
        pairs = zip([image_shape[0], *widths], widths, strict=False)
        self.encoder = nn.ModuleList(ResidualBlock(a, b, time_width) for a, b in pairs)
        self.decoder = nn.ModuleList(ResidualBlock(3 * width, width, time_width) for width in reversed(widths[:-1]))
        self.head = nn.Conv2d(base_width, image_shape[0], kernel_size=1)

    def forward(self, x: Tensor, steps: Tensor) -> Tensor:
        angles, skips = steps[:, None] * self.frequencies, []
        time = self.embed(torch.cat([angles.sin(), angles.cos()], dim=1))
        for level, block in enumerate(self.encoder):
            x = block(x if level == 0 else F.avg_pool2d(x, kernel_size=2), time)
            skips.append(x)
        for block, skip in zip(self.decoder, reversed(skips[:-1]), strict=True):
            x = block(torch.cat([skip, F.interpolate(x, size=skip.shape[-2:])], dim=1), time)
        return self.head(x)

    def sample(self, count: int) -> Tensor:
        """Images (count, channels, height, width) in [-1, 1], made from noise step by step."""
        x = torch.randn(count, *self.image_shape, device=DEVICE)
        for step in range(self.num_steps, 0, -1):
            signal, next_signal = self.signal[step], self.signal[step - 1]
            noise = self(x, torch.full((count,), step, device=DEVICE))
            clean = ((x - (1 - signal).sqrt() * noise) / signal.sqrt()).clamp(-1, 1)
            keep = signal / next_signal
            mean = (keep.sqrt() * (1 - next_signal) * x + next_signal.sqrt() * (1 - keep) * clean) / (1 - signal)
            x = mean + ((1 - keep) * (1 - next_signal) / (1 - signal)).sqrt() * torch.randn_like(x)  # last step: mean
        return x


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, channels, image_height, image_width), (N,) -> (N, channels, image_height, image_width) noise."""
    shape = (config.channels, config.image_height, config.image_width)
    return Diffusion(shape, config.base_width, config.depth, config.num_steps)


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (estimated noise, true noise)."""
    return nn.MSELoss()


def build_optimizer(model: nn.Module, config: Config) -> Optimizer:
    """The optimizer of all weights."""
    return torch.optim.Adam(model.parameters(), lr=config.learning_rate)


def run_epoch(model: Diffusion, loader: DataLoader, criterion: nn.Module, optimizer: Optimizer | None = None) -> float:
    """Mean loss over the loader; the weights are updated when an optimizer is given."""
    model.train(optimizer is not None)
    total, count = 0.0, 0
    with torch.set_grad_enabled(optimizer is not None):
        for images, _ in loader:
            images, noise = images.to(DEVICE), torch.randn_like(images, device=DEVICE)
            steps = torch.randint(1, model.num_steps + 1, (len(images),), device=DEVICE)
            signal = model.signal[steps].view(-1, 1, 1, 1)
            loss = criterion(model(signal.sqrt() * images + (1 - signal).sqrt() * noise, steps), noise)
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            total += loss.item() * len(images)
            count += len(images)
    return total / count


def train(model: Diffusion, train_loader: DataLoader, val_loader: DataLoader, config: Config) -> None:
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


def sliced_wasserstein(generated: Tensor, real: Tensor) -> float:
    """Mean distance of two equally large sets of images along random directions: 0 for the same distribution."""
    directions = F.normalize(torch.randn(real[0].numel(), 256, generator=torch.Generator().manual_seed(0)), dim=0)
    first, second = ((images.flatten(1) @ directions).sort(dim=0).values for images in (generated, real))
    return (first - second).abs().mean().item()


@torch.no_grad()
def evaluate(model: Diffusion, loader: DataLoader) -> dict[str, float]:
    """Error of the estimated noise, and distance of generated images to the first 64 images of the loader."""
    mse = run_epoch(model, loader, nn.MSELoss())
    real = torch.cat([images for images, _ in loader])[:64]
    return {"mse": mse, "sliced_wasserstein": sliced_wasserstein(model.sample(len(real)).cpu(), real)}


@torch.no_grad()
def predict(model: Diffusion, count: int) -> Tensor:
    """New images, (count, channels, height, width) in [0, 1]."""
    model.eval()
    return model.sample(count).add(1).div(2).clamp(0, 1).cpu()


def save_grid(images: Tensor, path: Path, columns: int = 4) -> None:
    """Write images (N, channels, height, width) in [0, 1] as one picture; N is a multiple of columns."""
    images = images[:, :3] if images.shape[1] >= 3 else images[:, :1]
    grid = images.unflatten(0, (-1, columns)).permute(0, 3, 1, 4, 2).flatten(0, 1).flatten(1, 2).squeeze(2)
    Image.fromarray((255 * grid).round().byte().numpy()).save(path)


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Image generation with a denoising diffusion model.")
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
    """Train, evaluate on the test split, and save weights, metrics and generated images."""
    config = parse_config()
    random.seed(config.seed)
    np.random.seed(config.seed)
    torch.manual_seed(config.seed)
    train_loader, val_loader, test_loader = load_data(config)
    model = build_model(config).to(DEVICE)
    train(model, train_loader, val_loader, config)
    metrics = evaluate(model, test_loader)
    predictions = predict(model, 16)

    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), out / "model.pt")
    np.save(out / "predictions.npy", predictions.numpy())
    save_grid(predictions, out / "samples.png")
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print("test:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
