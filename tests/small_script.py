"""The smallest script that keeps the project contract and climbs the whole ladder: tests plant their faults in it."""

SCRIPT = '''"""Classification of points by quadrant."""

import argparse
import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    """Settings."""

    data: str = ""
    out: str = "outputs"
    smoke: bool = False
    seed: int = 42
    batch_size: int = 16
    learning_rate: float = 0.01
    epochs: int = 5


def load_data(config: Config) -> tuple[DataLoader, DataLoader, DataLoader]:
    """Loaders of the training, validation and test split."""
    points = torch.randn(240, 2)
    classes = 2 * (points[:, 0] > 0).long() + (points[:, 1] > 0).long()
    parts = [TensorDataset(points[part], classes[part]) for part in (slice(160), slice(160, 200), slice(200, 240))]
    return tuple(DataLoader(part, config.batch_size, shuffle=number == 0) for number, part in enumerate(parts))


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, 2) -> (N, 4) logits."""
    return nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 4))


def train(model: nn.Module, train_loader: DataLoader, val_loader: DataLoader, config: Config) -> None:
    """Fit the model."""
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    for _ in range(config.epochs):
        for inputs, targets in train_loader:
            loss = nn.functional.cross_entropy(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


@torch.no_grad()
def evaluate(model: nn.Module, loader: DataLoader) -> dict[str, float]:
    """Share of right answers."""
    model.eval()
    right = torch.cat([model(inputs).argmax(dim=1) == targets for inputs, targets in loader])
    return {"accuracy": right.float().mean().item()}


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """Classes (N,)."""
    model.eval()
    return model(inputs).argmax(dim=1)


def main() -> None:
    """Train, evaluate, save."""
    parser = argparse.ArgumentParser()
    for field in dataclasses.fields(Config):
        flag = "--" + field.name.replace("_", "-")
        if isinstance(field.default, bool):
            parser.add_argument(flag, action="store_true")
        else:
            parser.add_argument(flag, type=type(field.default), default=field.default)
    config = Config(**vars(parser.parse_args()))
    torch.manual_seed(config.seed)
    train_loader, val_loader, test_loader = load_data(config)
    model = build_model(config)
    train(model, train_loader, val_loader, config)
    metrics = evaluate(model, test_loader)
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), out / "model.pt")
    (out / "metrics.json").write_text(json.dumps(metrics))


if __name__ == "__main__":
    main()
'''


def edited(*edits: tuple[str, str]) -> str:
    """The script with each text, which must be in it, replaced."""
    code = SCRIPT
    for old, new in edits:
        assert old in code, old
        code = code.replace(old, new)
    return code
