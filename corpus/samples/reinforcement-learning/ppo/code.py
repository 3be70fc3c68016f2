"""Pendulum swing-up by proximal policy optimisation (PPO) with continuous actions.

Learns to swing up a pendulum with a motor too weak to lift it. The policy is a normal distribution of torques. Rollouts
are learned from several times, so the clipped objective gains nothing by moving far from the policy that acted.
Generalised advantage estimation (GAE) mixes what followed with what the critic expects; an entropy bonus keeps trying.

Data (--data PATH): none is needed, as the environment is part of this script; any run without --smoke trains in full.
Result (--smoke): mean return above -300 after four epochs on a CPU (untrained policy: -1300).
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
from torch.distributions import Normal
from torch.nn import functional as F
from torch.optim import Optimizer

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


@dataclass
class Config:
    """Every setting of the project; each field is a command line flag."""

    data: str = ""  # not needed: the environment is the data
    out: str = "outputs"
    smoke: bool = False
    seed: int = 42
    num_envs: int = 16  # pendulums that are driven at the same time
    max_steps: int = 200  # of an episode, each 0.05 s
    rollouts: int = 5  # of one episode each, between two evaluations
    passes: int = 10  # over each rollout
    gamma: float = 0.95  # what a reward of the next step is worth now
    gae_lambda: float = 0.95  # 0 trusts the critic, 1 what followed
    clip_range: float = 0.2  # of the ratio of new to old probability
    entropy_weight: float = 0.001
    hidden_size: int = 64
    num_layers: int = 2  # hidden layers of the policy, and of the critic
    batch_size: int = 640
    learning_rate: float = 1e-3
    epochs: int = 40
    patience: int = 15  # epochs without a better mean return before training stops

    def for_smoke(self) -> "Config":
        """A trial that ends in seconds on a CPU: few rollouts, and no small batches, which would take long."""
        caps = {"num_envs": 16, "max_steps": 200, "rollouts": 5, "passes": 10, "hidden_size": 64, "epochs": 4}
        smaller = {name: min(getattr(self, name), cap) for name, cap in caps.items()}
        return dataclasses.replace(self, **smaller, batch_size=max(self.batch_size, 640))


class Pendulum:
    """Many pendulums of 1 m and 1 kg at once, hanging from motors of at most 2 Nm; angle 0 is upright."""

    num_features, num_actions = 3, 1

    def __init__(self, num_envs: int, max_steps: int, seed: int) -> None:
        self.num_envs, self.max_steps = num_envs, max_steps
        self.generator = np.random.default_rng(seed)
        self.reset()

    def reset(self) -> None:
        """Start all episodes anew, from any angle and slowly."""
        self.angles = self.generator.uniform(-np.pi, np.pi, self.num_envs)
        self.speeds = self.generator.uniform(-1, 1, self.num_envs)

    @property
    def states(self) -> Tensor:
        """Cosine and sine of the angle, and the scaled speed, (num_envs, 3)."""
        return torch.from_numpy(np.stack([np.cos(self.angles), np.sin(self.angles), self.speeds / 8], axis=1)).float()

    def step(self, actions: Tensor) -> Tensor:
        """Rewards (num_envs,) for torques (num_envs, 1) in units of 2 Nm: minus what is lacking to rest upright."""
        torques = 2 * actions.squeeze(1).double().numpy().clip(-1, 1)
        rewards = -(self.angles**2 + 0.1 * self.speeds**2 + 0.001 * torques**2)
        self.speeds = (self.speeds + 0.05 * (15 * np.sin(self.angles) + 3 * torques)).clip(-8, 8)
        self.angles = (self.angles + 0.05 * self.speeds + np.pi) % (2 * np.pi) - np.pi
        return torch.from_numpy(rewards).float()


class Rollout(NamedTuple):
    """What is learned from, each (N, ...): advantages are how much better than expected an action went."""

    states: Tensor
    actions: Tensor
    log_probs: Tensor
    advantages: Tensor
    returns: Tensor


def load_data(config: Config) -> tuple[Pendulum, Pendulum, Pendulum]:
    """The environments of training, validation and test, each with its own random starts."""
    counts = (config.num_envs, 64, 200)
    return tuple(Pendulum(count, config.max_steps, config.seed + number) for number, count in enumerate(counts))


def dense_layers(widths: list[int]) -> nn.Sequential:
    """Dense layers with tanh between them."""
    layers = nn.Sequential()
    for in_width, out_width in pairwise(widths):
        layers.extend([nn.Linear(in_width, out_width), nn.Tanh()])
    return layers[:-1]


class ActorCritic(nn.Module):
    """A policy and a critic with layers of their own; the policy's spread is the same in all states."""

    def __init__(self, num_features: int, num_actions: int, hidden_size: int, num_layers: int) -> None:
        super().__init__()
        widths = [num_features] + [hidden_size] * num_layers
        self.policy = dense_layers([*widths, num_actions])
        self.critic = dense_layers([*widths, 1])
        self.log_std = nn.Parameter(torch.zeros(num_actions))

    def forward(self, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        means = self.policy(states)
        return means, self.log_std.exp().expand_as(means), self.critic(states).squeeze(-1)


def build_model(config: Config) -> nn.Module:
    """Shapes: (N, 3) -> (N, 1) mean torques, as many standard deviations, and (N,) expected returns."""
    return ActorCritic(Pendulum.num_features, Pendulum.num_actions, config.hidden_size, config.num_layers)


class ClippedSurrogateLoss(nn.Module):
    """PPO's clipped objective, the critic's squared error, and an entropy bonus."""

    def __init__(self, clip_range: float, entropy_weight: float) -> None:
        super().__init__()
        self.clip_range, self.entropy_weight = clip_range, entropy_weight

    def forward(self, outputs: tuple[Tensor, Tensor, Tensor], batch: Rollout) -> Tensor:
        means, stds, values = outputs
        policy = Normal(means, stds)
        ratio = (policy.log_prob(batch.actions).sum(dim=1) - batch.log_probs).exp()  # (N,)
        clipped = ratio.clamp(1 - self.clip_range, 1 + self.clip_range)
        advantages = (batch.advantages - batch.advantages.mean()) / (batch.advantages.std(correction=0) + 1e-6)
        objective = torch.minimum(ratio * advantages, clipped * advantages).mean()
        critic_error = F.mse_loss(values, batch.returns)
        return 0.5 * critic_error - objective - self.entropy_weight * policy.entropy().sum(dim=1).mean()


def build_loss(config: Config) -> nn.Module:
    """The training loss, called with (outputs, batch)."""
    return ClippedSurrogateLoss(config.clip_range, config.entropy_weight)


def build_optimizer(model: nn.Module, config: Config) -> Optimizer:
    """The optimizer of all weights."""
    return torch.optim.Adam(model.parameters(), lr=config.learning_rate)


def generalised_advantages(errors: Tensor, decay: float) -> Tensor:
    """Sums (steps, num_envs) of each one-step error and all later ones, which count ever less."""
    advantages, following = torch.zeros_like(errors), torch.zeros_like(errors[0])
    for step in reversed(range(len(errors))):
        advantages[step] = following = errors[step] + decay * following
    return advantages


@torch.no_grad()
def collect(model: nn.Module, env: Pendulum, config: Config) -> Rollout:
    """One episode in each environment, with torques that the policy draws."""
    env.reset()
    steps = []
    for _ in range(env.max_steps):
        states = env.states
        means, stds, _ = model(states.to(DEVICE))
        actions = Normal(means, stds).sample().cpu()
        steps.append((states, actions, env.step(actions), env.states))
    states, actions, rewards, next_states = (torch.stack(parts).to(DEVICE) for parts in zip(*steps, strict=True))
    means, stds, values = model(states)  # (steps, num_envs, ...)
    log_probs = Normal(means, stds).log_prob(actions).sum(dim=-1)
    # The clock ends an episode, the pendulum would go on: the critic says what would have followed the last step too.
    errors = 0.1 * rewards + config.gamma * model(next_states)[2] - values  # scaled, as returns near 1 suit the critic
    advantages = generalised_advantages(errors, config.gamma * config.gae_lambda)
    parts = (states, actions, log_probs, advantages, advantages + values)
    return Rollout(*(part.flatten(0, 1) for part in parts))


def train(model: nn.Module, train_env: Pendulum, val_env: Pendulum, config: Config) -> None:
    """Act and learn in turn, stop early, and restore the weights with the highest mean return."""
    criterion, optimizer = build_loss(config), build_optimizer(model, config)
    best_return, best_weights, waited = -float("inf"), copy.deepcopy(model.state_dict()), 0
    for epoch in range(1, config.epochs + 1):
        losses = []
        for _ in range(config.rollouts):
            model.train()
            rollout = collect(model, train_env, config)
            for _ in range(config.passes):
                for rows in torch.randperm(len(rollout.states), device=DEVICE).split(config.batch_size):
                    batch = Rollout(*(part[rows] for part in rollout))
                    loss = criterion(model(batch.states), batch)
                    optimizer.zero_grad()
                    loss.backward()
                    nn.utils.clip_grad_norm_(model.parameters(), 0.5)
                    optimizer.step()
                    losses.append(loss.item())
        mean_return = evaluate(model, val_env)["mean_return"]
        mean_loss = sum(losses) / len(losses)
        print(f"epoch {epoch}/{config.epochs}: training loss {mean_loss:.4f}, validation return {mean_return:.1f}")
        waited += 1
        if mean_return > best_return:
            best_return, best_weights, waited = mean_return, copy.deepcopy(model.state_dict()), 0
        if waited >= config.patience:
            break
    model.load_state_dict(best_weights)


def compute_metrics(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """Summary of returns (N,); an episode whose last reward (N,) is nearly 0 ends upright, and is a success."""
    return {
        "mean_return": outputs.mean().item(),
        "success_rate": (targets > -0.1).float().mean().item(),
    }


def evaluate(model: nn.Module, env: Pendulum) -> dict[str, float]:
    """Metrics of one episode in each environment, with the mean of the policy as torque."""
    env.reset()
    rewards = torch.stack([env.step(predict(model, env.states)) for _ in range(env.max_steps)])
    return compute_metrics(rewards.sum(dim=0), rewards[-1])


@torch.no_grad()
def predict(model: nn.Module, inputs: Tensor) -> Tensor:
    """The best torques (N, 1) in states (N, 3), in units of 2 Nm."""
    model.eval()
    return model(inputs.to(DEVICE))[0].clamp(-1, 1).cpu()


def parse_config() -> Config:
    """Read every field of Config from the command line."""
    parser = argparse.ArgumentParser(description="Pendulum swing-up by proximal policy optimisation (PPO).")
    for field in dataclasses.fields(Config):
        flag = "--" + field.name.replace("_", "-")
        if isinstance(field.default, bool):
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=field.default)
        else:
            parser.add_argument(flag, type=type(field.default), default=field.default, help="default: %(default)s")
    config = Config(**vars(parser.parse_args()))
    return config.for_smoke() if config.smoke else config


def main() -> None:
    """Train, evaluate on new episodes, and save weights, metrics and the torques in some states."""
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
