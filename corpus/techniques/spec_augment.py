import torch
from torch import Tensor


def spec_augment(spectrogram: Tensor, widest: int = 8) -> Tensor:
    """Sets a band of frequencies and a stretch of time of (..., mels, frames) to zero; the shape stays."""
    masked = spectrogram.clone()
    for size, axis in ((masked.shape[-2], -2), (masked.shape[-1], -1)):
        width = int(torch.randint(0, min(widest, size) + 1, ()))
        start = int(torch.randint(0, size - width + 1, ()))
        masked.narrow(axis, start, width).zero_()
    return masked
