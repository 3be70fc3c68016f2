"""What a PyTorch module is made of, as plain text and numbers."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from dlcodegen.execution.observer.notes import MOST_CHARACTERS, MOST_LAYERS

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from dlcodegen.report import Seen


def describe_module(module: "Module") -> "Seen":
    """Class, layers and number of parameters."""
    from torch.nn.parameter import is_lazy

    return {
        "framework": "pytorch",
        "model": module_name(module),
        "parameters": sum(weight.numel() for weight in module.parameters() if not is_lazy(weight)),
        "layers": [_layer_text(layer) for layer in islice(_leaves(module), MOST_LAYERS)],
    }


def module_name(module: "Module") -> str:
    """Class name; of a scripted module, that of the class it was made of."""
    return str(getattr(module, "original_name", type(module).__name__))[:MOST_CHARACTERS]


def knows_mode(module: "Module") -> bool:
    """Whether training and evaluation mode make a difference: it has dropout or batch normalisation."""
    from torch.nn.modules.batchnorm import _BatchNorm
    from torch.nn.modules.dropout import _DropoutNd

    return any(
        isinstance(part, _BatchNorm) or (isinstance(part, _DropoutNd) and part.p > 0) for part in module.modules()
    )


def tensors_in(value: Any) -> "Iterator[Tensor]":
    """The tensors in nested lists, tuples and dicts, in order."""
    from torch import Tensor

    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from tensors_in(entry)
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))


def _leaves(module: "Module") -> "Iterator[Module]":
    from torch.nn import MultiheadAttention
    from torch.nn.utils.parametrize import is_parametrized

    children = list(module.children())
    if not children or isinstance(module, MultiheadAttention) or is_parametrized(module):
        yield module
    else:
        for child in children:
            yield from _leaves(child)


def _layer_text(layer: "Module") -> str:
    """What PyTorch prints, in one line; attention, which it prints no settings of, with the main ones."""
    from torch.nn import MultiheadAttention

    settings = " ".join(layer.extra_repr().split())
    if isinstance(layer, MultiheadAttention):
        settings = f"embed_dim={layer.embed_dim}, num_heads={layer.num_heads}"
    return f"{module_name(layer).removeprefix('Parametrized')}({settings})"[:MOST_CHARACTERS]
