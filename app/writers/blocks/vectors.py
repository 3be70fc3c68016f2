"""Blocks for what stands at the end of a model. Shapes: (N, width)."""

from torch import Tensor, nn
from torch.nn import functional as F


class UnitLength(nn.Module):
    """Vectors (N, width), each divided by its length: then likeness is a matter of direction alone."""

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(x, dim=1)
