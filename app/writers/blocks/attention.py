"""Blocks with attention, and what turns images and tables into the sequences that they read."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SelfAttention(nn.Module):
    """Multi-head self-attention with a skip connection; shapes (N, steps, in_features) stay."""

    def __init__(self, in_features: int, num_heads: int = 1, head_size: int | None = None) -> None:
        super().__init__()
        head_size = head_size or max(1, in_features // num_heads)
        self.num_heads = num_heads
        self.project = nn.Linear(in_features, 3 * num_heads * head_size)
        self.output = nn.Linear(num_heads * head_size, in_features)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.project(x).unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(query, key, value)  # (N, heads, steps, head_size)
        return x + self.output(attended.transpose(1, 2).flatten(2))


class PositionalEncoding(nn.Module):
    """Adds sine waves that tell the steps apart, for any length; shapes (N, steps, features) stay."""

    def forward(self, x: Tensor) -> Tensor:
        steps, features = x.shape[1:]
        frequencies = 10000.0 ** (-torch.arange(0, features, 2, device=x.device) / features)
        angles = torch.arange(steps, device=x.device).unsqueeze(1) * frequencies
        return x + torch.cat([angles.sin(), angles.cos()], dim=1)[:, :features]


class TransformerEncoder(nn.Module):
    """Self-attention layers over a sequence: (N, steps, in_features) -> (N, steps, hidden_size)."""

    def __init__(
        self, in_features: int, hidden_size: int = 64, num_layers: int = 2, num_heads: int = 4, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(in_features, hidden_size), PositionalEncoding(), nn.Dropout(dropout))
        layer = nn.TransformerEncoderLayer(
            hidden_size, num_heads, 4 * hidden_size, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(
            layer, num_layers, norm=nn.LayerNorm(hidden_size), enable_nested_tensor=False
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.encoder(self.embed(x))


class PatchEmbedding(nn.Module):
    """One vector for each square of an image: (N, in_channels, height, width) -> (N, patches, hidden_size)."""

    def __init__(self, in_channels: int, patch_size: int, hidden_size: int) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.project = nn.Conv2d(in_channels, hidden_size, kernel_size=patch_size, stride=patch_size)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        x = F.pad(x, (0, -width % self.patch_size, 0, -height % self.patch_size))
        return self.project(x).flatten(2).transpose(1, 2)


class ImageToSequence(nn.Module):
    """An image read row by row, at most 16 x 16 places: (N, channels, height, width) -> (N, places, channels)."""

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        x = F.adaptive_avg_pool2d(x, (min(height, 16), min(width, 16)))
        return x.flatten(2).transpose(1, 2)


class FeatureTokens(nn.Module):
    """One vector for each column of a table: (N, num_features) -> (N, num_features, hidden_size)."""

    def __init__(self, num_features: int, hidden_size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(num_features, hidden_size) / hidden_size**0.5)
        self.bias = nn.Parameter(torch.randn(num_features, hidden_size) / hidden_size**0.5)

    def forward(self, x: Tensor) -> Tensor:
        return x.unsqueeze(2) * self.weight + self.bias


class ResidualDense(nn.Module):
    """Two linear layers with a skip connection: (N, in_features) -> (N, out_features)."""

    def __init__(self, in_features: int, out_features: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(in_features, out_features),
            nn.LayerNorm(out_features),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(out_features, out_features),
        )
        self.skip = nn.Identity() if in_features == out_features else nn.Linear(in_features, out_features)

    def forward(self, x: Tensor) -> Tensor:
        return self.skip(x) + self.layers(x)
