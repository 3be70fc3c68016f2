"""Hooks PyTorch: which modules the script calls, with what shapes, and in which mode they are trained and judged."""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from dlcodegen.execution.observer.layers import describe_module, knows_mode, module_name, tensors_in
from dlcodegen.execution.observer.losses import hook_losses, origin
from dlcodegen.execution.observer.notes import Record
from dlcodegen.execution.observer.training import TrainingWatch

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from dlcodegen.report import Seen

_MOST_SHAPES = 16
_MOST_ANCESTORS = 50
_MOST_CANDIDATES = 50


def hook_torch(record: Record) -> "ModuleWatch":
    """Install every hook; they stay until the process ends."""
    modules = ModuleWatch(record)
    modules.hook()
    hook_losses(record)
    TrainingWatch(record, modules).hook()
    return modules


@dataclass
class _Mode:
    """In which mode a module was called."""

    name: str
    """Class of the module."""
    matters: bool
    """Whether it has parts that the mode makes a difference to."""
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
        self.describe: Callable[[Module], Seen] = describe_module
        self.root: ref[Module] | None = None
        """The model: what holds the first module that was called to be trained."""
        self._depth = 0
        self._outermost: Module | None = None
        self._parents: WeakKeyDictionary[Module, ref[Module]] = WeakKeyDictionary()
        self._candidates: dict[Module, tuple[list[list[int]], list[list[int]]]] = {}
        """Modules called before the first backward pass -> shapes of the latest call."""
        self._batch: int | None = None
        self._modes: WeakKeyDictionary[Module, _Mode] = WeakKeyDictionary()
        self._all_modes: list[_Mode] = []
        """Those of modules that are gone, too."""
        self._called: WeakKeyDictionary[Module, bool] = WeakKeyDictionary()
        """Modules called to be trained since their last step -> whether in training mode."""
        record.conclusions += [self.settle, self._judged_in_training]

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

    def backward_done(self) -> None:
        """Now it is known which calls were training: their batch counts, and the first of them tells the model."""
        if self._batch is not None:
            self.record.seen["batch_size"] = max(self._batch, self.record.seen.get("batch_size", 0))
        self.settle()

    def settle(self) -> None:
        """Choose the model among the candidates, if there are any, and describe it.

        Calls that come earlier may be trials with a single example, often of a part while the model is being built.
        """
        if self.root or not self._candidates:
            return
        first = next(iter(self._candidates))
        root = self._ancestor(first)
        self.root = ref(root)
        inputs, outputs = self._candidates.get(root, self._candidates[first])
        self._candidates.clear()
        root = getattr(root, "_orig_mod", root)  # what torch.compile wrapped
        self.record.seen |= self.describe(root)
        self.record.seen["inputs"], self.record.seen["outputs"] = inputs, outputs

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
            elif mode.trained and mode.matters:
                mode.trained_in_evaluation += 1
                if mode.trained_in_evaluation == 2:
                    message = f"{mode.name} is back in evaluation mode: no dropout, fixed batch norm"
                    self.record.fault("trained in evaluation mode", message, line)
        return reached

    def _registered(self, parent: "Module", _: str, child: "Module | None") -> None:
        if child is not None:
            self._parents[child] = ref(parent)

    def _ancestor(self, module: "Module") -> "Module":
        for _ in range(_MOST_ANCESTORS):
            parent = self._parents[module]() if module in self._parents else None
            if parent is None:
                break
            module = parent
        return module

    def _left(self, module: "Module", arguments: Any, output: Any) -> None:
        """The script called a module, and got `output`."""
        import torch

        given, results = list(tensors_in(arguments)), list(tensors_in(output))
        if any(tensor.is_meta for tensor in results) or type(module).__module__.startswith("torch.nn.utils."):
            return  # shapes only; weights that are computed when they are looked at
        learning = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in results)
        has_parameters = next(module.parameters(), None) is not None
        # What takes another's output and gives a number is a loss, even if it has parameters of its own.
        takes_output = not has_parameters or any(tensor.requires_grad for tensor in given)
        if learning and takes_output and len(results) == 1 and results[0].ndim == 0:
            if type(module).__module__ != "torch.nn.modules.loss":  # those are known by their functions
                self.record.loss(module_name(module))
        elif has_parameters:
            mode = self._modes.get(module)
            if mode is None:
                mode = self._modes[module] = _Mode(module_name(module), knows_mode(module))
                self._all_modes.append(mode)
            if learning:
                self._called_to_learn(module, given, results)
                self._softmax_over_batch(module, given, output)
            elif not module.training:
                mode.evaluated = True
            elif mode.trained and mode.judged_in_training is None:
                mode.judged_in_training = self.record.line()

    def _called_to_learn(self, module: "Module", given: "list[Tensor]", results: "list[Tensor]") -> None:
        self.record.milestone("forward")
        self._called[module] = self._called.get(module, False) or module.training
        self._batch = given[0].shape[0] if given and given[0].ndim else None
        if self.root is None and len(self._candidates) < _MOST_CANDIDATES:
            self._candidates[module] = (_shapes(given), _shapes(results))

    def _softmax_over_batch(self, module: "Module", given: "list[Tensor]", output: Any) -> None:
        """Only for one tensor in and one table out, whose rows are the batch; graphs and bags of instances differ."""
        made_by = origin(output) if hasattr(output, "grad_fn") else None
        if made_by is None or made_by.dim or len(made_by.shape) != 2 or tuple(output.shape) != made_by.shape:
            return
        rows, columns = made_by.shape
        if len(given) == 1 and given[0].ndim > 1 and given[0].shape[0] == rows and rows > 1 and columns > 1:
            message = f"{module_name(module)} gives {made_by.shape} normalised over the batch, not over the classes"
            self.record.fault("wrong softmax dimension", message, self.record.line())

    def _watched_dropout(self, dropout: Callable[..., "Tensor"]) -> Callable[..., "Tensor"]:
        import torch

        @functools.wraps(dropout)
        def watched(*args: Any, **kwargs: Any) -> "Tensor":
            told = len(args) > 2 or "training" in kwargs
            if not torch.compiler.is_compiling() and not told and self._depth:
                rate = args[1] if len(args) > 1 else kwargs.get("p", 0.5)
                self._dropout_by_default(sys._getframe(1), rate)
            return dropout(*args, **kwargs)

        watched.__dict__ |= {"__script_if_tracing_wrapper": True, "__original_fn": dropout}  # for torch.jit.script
        return watched

    def _dropout_by_default(self, caller: FrameType, rate: float) -> None:
        """The script itself, not a library, let the parameter `training` have its default, which is true."""
        judged = self._outermost is not None and not self._outermost.training
        if judged and rate > 0 and caller.f_code.co_filename == self.record.script:
            message = "functional.dropout without training=self.training drops in evaluation, too"
            self.record.fault("dropout in evaluation", message, caller.f_lineno)

    def _judged_in_training(self) -> None:
        """The one model of the run, which dropout or batch norm make unsteady, was never put to evaluation mode.

        Not told of adversarial training, where a generator in training mode makes images for its critic.
        """
        if len(self.record.seen.get("optimizers", ())) != 1:
            return
        for mode in self._all_modes:
            if mode.matters and mode.trained and not mode.evaluated and mode.judged_in_training is not None:
                message = f"{mode.name} is never put to evaluation mode (model.eval()) before it is judged"
                self.record.fault("judged in training mode", message, mode.judged_in_training)


def _shapes(tensors: "list[Tensor]") -> list[list[int]]:
    return [list(tensor.shape) for tensor in tensors[:_MOST_SHAPES]]
