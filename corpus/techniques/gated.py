from torch import Tensor, nn


class GatedLinear(nn.Module):
    """A linear layer whose output is weighed by a gate: (N, ..., in_width) -> (N, ..., out_width)."""

    def __init__(self, in_width: int, out_width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_width, 2 * out_width)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.glu(self.linear(x))
