"""Colourisation of grey images with a U-Net.

Gives grey photographs plausible colours. Eyes see detail in brightness, not in colour: so the brightness stays as it
is, and the network only estimates the two channels of chroma (YCbCr) of every pixel. Depth tells it what a thing is,
the skip connections where its edge runs. Where a thing may have any of several colours, squared error would ask for
their greyish mean; smooth L1 loss leans to the most usual one.

Data (--data PATH): a folder of colour images, searched with its sub-folders (any format Pillow reads). They are scaled
to one size, and the grey inputs are made here.
Result (--smoke): striped things whose direction tells their colour, 11 dB PSNR in grey and above 17 dB in colour.
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
    base_width: int = 16  # channels at full resolution; each level below doubles them
    depth: int = 3  # number of times the resolution is halved
    batch_size: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    epochs: int = 100
    patience: int = 15  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no image side above 256 pixels."""
        height, width = min(self.image_height, 256), min(self.image_width, 256)
        batch_size, epochs = min(self.batch_size, 2), min(self.epochs, 7)
        return dataclasses.replace(self, image_height=height, image_width=width, batch_size=batch_size, epochs=epochs)


def to_luma_chroma(images: Tensor) -> tuple[Tensor, Tensor]:
    """RGB images (..., 3, height, width) in [0, 1] -> luma in [0, 1] and chroma (Cb, Cr) in [-0.5, 0.5] (BT.601)."""
    red, green, blue = images.unbind(dim=-3)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return luma.unsqueeze(-3), torch.stack([(blue - luma) / 1.772, (red - luma) / 1.402], dim=-3)


def to_rgb(luma: Tensor, chroma: Tensor) -> Tensor:
    """The inverse of `to_luma_chroma`, cut off at [0, 1]."""
    (cb, cr), y = chroma.unbind(dim=-3), luma.squeeze(-3)
    return torch.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], dim=-3).clamp(0, 1)


class ColourImages(Dataset[tuple[Tensor, Tensor]]):
    """Luma (1, height, width) and chroma (2, height, width) of the images of a folder, all of one size."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in Image.registered_extensions())
        if len(self.paths) < 3:
            raise SystemExit(f"{folder}: a folder with at least 3 images is needed")
        self.size = (config.image_width, config.image_height)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = Image.open(self.paths[index]).convert("RGB").resize(self.size)
        return to_luma_chroma(torch.from_numpy(np.array(image, dtype=np.float32).transpose(2, 0, 1) / 255))


def synthetic_data(config: Config) -> TensorDataset:
    """Blue discs with level stripes and orange ones with upright stripes on green ground: luma and chroma."""
    height, width = config.image_height, config.image_width
    count = max(12, min(60, 60 * 64 * 64 // (height * width)))
    rows, columns = torch.arange(height).view(1, -1, 1), torch.arange(width).view(1, 1, -1)
    luma = 0.4 + 0.2 * torch.rand(count, 1, 1).expand(count, height, width)
    chroma = torch.tensor([-0.15, -0.2]).view(1, 2, 1, 1).expand(count, 2, height, width)
    for kind in (0, 1) * 3:  # later discs cover earlier ones
        radius = min(height, width) * (0.12 + 0.12 * torch.rand(count, 1, 1))
        centre_row, centre_column = height * torch.rand(count, 1, 1), width * torch.rand(count, 1, 1)
        inside = (rows - centre_row) ** 2 + (columns - centre_column) ** 2 < radius**2
        stripes = torch.sin((rows, columns)[kind] * (0.8 + 0.4 * torch.rand(count, 1, 1)))
        luma = torch.where(inside, 0.5 + 0.12 * stripes + 0.1 * torch.rand(count, 1, 1), luma)
        colour = torch.tensor([(0.3, -0.15), (-0.25, 0.25)][kind]).view(1, 2, 1, 1)
        chroma = torch.where(inside.unsqueeze(1), colour, chroma)
    return TensorDataset(*to_luma_chroma(to_rgb(luma.unsqueeze(1), chroma)))


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training (70%), validation (15%) and test (15%) split."""
    dataset = synthetic_data(config) if config.smoke else ColourImages(Path(config.data), config)
    held_out = max(1, round(0.15 * len(dataset)))
    sizes = [len(dataset) - 2 * held_out, held_out, held_out]
    train_set, val_set, test_set = random_split(dataset, sizes, torch.Generator().manual_seed(config.seed))
    # A last batch of one small image would be too little for batch normalisation.
    drop_last = len(train_set) > config.batch_size
    train_loader = DataLoader(train_set, config.batch_size, shuffle=True, drop_last=drop_last)
    return train_loader, DataLoader(val_set, config.batch_size), DataLoader(test_set, config.batch_size)


class ConvBlock(nn.Sequential):
    """Two 3x3 convolutions, each normalised and rectified; height and width stay."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        for channels in (in_channels, out_channels):
            self.append(nn.Conv2d(channels, out_channels, kernel_size=3, padding=1, bias=False))
            self.append(nn.BatchNorm2d(out_channels))
            self.append(nn.ReLU(inplace=True))


class ColourUNet(nn.Module):
    """U-Net from luma to chroma, for any image size."""

    def __init__(self, base_width: int, depth: int) -> None:
        super().__init__()
        widths = [base_width * 2**level for level in range(depth + 1)]
        self.encoder = nn.ModuleList(ConvBlock(a, b) for a, b in zip([1, *widths], widths, strict=False))
        self.decoder = nn.ModuleList(ConvBlock(3 * width, width) for width in reversed(widths[:-1]))
        self.head = nn.Conv2d(base_width, 2, kernel_size=1)
        nn.init.zeros_(self.head.weight)  # training starts from the grey image
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for level, block in enumerate(self.encoder):
            x = block(x if level == 0 else F.max_pool2d(x, kernel_size=2, ceil_mode=True))
            skips.append(x)
        for block, skip in zip(self.decoder, reversed(skips[:-1]), strict=True):
            x = F.interpolate(x, size=skip.shape[-2:], mode="bilinear", align_corners=False)
            x = block(torch.cat([skip, x], dim=1))
        return 0.5 * torch.tanh(self.head(x))


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, 1, image_height, image_width) -> (N, 2, image_height, image_width) chroma in [-0.5, 0.5]."""
    return ColourUNet(config.base_width, config.depth)


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return nn.SmoothL1Loss(beta=0.05)


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


def psnr(images: Tensor, references: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB of images in [0, 1], (N, 3, height, width), averaged over the images."""
    errors = ((images - references) ** 2).mean(dim=(1, 2, 3))
    return (-10 * errors.clamp(min=1e-10).log10()).mean()


def compute_metrics(luma: Tensor, outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Closeness of the coloured images to the true ones, and that of the grey ones to compare with."""
    true = to_rgb(luma, targets)
    return {
        "psnr": psnr(to_rgb(luma, outputs), true).item(),
        "psnr_of_grey": psnr(luma.expand_as(true), true).item(),
        "chroma_rmse": ((outputs - targets) ** 2).mean().sqrt().item(),
        "chroma_rmse_of_grey": (targets**2).mean().sqrt().item(),
    }


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over all examples of the loader."""
    model.eval()
    triples = ((inputs, model(inputs.to(DEVICE)).cpu(), targets) for inputs, targets in loader)
    return compute_metrics(*(torch.cat(part) for part in zip(*triples, strict=True)))


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """RGB images in [0, 1], (N, 3, height, width), for grey ones (N, 1, height, width)."""
    model.eval()
    return to_rgb(inputs, model(inputs.to(DEVICE)).cpu())


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Colourisation of grey images with a U-Net.")
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
