"""What every training step needs to know: how large it is, and in which numbers it is computed."""

import math


def share_of_rate(done: float, warm_up: float = 0.05) -> float:
    """Of the learning rate, when so much of all steps is done: up in the warm-up, then down as a cosine to a tenth."""
    return min(1.0, done / warm_up) * (0.1 + 0.9 * (1 + math.cos(math.pi * done)) / 2)


def has_fast_bfloat16(device: str) -> bool:
    """Where the processor multiplies 16-bit floats itself, training is half as long again faster with them."""
    import torch

    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    found = torch.cpu.get_capabilities()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))
