"""Rating prediction for recommendation with matrix factorisation.

Predicts how a user rates an item (films, books, products): the mean rating, plus a bias of the user and one of the
item, plus the dot product of their embeddings, so that users and what they like point the same way. Mean squared error
suits ratings on a scale; weight decay keeps users with few ratings close to the mean.

Data (--data PATH): a CSV file with the columns user and item (names or numbers) and rating (a number). Users and items
without a rating in the training split get id 0, whose embedding stays zero.
Result (--smoke): biases and two hidden tastes plus noise, RMSE 0.57 after five epochs (rating by the mean: 0.92).
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
    num_users: int = 1000
    num_items: int = 1700
    latent_dim: int = 32
    batch_size: int = 256
    learning_rate: float = 1e-2
    weight_decay: float = 2e-4
    epochs: int = 50
    patience: int = 5  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few ratings, few epochs, at most 2000 users and 2000 items."""
        users, items, epochs = min(self.num_users, 2000), min(self.num_items, 2000), min(self.epochs, 5)
        return dataclasses.replace(self, num_users=users, num_items=items, epochs=epochs)


def synthetic_data(config: Config) -> tuple[Tensor, Tensor]:
    """Pairs (N, 2) of user and item id, from 1 on, and ratings (N,) that follow biases and two hidden tastes."""
    users, items = torch.randint(config.num_users, (30_000,)), torch.randint(config.num_items, (30_000,))
    user_bias, item_bias = 0.5 * torch.randn(config.num_users), 0.5 * torch.randn(config.num_items)
    user_taste, item_taste = torch.randn(config.num_users, 2), 0.4 * torch.randn(config.num_items, 2)
    liking = user_bias[users] + item_bias[items] + (user_taste[users] * item_taste[items]).sum(dim=1)
    return torch.stack([users, items], dim=1) + 1, (3 + liking + 0.3 * torch.randn(30_000)).clamp(1, 5)


def save_json(value: object, name: str, config: Config) -> None:
    """Keep under config.out what was learned from the data and is needed to predict on new data."""
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / name).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def read_ratings(config: Config) -> pd.DataFrame:
    """The CSV file's columns user and item, as text, and rating, as a number."""
    try:
        frame = pd.read_csv(config.data, dtype={"user": str, "item": str})
    except (OSError, ValueError) as error:
        raise SystemExit(f"{config.data} cannot be read: {error}") from None
    if missing := [name for name in ("user", "item", "rating") if name not in frame]:
        raise SystemExit(f"{config.data}: column missing: {', '.join(missing)}")
    if not pd.api.types.is_numeric_dtype(frame["rating"]):
        raise SystemExit(f"{config.data}: column 'rating' must be numeric")
    frame = frame.dropna(subset=["user", "item", "rating"])
    if len(frame) < 3:
        raise SystemExit(f"{config.data}: at least 3 ratings are needed")
    return frame


def number_names(names: pd.Series, train_rows: Tensor, limit: int, config: Config) -> Tensor:
    """Ids (N,) of users or items: from 1 on for those of the training rows, 0 for all others."""
    known = sorted(names.iloc[train_rows.numpy()].unique())
    if len(known) > limit:
        raise SystemExit(f"{config.data}: {len(known)} {names.name}s found, pass --num-{names.name}s {len(known)}")
    vocabulary = {name: number for number, name in enumerate(known, start=1)}
    save_json(vocabulary, f"{names.name}s.json", config)
    return torch.tensor([vocabulary.get(name, 0) for name in names])


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training (70%), validation (15%) and test (15%) split; ratings are standardised."""
    if config.smoke:
        pairs, ratings = synthetic_data(config)
    else:
        frame = read_ratings(config)
        ratings = torch.tensor(frame["rating"].tolist(), dtype=torch.float32)
    rows = torch.randperm(len(ratings), generator=torch.Generator().manual_seed(config.seed))
    held_out = max(1, round(0.15 * len(rows)))
    splits = rows.split([len(rows) - 2 * held_out, held_out, held_out])
    if not config.smoke:
        limits = {"user": config.num_users, "item": config.num_items}
        pairs = torch.stack([number_names(frame[name], splits[0], limits[name], config) for name in limits], dim=1)
    mean, std = ratings[splits[0]].mean(), ratings[splits[0]].std(correction=0).clamp(min=1e-6)
    save_json({"target_mean": mean.item(), "target_std": std.item()}, "scaler.json", config)
    train_set, val_set, test_set = (TensorDataset(pairs[part], (ratings[part] - mean) / std) for part in splits)
    return (
        DataLoader(train_set, config.batch_size, shuffle=True),
        DataLoader(val_set, config.batch_size),
        DataLoader(test_set, config.batch_size),
    )


class MatrixFactorisation(nn.Module):
    """Embeddings and biases of users and items; id 0, the unknown one, has zeros and learns nothing."""

    def __init__(self, num_users: int, num_items: int, latent_dim: int) -> None:
        super().__init__()
        self.user_embedding = nn.Embedding(num_users + 1, latent_dim, padding_idx=0)
        self.item_embedding = nn.Embedding(num_items + 1, latent_dim, padding_idx=0)
        self.user_bias = nn.Embedding(num_users + 1, 1, padding_idx=0)
        self.item_bias = nn.Embedding(num_items + 1, 1, padding_idx=0)
        for table in (self.user_embedding, self.item_embedding, self.user_bias, self.item_bias):
            nn.init.normal_(table.weight[1:], std=0.05)  # small, so that the first predictions are near the mean

    def forward(self, pairs: Tensor) -> Tensor:
        users, items = pairs.unbind(dim=1)
        agreement = (self.user_embedding(users) * self.item_embedding(items)).sum(dim=1)
        return agreement + (self.user_bias(users) + self.item_bias(items)).squeeze(1)


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, 2) -> (N,) standardised ratings for pairs of user id and item id."""
    return MatrixFactorisation(config.num_users, config.num_items, config.latent_dim)


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, targets)."""
    return nn.MSELoss()


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
    """Errors of the predicted ratings (N,)."""
    errors = (outputs - targets).double()
    mse = errors.square().mean().item()
    return {"rmse": mse**0.5, "mae": errors.abs().mean().item(), "mse": mse}


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over all examples of the loader, in the original unit of the target."""
    model.eval()
    outputs, targets = zip(*((model(inputs.to(DEVICE)).cpu(), targets) for inputs, targets in loader), strict=True)
    mean, std = model.target_mean.cpu(), model.target_std.cpu()
    return compute_metrics(torch.cat(outputs) * std + mean, torch.cat(targets) * std + mean)


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """Ratings (N,) in their original scale for pairs (N, 2) of user id and item id."""
    model.eval()
    return (model(inputs.to(DEVICE)) * model.target_std + model.target_mean).cpu()


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Rating prediction for recommendation with matrix factorisation.")
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
    # The scale of the target joins the weights, so that model.pt can predict in the original unit.
    scaler = json.loads((Path(config.out) / "scaler.json").read_text(encoding="utf-8"))
    for name in ("target_mean", "target_std"):
        model.register_buffer(name, torch.tensor(scaler[name], device=DEVICE))
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
