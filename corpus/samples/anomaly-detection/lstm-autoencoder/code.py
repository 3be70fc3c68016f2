"""Time series anomaly detection with an LSTM autoencoder.

For sensors and metrics, where the shape of a whole stretch tells whether something is wrong. One LSTM reads a window of
normal behaviour and keeps a few numbers of it, another one writes the window anew from these; what it never learnt to
write comes back wrong. A window is as odd as its worst step, so that a short fault is not averaged away. The threshold
is a quantile of the scores of normal validation windows, which sets the rate of false alarms.

Data (--data PATH): a CSV file with a header, rows in time order, numeric columns, and a column `label` (0 normal, 1
anomaly). Of the first 75% of the rows only normal stretches are used; the last 25% must hold anomalies to be tested on.
Gaps keep the last known value; text columns such as a date are ignored.
Result (--smoke): waves with noisy pieces from other times, ROC AUC above 0.98 after ten epochs on a CPU.
"""

import argparse
import copy
import dataclasses
import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass
class Config:
    """Every setting of the project; each field is a command line flag."""

    data: str = ""
    out: str = "outputs"
    smoke: bool = False
    seed: int = 42
    window: int = 48  # steps in a window, which is judged as a whole
    num_features: int = 3
    stride: int = 1  # steps from the start of one training window to the start of the next
    hidden_size: int = 64
    num_layers: int = 1  # of the encoder, and of the decoder
    latent_dim: int = 16  # numbers that are kept of a window
    dropout: float = 0.0
    threshold_quantile: float = 0.98  # share of normal validation windows that stay below the threshold
    batch_size: int = 64
    learning_rate: float = 5e-3
    weight_decay: float = 1e-5
    epochs: int = 50
    patience: int = 8  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few windows, few epochs, no window above 512 steps."""
        window, batch_size, epochs = min(self.window, 512), min(self.batch_size, 16), min(self.epochs, 10)
        stride = max(self.stride, window // 16)
        return dataclasses.replace(self, window=window, stride=stride, batch_size=batch_size, epochs=epochs)


def synthetic_data(config: Config) -> tuple[Tensor, Tensor]:
    """Waves with noise (steps, num_features), labels (steps,): the end holds a few noisy pieces from other times."""
    steps = 1600 + 12 * config.window
    time = torch.arange(steps).unsqueeze(1) + 5 * torch.arange(config.num_features)
    series = 50 + 10 * torch.sin(time * 2 * torch.pi / 24) + torch.randn(steps, config.num_features)
    labels = torch.zeros(steps)
    test_start, piece = round(0.75 * steps), max(1, config.window // 6)
    for start in range(test_start + 2 * config.window, steps, 4 * config.window):
        labels[start : start + piece] = 1
    strange = series.flip(0).roll(7, dims=0) + 3 * torch.randn(steps, config.num_features)
    return torch.where(labels.unsqueeze(1) == 1, strange, series).double(), labels


def read_series(config: Config) -> tuple[Tensor, Tensor]:
    """The numeric columns of the CSV file (steps, num_features), and the labels (steps,)."""
    try:
        frame = pd.read_csv(config.data)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{config.data} cannot be read: {error}") from None
    if "label" not in frame or not frame["label"].isin([0, 1]).all():
        raise SystemExit(f"{config.data}: a column 'label' of 0 (normal) and 1 (anomaly) is needed")
    features = frame.drop(columns="label").select_dtypes("number").ffill().bfill().fillna(0)
    if features.shape[1] != config.num_features:
        raise SystemExit(f"{config.data}: {features.shape[1]} columns, pass --num-features {features.shape[1]}")
    labels = torch.from_numpy(frame["label"].to_numpy(np.float32, copy=True))
    return torch.from_numpy(features.to_numpy(np.float64, copy=True)), labels


def windows(series: Tensor, labels: Tensor, window: int, stride: int) -> tuple[Tensor, Tensor]:
    """Windows (N, window, num_features), and 1 for each that holds an anomaly (N,)."""
    pieces = series.unfold(0, window, stride).transpose(1, 2)
    return pieces, labels.unfold(0, window, stride).amax(dim=1)


def normal_windows(series: Tensor, labels: Tensor, window: int, stride: int) -> TensorDataset:
    """Windows without an anomaly, each its own target."""
    pieces, odd = windows(series, labels, window, stride)
    if not (odd == 0).any():
        raise SystemExit(f"no stretch of {window} normal rows to learn from, pass a smaller --window")
    return TensorDataset(pieces[odd == 0], pieces[odd == 0])


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the first 60% and the next 15%, normal windows only, and of the rest with their labels."""
    series, labels = synthetic_data(config) if config.smoke else read_series(config)
    val_start, test_start, window = round(0.6 * len(series)), round(0.75 * len(series)), config.window
    known = series[:val_start][labels[:val_start] == 0]
    if min(test_start - val_start, len(known)) < window or not labels[test_start:].any():
        raise SystemExit(f"{config.data}: too few rows for --window {window}, or no anomaly in the last quarter")
    mean, std = known.mean(dim=0), known.std(dim=0)
    std[std < 1e-8] = 1  # a constant column carries nothing, but must not divide by zero
    Path(config.out).mkdir(parents=True, exist_ok=True)
    scaler = json.dumps({"mean": mean.tolist(), "std": std.tolist()})
    Path(config.out, "scaler.json").write_text(scaler, encoding="utf-8")
    series = ((series - mean) / std).float()
    train_set = normal_windows(series[:val_start], labels[:val_start], window, config.stride)
    val_set = normal_windows(series[val_start:test_start], labels[val_start:test_start], window, 1)
    test_set = TensorDataset(*windows(series[test_start:], labels[test_start:], window, 1))
    size = config.batch_size
    return DataLoader(train_set, size, shuffle=True), DataLoader(val_set, size), DataLoader(test_set, size)


