"""Techniques that people ask for by name and no number tells: what they are called, where in a script they belong, and
which names in code show them.

A sample may lack them, and the syntax writer builds only some: they are what a chat model is for. Whether a script has
one is read from its names, so `class AttentionGate` counts and a comment does not.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Technique:
    """One of them. `name` is the stated fact's; `segment` the part of the script that it belongs to."""

    name: str
    words: str
    """Pattern of what people write."""
    code: str
    """Pattern of a name in code, lower case and without underscores."""
    segment: str = "model"

    def shown_by(self, name: str) -> bool:
        """Whether this name in code speaks of it."""
        return re.search(self.code, name.lower().replace("_", "")) is not None


TECHNIQUES = (
    Technique("squeeze_excitation", r"squeeze[- ]?(?:and|&)?[- ]?excit\w+|\bSE[- ]blocks?", r"squeeze|excit|^seblock"),
    Technique("deep_supervision", r"deep(?:ly)?[- ]supervis\w+|auxiliary (?:heads?|loss(?:es)?)", r"supervis|^aux"),
    Technique("depthwise_separable", r"depth-?wise|separable conv\w*", r"depthwise|separable|^groups$"),
    Technique("dilated", r"dilated|atrous|dilations?", r"dilat|atrous|aspp"),
    Technique("pyramid_pooling", r"pyramid pooling|\bASPP\b|spatial pyramid", r"pyramid|aspp|^spp"),
    Technique("residual", r"residual (?:connections?|blocks?|units?|layers?)", r"resid|shortcut|^skip|^identity"),
    Technique("layer_norm", r"layer[- ]?norm\w*", r"layernorm"),
    Technique("group_norm", r"group[- ]?norm\w*", r"groupnorm"),
    Technique("instance_norm", r"instance[- ]?norm\w*", r"instancenorm"),
    Technique("stochastic_depth", r"stochastic depth|drop-?path", r"stochasticdepth|droppath"),
    Technique("positional_encoding", r"position(?:al)? (?:en|em)\w*", r"position|^posenc|^posemb"),
    Technique("global_pooling", r"global (?:average|max)[- ]pool\w*", r"adaptive\w*pool|global\w*pool|^mean$|^amax$"),
    Technique("gated", r"gated (?:linear|residual|activation|convolution)\w*|\bGLU\b", r"glu|gate"),
    Technique("weight_average", r"moving average of (?:the )?weights|weight averag\w+", r"averag|^ema|swa", "train"),
    Technique("mixup", r"mix-?up|cut-?mix", r"mixup|cutmix", "train"),
    Technique("mixed_precision", r"mixed[- ]precision|half[- ]precision", r"autocast|gradscaler|mixedprec", "train"),
    Technique("gradient_accumulation", r"gradient accumulation|accumulat\w+ gradients?", r"accumul", "train"),
    Technique("spec_augment", r"spec-?augment|(?:time|frequency) masking", r"specaug|timemask|freq\w*mask", "data"),
    Technique("cross_validation", r"cross[- ]validat\w+|k-?fold", r"fold|crossval", "train"),
    Technique("test_time_augmentation", r"test[- ]time augment\w*|\bTTA\b", r"^tta|testtime", "predict"),
)  # fmt: skip
BY_NAME = {technique.name: technique for technique in TECHNIQUES}
