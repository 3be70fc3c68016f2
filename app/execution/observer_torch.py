"""Hooks PyTorch: which module is called outermost, with what shapes, and in which mode it is trained and judged."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from dlcodegen.execution.observer_losses import hook_losses, origin
from dlcodegen.execution.observer_notes import MOST_CHARACTERS, Record

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

MOST_LAYERS = 300
_MOST_SHAPES = 16
_MOST_ANCESTORS = 50


def hook_torch(record: Record) -> "ModuleWatch":
    """Install every hook; they stay until the process ends."""
    from dlcodegen.execution.observer_training import TrainingWatch

    modules = ModuleWatch(record)
    modules.hook()
    hook_losses(record)
    TrainingWatch(record, modules).hook()
    return modules


@dataclass
class _Mode:
    """In which mode an outermost module was called."""

    sensitive: bool
    """Whether it has dropout or batch normalisation, which training and evaluation mode make a difference to."""
    trained: int = 0
    """Optimizer steps after calls in training mode."""
    trained_in_evaluation: int = 0
    """Later steps, after calls in evaluation mode only."""
    evaluated: bool = False
    """Whether it was ever called in evaluation mode."""
    judged_in_training: int | None = None
    """Script's line of the first call without gradients in training mode, after it was trained."""


class ModuleWatch:
    """Follows the calls that the script itself makes of modules, not those that modules make of each other."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.describe: Callable[[Module], None] = self.describe_torch
        self.root: ref[Module] | None = None
        """The model: what holds the first module that was called to be trained."""
        self._shapes_of_root = False
        self._depth = 0
        self._outermost: Module | None = None
        self._batch: int | None = None
        self._parents: WeakKeyDictionary[Module, ref[Module]] = WeakKeyDictionary()
        self._modes: WeakKeyDictionary[Module, _Mode] = WeakKeyDictionary()
        self._called: WeakKeyDictionary[Module, bool] = WeakKeyDictionary()
        """Modules called to be trained since their last step -> whether in training mode."""
        record.verdicts.append(self._judged_in_training)

    def hook(self) -> None:
        import torch
        from torch.nn import functional
        from torch.nn.modules.module import register_module_module_registration_hook

        # A wrapper instead of global forward hooks: those make every call of every module take the slow path.
        call_module, watch = torch.nn.Module.__call__, self

        def call(module: "Module", *args: Any, **kwargs: Any) -> Any:
            if torch.compiler.is_compiling():
                return call_module(module, *args, **kwargs)
            if watch._depth == 0:
                watch._outermost = module
            watch._depth += 1
            try:
                output = call_module(module, *args, **kwargs)
            finally:
                watch._depth -= 1
            if watch._depth == 0:
                with watch.record.guard:
                    watch._left(module, (args, kwargs), output)
            return output

        torch.nn.Module.__call__ = call  # type: ignore[method-assign]
        register_module_module_registration_hook(self._registered)
        functional.dropout = self._watched_dropout(functional.dropout)

    def trained_on(self) -> None:
        """`backward` came after the calls: their batch counts."""
        if self._batch is not None:
            self.record.seen["batch_size"] = max(self._batch, self.record.seen.get("batch_size", 0))

    def stepped(self, parameters: set[int], line: int | None) -> bool:
        """An optimizer of these parameters (ids) made a step; whether a module called since then has any of them."""
        reached = False
        for module, training in list(self._called.items()):
            if not any(id(parameter) in parameters for parameter in module.parameters()):
                continue
            reached = True
            del self._called[module]
            mode = self._modes[module]
            if training:
                mode.trained += 1
            elif mode.trained and mode.sensitive:
                mode.trained_in_evaluation += 1
                if mode.trained_in_evaluation == 2:
                    message = f"{_name(module)} was put back to evaluation mode: no dropout, batch norm does not learn"
                    self.record.fault("trained in evaluation mode", message, line)
        return reached

    def _registered(self, parent: "Module", _: str, child: "Module | None") -> None:
        if child is not None:
            self._parents[child] = ref(parent)

    def _left(self, module: "Module", arguments: Any, output: Any) -> None:
        """The script called a module, and got `output`."""
        import torch

        given, results = list(_tensors(arguments)), list(_tensors(output))
        if any(tensor.is_meta for tensor in results):
            return
        learning = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in results)
        has_parameters = next(module.parameters(), None) is not None
        # What takes another's output and gives a number is a loss, even if it has parameters of its own.
        takes_output = not has_parameters or any(tensor.requires_grad for tensor in given)
        if learning and takes_output and len(results) == 1 and results[0].ndim == 0:
            if type(module).__module__ != "torch.nn.modules.loss":  # those are known by their functions
                self.record.loss(_name(module))
            return
        if not has_parameters:
            return
        mode = self._modes.setdefault(module, _Mode(_is_sensitive(module)))
        if not learning:
            self._judged(module, mode)
            return
        self._called[module] = self._called.get(module, False) or module.training
        self.record.milestone("forward")
        self._describe(module, given, results)
        if module.training:
            self._batch = given[0].shape[0] if given and given[0].ndim else None
            self._softmax_over_batch(module, given, output)

    def _judged(self, module: "Module", mode: _Mode) -> None:
        if not module.training:
            mode.evaluated = True
        elif mode.trained and mode.judged_in_training is None:
            mode.judged_in_training = self.record.line()

    def _describe(self, module: "Module", given: "list[Tensor]", results: "list[Tensor]") -> None:
        """Shapes are those of the model's own first call; of a part's, as long as the script calls parts only."""
        root = self.root() if self.root else None
        if self.root is None:
            root = self._ancestor(module)
            self.root = ref(root)
            self.describe(root)
        elif self._shapes_of_root or module is not root:
            return
        self._shapes_of_root = module is root
        self.record.seen["inputs"] = [list(tensor.shape) for tensor in given[:_MOST_SHAPES]]
        self.record.seen["outputs"] = [list(tensor.shape) for tensor in results[:_MOST_SHAPES]]

    def _ancestor(self, module: "Module") -> "Module":
        for _ in range(_MOST_ANCESTORS):
            parent = self._parents[module]() if module in self._parents else None
            if parent is None:
                break
            module = parent
        return getattr(module, "_orig_mod", module)  # what torch.compile wrapped

    def describe_torch(self, root: "Module") -> None:
        """Note the model's class, layers and number of parameters."""
        from torch.nn.parameter import is_lazy

        self.record.seen["framework"] = "pytorch"
        self.record.seen["model"] = _name(root)
        self.record.seen["parameters"] = sum(weight.numel() for weight in root.parameters() if not is_lazy(weight))
        layers = [_layer_text(layer) for layer, _ in zip(_leaves(root), range(MOST_LAYERS), strict=False)]
        self.record.seen["layers"] = layers

    def _softmax_over_batch(self, module: "Module", given: "list[Tensor]", output: Any) -> None:
        """Only for one tensor in and one table out, whose rows are the batch; graphs and bags of instances differ."""
        made_by = origin(output) if hasattr(output, "grad_fn") else None
        if made_by is None or made_by.dim or len(made_by.shape) != 2 or tuple(output.shape) != made_by.shape:
            return
        rows, columns = made_by.shape
        if len(given) == 1 and given[0].ndim > 1 and given[0].shape[0] == rows and rows > 1 and columns > 1:
            message = f"{_name(module)} gives {(rows, columns)} normalised over the batch, not over the classes"
            self.record.fault("wrong softmax dimension", message, self.record.line())

    def _watched_dropout(self, dropout: Callable[..., "Tensor"]) -> Callable[..., "Tensor"]:
        import torch

        @functools.wraps(dropout)
        def watched(*args: Any, **kwargs: Any) -> "Tensor":
            told = torch.compiler.is_compiling() or len(args) > 2 or "training" in kwargs
            if not told and self._depth and self._outermost is not None and not self._outermost.training:
                message = "functional.dropout without training=self.training drops in evaluation, too"
                self.record.fault("dropout in evaluation", message, self.record.line())
            return dropout(*args, **kwargs)

        watched.__dict__ |= {"__script_if_tracing_wrapper": True, "__original_fn": dropout}
        return watched

    def _judged_in_training(self) -> None:
        """The one model of the run, which dropout or batch norm make unsteady, was never put to evaluation mode.

        Not told of adversarial training, where a generator in training mode makes images for its critic.
        """
        if len(self.record.seen.get("optimizers", ())) != 1:
            return
        for module, mode in self._modes.items():
            if mode.sensitive and mode.trained and not mode.evaluated and mode.judged_in_training is not None:
                message = f"{_name(module)} is never put to evaluation mode (model.eval()) before it is judged"
                self.record.fault("judged in training mode", message, mode.judged_in_training)


def _tensors(value: Any) -> "Iterator[Tensor]":
    """The tensors in nested lists, tuples and dicts, in order."""
    from torch import Tensor

    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _tensors(entry)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


def _is_sensitive(module: "Module") -> bool:
    from torch.nn.modules.batchnorm import _BatchNorm
    from torch.nn.modules.dropout import _DropoutNd

    def changes(part: "Module") -> bool:
        return isinstance(part, _BatchNorm) or (isinstance(part, _DropoutNd) and part.p > 0)

    return any(map(changes, module.modules()))


def _name(module: "Module") -> str:
    return type(module).__name__[:MOST_CHARACTERS]


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
    return f"{_name(layer).removeprefix('Parametrized')}({settings})"[:MOST_CHARACTERS]
