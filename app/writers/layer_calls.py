"""A plan's layer, such as `Conv2D(32, kernel_size=3)`, read in Keras or PyTorch spelling."""

import ast
import dataclasses
import re
from dataclasses import dataclass
from typing import Never

from dlcodegen.plan import layer_call

Size = int | tuple[int, ...]
"""One number, or one for each side."""


class LayerError(ValueError):
    """A layer cannot be built; the message starts with the layer."""


@dataclass(frozen=True)
class Layer:
    """One layer of a plan: what it is called, and its arguments as syntax."""

    text: str
    name: str
    """Lower case, one name for all spellings: `conv2d`, `dense`, `residualblock`."""
    positional: tuple[ast.expr, ...] = ()
    keywords: dict[str, ast.expr] = dataclasses.field(default_factory=dict)
    bidirectional: bool = False
    head_width: str = ""
    """Set on the model's last layer: the number of outputs, whatever the plan says."""
    fields: frozenset[str] = frozenset()
    """Config fields that may stand as arguments."""

    def fail(self, reason: str) -> Never:
        """Raise the LayerError that names this layer."""
        raise LayerError(f"{self.text}: {reason}")

    def argument(self, position: int | None, *names: str) -> ast.expr | None:
        """The argument by any of its names or by its place; None when it is not given, or given as None."""
        node = next((self.keywords[name] for name in names if name in self.keywords), None)
        if node is None and position is not None and position < len(self.positional):
            node = self.positional[position]
        return None if isinstance(node, ast.Constant) and node.value is None else node

    def width(self, position: int | None, *names: str, default: str = "") -> str:
        """A number of units as code: `64`, or `config.horizon` where a field of Config is named."""
        if self.head_width:
            return self.head_width
        node = self.argument(position, *names)
        if node is None:
            return default or self.fail(f"{names[0]} is missing")
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if name in self.fields:
            return f"config.{name}"
        value = _number(node)
        return str(value) if isinstance(value, int) and value > 0 else self.fail(f"{names[0]} is no positive number")

    def size(self, position: int | None, *names: str, default: Size = 1) -> Size:
        """A whole number above zero, or one for each side: `3`, `(3, 5)`; equal sides are one number."""
        node = self.argument(position, *names)
        if node is None:
            return default
        sides = [_number(side) for side in (node.elts if isinstance(node, ast.Tuple | ast.List) else [node])]
        whole = tuple(side for side in sides if isinstance(side, int) and side > 0)
        if not whole or len(whole) != len(sides):
            self.fail(f"{names[0]} is no positive whole number")
        return whole[0] if len(set(whole)) == 1 else whole

    def integer(self, position: int | None, *names: str, default: int = 1) -> int:
        """A whole number above zero."""
        value = self.size(position, *names, default=default)
        return value if isinstance(value, int) else self.fail(f"{names[0]} is one number, not one for each side")

    def rate(self, position: int | None, *names: str, default: float) -> float:
        """A share from 0 to below 1."""
        node = self.argument(position, *names)
        value = default if node is None else _number(node)
        if value is None or not 0 <= value < 1:
            self.fail(f"{names[0]} is no rate from 0 to below 1")
        return value

    def flag(self, name: str) -> bool:
        """Whether a switch is set."""
        node = self.argument(None, name)
        return isinstance(node, ast.Constant) and node.value is True

    def activation(self, position: int | None = None) -> str:
        """The PyTorch module of its activation, such as `nn.ReLU()`; empty for none, and for the model's outputs."""
        return self.activation_of(ACTIVATIONS, position)

    def activation_of(self, known: dict[str, str], position: int | None = None) -> str:
        """What `known` has for its activation; empty for none, and for the model's outputs."""
        node = self.argument(position, "activation")
        if self.head_width or node is None:
            return ""
        spelling = str(node.value) if isinstance(node, ast.Constant) else ast.unparse(node)
        found = known.get(plain(spelling.removesuffix("()").rsplit(".", maxsplit=1)[-1]))
        return found if found is not None else self.fail(f"unknown activation {spelling!r}")


def read_layer(text: str, fields: frozenset[str] = frozenset()) -> Layer:
    """The layer that `text` calls; a bare name counts as a call. Raises LayerError for prose."""
    written = re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Z])", "", text.strip())  # tf.keras.layers.Dense -> Dense
    call = layer_call(f"{written}()" if written.isidentifier() else written)
    if call is None or not isinstance(call.func, ast.Name):
        raise LayerError(f"{text}: a layer is written as a call, such as LSTM(64)")
    name = call.func.id
    if name in ("Bidirectional", "TimeDistributed") and call.args:
        inner = read_layer(ast.unparse(call.args[0]), fields)
        return dataclasses.replace(inner, text=text, bidirectional=inner.bidirectional or name == "Bidirectional")
    keywords = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    arguments = _without_input_size(name, call.args, keywords)
    layer = Layer(text, _SPELLINGS.get(plain(name), plain(name)), arguments, keywords, fields=fields)
    return dataclasses.replace(layer, bidirectional=plain(name) in ("bilstm", "bigru") or layer.flag("bidirectional"))


