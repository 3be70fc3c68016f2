"""Grid-world navigation with REINFORCE, a policy gradient with a learned baseline.

Learns to walk to a goal on slippery floors with pits, by trial and error. The policy gives each action a probability;
actions that were followed by more than the state promises become more likely. What it promises, the baseline, is a
second head that learns the returns: it leaves the gradient's mean as it is, and takes most of its noise away.

Data (--data PATH): none is needed, as the environment is part of this script; any run without --smoke trains in full.
Result (--smoke): mean return above 0.6 after ten epochs on a CPU (untrained policy: -0.7).
"""

import argparse
import copy
import dataclasses
import json
import random
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Categorical
from torch.optim import Optimizer

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass
class Config:
    """Every setting of the project; each field is a command line flag."""

    data: str = ""  # not needed: the environment is the data
    out: str = "outputs"
    smoke: bool = False
    seed: int = 42
    grid_size: int = 8  # fields a side
    pit_share: float = 0.15  # of the fields
    max_steps: int = 40  # of an episode
    slip: float = 0.1  # share of steps that go somewhere else
    gamma: float = 0.97  # what a reward of the next step is worth now
    entropy_weight: float = 0.01  # how much the policy is held back from being sure
    baseline_weight: float = 0.5
    updates: int = 50  # between two evaluations
    hidden_size: int = 128
    num_layers: int = 2  # hidden layers
    batch_size: int = 64  # whole episodes for an update
    learning_rate: float = 4e-3
    epochs: int = 40
    patience: int = 10  # epochs without a better mean return before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: a small floor, few and short episodes."""
        caps = {"grid_size": 8, "max_steps": 40, "updates": 20, "hidden_size": 128, "batch_size": 64, "epochs": 10}
        return dataclasses.replace(self, **{name: min(getattr(self, name), cap) for name, cap in caps.items()})


class GridWorld:
    """Many walkers at once, each on a floor with pits of its own; actions 0 to 3 step up, down, left and right.

    A step costs 0.01. The episode ends with -1 in a pit, and with +1 at the goal.
    """

    num_features, num_actions = 6, 4
    moves = np.array([[-1, 0], [1, 0], [0, -1], [0, 1]])

    def __init__(self, num_envs: int, config: Config, seed: int) -> None:
        self.num_envs, self.size, self.max_steps = num_envs, config.grid_size, config.max_steps
        self.pit_share, self.slip, self.generator = config.pit_share, config.slip, np.random.default_rng(seed)
        self.reset()

    def reset(self) -> None:
        """Start all episodes anew: another floor, another place, another goal."""
        self.places, self.goals = self.generator.integers(self.size, size=(2, self.num_envs, 2))
        self.pits = self.generator.random((self.num_envs, self.size, self.size)) < self.pit_share
        self.pits[np.arange(self.num_envs), *self.goals.T] = False

    def is_pit(self, places: np.ndarray) -> np.ndarray:
        return self.pits[np.arange(self.num_envs), *places.T]

    @property
    def states(self) -> Tensor:
        """Rows and columns to the goal, in floor sizes, and whether each action leads into a pit, (num_envs, 6)."""
        ahead = [self.is_pit((self.places + move).clip(0, self.size - 1)) for move in self.moves]
        return torch.from_numpy(np.column_stack([(self.goals - self.places) / self.size, *ahead])).float()

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rewards (num_envs,), and which episodes ended."""
        slipped = self.generator.random(self.num_envs) < self.slip
        actions = np.where(slipped, self.generator.integers(self.num_actions, size=self.num_envs), actions)
        self.places = (self.places + self.moves[actions]).clip(0, self.size - 1)
        arrived, fallen = (self.places == self.goals).all(axis=1), self.is_pit(self.places)
        return arrived - 1.0 * fallen - 0.01, arrived | fallen


class Episodes(NamedTuple):
    """Whole episodes side by side: each part has (steps, num_envs, ...); running marks the steps before the end."""

    states: Tensor
    actions: Tensor
    rewards: Tensor
    running: Tensor


def play(model: nn.Module, env: GridWorld, greedy: bool) -> Episodes:
    """One episode in each environment, with the best actions, or with such as the policy draws."""
    env.reset()
    steps, running = [], np.ones(env.num_envs, dtype=bool)
    for _ in range(env.max_steps):
        states = env.states
        actions = predict(model, states) if greedy else draw(model, states)
        rewards, ended = env.step(actions.numpy())
        steps.append((states, actions, torch.from_numpy(rewards * running).float(), torch.from_numpy(running)))
        running = running & ~ended
        if not running.any():
            break
    return Episodes(*(torch.stack(parts).to(DEVICE) for parts in zip(*steps, strict=True)))


def load_data(config: Config) -> tuple[GridWorld, GridWorld, GridWorld]:
    """The environments of training, validation and test, each with its own random floors."""
    counts = (config.batch_size, 128, 256)
    return tuple(GridWorld(count, config, config.seed + number) for number, count in enumerate(counts))


class PolicyNetwork(nn.Module):
    """num_layers hidden layers, each rectified, then a head for the policy and one for the baseline."""

    def __init__(self, num_features: int, num_actions: int, hidden_size: int, num_layers: int) -> None:
        super().__init__()
        widths = [num_features] + [hidden_size] * num_layers
        self.layers = nn.Sequential()
        for in_width, out_width in pairwise(widths):
            self.layers.extend([nn.Linear(in_width, out_width), nn.ReLU()])
        self.policy = nn.Linear(widths[-1], num_actions)
        self.baseline = nn.Linear(widths[-1], 1)

    def forward(self, states: Tensor) -> tuple[Tensor, Tensor]:
        x = self.layers(states)
        return self.policy(x), self.baseline(x).squeeze(-1)


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, 6) -> (N, 4) logits of the actions in each state, and (N,) expected returns."""
    return PolicyNetwork(GridWorld.num_features, GridWorld.num_actions, config.hidden_size, config.num_layers)


