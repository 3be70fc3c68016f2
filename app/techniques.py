"""Techniques that people ask for by name and no number tells: what they are called, where in a script they belong,
which names in code show them, and how they are put in, in PyTorch and in Keras.

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
    """Pattern of a name in code, lower case and without underscores, or of an argument: `conv2d(groups`."""
    how: str
    """What to do in PyTorch, in a line for a small model; a name with parentheses is a part in `corpus/techniques`."""
    keras: str = ""
    """The same for Keras, whose parts are functions of tensors where they can be; empty where we know no line."""
    segment: str = "model"
    keras_segment: str = ""
    """Where in a script in Keras it belongs, if elsewhere."""

    def how_in(self, framework: str) -> str:
        """What to do in this framework; empty where a model is to be shown another script instead."""
        return self.keras if framework == "keras" else self.how

    def segment_in(self, framework: str) -> str:
        """The part of a script in this framework that it belongs to."""
        return self.keras_segment if framework == "keras" and self.keras_segment else self.segment

    def shown_by(self, name: str) -> bool:
        """Whether this name in code speaks of it."""
        return re.search(self.code, name.lower().replace("_", "")) is not None


USUAL_ACCUMULATION = 2
"""Batches whose gradients make one step, where nothing says how many."""
TECHNIQUES = (
    Technique(
        "squeeze_excitation",
        r"squeeze[- ]?(?:and|&)?[- ]?excit\w+|\bSE[- ]blocks?",
        r"excit|^seblock|^selayer",
        "add `SqueezeExcitation(channels)` after each convolution's activation",
        "put `x = squeeze_excitation(x)` after each convolution's activation",
    ),
    Technique(
        "deep_supervision",
        r"deep(?:ly)?[- ]supervis\w+|auxiliary (?:heads?|loss(?:es)?)",
        r"(?<!un)(?<!self)(?<!semi)supervis|^aux",
        "add auxiliary heads to inner levels; in training their outputs count in the loss",
    ),
    Technique(
        "depthwise_separable",
        r"depth-?wise|separable conv\w*",
        r"depthwise|separable|^conv\w*\(groups$",
        "use `DepthwiseSeparableConv2d(in_channels, out_channels)` in place of each `nn.Conv2d`",
        'use `layers.SeparableConv2D(filters, 3, padding="same")` in place of each `layers.Conv2D`',
    ),
    Technique(
        "dilated",
        r"dilated|atrous|dilations?",
        r"dilat|atrous|aspp",
        "give convolutions `dilation=2`, and twice the padding so that the shape stays",
        'give convolutions `dilation_rate=2` and `padding="same"`, and no strides',
    ),
    Technique(
        "pyramid_pooling",
        r"pyramid pooling|\bASPP\b|spatial pyramid",
        r"(?<!feature)(?<!laplacian)(?<!gaussian)pyramid|aspp|^spp",
        "pass the deepest map through `PyramidPooling(channels)`",
        "pass the deepest map through `x = pyramid_pooling(x)`",
    ),
    Technique(
        "residual",
        r"residual (?:connections?|blocks?|units?|layers?)",
        r"resid(?!en)|shortcut|^skip(?!na$|rows|header|footer|blank|initial|mismatch|special)|^identity",
        "wrap a layer that keeps its shape in `Residual(layer)`",
        "call a layer that keeps height and width, or steps, as `x = residual(x, layer)`",
    ),
    Technique(
        "layer_norm",
        r"layer[- ]?norm\w*",
        r"layernorm",
        "add `nn.LayerNorm(width)` after hidden layers; it works on the last dimension",
        "put `x = layers.LayerNormalization()(x)` after hidden layers",
    ),
    Technique(
        "group_norm",
        r"group[- ]?norm\w*",
        r"groupnorm",
        "use `nn.GroupNorm(1, channels)` in place of batch normalisation, or after each hidden layer",
        "use `layers.GroupNormalization(1)` in place of batch normalisation, or after each hidden layer",
    ),
    Technique(
        "instance_norm",
        r"instance[- ]?norm\w*",
        r"instancenorm",
        "use `nn.InstanceNorm2d(channels, affine=True)` in place of batch normalisation",
        "use `x = instance_norm(x)` in place of batch normalisation",
    ),
    Technique(
        "stochastic_depth",
        r"stochastic depth|drop-?path",
        r"stochasticdepth|droppath",
        "add `StochasticDepth(0.1)` at the end of each residual branch",
        "put `y = stochastic_depth(y, 0.1)` at the end of each residual branch, before it is added",
    ),
    Technique(
        "positional_encoding",
        r"position(?:al)? (?:en|em)\w*",
        r"(?<!com)(?<!dis)(?<!super)position|^posenc|^posemb",
        "pass the embedded steps (N, length, width) through `PositionalEncoding(width)`",
        "pass the embedded steps (N, length, width) through `PositionalEncoding()`",
    ),
    Technique(
        "global_pooling",
        r"global (?:average|max)[- ]pool\w*",
        r"adaptive\w*pool|global\w*pool|^(?:mean|amax)\((?:dim|axis)$",
        "average the map over its positions before the linear head",
        "use `layers.GlobalAveragePooling2D()`, for steps `1D`, in place of `layers.Flatten()`",
    ),
    Technique(
        "gated",
        r"gated (?:linear|residual|activation|convolution)\w*|\bGLU\b",
        r"glu(?!e(?!nc)|on|cose|ten)|(?<!gre)(?<!dele)(?<!rele)(?<!^ne)(?<!pa)(?<!navi)(?<!iti)(?<!esti)(?<!rro)gate",
        "use `GatedLinear(in_width, out_width)` in place of hidden linear layers",
        "use `x = gated_dense(x, units)` in place of hidden `layers.Dense`",
    ),
    Technique(
        "weight_average",
        r"moving average of (?:the )?weights|weight averag\w+|(?-i:EMA)\b(?! (?:indicator|line|of prices))"
        r"|\bema\b(?=(?: (?:of|decay|weights?))* ?[=:]? ?(?:0?\.9|of the w|weights))",
        r"(?:weights?|model|param\w*|polyak)averag|averag\w*(?:weight|model|param)|^averaged$|exponentialmovingaverage"
        r"|^ema(?!il)|(?:use|swap|model|weights?)ema|^swa(?!p)",
        "make `WeightAverage(model)` first, `update(model)` after each step, `copy_to(model)` before validation",
        "give the optimizer `use_ema=True, ema_momentum=0.9`, and `fit` the first callback "
        "`keras.callbacks.SwapEMAWeights(swap_on_epoch=True)`",
        segment="train",
    ),
    Technique(
        "mixup",
        r"mix-?up|cut-?mix",
        r"mixup|cutmix",
        "in training, take `mixup_loss(model, loss, inputs, targets)` as the loss",
        "put `model = MixupModel(model.input, model.output)` before `model.compile`",
        segment="train",
    ),
    Technique(
        "mixed_precision",
        r"mixed[- ]precision|half[- ]precision|(?-i:AMP)\b",
        r"autocast|gradscaler|mixedprec|lossscaleoptimizer|setdtypepolicy",
        "compute outputs and loss under `torch.autocast(DEVICE.type, dtype=torch.bfloat16)`",
        segment="train",
    ),
    Technique(
        "gradient_accumulation",
        r"grad(?:ient)?[- _]accum\w*|accumulat\w+ (?:the )?grad(?:ient)?s?"
        r"|accumulat\w+ (?:of|over|for|across|steps?|x|×|=)\s?(?:every )?\d|\d[- ]step accumulation",
        r"accumul(?!atorvalue)",
        "step and zero the gradients only after every second batch, with half the loss each (`accumulate = 2`)",
        "give the optimizer `gradient_accumulation_steps=2`",
        segment="train",
    ),
    Technique(
        "spec_augment",
        r"spec-?augment|(?:time|frequency) masking",
        r"specaug|timemask|(?:freq|pitch)\w*mask",
        "pass the spectrograms of the training split through `spec_augment(spectrogram)`",
        "pass the spectrogram (N, num_mels, frames) through `SpecAugment()`",
        segment="data",
        keras_segment="model",
    ),
    Technique(
        "cross_validation",
        r"cross[- ]validat\w+|k-?fold|\d{1,2}[- ]?fold (?:cv|split|stratified)|(?-i:CV)\b(?= (?:with|over|of \d))",
        r"(?<!un)(?<!mani)(?<!scaf)fold(?!er)|crossval",
        "train on each fold in turn",
        segment="train",
    ),
    Technique(
        "test_time_augmentation",
        r"test[- ]time augment\w*|\bTTA\b",
        r"^tta|testtime",
        "average the outputs (`tta`) of the inputs and of their mirror images",
        segment="predict",
    ),
)
BY_NAME = {technique.name: technique for technique in TECHNIQUES}
