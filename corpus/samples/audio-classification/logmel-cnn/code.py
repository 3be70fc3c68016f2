"""Audio classification with a CNN on log-mel spectrograms.

Sorts short recordings into classes (spoken commands, bird calls, city noises). The model itself turns the waveform into
a log-mel spectrogram, an image of energy by time and pitch as the ear hears them, standardised and read by a CNN.

Data (--data PATH): a folder with one sub-folder per class of WAV files (PCM of 8 or 16 bits, mono or stereo, any rate).
They are resampled to sample_rate and cut or padded to clip_seconds.
Result (--smoke): one noisy harmonic tone per class, accuracy 1.0 after four epochs on a CPU.
"""

import argparse
import copy
import dataclasses
import json
import random
import wave
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
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
    sample_rate: int = 16_000  # Hz
    clip_seconds: float = 1.0
    num_mels: int = 64
    num_classes: int = 10
    base_width: int = 32  # channels of the first block; each block after it doubles them
    dropout: float = 0.3
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 1e-5
    epochs: int = 60
    patience: int = 10  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few examples, few epochs, no clip above 1 second."""
        seconds, batch_size, epochs = min(self.clip_seconds, 1.0), min(self.batch_size, 8), min(self.epochs, 4)
        return dataclasses.replace(self, clip_seconds=seconds, batch_size=batch_size, epochs=epochs)


def synthetic_data(config: Config) -> TensorDataset:
    """Tones with two overtones, their pitch given by the class, in noise: clips (N, samples) and classes (N,)."""
    labels = torch.arange(max(100, 4 * config.num_classes)) % config.num_classes
    pitch = 0.01 * 12 ** (labels / config.num_classes) * (1 + 0.02 * torch.rand(len(labels)))  # cycles per sample
    phase = 2 * torch.pi * pitch.unsqueeze(1) * torch.arange(round(config.sample_rate * config.clip_seconds))
    tones = sum(torch.sin(overtone * phase) / overtone for overtone in (1, 2, 3))
    return TensorDataset(0.3 * tones + 0.1 * torch.randn(tones.shape), labels)


class WavFolder(Dataset[tuple[Tensor, Tensor]]):
    """Pairs of clip (samples,) in [-1, 1] and class number; clips are resampled by linear interpolation."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.config = config
        self.files = sorted(folder.glob("*/*.[wW][aA][vV]"))
        if len(self.files) < 3:
            raise SystemExit(f"{folder}: at least 3 files CLASS/NAME.wav are needed")
        self.classes = sorted({path.parent.name for path in self.files})
        if len(self.classes) != config.num_classes:
            raise SystemExit(f"{folder}: {len(self.classes)} classes, pass --num-classes {len(self.classes)}")
        Path(config.out).mkdir(parents=True, exist_ok=True)
        (Path(config.out) / "classes.json").write_text(json.dumps(self.classes), encoding="utf-8")

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        path, length = self.files[index], round(self.config.sample_rate * self.config.clip_seconds)
        try:
            with wave.open(str(path)) as file:
                channels, width, rate, frames = file.getparams()[:4]
                data = file.readframes(frames)
        except (wave.Error, EOFError) as error:
            raise SystemExit(f"{path}: not a PCM WAV file ({error})") from None
        if width not in (1, 2) or not data:
            raise SystemExit(f"{path}: empty, or {8 * width} bits per sample where 8 or 16 are needed")
        # Samples of 8 bits are unsigned around 128, those of 16 bits signed and little-endian.
        sound = (np.frombuffer(data, np.uint8) - 128.0) / 128 if width == 1 else np.frombuffer(data, "<i2") / 32768
        sound = sound.reshape(-1, channels).mean(axis=1)
        clip = np.interp(np.arange(length) * rate / self.config.sample_rate, np.arange(len(sound)), sound, right=0.0)
        return torch.from_numpy(clip).float(), torch.tensor(self.classes.index(path.parent.name))


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training (70%), validation (15%) and test (15%) split, shuffled."""
    dataset = synthetic_data(config) if config.smoke else WavFolder(Path(config.data), config)
    held_out = max(1, round(0.15 * len(dataset)))
    sizes = [len(dataset) - 2 * held_out, held_out, held_out]
    train_set, val_set, test_set = random_split(dataset, sizes, torch.Generator().manual_seed(config.seed))
    return (
        DataLoader(train_set, config.batch_size, shuffle=True),
        DataLoader(val_set, config.batch_size),
        DataLoader(test_set, config.batch_size),
    )


def mel_filter_bank(sample_rate: int, fft_size: int, num_mels: int) -> Tensor:
    """Triangular filters (num_mels, fft_size // 2 + 1), evenly spaced on the mel scale up to half the sample rate."""
    top = 2595 * np.log10(1 + sample_rate / 2 / 700)
    corners = 700 * (10 ** (torch.linspace(0, top, num_mels + 2) / 2595) - 1)
    low, centre, high = (corners[start : start + num_mels].unsqueeze(1) for start in range(3))
    frequencies = torch.linspace(0, sample_rate / 2, fft_size // 2 + 1)
    rising, falling = (frequencies - low) / (centre - low), (high - frequencies) / (high - centre)
    return torch.minimum(rising, falling).clamp(min=0)


class LogMel(nn.Module):
    """Standardised log-mel spectrograms (N, 1, num_mels, frames), one frame of 25 ms every 10 ms."""

    def __init__(self, sample_rate: int, num_mels: int) -> None:
        super().__init__()
        self.hop, frame = max(1, sample_rate // 100), max(2, sample_rate // 40)
        self.size = 2 ** (2 * frame - 1).bit_length()  # finer than the frame, for the narrow low filters
        self.register_buffer("window", torch.hann_window(frame))
        self.register_buffer("filters", mel_filter_bank(sample_rate, self.size, num_mels))

    def forward(self, x: Tensor) -> Tensor:
        x = torch.stft(x, self.size, self.hop, len(self.window), self.window, pad_mode="constant", return_complex=True)
        mels = torch.log(self.filters @ x.abs().square() + 1e-6)
        return nn.functional.layer_norm(mels, mels.shape[1:]).unsqueeze(1)


class LogMelCNN(nn.Module):
    """Log-mel front end, three convolution blocks that halve the map, mean over time (pitch stays), linear layer."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        widths = [1] + [config.base_width * 2**level for level in range(3)]
        self.front_end = LogMel(config.sample_rate, config.num_mels)
        self.blocks = nn.Sequential()
        for in_channels, out_channels in pairwise(widths):
            self.blocks.append(nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=False))
            self.blocks.extend([nn.BatchNorm2d(out_channels), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)])
        bands = (config.num_mels + 7) // 8  # what three halvings leave, rounded up
        self.head = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(widths[-1] * bands, config.num_classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.front_end(x)).mean(dim=3).flatten(1))


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, sample_rate * clip_seconds) -> (N, num_classes) logits of waveforms."""
    return LogMelCNN(config)


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return nn.CrossEntropyLoss()


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


def compute_metrics(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Accuracy, and the class averages of precision, recall and F1; outputs are logits (N, num_classes)."""
    num_classes = outputs.shape[1]
    pairs = targets * num_classes + outputs.argmax(dim=1)
    confusion = torch.bincount(pairs, minlength=num_classes**2).view(num_classes, num_classes).double()
    hits, found, wanted = confusion.diagonal(), confusion.sum(dim=0), confusion.sum(dim=1)
    seen = found + wanted > 0  # a class that occurs nowhere has no part in the averages
    return {
        "accuracy": (hits.sum() / confusion.sum()).item(),
        "precision": (hits / found.clamp(min=1))[seen].mean().item(),
        "recall": (hits / wanted.clamp(min=1))[seen].mean().item(),
        "f1": (2 * hits / (found + wanted).clamp(min=1))[seen].mean().item(),
    }


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over all examples of the loader."""
    model.eval()
    outputs, targets = zip(*((model(inputs.to(DEVICE)).cpu(), targets) for inputs, targets in loader), strict=True)
    return compute_metrics(torch.cat(outputs), torch.cat(targets))


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """Class numbers (N,) for waveforms (N, samples)."""
    model.eval()
    return model(inputs.to(DEVICE)).argmax(dim=1).cpu()


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Audio classification with a CNN on log-mel spectrograms.")
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