class PolicyGradientLoss(nn.Module):
    """Minus the log-probability of what was done, weighted by how much better than the baseline it went."""

    def __init__(self, baseline_weight: float, entropy_weight: float) -> None:
        super().__init__()
        self.baseline_weight, self.entropy_weight = baseline_weight, entropy_weight

    def forward(self, outputs: tuple[Tensor, Tensor], actions: Tensor, returns: Tensor) -> Tensor:
        """Takes logits (N, actions) and baselines (N,), and the actions and returns (N,) that followed."""
        policy, baselines = Categorical(logits=outputs[0]), outputs[1]
        advantages = (returns - baselines).detach()
        advantages = advantages / (advantages.std(correction=0) + 1e-6)
        gain = (policy.log_prob(actions) * advantages).mean() + self.entropy_weight * policy.entropy().mean()
        return self.baseline_weight * (returns - baselines).square().mean() - gain


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, actions, returns)."""
    return PolicyGradientLoss(config.baseline_weight, config.entropy_weight)


def build_optimizer(model: nn.Module, config: Config) -> Optimizer:
    """The optimizer of all weights."""
    return torch.optim.Adam(model.parameters(), lr=config.learning_rate)


@torch.no_grad()
def draw(model: nn.Module, states: Tensor) -> Tensor:
    """An action (N,) in each state, as probable as the policy says."""
    return Categorical(logits=model(states.to(DEVICE))[0]).sample().cpu()


def discounted_returns(rewards: Tensor, gamma: float) -> Tensor:
    """What followed each step, (steps, num_envs), a later reward counting less."""
    returns = torch.zeros_like(rewards)
    following = torch.zeros_like(rewards[0])
    for step in reversed(range(len(rewards))):
        returns[step] = following = rewards[step] + gamma * following
    return returns


def train(model: nn.Module, train_env: GridWorld, val_env: GridWorld, config: Config) -> None:
    """Walk whole episodes and learn from each batch once; restore the weights with the highest mean return."""
    criterion, optimizer = build_loss(config), build_optimizer(model, config)
    best_return, best_weights, waited = -float("inf"), copy.deepcopy(model.state_dict()), 0
    for epoch in range(1, config.epochs + 1):
        total = 0.0
        for _ in range(config.updates):
            model.train()
            states, actions, rewards, running = play(model, train_env, greedy=False)
            returns = discounted_returns(rewards, config.gamma)
            loss = criterion(model(states[running]), actions[running], returns[running])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() / config.updates
        mean_return = evaluate(model, val_env)["mean_return"]
        print(f"epoch {epoch}/{config.epochs}: training loss {total:.4f}, validation return {mean_return:.3f}")
        waited += 1
        if mean_return > best_return:
            best_return, best_weights, waited = mean_return, copy.deepcopy(model.state_dict()), 0
        if waited >= config.patience:
            break
    model.load_state_dict(best_weights)


def compute_metrics(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Summary of the returns (N,) of episodes, and of their lengths (N,)."""
    ends = outputs + 0.01 * targets  # without the cost of the steps: 1 at the goal, -1 in a pit, 0 out of time
    return {
        "mean_return": outputs.mean().item(),
        "success_rate": (ends > 0.5).float().mean().item(),
        "mean_length": targets.float().mean().item(),
    }


def evaluate(model: nn.Module, env: GridWorld) -> dict[str, float]:
    """Metrics of one greedy episode in each environment."""
    episodes = play(model, env, greedy=True)
    return compute_metrics(episodes.rewards.sum(dim=0), episodes.running.sum(dim=0))


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """The best actions (N,) in states (N, 6)."""
    model.eval()
    return model(inputs.to(DEVICE))[0].argmax(dim=1).cpu()


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Grid-world navigation with REINFORCE.")
    for field in dataclasses.fields(Config):
        flag = "--" + field.name.replace("_", "-")
        if isinstance(field.default, bool):
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=field.default)
        else:
            parser.add_argument(flag, type=type(field.default), default=field.default, help="default: %(default)s")
    config = Config(**vars(parser.parse_args()))
    return config.for_smoke() if config.smoke else config


def main() -> None:
    """Train, evaluate on new episodes, and save weights, metrics and the actions in some states."""
    config = parse_config()
    random.seed(config.seed)
    np.random.seed(config.seed)
    torch.manual_seed(config.seed)
    train_env, val_env, test_env = load_data(config)
    model = build_model(config).to(DEVICE)
    train(model, train_env, val_env, config)
    predictions = predict(model, test_env.states)  # before the first step of an episode
    metrics = evaluate(model, test_env)

    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), out / "model.pt")
    np.save(out / "predictions.npy", predictions.numpy())
    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    print("test:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    main()
