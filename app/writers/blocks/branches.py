"""Image blocks that join what several convolutions found. Shapes: (N, channels, height, width), as each block says."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class DenseBlock(nn.Module):
    """Each convolution sees all maps before it and adds `growth` channels: in_channels + num_layers * growth."""

    def __init__(self, in_channels: int, num_layers: int = 4, growth: int = 16) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for channels in range(in_channels, in_channels + num_layers * growth, growth):
            convolution = nn.Conv2d(channels, growth, kernel_size=3, padding=1, bias=False)
            self.layers.append(nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(), convolution))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat([x, layer(x)], dim=1)
        return x


class Transition(nn.Module):
    """Narrows the maps between two dense blocks and halves height and width, rounded up."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.BatchNorm2d(in_channels),
            nn.ReLU(),
            nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=False),
            nn.AvgPool2d(2, ceil_mode=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class InceptionBlock(nn.Module):
    """Looks at each place with four sizes of window (1, 3, 5, pooled) at once; height and width stay."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        quarter = max(1, out_channels // 4)
        hidden = max(1, quarter // 2)
        self.point = nn.Conv2d(in_channels, quarter, kernel_size=1)
        self.small = nn.Sequential(
            nn.Conv2d(in_channels, quarter, kernel_size=1),
            nn.ReLU(),
            nn.Conv2d(quarter, quarter, kernel_size=3, padding=1),
        )
        self.large = nn.Sequential(
            nn.Conv2d(in_channels, hidden, kernel_size=1),
            nn.ReLU(),
            nn.Conv2d(hidden, quarter, kernel_size=5, padding=2),
        )
        self.pooled = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1),
            nn.Conv2d(in_channels, quarter, kernel_size=1),
        )
        self.join = nn.Sequential(nn.Conv2d(4 * quarter, out_channels, kernel_size=1), nn.BatchNorm2d(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        found = torch.cat([self.point(x), self.small(x), self.large(x), self.pooled(x)], dim=1)
        return F.relu(self.join(F.relu(found)))


class ASPP(nn.Module):
    """Context at several scales (DeepLab): dilated convolutions and the mean of the image; height and width stay."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList([nn.Conv2d(in_channels, out_channels, kernel_size=1)])
        for rate in (2, 4, 8):
            branch = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=rate, dilation=rate)
            self.branches.append(branch)
        self.whole = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(in_channels, out_channels, kernel_size=1))
        self.join = nn.Conv2d(5 * out_channels, out_channels, kernel_size=1, bias=False)
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        context = [branch(x) for branch in self.branches]
        context.append(self.whole(x).expand_as(context[0]))
        return F.relu(self.norm(self.join(F.relu(torch.cat(context, dim=1)))))
