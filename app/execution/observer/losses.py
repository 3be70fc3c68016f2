"""Watches calls of PyTorch's loss functions for arguments that train on nonsense without any error.

Most of it is read off the graph: a loss input whose last operation was a softmax is told by its `grad_fn`, whatever
the numbers are. Only what is certain is reported.
"""

import functools
import inspect
import sys
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from dlcodegen.execution.observer.notes import Record, due

if TYPE_CHECKING:
    from torch import Tensor

_LOSSES = (
    *("cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "linear_cross_entropy"),
    *("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div", "ctc_loss", "poisson_nll_loss"),
    *("gaussian_nll_loss", "triplet_margin_loss", "triplet_margin_with_distance_loss", "cosine_embedding_loss"),
    *("margin_ranking_loss", "hinge_embedding_loss", "soft_margin_loss", "multi_margin_loss"),
    *("multilabel_margin_loss", "multilabel_soft_margin_loss"),
)
_REGRESSION = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
_KEEPS_VALUES = (
    *("View", "UnsafeView", "ReshapeAlias", "Squeeze", "Unsqueeze", "Transpose", "T", "Permute", "ToCopy", "Clone"),
    *("Alias", "Slice", "Select", "Expand", "Index", "Split", "Unbind", "Clamp"),
)
"""Operations that only arrange, choose or clip numbers: probabilities stay probabilities."""
_PROBABILITIES = {"Softmax": "a softmax", "Sigmoid": "a sigmoid"}
_TOLERANCE = 1e-4


class Origin(NamedTuple):
    """The operation that made a tensor's numbers, behind those that only arranged them."""

    name: str
    """`Softmax`, `LogSoftmax`, `Sigmoid`, ..."""
    shape: tuple[int, ...]
    """Of its result; empty unless it is a (log-)softmax."""
    dim: int
    """Along which it is normalised, counted from 0; -1 unless it is a (log-)softmax."""


def origin(tensor: "Tensor") -> Origin | None:
    """None for a tensor without a graph."""
    node = tensor.grad_fn
    while node is not None:
        name = node.name().partition("Backward")[0]
        if name in ("Softmax", "LogSoftmax"):
            dim, shape = node._saved_dim, tuple(node._saved_result.shape)  # type: ignore[attr-defined]
            dim = dim - 2**64 if dim >= 2**63 else dim  # PyTorch tells negative dimensions as unsigned numbers
            return Origin(name, shape, dim % max(1, len(shape)))
        if name not in _KEEPS_VALUES:
            return Origin(name, (), -1)
        node = node.next_functions[0][0] if node.next_functions else None
    return None


def hook_losses(record: Record) -> None:
    """Wrap the loss functions in `torch.nn.functional`; loss modules look them up there at every call."""
    from torch.nn import functional

    for name in _LOSSES:
        if hasattr(functional, name):
            setattr(functional, name, _watched(name, getattr(functional, name), record))


def _watched(name: str, function: Callable[..., "Tensor"], record: Record) -> Callable[..., "Tensor"]:
    import torch

    signature = inspect.signature(function)
    calls: Counter[int | None] = Counter()

    @functools.wraps(function)
    def watched(*args: Any, **kwargs: Any) -> "Tensor":
        value = function(*args, **kwargs)
        if not torch.compiler.is_compiling():
            with record.guard:
                if value.requires_grad and not _called_by_keras():
                    record.loss(name)
                line = record.line()
                calls[line] += 1
                if line is not None and due(calls[line]):
                    call = signature.bind(*args, **kwargs)
                    call.apply_defaults()
                    for kind, message in _faults(name, call.arguments):
                        record.fault(kind, message, line)
        return value

    watched.__dict__ |= {"__script_if_tracing_wrapper": True, "__original_fn": function}  # for torch.jit.script
    return watched


def _called_by_keras() -> bool:
    """Keras computes its own losses with these; they are known by their own names."""
    return str(sys._getframe(2).f_globals.get("__name__")).startswith("keras.")


def _faults(name: str, call: dict[str, Any]) -> list[tuple[str, str]]:
    """(kind, message) of every mistake in a call that went through."""
    given = call.get("log_probs" if name == "ctc_loss" else "input")
    if given is None or not given.numel():
        return []
    if name in _REGRESSION:
        return _of_shapes(name, given, call["target"])
    if not given.requires_grad:
        return []
    made_by = origin(given)
    found = []
    if made_by and made_by.name.endswith("Softmax") and made_by.shape[made_by.dim : made_by.dim + 1] == (1,):
        found.append(("softmax over one class", f"{name} gets a softmax over a dimension of size 1: it is always 1"))
    elif name in ("cross_entropy", "binary_cross_entropy_with_logits", "kl_div"):
        found += _of_probabilities(name, given, made_by)
    elif name in ("nll_loss", "ctc_loss"):
        found += _of_log_probabilities(name, given, made_by)
    if name == "cross_entropy" and given.ndim > 1 and given.shape[1] == 1 and not call["target"].is_floating_point():
        found.append(("one class to cross_entropy", f"cross_entropy of {_shape(given)}: with one class it is always 0"))
    if name.startswith("binary_cross_entropy") and call["weight"] is None and call["reduction"] != "none":
        low, high = (bound.item() for bound in call["target"].aminmax())
        if low <= -1 or high >= 2:  # soft labels of adversarial training go a little beyond 1
            message = f"{name} with targets from {low:g} to {high:g}"
            found.append(("targets outside 0 and 1", message))
    return found


def _of_shapes(name: str, given: "Tensor", target: "Tensor") -> list[tuple[str, str]]:
    if 1 in (given.numel(), target.numel()) or _without_ones(given.shape) == _without_ones(target.shape):
        return []
    shapes = f"input {_shape(given)}, target {_shape(target)}"
    rows, columns = given.shape if given.ndim == 2 else (0, 0)
    if columns > 1 and tuple(target.shape) in ((rows,), (rows, 1)):
        low, high = (bound.item() for bound in target.aminmax())
        if low >= 0 and high < columns and bool((target == target.round()).all()):
            return [("class indices to a regression loss", f"{name} of class indices: {shapes}")]
    return [("loss broadcasts", f"{name} of different shapes: {shapes}")]


def _of_probabilities(name: str, given: "Tensor", made_by: Origin | None) -> list[tuple[str, str]]:
    kind = "sigmoid before logits loss" if name.endswith("logits") else f"probabilities to {name}"
    wanted = "log-probabilities" if name == "kl_div" else "logits"
    if made_by and made_by.name in _PROBABILITIES:
        return [(kind, f"{name} wants {wanted}, its input comes out of {_PROBABILITIES[made_by.name]}")]
    if name == "cross_entropy" and given.ndim > 1 and given.shape[1] > 1:
        rows = given.detach()
        if rows.min() >= 0 and bool(((rows.sum(dim=1) - 1).abs() < _TOLERANCE).all()):
            return [(kind, "cross_entropy wants logits, its input is positive and sums to 1 over the classes")]
    return []


def _of_log_probabilities(name: str, given: "Tensor", made_by: Origin | None) -> list[tuple[str, str]]:
    highest = given.detach().max().item()
    if highest > _TOLERANCE:
        return [(f"no log_softmax before {name}", f"{name} wants log-probabilities, its input goes up to {highest:g}")]
    if name == "nll_loss" and made_by and made_by.name == "LogSoftmax" and made_by.shape == tuple(given.shape):
        dim, shape = made_by.dim, made_by.shape
        if given.ndim > 1 and dim != 1 and shape[dim] != shape[1]:  # a square may be normalised either way
            return [("wrong softmax dimension", f"nll_loss of {_shape(given)} normalised along {dim}, not along 1")]
    return []


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape without leading ones: such tensors are paired entry by entry."""
    return tuple(shape) if not shape or shape[0] != 1 else _without_ones(shape[1:])


def _shape(tensor: "Tensor") -> str:
    return str(tuple(tensor.shape))
