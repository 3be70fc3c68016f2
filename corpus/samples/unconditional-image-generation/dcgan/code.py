"""Image generation with a DCGAN.

Learns to draw new images like those of a folder. A generator turns random codes into images by transposed
convolutions, a discriminator learns to tell them from real ones. The losses of the two say little about quality: the
weights kept are those whose images lie closest to the validation images.

Data (--data PATH): a folder of images (any format Pillow reads), searched with its sub-folders.
Result (--smoke): bright discs on a dark ground, sliced Wasserstein distance below 0.5 (untrained: 0.76).
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
from torch.nn.utils.parametrizations import spectral_norm
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
    latent_dim: int = 100  # length of the random code that an image is made from
    base_width: int = 32  # channels next to the image; each halving of the resolution doubles them
    depth: int = 4  # number of times the resolution is halved
    batch_size: int = 64
    learning_rate: float = 2e-4
    epochs: int = 100

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 64 pixels."""
        height, width = min(self.image_height, 64), min(self.image_width, 64)
        batch_size, epochs = min(self.batch_size, 4), min(self.epochs, 6)
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
    count = 96
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


class Generator(nn.Module):
    """Codes (N, latent_dim) -> images (N, channels, height, width) in [-1, 1]: a small map, doubled depth times."""

    def __init__(self, channels: int, height: int, width: int, latent_dim: int, base_width: int, depth: int) -> None:
        super().__init__()
        self.size = (height, width)
        widths = [base_width * 2**level for level in reversed(range(depth))]
        self.start_shape = (widths[0], -(-height // 2**depth), -(-width // 2**depth))  # rounded up, cropped at the end
        self.start = nn.Linear(latent_dim, int(np.prod(self.start_shape)))
        self.layers = nn.Sequential()
        for after in widths[1:]:
            self.layers.append(nn.ConvTranspose2d(2 * after, after, kernel_size=4, stride=2, padding=1, bias=False))
            self.layers.append(nn.Sequential(nn.BatchNorm2d(after), nn.ReLU(inplace=True)))
        self.layers.append(nn.ConvTranspose2d(widths[-1], channels, kernel_size=4, stride=2, padding=1))

    def forward(self, codes: Tensor) -> Tensor:
        x = F.relu(self.start(codes)).view(-1, *self.start_shape)
        return torch.tanh(self.layers(x)[..., : self.size[0], : self.size[1]])


class Discriminator(nn.Module):
    """Images -> logits (N,) of being real; spectral normalisation keeps it from outrunning the generator."""

    def __init__(self, channels: int, height: int, width: int, base_width: int, depth: int) -> None:
        super().__init__()
        widths = [base_width * 2**level for level in range(depth)]
        self.layers = nn.Sequential()
        for in_width, out_width in zip([channels, *widths], widths, strict=False):
            self.layers.append(spectral_norm(nn.Conv2d(in_width, out_width, kernel_size=4, stride=2, padding=1)))
            self.layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.head = spectral_norm(nn.Linear(widths[-1] * (height >> depth) * (width >> depth), 1))

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.layers(images).flatten(1)).squeeze(1)


class GAN(nn.Module):
    """Both networks; called with codes, it gives the images that the generator makes of them."""

    def __init__(self, generator: Generator, discriminator: Discriminator, latent_dim: int) -> None:
        super().__init__()
        self.generator, self.discriminator, self.latent_dim = generator, discriminator, latent_dim

    def forward(self, codes: Tensor) -> Tensor:
        return self.generator(codes)

    def sample(self, count: int) -> Tensor:
        return self(torch.randn(count, self.latent_dim, device=DEVICE))


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, latent_dim) -> (N, channels, image_height, image_width) images in [-1, 1]."""
    shape = (config.channels, config.image_height, config.image_width)
    generator = Generator(*shape, config.latent_dim, config.base_width, config.depth)
    return GAN(generator, Discriminator(*shape, config.base_width, config.depth), config.latent_dim)


def build_loss(config: Config) -> nn.Module:
    """The adversarial loss, called with (logits of the discriminator, ones for real or zeros for generated)."""
    return nn.BCEWithLogitsLoss()


def build_optimizer(model: nn.Module, config: Config) -> Optimizer:
    """The optimizer of one of the two networks."""
    return torch.optim.Adam(model.parameters(), lr=config.learning_rate, betas=(0.5, 0.999))


def run_epoch(model: GAN, loader: DataLoader, criterion: nn.Module, optimizers: list[Optimizer]) -> tuple[float, float]:
    """Update generator and discriminator with every batch; their mean losses."""
    model.train()
    totals, count = np.zeros(2), 0
    for images, _ in loader:
        real, fake = images.to(DEVICE), model.sample(len(images))
        ones, zeros = torch.ones(len(images), device=DEVICE), torch.zeros(len(images), device=DEVICE)
        real_loss = criterion(model.discriminator(real), ones)
        discriminator_loss = real_loss + criterion(model.discriminator(fake.detach()), zeros)
        optimizers[1].zero_grad()
        discriminator_loss.backward()
        optimizers[1].step()
        generator_loss = criterion(model.discriminator(fake), ones)
        optimizers[0].zero_grad()
        generator_loss.backward()
        optimizers[0].step()
        totals += len(images) * np.array([generator_loss.item(), discriminator_loss.item()])
        count += len(images)
    return totals[0] / count, totals[1] / count


def train(model: GAN, train_loader: DataLoader, val_loader: DataLoader, config: Config) -> None:
    """Fit both networks, and restore the weights whose images lie closest to the validation images."""
    criterion = build_loss(config)
    optimizers = [build_optimizer(network, config) for network in (model.generator, model.discriminator)]
    best_distance, best_weights = float("inf"), copy.deepcopy(model.state_dict())
    for epoch in range(1, config.epochs + 1):
        losses = run_epoch(model, train_loader, criterion, optimizers)
        distance = evaluate(model, val_loader)["sliced_wasserstein"]
        print(f"epoch {epoch}/{config.epochs}: losses {losses[0]:.4f}, {losses[1]:.4f}, distance {distance:.4f}")
        if distance < best_distance:
            best_distance, best_weights = distance, copy.deepcopy(model.state_dict())
    model.load_state_dict(best_weights)


def sliced_wasserstein(generated: Tensor, real: Tensor) -> float:
    """Mean distance of two equally large sets of images along random directions: 0 for the same distribution."""
    directions = F.normalize(torch.randn(real[0].numel(), 256, generator=torch.Generator().manual_seed(0)), dim=0)
    first, second = ((images.flatten(1) @ directions).sort(dim=0).values for images in (generated, real))
    return (first - second).abs().mean().item()


@torch.no_grad()
def evaluate(model: GAN, loader: DataLoader) -> dict[str, float]:
    """Distance of as many generated images to those of the loader, and how often the two are told apart."""
    model.eval()
    pairs = [(images.to(DEVICE), model.sample(len(images))) for images, _ in loader]
    parts = list(zip(*pairs, strict=True))
    real_logits, fake_logits = (torch.cat([model.discriminator(batch) for batch in part]) for part in parts)
    real, fake = (torch.cat(part).cpu() for part in parts)
    accuracy = torch.cat([real_logits > 0, fake_logits <= 0]).float().mean().item()
    return {"sliced_wasserstein": sliced_wasserstein(fake, real), "discriminator_accuracy": accuracy}


@torch.no_grad()
def predict(model: GAN, count: int) -> Tensor:
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
    parser = argparse.ArgumentParser(description="Image generation with a DCGAN.")
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
