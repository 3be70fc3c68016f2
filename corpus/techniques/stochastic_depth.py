import torch
from torch import Tensor, nn


class StochasticDepth(nn.Module):
    """In training, drops the whole output of a residual branch for some examples; the shape stays."""

    def __init__(self, rate: float = 0.1) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kept = torch.rand(len(x), *[1] * (x.ndim - 1), device=x.device) >= self.rate
        return x * kept / (1 - self.rate)
