import torch
from torch import Tensor, nn


def mixup_loss(model: nn.Module, loss: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """The loss of mixtures of examples, each with its share of two targets."""
    share = float(torch.distributions.Beta(0.2, 0.2).sample())
    other = torch.randperm(len(inputs), device=inputs.device)
    outputs = model(share * inputs + (1 - share) * inputs[other])
    return share * loss(outputs, targets) + (1 - share) * loss(outputs, targets[other])
