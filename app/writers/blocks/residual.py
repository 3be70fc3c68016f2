"""Image blocks with skip connections, (N, in_channels, height, width) -> (N, out_channels, height, width)."""

from torch import Tensor, nn
from torch.nn import functional as F


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and a skip connection (ResNet); a stride of 2 halves height and width, rounded up."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, kernel_size=3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        same_shape = in_channels == out_channels and stride == 1
        self.skip = nn.Identity() if same_shape else nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.layers(x) + self.skip(x))


class SqueezeExcitation(nn.Module):
    """Weights each channel by what the whole image shows; shapes (N, channels, height, width) stay."""

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, hidden, kernel_size=1),
            nn.SiLU(),
            nn.Conv2d(hidden, channels, kernel_size=1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(x)


class InvertedResidual(nn.Module):
    """Widen, filter each channel on its own, narrow again (MobileNetV2); with squeeze, EfficientNet's block."""

    def __init__(
        self, in_channels: int, out_channels: int, stride: int = 1, expansion: int = 4, squeeze: bool = False
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, hidden, kernel_size=1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.SiLU(),
            nn.Conv2d(hidden, hidden, kernel_size=3, stride=stride, padding=1, groups=hidden, bias=False),
            nn.BatchNorm2d(hidden),
            nn.SiLU(),
            SqueezeExcitation(hidden) if squeeze else nn.Identity(),
            nn.Conv2d(hidden, out_channels, kernel_size=1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.has_skip = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.has_skip else self.layers(x)


class ConvNeXtBlock(nn.Module):
    """A 7x7 convolution of each channel, then a small network at each pixel; height and width stay."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        same_width = in_channels == out_channels
        self.skip = nn.Identity() if same_width else nn.Conv2d(in_channels, out_channels, kernel_size=1)
        self.layers = nn.Sequential(
            nn.Conv2d(out_channels, out_channels, kernel_size=7, padding=3, groups=out_channels),
            nn.GroupNorm(1, out_channels),
            nn.Conv2d(out_channels, 4 * out_channels, kernel_size=1),
            nn.GELU(),
            nn.Conv2d(4 * out_channels, out_channels, kernel_size=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.skip(x)
        return x + self.layers(x)
