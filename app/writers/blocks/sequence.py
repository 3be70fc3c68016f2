"""Blocks for sequences. Shapes: (N, steps, in_features) -> (N, steps, out_features) unless a block says otherwise."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ChannelsFirst(nn.Sequential):
    """Runs layers that want (N, features, steps) on (N, steps, features)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class RecurrentLayer(nn.Module):
    """LSTM, GRU or RNN: gives its last state, (N, hidden_size), or with `sequence` the state at every step.

    Bidirectional, the states of both directions stand side by side: 2 * hidden_size.
    """

    def __init__(
        self,
        cell: type[nn.RNNBase],
        in_features: int,
        hidden_size: int,
        num_layers: int = 1,
        dropout: float = 0.0,
        bidirectional: bool = False,
        sequence: bool = False,
    ) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.sequence = sequence
        self.rnn = cell(
            in_features, hidden_size, num_layers, batch_first=True, dropout=dropout, bidirectional=bidirectional
        )

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.rnn(x)
        if self.sequence:
            return states
        # The backward direction has read everything when it arrives at the first step.
        return torch.cat([states[:, -1, : self.hidden_size], states[:, 0, self.hidden_size :]], dim=1)


class TemporalBlock(nn.Module):
    """Two dilated convolutions that look only backwards in time, with a skip connection (TCN)."""

    def __init__(
        self, in_features: int, out_features: int, dilation: int = 1, kernel_size: int = 3, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.past = (kernel_size - 1) * dilation
        self.first = nn.Conv1d(in_features, out_features, kernel_size, dilation=dilation)
        self.second = nn.Conv1d(out_features, out_features, kernel_size, dilation=dilation)
        self.dropout = nn.Dropout(dropout)
        self.skip = nn.Identity() if in_features == out_features else nn.Conv1d(in_features, out_features, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = x.transpose(1, 2)
        out = self.dropout(F.relu(self.first(F.pad(x, (self.past, 0)))))
        out = self.dropout(F.relu(self.second(F.pad(out, (self.past, 0)))))
        return F.relu(out + self.skip(x)).transpose(1, 2)


class MeanOverSteps(nn.Module):
    """(N, steps, features) -> (N, features)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=1)


class MaxOverSteps(nn.Module):
    """(N, steps, features) -> (N, features)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.amax(dim=1)


class LastStep(nn.Module):
    """(N, steps, features) -> (N, features)."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, -1]


class AttentionPooling(nn.Module):
    """Mean over the steps, weighted by what each step shows: (N, steps, features) -> (N, features)."""

    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.score = nn.Linear(in_features, 1)

    def forward(self, x: Tensor) -> Tensor:
        weights = torch.softmax(self.score(x), dim=1)
        return (weights * x).sum(dim=1)
