from torch import Tensor, nn


class Residual(nn.Module):
    """Adds a layer's input to its output; both have the same shape."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layer(x)
