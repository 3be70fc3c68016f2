from torch import Tensor, nn


class SqueezeExcitation(nn.Module):
    """Weighs the channels of a map (N, channels, height, width) by what the whole map holds; the shape stays."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(4, channels // 8)
        self.excite = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return x * self.excite(x.mean(dim=(2, 3)))[:, :, None, None]
