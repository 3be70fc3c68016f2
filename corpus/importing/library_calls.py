"""What calls of torch and Keras give: a layer, layers in a row, an operation on tensors, or nothing that builds."""

from typing import Any

from dlcodegen.corpus.importing.arithmetic import call_builtin
from dlcodegen.corpus.importing.built_parts import Chain, Layer, Library, Settings, Tensor, Unknown, modules_in
from dlcodegen.execution.conformance.layer_names import LAYER_CODE

_LAYER_PACKAGES = frozenset({"nn", "layers", "normalization", "core", "convolutional", "recurrent", "pooling"})
_NO_LAYERS = frozenset({"init", "utils", "optim", "losses", "metrics", "callbacks", "optimizers", "parallel"})
_NO_MODULE = ("Parameter", "Module", "Input", "InputLayer", "Layer", "Identity", "ParameterList", "Buffer")
_WRAPPERS = (
    "DataParallel",
    "DistributedDataParallel",
    "compile",
    "script",
    "weight_norm",
    "spectral_norm",
    "checkpoint",
)
_OPERATIONS = frozenset(name for codes in LAYER_CODE.values() for name in codes if name[:1].islower()) - {
    "linear", "view", "reshape", "mean", "sum", "max", "amax", "hstack", "swish", "positional_encoding",
}  # fmt: skip
_FLATTENING = ("view", "reshape", "flatten")
_SPACE = ((2, 3), (-2, -1), (-1, -2), (3, 2), (1, 2))
"""Dimensions over which a mean is a global pooling of maps, of either data format."""


def call_library(  # noqa: PLR0911 - one case each
    function: Library, arguments: list[Any], keywords: dict[str, Any], line: int
) -> Any:
    """A layer, a Chain, a Tensor; `Library` itself for `Model(inputs, outputs)`, which only the tracer can close."""
    name, packages = function.name, set(function.packages)
    keras = bool(packages & {"keras", "layers"})
    if name in ("Sequential", "ModuleList", "ModuleDict"):
        named = arguments[0] if arguments and isinstance(arguments[0], dict) else {}
        return Chain(_children([*arguments, *keywords.values()]), line, name == "Sequential", named)
    if name == "Model" and (packages & {"keras", "models", "tf"}) and (arguments or keywords):
        return function
    if name in _WRAPPERS and arguments:
        return arguments[0]
    if name == "Input":
        return Tensor()
    if name == "OrderedDict":
        return arguments[0] if arguments else {}
    if name == "parse_args":
        return Settings()
    if _is_pretrained(function):
        return Layer(_model_name(function, arguments), [], {}, line, keras, is_model=True)
    if name[:1].isupper():
        return _layer(function, arguments, keywords, line)
    return _operation(name, arguments, keywords, line)


def call_method(name: str, arguments: list[Any], keywords: dict[str, Any], line: int) -> Layer | None:
    """The layer that a method of a tensor stands for: `x.flatten(1)`, `x.mean(dim=(2, 3))`; None for none."""
    axes = keywords.get("dim", keywords.get("axis", arguments[0] if arguments else None))
    over = tuple(axes) if isinstance(axes, list | tuple) else axes
    if name in _FLATTENING:
        plain = len(arguments) == 2 or (name == "flatten" and over in (1, None) and "end_dim" not in keywords)
        return Layer("flatten", [], {}, line, False) if plain else None
    if name in ("mean", "amax", "max") and over is not None and not isinstance(over, Unknown):
        kind = "Average" if name == "mean" else "Max"
        if over in _SPACE:
            return Layer(f"Global{kind}Pooling2D", [], {}, line, True)
        return Layer(f"Global{kind}Pooling1D", [], {}, line, True) if over in (1, 2) else None
    return Layer(name, [], {}, line, False) if name in ("relu", "sigmoid", "tanh", "softmax") else None


def _children(given: list[Any]) -> list[Any]:
    """The modules among arguments: one by one, in a list, or named in pairs or a dictionary."""
    found: list[Any] = []
    for value in given:
        items = list(value.values()) if isinstance(value, dict) else value
        for item in items if isinstance(items, list | tuple) else [items]:
            found += modules_in(item if not isinstance(item, tuple) else list(item))
    return found


def _is_pretrained(function: Library) -> bool:
    """`torchvision.models.resnet18()`, `keras.applications.VGG16()`, `timm.create_model()`, `X.from_pretrained()`."""
    packages = function.packages
    if function.name in ("from_pretrained", "create_model") and packages:
        return "transformers" in packages or "timm" in packages or packages[-1][:1].isupper()
    of_models = "torchvision" in packages and "models" in packages and function.name[:1].islower()
    return of_models or ("applications" in packages and function.name[:1].isupper())


def _model_name(function: Library, arguments: list[Any]) -> str:
    if function.name in ("from_pretrained", "create_model"):
        named = arguments[0] if arguments and isinstance(arguments[0], str) else ""
        plain = "".join(part if part.isalnum() else "_" for part in named.rpartition("/")[2])[:60]
        return plain if plain.isidentifier() else function.packages[-1]
    return function.name


def _layer(function: Library, arguments: list[Any], keywords: dict[str, Any], line: int) -> Any:
    """A class of a package of layers, that is no loss."""
    packages, name = set(function.packages), function.name
    if name in _NO_MODULE or name.endswith("Loss") or not packages & _LAYER_PACKAGES or packages & _NO_LAYERS:
        return Unknown()
    return Layer(name, arguments, keywords, line, "nn" not in packages)


def _operation(name: str, arguments: list[Any], keywords: dict[str, Any], line: int) -> Any:
    """`F.relu(x)`, `torch.cat([a, b])`: of tensors. Anything else may be arithmetic, or unknown."""
    inner = [
        part for argument in arguments for part in (argument if isinstance(argument, list | tuple) else [argument])
    ]
    if not any(isinstance(part, Tensor) for part in inner):
        return call_builtin(name, arguments)
    if name in _OPERATIONS:
        return Layer(name, arguments[1:], keywords, line, False)
    return call_method(name, arguments[1:], keywords, line) or Tensor()