def stacked(layers: list[Layer]) -> list[Layer]:
    """Recurrent or Transformer layers that follow each other and are alike, joined into one of several layers."""
    joined: list[Layer] = []
    for layer in layers:
        if joined and layer.name in _STACKED and _kind(layer) == _kind(joined[-1]):
            count = sum(one.integer(None, "num_layers") for one in (joined[-1], layer))
            joined[-1] = dataclasses.replace(layer, keywords=layer.keywords | {"num_layers": ast.Constant(count)})
        else:
            joined.append(layer)
    return joined


def _kind(layer: Layer) -> tuple[object, ...]:
    """What makes two such layers alike; how many there are and what they return follows from their place."""
    options = {name: ast.dump(value) for name, value in layer.keywords.items() if name not in _BY_PLACE}
    return layer.name, layer.bidirectional, [ast.dump(node) for node in layer.positional], options


def plain(name: str) -> str:
    """Lower case, no underscores: `leaky_relu` and `LeakyReLU` are one name."""
    return name.lower().replace("_", "")


def _without_input_size(name: str, arguments: list[ast.expr], keywords: dict[str, ast.expr]) -> tuple[ast.expr, ...]:
    """PyTorch's spelling states the input's size first, `Linear(128, 64)`; it follows from the layer before."""
    least = _LEAST_WITH_INPUT.get(name, 99)
    numbers = sum(not (isinstance(node, ast.Constant) and isinstance(node.value, str)) for node in arguments)
    stated = numbers + ("kernel_size" in keywords)
    return tuple(arguments[1:] if stated >= least and len(arguments) > 1 else arguments)


def _number(node: ast.expr) -> int | float | None:
    """The value of a literal, or of a product such as `7 * 7 * 64`."""
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return value
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            factors = (_number(left), _number(right))
            return None if factors[0] is None or factors[1] is None else factors[0] * factors[1]
    return None


ACTIVATIONS = {
    "relu": "nn.ReLU()",
    "relu6": "nn.ReLU6()",
    "leakyrelu": "nn.LeakyReLU(0.1)",
    "prelu": "nn.PReLU()",
    "elu": "nn.ELU()",
    "selu": "nn.SELU()",
    "gelu": "nn.GELU()",
    "silu": "nn.SiLU()",
    "swish": "nn.SiLU()",
    "mish": "nn.Mish()",
    "hardswish": "nn.Hardswish()",
    "softplus": "nn.Softplus()",
    "tanh": "nn.Tanh()",
    "sigmoid": "nn.Sigmoid()",
    "softmax": "",  # outputs are logits, and inside a model it only blurs
    "logsoftmax": "",
    "linear": "",
}
"""PyTorch module of each activation, by its plain name."""

_STACKED = ("lstm", "gru", "simplernn", "transformerencoderlayer")
_LEAST_WITH_INPUT = {
    "Linear": 2,
    "Conv1d": 3,
    "Conv2d": 3,
    "ConvTranspose2d": 3,
    "LSTM": 2,
    "GRU": 2,
    "RNN": 2,
    "MultiheadAttention": 2,
}
_BY_PLACE = ("num_layers", "return_sequences", "return_state", "input_shape", "name", "batch_first", "input_size")
_SPELLINGS = {
    "linear": "dense",
    "convolution1d": "conv1d",
    "convolution2d": "conv2d",
    "convtranspose2d": "conv2dtranspose",
    "maxpool1d": "maxpooling1d",
    "maxpool2d": "maxpooling2d",
    "avgpool1d": "averagepooling1d",
    "avgpool2d": "averagepooling2d",
    "globalavgpool1d": "globalaveragepooling1d",
    "globalavgpool2d": "globalaveragepooling2d",
    "globalaveragepool1d": "globalaveragepooling1d",
    "globalaveragepool2d": "globalaveragepooling2d",
    "globalmaxpool1d": "globalmaxpooling1d",
    "globalmaxpool2d": "globalmaxpooling2d",
    "batchnorm": "batchnormalization",
    "batchnorm1d": "batchnormalization",
    "batchnorm2d": "batchnormalization",
    "layernorm": "layernormalization",
    "dropout1d": "spatialdropout1d",
    "dropout2d": "spatialdropout2d",
    "spatialdropout": "spatialdropout2d",
    "upsample": "upsampling2d",
    "rnn": "simplernn",
    "bilstm": "lstm",
    "bigru": "gru",
    "selfattention": "attention",
    "multiheadselfattention": "multiheadattention",
    "positionembedding": "positionalencoding",
    "positionalembedding": "positionalencoding",
    "transformerblock": "transformerencoderlayer",
}
