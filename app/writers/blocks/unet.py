"""Networks with a decoder. Shapes: (N, in_channels, height, width) -> (N, out_channels, height, width), any size."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class DoubleConv(nn.Module):
    """Two 3x3 convolutions, each normalised and rectified; height and width stay."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        for channels in (in_channels, out_channels):
            self.layers.append(nn.Conv2d(channels, out_channels, kernel_size=3, padding=1, bias=False))
            self.layers.append(nn.BatchNorm2d(out_channels))
            self.layers.append(nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class UNet(nn.Module):
    """U-Net for any image size: the decoder enlarges each map to the size of the skip connection it joins."""

    def __init__(self, in_channels: int, out_channels: int, base_width: int, depth: int) -> None:
        super().__init__()
        widths = [base_width * 2**level for level in range(depth + 1)]
        self.encoder = nn.ModuleList(DoubleConv(a, b) for a, b in zip([in_channels, *widths], widths, strict=False))
        self.decoder = nn.ModuleList(DoubleConv(3 * width, width) for width in reversed(widths[:-1]))
        self.head = nn.Conv2d(base_width, out_channels, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for level, block in enumerate(self.encoder):
            x = block(x if level == 0 else F.max_pool2d(x, kernel_size=2, ceil_mode=True))
            skips.append(x)
        skips.pop()
        for block in self.decoder:
            skip = skips.pop()
            x = F.interpolate(x, size=skip.shape[-2:], mode="bilinear", align_corners=False)
            x = block(torch.cat([skip, x], dim=1))
        return self.head(x)


class AttentionGate(nn.Module):
    """Dims the parts of a skip connection that the level below finds unimportant; the skip's shape stays."""

    def __init__(self, skip_channels: int, below_channels: int) -> None:
        super().__init__()
        self.from_skip = nn.Conv2d(skip_channels, skip_channels, kernel_size=1)
        self.from_below = nn.Conv2d(below_channels, skip_channels, kernel_size=1)
        self.importance = nn.Conv2d(skip_channels, 1, kernel_size=1)

    def forward(self, skip: Tensor, below: Tensor) -> Tensor:
        evidence = F.relu(self.from_skip(skip) + self.from_below(below))
        return skip * torch.sigmoid(self.importance(evidence))


class AttentionUNet(nn.Module):
    """U-Net whose skip connections pass an attention gate; for any image size."""

    def __init__(self, in_channels: int, out_channels: int, base_width: int, depth: int) -> None:
        super().__init__()
        widths = [base_width * 2**level for level in range(depth + 1)]
        self.encoder = nn.ModuleList(DoubleConv(a, b) for a, b in zip([in_channels, *widths], widths, strict=False))
        self.gates = nn.ModuleList(AttentionGate(width, 2 * width) for width in reversed(widths[:-1]))
        self.decoder = nn.ModuleList(DoubleConv(3 * width, width) for width in reversed(widths[:-1]))
        self.head = nn.Conv2d(base_width, out_channels, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for level, block in enumerate(self.encoder):
            x = block(x if level == 0 else F.max_pool2d(x, kernel_size=2, ceil_mode=True))
            skips.append(x)
        skips.pop()
        for gate, block in zip(self.gates, self.decoder, strict=True):
            skip = skips.pop()
            x = F.interpolate(x, size=skip.shape[-2:], mode="bilinear", align_corners=False)
            x = block(torch.cat([gate(skip, x), x], dim=1))
        return self.head(x)
