"""Image generation with a WGAN-GP (gradient penalty).

Learns to draw new images like those of a folder. The critic does not tell real from generated: it measures how far
apart the two are (Wasserstein distance), which gives the generator a gradient even where a discriminator would be sure.
Its slope has to be one, which a penalty on its gradients between real and generated images asks for. It has no batch
normalisation, as the penalty is about single images, and makes several steps for each one of the generator.

Data (--data PATH): a folder of images (any format Pillow reads), searched with its sub-folders.
Result (--smoke): bright bars on a dark ground, sliced Wasserstein distance below 0.45 (untrained: 0.7).
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
    latent_dim: int = 64  # length of the random code that an image is made from
    base_width: int = 32  # channels next to the image; each halving of the resolution doubles them
    depth: int = 3  # number of times the resolution is halved
    critic_steps: int = 3  # of the critic for each of the generator
    penalty_weight: float = 10.0
    batch_size: int = 64
    learning_rate: float = 5e-4
    epochs: int = 200

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 64 pixels."""
        height, width = min(self.image_height, 64), min(self.image_width, 64)
        batch_size, epochs = min(self.batch_size, 8), min(self.epochs, 10)
        return dataclasses.replace(self, image_height=height, image_width=width, batch_size=batch_size, epochs=epochs)


class ImageFolder(Dataset[tuple[Tensor, Tensor]]):
    """Images (channels, height, width) in [-1, 1], each as its own target."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in Image.registered_extensions())
        if len(self.paths) < 3:
            raise SystemExit(f"{folder}: a folder with at least 3 images is needed")
        self.size, self.mode = (config.image_width, config.image_height), "L" if config.channels == 1 else "RGB"

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        pixels = np.array(Image.open(self.paths[index]).convert(self.mode).resize(self.size), dtype=np.float32)
        image = torch.from_numpy(pixels.reshape(*pixels.shape[:2], -1).transpose(2, 0, 1) / 127.5 - 1)
        return image, image


def synthetic_data(config: Config) -> TensorDataset:
    """Bright bars across a dark ground, level or upright: images (N, channels, height, width), and again as targets."""
    count = 128
    rows, columns = torch.linspace(-1, 1, config.image_height).view(-1, 1), torch.linspace(-1, 1, config.image_width)
    place, thickness, colour = torch.rand(3, count, config.channels, 1, 1)
    place, thickness = place[:, :1] - 0.5, 0.15 + 0.2 * thickness[:, :1]
    level, upright = (rows - place).abs() < thickness, (columns - place).abs() < thickness
    bars = torch.where(torch.rand(count, 1, 1, 1) < 0.5, level, upright)
    images = 2 * bars * (0.5 + 0.5 * colour) - 1
    return TensorDataset(images, images)


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training (70%), validation (15%) and test (15%) split."""
    dataset = synthetic_data(config) if config.smoke else ImageFolder(Path(config.data), config)
    held_out = max(1, round(0.15 * len(dataset)))
    sizes = [len(dataset) - 2 * held_out, held_out, held_out]
    train_set, val_set, test_set = random_split(dataset, sizes, torch.Generator().manual_seed(config.seed))
    train_loader = DataLoader(train_set, config.batch_size, shuffle=True)
    return train_loader, DataLoader(val_set, config.batch_size), DataLoader(test_set, config.batch_size)


