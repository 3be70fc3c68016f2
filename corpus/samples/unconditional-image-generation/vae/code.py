"""Image generation with a convolutional variational autoencoder.

The encoder describes every image by a normal distribution of short codes, the decoder draws images from codes. Training
maximises the evidence lower bound: codes must suffice to rebuild the image (squared error) and together follow the
standard normal distribution (KL divergence), so that new images come from random codes.

Data (--data PATH): a folder of images (any format Pillow reads), searched with its sub-folders.
Result (--smoke): bright discs on a dark ground, rebuilt with a mean squared error of 0.06 (by the mean image: 0.2).
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
    latent_dim: int = 64  # length of the code that an image is rebuilt from
    base_width: int = 32  # channels next to the image; each halving of the resolution doubles them
    depth: int = 3  # number of times the resolution is halved
    kl_weight: float = 1.0  # above 1: smoother codes; below 1: sharper images
    batch_size: int = 64
    learning_rate: float = 1e-3
    epochs: int = 100
    patience: int = 10  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 64 pixels."""
        height, width = min(self.image_height, 64), min(self.image_width, 64)
        batch_size, epochs = min(self.batch_size, 8), min(self.epochs, 6)
        return dataclasses.replace(self, image_height=height, image_width=width, batch_size=batch_size, epochs=epochs)


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
    count = 160
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


class VAE(nn.Module):
    """Strided convolutions down to the distribution of codes, transposed convolutions back to the image."""

    def __init__(self, channels: int, height: int, width: int, latent_dim: int, base_width: int, depth: int) -> None:
        super().__init__()
        self.size, self.latent_dim = (height, width), latent_dim
        widths = [base_width * 2**level for level in range(depth)]
        self.map_shape = (widths[-1], -(-height // 2**depth), -(-width // 2**depth))  # each halving rounds up
        map_size = self.map_shape[0] * self.map_shape[1] * self.map_shape[2]
        self.encoder, self.decoder = nn.Sequential(), nn.Sequential()
        for in_width, out_width in zip([channels, *widths], widths, strict=False):
            self.encoder.append(nn.Conv2d(in_width, out_width, kernel_size=3, stride=2, padding=1, bias=False))
            self.encoder.append(nn.Sequential(nn.BatchNorm2d(out_width), nn.ReLU(inplace=True)))
        self.to_distribution, self.from_code = nn.Linear(map_size, 2 * latent_dim), nn.Linear(latent_dim, map_size)
        for in_width, out_width in zip(widths[::-1], widths[-2::-1], strict=False):
            self.decoder.append(nn.ConvTranspose2d(in_width, out_width, kernel_size=4, stride=2, padding=1, bias=False))
            self.decoder.append(nn.Sequential(nn.BatchNorm2d(out_width), nn.ReLU(inplace=True)))
        self.decoder.append(nn.ConvTranspose2d(base_width, channels, kernel_size=4, stride=2, padding=1))

    def decode(self, codes: Tensor) -> Tensor:
        """Images (N, channels, height, width) of codes (N, latent_dim)."""
        maps = F.relu(self.from_code(codes)).view(-1, *self.map_shape)
        return torch.tanh(self.decoder(maps)[..., : self.size[0], : self.size[1]])

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_variance = self.to_distribution(self.encoder(images).flatten(1)).chunk(2, dim=1)
        codes = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)  # a draw that gradients pass through
        return self.decode(codes), mean, log_variance

    def sample(self, count: int) -> Tensor:
        return self.decode(torch.randn(count, self.latent_dim, device=DEVICE))


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, channels, image_height, image_width) -> (N, channels, image_height, image_width) rebuilt images.

    With them come mean and log variance of the codes, both (N, latent_dim).
    """
    shape = (config.channels, config.image_height, config.image_width)
    return VAE(*shape, config.latent_dim, config.base_width, config.depth)


class ELBOLoss(nn.Module):
    """The negative evidence lower bound: squared error (normal pixels of variance one) plus weighted KL divergence."""

    def __init__(self, kl_weight: float) -> None:
        super().__init__()
        self.kl_weight = kl_weight

    def forward(self, outputs: tuple[Tensor, Tensor, Tensor], targets: Tensor) -> Tensor:
        images, mean, log_variance = outputs
        error = 0.5 * (images - targets).square().flatten(1).sum(dim=1)
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1)
        return (error + self.kl_weight * divergence).mean()


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return ELBOLoss(config.kl_weight)


def build_optimizer(model: nn.Module, config: Config) -> Optimizer:
    """The optimizer of all weights."""
    return torch.optim.Adam(model.parameters(), lr=config.learning_rate)


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


def compute_metrics(outputs: tuple[Tensor, Tensor, Tensor], targets: Tensor) -> dict[str, float]:
    """Evidence lower bound and its two parts; outputs are (images, mean, log variance)."""
    images, mean, log_variance = outputs
    mse = (images - targets).square().mean().item()
    kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1).mean().item()
    return {
        "elbo": -0.5 * mse * targets[0].numel() - kl,
        "mse": mse,
        "psnr": 10 * float(np.log10(4 / max(mse, 1e-12))),  # pixels span two units
        "kl": kl,
    }


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over all examples of the loader."""
    model.eval()
    outputs, targets = zip(*((model(inputs.to(DEVICE)), targets) for inputs, targets in loader), strict=True)
    return compute_metrics(tuple(torch.cat(part).cpu() for part in zip(*outputs, strict=True)), torch.cat(targets))


@torch.no_grad()
def predict(model: VAE, count: int) -> Tensor:
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
    parser = argparse.ArgumentParser(description="Image generation with a convolutional variational autoencoder.")
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