class LSTMAutoencoder(nn.Module):
    """An LSTM whose last state is narrowed to a code, and an LSTM that writes the window from the code alone.

    It is written backwards: the last step, which the encoder remembers best, comes first.
    """

    def __init__(self, num_features: int, hidden_size: int, num_layers: int, latent_dim: int, dropout: float) -> None:
        super().__init__()
        between = dropout if num_layers > 1 else 0.0  # acts between layers only
        self.encoder = nn.LSTM(num_features, hidden_size, num_layers, batch_first=True, dropout=between)
        self.code = nn.Linear(hidden_size, latent_dim)
        self.decoder = nn.LSTM(latent_dim, hidden_size, num_layers, batch_first=True, dropout=between)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden_size, num_features))
        self.register_buffer("spread", torch.ones(num_features))  # main sets both; a new model takes those of model.pt
        self.register_buffer("threshold", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        code = self.code(self.encoder(x)[0][:, -1])  # (N, latent_dim)
        repeated = code.unsqueeze(1).expand(-1, x.shape[1], -1)
        return self.head(self.decoder(repeated)[0]).flip(1)


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, window, num_features) -> (N, window, num_features) the same windows, written from their codes."""
    return LSTMAutoencoder(
        config.num_features, config.hidden_size, config.num_layers, config.latent_dim, config.dropout
    )


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return nn.MSELoss()


def build_optimizer(model: nn.Module, config: Config) -> Optimizer:
    """The optimizer of all weights."""
    return torch.optim.Adam(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)


def run_epoch(model: nn.Module, loader: DataLoader, criterion: nn.Module, optimizer: Optimizer | None = None) -> float:
    """Mean loss over the loader; the weights are updated when an optimizer is given."""
    model.train(optimizer is not None)
    total = 0.0
    with torch.set_grad_enabled(optimizer is not None):
        for inputs, targets in loader:
            inputs, targets = inputs.to(DEVICE), targets.to(DEVICE)
            loss = criterion(model(inputs), targets)
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            total += loss.item() * len(inputs)
    return total / len(loader.dataset)


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


def compute_metrics(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Metrics of finding anomalies; outputs are scores minus threshold (N,), targets (N,) are 0 or 1."""
    predicted, true = outputs > 0, targets > 0.5
    hits, found, wanted = (rows.sum().item() for rows in (predicted & true, predicted, true))
    return {
        "accuracy": (predicted == true).float().mean().item(),
        "precision": hits / max(1, found),
        "recall": hits / max(1, wanted),
        "f1": 2 * hits / max(1, found + wanted),
        "roc_auc": roc_auc(outputs, true),
    }


@torch.no_grad()
def residuals(model: nn.Module, inputs: Tensor) -> Tensor:
    """Errors (N, window, num_features) of what is written anew."""
    model.eval()
    return (inputs - model(inputs.to(DEVICE)).cpu()).abs()


def anomaly_scores(model: nn.Module, inputs: Tensor) -> Tensor:
    """Mean squared error (N,) of the worst step, each column in deviations of its normal errors."""
    return (residuals(model, inputs) / model.spread.cpu()).square().mean(dim=2).amax(dim=1)


def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over all windows of the loader, whose targets are labels."""
    scores, labels = zip(*((anomaly_scores(model, inputs), labels) for inputs, labels in loader), strict=True)
    return compute_metrics(torch.cat(scores) - model.threshold.cpu(), torch.cat(labels))


def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """Labels (N,), 0 for normal and 1 for anomaly, of standardised windows."""
    return (anomaly_scores(model, inputs) > model.threshold.cpu()).to(torch.uint8)


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Time series anomaly detection with an LSTM autoencoder.")
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
    # Spread and threshold are kept with the weights, so that model.pt alone can tell normal windows from anomalies.
    errors = torch.cat([residuals(model, inputs) for inputs, _ in val_loader])
    model.register_buffer("spread", errors.square().mean(dim=(0, 1)).sqrt().clamp(min=1e-6).to(DEVICE))
    scores = torch.cat([anomaly_scores(model, inputs) for inputs, _ in val_loader])
    model.register_buffer("threshold", scores.quantile(config.threshold_quantile).to(DEVICE))
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