class Generator(nn.Module):
    """Codes (N, latent_dim) -> images (N, channels, height, width) in [-1, 1]: a small map, doubled depth times."""

    def __init__(self, channels: int, height: int, width: int, latent_dim: int, base_width: int, depth: int) -> None:
        super().__init__()
        self.size = (height, width)
        widths = [base_width * 2**level for level in reversed(range(depth))]
        self.start_shape = (widths[0], -(-height // 2**depth), -(-width // 2**depth))  # rounded up, cropped at the end
        self.start = nn.Linear(latent_dim, int(np.prod(self.start_shape)))
        self.layers = nn.Sequential()
        for before, after in zip(widths, [*widths[1:], base_width], strict=True):
            self.layers.extend([nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, padding=1, bias=False)])
            self.layers.append(nn.Sequential(nn.BatchNorm2d(after), nn.ReLU(inplace=True)))
        self.layers.append(nn.Conv2d(base_width, channels, kernel_size=3, padding=1))

    def forward(self, codes: Tensor) -> Tensor:
        x = F.relu(self.start(codes)).view(-1, *self.start_shape)
        return torch.tanh(self.layers(x)[..., : self.size[0], : self.size[1]])


class Critic(nn.Module):
    """Images -> scores (N,) without bounds, higher for real ones."""

    def __init__(self, channels: int, height: int, width: int, base_width: int, depth: int) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        for level in range(depth):
            out_channels = base_width * 2**level
            self.layers.append(nn.Conv2d(channels, out_channels, kernel_size=5, stride=2, padding=2))
            self.layers.append(nn.LeakyReLU(0.2))
            channels, height, width = out_channels, -(-height // 2), -(-width // 2)
        self.layers.extend([nn.Flatten(), nn.Linear(channels * height * width, 1), nn.Flatten(0)])

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


class WGAN(nn.Module):
    """Both networks; called with codes, it gives the images that the generator makes of them."""

    def __init__(self, generator: Generator, critic: Critic, latent_dim: int) -> None:
        super().__init__()
        self.generator, self.critic, self.latent_dim = generator, critic, latent_dim

    def forward(self, codes: Tensor) -> Tensor:
        return self.generator(codes)

    def sample(self, count: int) -> Tensor:
        return self(torch.randn(count, self.latent_dim, device=DEVICE))


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, latent_dim) -> (N, channels, image_height, image_width) images in [-1, 1]."""
    shape = (config.channels, config.image_height, config.image_width)
    generator = Generator(*shape, config.latent_dim, config.base_width, config.depth)
    return WGAN(generator, Critic(*shape, config.base_width, config.depth), config.latent_dim)


class WassersteinGradientPenaltyLoss(nn.Module):
    """What the critic minimises: mean score of generated less that of real images, and the penalty for its slope."""

    def __init__(self, penalty_weight: float) -> None:
        super().__init__()
        self.penalty_weight = penalty_weight

    def forward(self, fake_scores: Tensor, real_scores: Tensor, penalty: Tensor) -> Tensor:
        return fake_scores.mean() - real_scores.mean() + self.penalty_weight * penalty


def build_loss(config: Config) -> nn.Module:
    """The critic's loss, called with (scores of generated images, scores of real images, gradient penalty)."""
    return WassersteinGradientPenaltyLoss(config.penalty_weight)


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """Mean squared difference from one of the gradient's length between pairs of images (Gulrajani et al. 2017)."""
    between = torch.lerp(real, fake, torch.rand(len(real), 1, 1, 1, device=real.device)).requires_grad_()
    (gradients,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return ((gradients.flatten(1).norm(dim=1) - 1) ** 2).mean()


def build_optimizer(model: nn.Module, config: Config) -> Optimizer:
    """The optimizer of one of the two networks; without momentum, as the critic's target moves."""
    return torch.optim.Adam(model.parameters(), lr=config.learning_rate, betas=(0.0, 0.9))


def run_epoch(model: WGAN, loader: DataLoader, optimizers: list[Optimizer], config: Config) -> float:
    """Update the critic with every batch, and the generator after some; the critic's mean loss."""
    model.train()
    criterion, total = build_loss(config), 0.0
    for step, (images, _) in enumerate(loader, start=1):
        real, fake = images.to(DEVICE), model.sample(len(images)).detach()
        penalty = gradient_penalty(model.critic, real, fake)
        critic_loss = criterion(model.critic(fake), model.critic(real), penalty)
        optimizers[1].zero_grad()
        critic_loss.backward()
        optimizers[1].step()
        total += critic_loss.item()
        if step % config.critic_steps == 0 or step == len(loader):  # also where few images make a short epoch
            generator_loss = -model.critic(model.sample(len(images))).mean()
            optimizers[0].zero_grad()
            generator_loss.backward()
            optimizers[0].step()
    return total / len(loader)


def train(model: WGAN, train_loader: DataLoader, val_loader: DataLoader, config: Config) -> None:
    """Fit both networks, and restore the weights whose images lie closest to the validation images."""
    optimizers = [build_optimizer(network, config) for network in (model.generator, model.critic)]
    best_distance, best_weights = float("inf"), copy.deepcopy(model.state_dict())
    for epoch in range(1, config.epochs + 1):
        critic_loss = run_epoch(model, train_loader, optimizers, config)
        distance = evaluate(model, val_loader)["sliced_wasserstein"]
        print(f"epoch {epoch}/{config.epochs}: critic's loss {critic_loss:.4f}, validation distance {distance:.4f}")
        if distance < best_distance:
            best_distance, best_weights = distance, copy.deepcopy(model.state_dict())
    model.load_state_dict(best_weights)


def sliced_wasserstein(generated: Tensor, real: Tensor) -> float:
    """Mean distance of two equally large sets of images along random directions: 0 for the same distribution."""
    directions = F.normalize(torch.randn(real[0].numel(), 256, generator=torch.Generator().manual_seed(0)), dim=0)
    first, second = ((images.flatten(1) @ directions).sort(dim=0).values for images in (generated, real))
    return (first - second).abs().mean().item()


@torch.no_grad()
def evaluate(model: WGAN, loader: DataLoader) -> dict[str, float]:
    """Distance of as many generated images to those of the loader, and how their mean and their variety compare."""
    model.eval()
    pairs = [(images, model.sample(len(images)).cpu()) for images, _ in loader]
    real, fake = (torch.cat(part) for part in zip(*pairs, strict=True))
    mean_error = F.l1_loss(fake.mean(dim=0), real.mean(dim=0)).item()
    # 1 where generated images differ from each other like real ones; of a single image nothing can be told.
    variety = (F.pdist(fake.flatten(1)).mean() / F.pdist(real.flatten(1)).mean()).item() if len(real) > 1 else 1.0
    distance = sliced_wasserstein(fake, real)
    return {"sliced_wasserstein": distance, "mean_image_mae": mean_error, "relative_variety": variety}


@torch.no_grad()
def predict(model: WGAN, count: int) -> Tensor:
    """New images, (count, channels, height, width) in [0, 1]."""
    model.eval()
    return model.sample(count).add(1).div(2).clamp(0, 1).cpu()


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Image generation with a WGAN-GP (gradient penalty).")
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
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print("test:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
