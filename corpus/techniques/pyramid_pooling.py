import torch
from torch import Tensor, nn


class PyramidPooling(nn.Module):
    """Looks at a map (N, channels, height, width) with growing dilation, and joins what it sees; the shape stays."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Conv2d(channels, channels, kernel_size=3, padding=rate, dilation=rate) for rate in (1, 2, 4)
        )
        self.join = nn.Conv2d(3 * channels, channels, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.join(torch.cat([branch(x).relu() for branch in self.branches], dim=1))
