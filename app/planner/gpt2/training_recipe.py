"""How a predictor is trained: sizes, steps, what counts."""

from dataclasses import dataclass, field
from typing import Literal

from dlcodegen.planner.gpt2.examples import Emphasis, Noise

Size = Literal["small", "medium", "large"]
SIZES: dict[Size, tuple[int, int]] = {"small": (256, 4), "medium": (384, 6), "large": (512, 8)}
"""Channels and blocks; with words and values about 5, 14 and 30 million parameters."""


@dataclass(frozen=True)
class Recipe:
    """How a predictor is trained."""

    base: str = ""
    """What to start from, as `from_base` understands it; empty: from nothing."""
    width: int = 256
    depth: int = 4
    dropout: float = 0.15
    epochs: int = 10
    patience: int = 3
    """Epochs without a better loss on the dev rows until training ends early."""
    learning_rate: float = 2e-3
    """Reached after the warm-up; falls as a cosine to a tenth."""
    warm_up: float = 0.05
    """Share of all steps."""
    weight_decay: float = 0.1
    batch_tokens: int = 4096
    seed: int = 42
    emphasis: Emphasis = field(default_factory=Emphasis)
    noise: Noise = field(default_factory=Noise)

    @classmethod
    def of(cls, base: str, epochs: int, seed: int, size: Size = "small", renamed: float = Noise.renamed) -> "Recipe":
        """With the steps that suit: what a base knows is not to be washed out, and a wide network is unruly.

        `size` is that of a network that is trained from nothing; `renamed` as in `Noise`.
        """
        width, depth = SIZES[size]
        return cls(
            base=base,
            epochs=epochs,
            seed=seed,
            width=width,
            depth=depth,
            learning_rate=3e-5 if base else cls.learning_rate * cls.width / width,
            batch_tokens=3072 if base else cls.batch_tokens if size == "small" else 2 * cls.batch_tokens,
            noise=Noise(renamed=renamed),
        )
