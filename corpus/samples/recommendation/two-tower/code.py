"""Item retrieval for recommendation with a two-tower network.

Finds what a user will want among all items. One tower turns a user's id and features into a vector, the other an
item's; their dot product is the score, so item vectors can be computed once and searched fast. The softmax is
sampled: negatives are the other items in the batch. Popular ones come up there more often, which the loss corrects.

Data (--data PATH): a folder with users.csv (column user, numeric features in any number), items.csv (column item,
numeric features) and interactions.csv (columns user and item: what was watched, bought, read; all of it positive).
Result (--smoke): groups of like-minded users, recall at 10 above 0.6 after ten epochs on a CPU (untrained: 0.01).
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
from torch.nn import functional as F
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
    num_user_features: int = 8
    num_item_features: int = 16
    embedding_dim: int = 32  # of an id
    hidden_size: int = 128
    latent_dim: int = 64  # of the vectors that are compared
    temperature: float = 0.1  # cosines are divided by it
    batch_size: int = 512  # pairs, and thus items that each user is compared with
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    epochs: int = 40
    patience: int = 5  # epochs without a better validation loss before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few epochs, smaller batches, at most 2000 users and 2000 items."""
        caps = {"num_users": 2000, "num_items": 2000, "batch_size": 256, "epochs": 10}
        return dataclasses.replace(self, **{name: min(getattr(self, name), cap) for name, cap in caps.items()})


Catalogue = tuple[Tensor, Tensor, Tensor]  # features (num_users, F) and (num_items, G), and pairs (2, P) of ids


def synthetic_data(config: Config) -> Catalogue:
    """Users who mostly choose among the 20 items of their group; the features hint at the group."""
    num_groups = max(1, config.num_items // 20)
    groups = [torch.arange(count) % num_groups for count in (config.num_users, config.num_items)]
    widths = (config.num_user_features, config.num_item_features)
    hints = [torch.randn(num_groups, width)[group] for group, width in zip(groups, widths, strict=True)]
    users = torch.arange(config.num_users).repeat(20)
    inside = (groups[0][users] + num_groups * torch.randint(20, users.shape)) % config.num_items
    items = torch.where(torch.rand(users.shape) < 0.85, inside, torch.randint(config.num_items, users.shape))
    pairs = torch.stack([users, items]).unique(dim=1)
    return *(hint + 0.5 * torch.randn_like(hint) for hint in hints), pairs


def read_table(path: Path, name: str, config: Config) -> tuple[pd.Index, Tensor]:
    """The ids and the standardised features (rows, features) of all users or items; an empty cell becomes the mean."""
    try:
        table = pd.read_csv(path, dtype={name: str}).set_index(name).astype(np.float32)
    except (OSError, ValueError, KeyError) as error:
        raise SystemExit(f"{path} needs a column {name}, and numbers beside it: {error}") from None
    if not table.index.is_unique:
        raise SystemExit(f"{path}: a {name} stands in more than one row")
    for number, flag in zip(table.shape, (f"num_{name}s", f"num_{name}_features"), strict=True):
        if number != getattr(config, flag):
            raise SystemExit(f"{path}: pass --{flag.replace('_', '-')} {number}, as found there")
    standardised = (table - table.mean()) / table.std(ddof=0).clip(lower=1e-6)
    return table.index, torch.tensor(standardised.fillna(0).to_numpy())


def read_catalogue(folder: Path, config: Config) -> Catalogue:
    """The tables users.csv, items.csv and interactions.csv; a pair counts once, however often it is listed."""
    users, user_features = read_table(folder / "users.csv", "user", config)
    items, item_features = read_table(folder / "items.csv", "item", config)
    try:
        frame = pd.read_csv(folder / "interactions.csv", dtype=str)[["user", "item"]].drop_duplicates()
    except (OSError, ValueError, KeyError) as error:
        raise SystemExit(f"{folder}: interactions.csv needs the columns user and item: {error}") from None
    ids = np.stack([users.get_indexer(frame["user"]), items.get_indexer(frame["item"])])
    if len(frame) < 3 or (ids < 0).any():
        raise SystemExit(f"{folder}: at least 3 pairs are needed, of users in users.csv and items in items.csv")
    return user_features, item_features, torch.tensor(ids)


def load_data(config: Config) -> tuple[Catalogue, DataLoader, DataLoader, DataLoader]:
    """The catalogue with the training pairs, and loaders of the training (70%), validation and test (15%) pairs."""
    *features, pairs = synthetic_data(config) if config.smoke else read_catalogue(Path(config.data), config)
    rows = torch.randperm(pairs.shape[1], generator=torch.Generator().manual_seed(config.seed))
    held_out = max(1, round(0.15 * len(rows)))
    splits = [pairs[:, part] for part in rows.split([len(rows) - 2 * held_out, held_out, held_out])]
    loaders = [DataLoader(TensorDataset(*part), config.batch_size, shuffle=part is splits[0]) for part in splits]
    return (*features, splits[0]), *loaders


class Tower(nn.Module):
    """An embedding of the id, joined with the features, through a hidden layer to a vector of length 1."""

    def __init__(self, num_ids: int, num_features: int, config: Config) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_ids, config.embedding_dim)
        nn.init.normal_(self.embedding.weight, std=0.1)  # features lead at first; an id has seen few pairs
        self.hidden = nn.Linear(config.embedding_dim + num_features, config.hidden_size)
        self.head = nn.Linear(config.hidden_size, config.latent_dim)

    def forward(self, ids: Tensor, features: Tensor) -> Tensor:
        x = torch.cat([self.embedding(ids), features], dim=1)
        return F.normalize(self.head(F.relu(self.hidden(x))), dim=1)  # (N, latent_dim)


