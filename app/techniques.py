"""Techniques that people ask for by name and no number tells: what they are called, where in a script they belong,
which names in code show them, and how they are put in.

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
    how: str
    """What to do in PyTorch, in a line for a small model; a name with parentheses is a part in `corpus/techniques`."""
    segment: str = "model"

    def shown_by(self, name: str) -> bool:
        """Whether this name in code speaks of it."""
        return re.search(self.code, name.lower().replace("_", "")) is not None


TECHNIQUES = (
    Technique(
        "squeeze_excitation",
        r"squeeze[- ]?(?:and|&)?[- ]?excit\w+|\bSE[- ]blocks?",
        r"excit|^seblock|^selayer",
        "add `SqueezeExcitation(channels)` after each convolution's activation",
    ),
    Technique(
        "deep_supervision",
        r"deep(?:ly)?[- ]supervis\w+|auxiliary (?:heads?|loss(?:es)?)",
        r"supervis|^aux",
        "add auxiliary heads to inner levels; in training their outputs count in the loss",
    ),
    Technique(
        "depthwise_separable",
        r"depth-?wise|separable conv\w*",
        r"depthwise|separable|^groups$",
        "use `DepthwiseSeparableConv2d(in_channels, out_channels)` in place of each `nn.Conv2d`",
    ),
    Technique(
        "dilated",
        r"dilated|atrous|dilations?",
        r"dilat|atrous|aspp",
        "give convolutions `dilation=2`, and twice the padding so that the shape stays",
    ),
    Technique(
        "pyramid_pooling",
        r"pyramid pooling|\bASPP\b|spatial pyramid",
        r"pyramid|aspp|^spp",
        "pass the deepest map through `PyramidPooling(channels)`",
    ),
    Technique(
        "residual",
        r"residual (?:connections?|blocks?|units?|layers?)",
        r"resid|shortcut|^skip|^identity",
        "wrap a layer that keeps its shape in `Residual(layer)`",
    ),
    Technique(
        "layer_norm",
        r"layer[- ]?norm\w*",
        r"layernorm",
        "add `nn.LayerNorm(width)` after hidden layers; it works on the last dimension",
    ),
    Technique(
        "group_norm",
        r"group[- ]?norm\w*",
        r"groupnorm",
        "use `nn.GroupNorm(1, channels)` in place of batch normalisation, or after each hidden layer",
    ),
    Technique(
        "instance_norm",
        r"instance[- ]?norm\w*",
        r"instancenorm",
        "use `nn.InstanceNorm2d(channels, affine=True)` in place of batch normalisation",
    ),
    Technique(
        "stochastic_depth",
        r"stochastic depth|drop-?path",
        r"stochasticdepth|droppath",
        "add `StochasticDepth(0.1)` at the end of each residual branch",
    ),
    Technique(
        "positional_encoding",
        r"position(?:al)? (?:en|em)\w*",
        r"position|^posenc|^posemb",
        "pass the embedded steps (N, length, width) through `PositionalEncoding(width)`",
    ),
    Technique(
        "global_pooling",
        r"global (?:average|max)[- ]pool\w*",
        r"adaptive\w*pool|global\w*pool|^mean$|^amax$",
        "average the map over its positions before the linear head",
    ),
    Technique(
        "gated",
        r"gated (?:linear|residual|activation|convolution)\w*|\bGLU\b",
        r"glu|gate",
        "use `GatedLinear(in_width, out_width)` in place of hidden linear layers",
    ),
    Technique(
        "weight_average",
        r"moving average of (?:the )?weights|weight averag\w+",
        r"averag|^ema|swa",
        "make `WeightAverage(model)` first, `update(model)` after each step, `copy_to(model)` before validation",
        "train",
    ),
    Technique(
        "mixup",
        r"mix-?up|cut-?mix",
        r"mixup|cutmix",
        "in training, take `mixup_loss(model, loss, inputs, targets)` as the loss",
        "train",
    ),
    Technique(
        "mixed_precision",
        r"mixed[- ]precision|half[- ]precision",
        r"autocast|gradscaler|mixedprec",
        "compute outputs and loss under `torch.autocast(DEVICE.type, dtype=torch.bfloat16)`",
        "train",
    ),
    Technique(
        "gradient_accumulation",
        r"gradient accumulation|accumulat\w+ gradients?",
        r"accumul",
        "step and zero the gradients only after every second batch, with half the loss each (`accumulate = 2`)",
        "train",
    ),
    Technique(
        "spec_augment",
        r"spec-?augment|(?:time|frequency) masking",
        r"specaug|timemask|freq\w*mask",
        "pass the spectrograms of the training split through `spec_augment(spectrogram)`",
        "data",
    ),
    Technique(
        "cross_validation",
        r"cross[- ]validat\w+|k-?fold",
        r"fold|crossval",
        "train on each fold in turn",
        "train",
    ),
    Technique(
        "test_time_augmentation",
        r"test[- ]time augment\w*|\bTTA\b",
        r"^tta|testtime",
        "average the outputs (`tta`) of the inputs and of their mirror images",
        "predict",
    ),
)
BY_NAME = {technique.name: technique for technique in TECHNIQUES}
