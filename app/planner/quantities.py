"""Numbers that a requirement states: where they stand in a text, and what they can be."""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from dlcodegen.planner.numbers import NUMBER
from dlcodegen.planner.quantity_patterns import PATTERNS

_TO_ONE, _ABOVE_ZERO = (0.0, 1.0), (1e-12, 1.0)
POSSIBLE: dict[str, tuple[float, float]] = {
    "learning_rate": _ABOVE_ZERO, "dropout": (0.0, 0.99), "weight_decay": _TO_ONE, "momentum": (0.0, 0.9999),
    "label_smoothing": (1e-6, 0.99), "gradient_clip": (1e-6, 1000), "clip_seconds": (0.01, 600),
    "noise_level": (1e-6, 255),
    "batch_size": (1, 65_536), "epochs": (1, 100_000), "patience": (1, 10_000), "seed": (0, 2**32 - 1),
    "num_classes": (2, 100_000), "num_features": (1, 100_000), "num_outputs": (1, 10_000),
    "num_keypoints": (1, 1000),
    "num_layers": (1, 1000), "dense_layers": (1, 100), "num_heads": (1, 128), "kernel_size": (1, 64),
    "stride": (1, 1000),
    "hidden_size": (1, 100_000), "embedding_dim": (1, 100_000), "latent_dim": (1, 100_000),
    "patch_size": (1, 512),
    "base_width": (1, 4096), "depth": (1, 12), "vocab_size": (2, 10_000_000), "sequence_length": (1, 8192),
    "summary_length": (2, 4096),
    "window": (1, 100_000), "horizon": (1, 10_000), "sample_rate": (100, 400_000), "num_mels": (1, 1024),
    "scale_factor": (2, 16), "num_frames": (1, 1000), "num_steps": (1, 100_000),
    "gamma": _TO_ONE, "gae_lambda": _TO_ONE, "clip_range": _ABOVE_ZERO, "buffer_size": (1, 100_000_000),
    "margin": (1e-6, 1000), "temperature": (1e-6, 100),
    "kl_weight": (0, 10_000), "entropy_weight": (0, 10), "num_envs": (1, 4096),
    "accumulation_steps": (2, 4096), "threshold_quantile": (0.5, 0.99999),
}  # fmt: skip
"""The smallest and the largest value that can be meant."""

FRACTIONS = {
    "learning_rate",
    "dropout",
    "weight_decay",
    "momentum",
    "label_smoothing",
    "gradient_clip",
    "clip_seconds",
    "noise_level",
    "gamma",
    "gae_lambda",
    "clip_range",
    "margin",
    "temperature",
    "kl_weight",
    "entropy_weight",
}
"""Quantities that need not be whole."""

NOT_AFTER: dict[str, str] = {
    # An epoch of EEG is a window of the recording; a warm-up, or what happens every few epochs, is not the training.
    "epochs": r"(?:comprises?|consists? of|contains?|holds?|each of the|there are|eeg|every|each|initial|first) $"
    r"|warm-?up[ :=(]{1,2}(?:(?:of|for|over|the|first|phase|period|lasts|takes) ){0,3}$"
    r"|(?:decay|drop|halv|reduc|divid|lower|freez|frozen|unfreez|multipl)\w*(?: [\w.]+){0,5} (?:after|at|every|for) $",
    "num_features": r"(?:conv\w*|filters?|layers?|kernels?)(?: (?:of|with|having|and))* $",
    "sequence_length": r"(?:corpus|dataset|dictionary|vocabulary|books?) (?:of|with) $"
    r"|(?:summar\w+|headlines?|answers?|repl(?:y|ies)) (?:\w+ ){0,4}$",  # what comes out is another length
    "horizon": r"(?:answer|reply|finish|ready|trained?|running|runs) (?:\w+ ){0,3}(?:in|within|for) (?:the )?$",
    "window": r"(?:published|collected|recorded|gathered|trained) (?:\w+ ){0,3}$"
    r"|(?:warm-?up|every|after|train\w*|decay\w*)[ :(]{1,2}(?:(?:for|of|over|by) )?$",
    "num_classes": r"(?:top|best of|first) $"
    r"|(?:size|dim\w*|width|length|rate|units|seed|epochs|batch\w*|window|hidden)(?: of| =|=)? ?$"
    r"|(?:rec[ei]{2}v\w*|get|gets|send|sends|collect\w*|own|owns) (?:around |about |some |roughly |over )?$",
    "num_layers": r"(?:freez\w+|frozen|unfreez\w+) (?:the )?(?:first |last )?$",
    "scale_factor": r"(?:down|decay\w*|multipl\w*|learning rate) (?:\w+ ){0,3}$",
}
"""What must not stand before a number that counts as this quantity."""


def findings(name: str, text: str, numbers: Sequence[int]) -> Iterator[re.Match[str]]:
    """Where the quantity is stated in a lower-case text whose numbers begin at `numbers`.

    A pattern that begins with the number is tried at those places only: that halves the time of a long text.
    """
    for pattern, begins_with_number in _compiled(name):
        if begins_with_number:
            yield from filter(None, (pattern.match(text, start) for start in numbers))
        else:
            yield from pattern.finditer(text)


@cache
def _compiled(name: str) -> tuple[tuple[re.Pattern[str], bool], ...]:
    """The patterns of one quantity, `{n}` replaced by what a number looks like."""
    return tuple((re.compile(_numbered(pattern)), pattern.startswith("{n}")) for pattern in PATTERNS[name])


def number_positions(text: str) -> list[int]:
    """Where numbers begin in a lower-case text."""
    return [match.start() for match in re.finditer(NUMBER, text)]


@cache
def image_channels() -> re.Pattern[str]:
    """Channels of an image in a lower-case text, the number being the last group.

    Those of a convolution ("64 channels") are not meant.
    """
    return re.compile(
        _numbered(
            r"{n}[- ](?:colou?r[- ]|input[- ])?channels?(?=\s(?:images?|inputs?|scans?|mri|pictures?|photos?"
            r"|satellite|multispectral"
            r"|data|volumes?))|images?\s(?:[\w-]+\s){0,4}(?:with|have|having|of)\s{n}\s(?:channels|bands)"
            r"|{n}\s(?:spectral\s)?bands|(?<!\w)(?:in_)?channels\s?[=:]\s?{n}"
            r"|(?<![\w.])(?P<few>[1-4])\s?ch(?:annels?)?(?!\w)"
        )
    )


def _numbered(pattern: str) -> str:
    """The pattern with a number of its own name at each `{n}`: the first is `n`, further ones `n1`, `n2`, ..."""
    first, *rest = pattern.split("{n}")
    for index, part in enumerate(rest):
        name = "n" if index == 0 else f"n{index}"
        first += NUMBER.replace("?P<n>", f"?P<{name}>") + part
    return first