class TwoTower(nn.Module):
    """A tower of users and one of items, with the features given to set_catalogue."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.user_tower = Tower(config.num_users, config.num_user_features, config)
        self.item_tower = Tower(config.num_items, config.num_item_features, config)
        self.temperature = config.temperature

    def set_catalogue(self, catalogue: Catalogue) -> "TwoTower":
        for name, table in zip(("user_features", "item_features", "pairs"), catalogue, strict=True):
            self.register_buffer(name, table, persistent=False)  # moves with the weights, is not saved
        return self

    def forward(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        user_vectors = self.user_tower(users, self.user_features[users]) / self.temperature
        return user_vectors, self.item_tower(items, self.item_features[items])


def build_model(config: Config) -> nn.Module:
    """Shapes: (N) -> (N, latent_dim) vectors of users, and as many of items, given the ids of both."""
    return TwoTower(config)


class SampledSoftmaxLoss(nn.Module):
    """Cross-entropy of telling each user's item from the other items in the batch."""

    def forward(self, outputs: tuple[Tensor, Tensor], items: Tensor, log_frequency: Tensor) -> Tensor:
        """Takes the vectors of users and items, each (N, latent_dim), the items (N,), and their log frequency (N,)."""
        logits = outputs[0] @ outputs[1].T - log_frequency  # (users, items)
        same_item = (items.unsqueeze(1) == items).fill_diagonal_(False)  # a second copy of the item is no negative
        return F.cross_entropy(logits.masked_fill(same_item, -torch.inf), torch.arange(len(items), device=items.device))


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, items, log_frequency)."""
    return SampledSoftmaxLoss()


def build_optimizer(model: nn.Module, config: Config) -> Optimizer:
    """The optimizer of all weights."""
    return torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)


def run_epoch(model: nn.Module, loader: DataLoader, criterion: nn.Module, optimizer: Optimizer | None = None) -> float:
    """Mean loss over the loader; the weights are updated when an optimizer is given."""
    model.train(optimizer is not None)
    counts = model.pairs[1].bincount(minlength=len(model.item_features)) + 1  # one more, as an item may be new
    log_frequency = (counts / counts.sum()).log()
    total, count = 0.0, 0
    with torch.set_grad_enabled(optimizer is not None):
        for users, items in loader:
            users, items = users.to(DEVICE), items.to(DEVICE)
            loss = criterion(model(users, items), items, log_frequency[items])
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            total += loss.item() * len(users)
            count += len(users)
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
    """Means over users: which of their ten best items (N, 10) are right, and how many (N,) should be found."""
    recall, hit_rate = outputs.sum(dim=1) / targets, outputs.any(dim=1).double()
    return {"recall_at_10": recall.mean().item(), "hit_rate_at_10": hit_rate.mean().item()}


def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Metrics over the users of the loader; candidates are all items that the user has no training pair with."""
    pairs = torch.cat([torch.stack(batch) for batch in loader], dim=1)
    users, wanted = pairs[0].unique(return_counts=True)
    best = torch.cat([predict(model, part) for part in users.split(1024)])
    keys = best * len(model.user_features) + users.unsqueeze(1)  # one number for a pair
    return compute_metrics(torch.isin(keys, pairs[1] * len(model.user_features) + pairs[0]), wanted)


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """Ids (N, 10) of the best items, best first, for user ids (N,); those of training pairs are not proposed again."""
    model.eval()
    users, rows = inputs.to(DEVICE).unique(return_inverse=True)
    user_vectors, item_vectors = model(users, torch.arange(len(model.item_features), device=DEVICE))
    scores = user_vectors @ item_vectors.T  # (users, num_items)
    places = torch.searchsorted(users, model.pairs[0]).clamp(max=len(users) - 1)
    known = users[places] == model.pairs[0]
    scores[places[known], model.pairs[1, known]] = -torch.inf
    return scores.topk(min(10, scores.shape[1]), dim=1).indices[rows].cpu()


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Item retrieval for recommendation with a two-tower network.")
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
    """Train, evaluate on the test split, and save weights, metrics and recommendations."""
    config = parse_config()
    random.seed(config.seed)
    np.random.seed(config.seed)
    torch.manual_seed(config.seed)
    catalogue, train_loader, val_loader, test_loader = load_data(config)
    model = build_model(config).set_catalogue(catalogue).to(DEVICE)
    train(model, train_loader, val_loader, config)
    metrics = evaluate(model, test_loader)
    predictions = torch.cat([predict(model, users) for users in torch.arange(config.num_users).split(1024)])

    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), out / "model.pt")
    np.save(out / "predictions.npy", predictions.numpy())  # of all users, in the order of users.csv
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print("test:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
