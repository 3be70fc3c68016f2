"""Hooks `backward` and the optimizers' steps: losses, milestones, numbers no longer finite, gradients never reset."""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary, ref

from dlcodegen.execution.observer.notes import NonFiniteLoss, NonFiniteWeights, Record, due, plain_settings

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module, Parameter
    from torch.optim import Optimizer

_IMPLEMENTATION = {"params", "foreach", "fused", "capturable", "differentiable"}
"""Settings of an optimizer that choose how it computes, not what."""
_MOST_VALUES = 100_000
_WATCHED_PARAMETERS = 4


@dataclass
class _Steps:
    """What one optimizer did."""

    line: int | None
    """Script's line of the first step."""
    count: int = 0
    had_gradient: bool = False
    reached: bool = False
    """Whether it has parameters of a module that was called."""
    smallest: "list[Parameter]" = field(default_factory=list)
    used: "list[tuple[Parameter, Tensor]]" = field(default_factory=list)
    """Gradients that the last step used and nobody has reset since, of a few small parameters."""
    added: bool = False
    """Whether a backward pass added to them."""


class Modules(Protocol):
    """What follows the calls of modules (`torch_hooks.ModuleWatch`), as far as training is concerned."""

    root: "ref[Module] | None"
    """The outermost one."""

    def backward_done(self) -> None: ...

    def stepped(self, parameters: set[int], line: int | None) -> bool: ...


class TrainingWatch:
    """Follows backward passes and optimizer steps."""

    def __init__(self, record: Record, modules: Modules) -> None:
        self.record, self.modules = record, modules
        self._all: list[_Steps] = []
        self._of: WeakKeyDictionary[Optimizer, _Steps] = WeakKeyDictionary()
        self._inside = False
        record.conclusions.append(self._no_gradient)

    def hook(self) -> None:
        import torch
        from torch.nn import utils
        from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

        register_optimizer_step_pre_hook(self._before_step)
        register_optimizer_step_post_hook(self._after_step)
        torch.autograd.backward = self._watched_backward(torch.autograd.backward)
        for name in ("clip_grad_norm_", "clip_grad_value_"):
            watched = self._watched_clip(getattr(utils, name))
            setattr(utils, name, watched)
            setattr(utils.clip_grad, name, watched)

    def _watched_backward(self, backward: Callable[..., None]) -> Callable[..., None]:
        """`Tensor.backward` calls it as well; checkpointing calls it inside a backward pass, which is not counted."""
        import torch

        @functools.wraps(backward)
        def watched(tensors: Any, *args: Any, **kwargs: Any) -> None:
            if self._inside or torch.compiler.is_compiling():
                return backward(tensors, *args, **kwargs)
            versions: list[int] = []
            with self.record.guard:
                self._loss(tensors)
                versions = self._used_versions()
            self._inside = True
            try:
                backward(tensors, *args, **kwargs)
            finally:
                self._inside = False
            with self.record.guard:
                self.record.milestone("backward")
                self.modules.backward_done()
                self._note_added(versions)
            return None

        return watched

    def _loss(self, tensors: Any) -> None:
        from torch import Tensor

        listed = [tensors] if isinstance(tensors, Tensor) else list(tensors)
        scalars = [tensor for tensor in listed if isinstance(tensor, Tensor) and tensor.numel() == 1]
        if not scalars:
            return
        value = sum(float(tensor.item()) for tensor in scalars)
        if not math.isfinite(value):
            message = f"the loss is {value} at step {self.record.seen.get('steps', 0) + 1}"
            self.record.fault("non-finite loss", message, self.record.line())
            raise NonFiniteLoss(message)
        if len(self.record.loss_values) < _MOST_VALUES:
            self.record.loss_values.append(value)

    def _used_versions(self) -> list[int]:
        """Forget the gradients that were reset; the versions of the others, which rise when something is added."""
        versions = []
        for steps in self._of.values():
            steps.used = [(weight, grad) for weight, grad in steps.used if weight.grad is grad and bool(grad.any())]
            versions += [grad._version for _, grad in steps.used]
        return versions

    def _note_added(self, versions: list[int]) -> None:
        before = iter(versions)
        for steps in self._of.values():
            risen = [weight.grad is grad and grad._version > next(before) for weight, grad in steps.used]
            steps.added |= any(risen)

    def _before_step(self, optimizer: "Optimizer", *_: Any) -> None:
        with self.record.guard:
            steps = self._of.get(optimizer)
            if steps is None:
                steps = self._of[optimizer] = _Steps(self.record.line())
                self._all.append(steps)
                settings = {k: v for k, v in optimizer.param_groups[0].items() if k not in _IMPLEMENTATION}
                self.record.optimizer(type(optimizer).__name__, plain_settings(settings))
            # Other networks' losses may add to gradients that were used, as long as they are reset before the step.
            if steps.added and any(weight.grad is grad and bool(grad.any()) for weight, grad in steps.used):
                message = f"{type(optimizer).__name__} steps with the sum of all gradients so far"
                self.record.fault("no zero_grad", message, self.record.line())

    def _after_step(self, optimizer: "Optimizer", *_: Any) -> None:
        with self.record.guard:
            steps = self._of[optimizer]
            steps.count += 1
            self.record.step()
            weights = [weight for group in optimizer.param_groups for weight in group["params"]]
            steps.reached |= self.modules.stepped({id(weight) for weight in weights}, self.record.line())
            learnt = [weight for weight in weights if weight.grad is not None]
            if not steps.had_gradient and due(steps.count):
                steps.had_gradient = any(bool(weight.grad.any()) for weight in learnt)
            if due(steps.count):
                self._check_finite(learnt)
            self._note_used(steps, learnt)

    def _check_finite(self, weights: "list[Parameter]") -> None:
        for weight in weights:
            if not bool(weight.isfinite().all()):
                message = f"{self._name(weight)} is not finite after step {self.record.seen['steps']}"
                self.record.fault("non-finite weights", message, self.record.line())
                raise NonFiniteWeights(message)

    def _name(self, weight: "Parameter") -> str:
        model = self.modules.root() if self.modules.root else None
        named = model.named_parameters() if model else ()
        return next((name for name, parameter in named if parameter is weight), "a parameter")

    def _note_used(self, steps: _Steps, learnt: "list[Parameter]") -> None:
        import torch

        if not steps.smallest:
            dense = [weight for weight in learnt if weight.grad is not None and weight.grad.layout == torch.strided]
            steps.smallest = sorted(dense, key=lambda weight: weight.numel())[:_WATCHED_PARAMETERS]
        steps.added = False
        steps.used = [(weight, weight.grad) for weight in steps.smallest if weight.grad is not None]

    def _watched_clip(self, clip: Callable[..., Any]) -> Callable[..., Any]:
        """Clipping gradients between a step and the next backward pass changes nothing."""
        from torch import Tensor

        @functools.wraps(clip)
        def watched(parameters: Any, *args: Any, **kwargs: Any) -> Any:
            parameters = parameters if isinstance(parameters, Tensor) else list(parameters)
            with self.record.guard:
                if len(self._all) == 1 and isinstance(parameters, list):
                    steps, clipped = self._all[0], {id(weight) for weight in parameters}
                    used = [weight.grad is grad for weight, grad in steps.used if id(weight) in clipped]
                    if any(used) and not steps.added:
                        message = f"{clip.__name__} comes after the step that it should limit"
                        self.record.fault("gradients clipped after the step", message, self.record.line())
            return clip(parameters, *args, **kwargs)

        return watched

    def _no_gradient(self) -> None:
        """An optimizer that never found a gradient although something was trained on, and had not ended at zero."""
        if not any(self.record.loss_values):
            return
        for steps in self._all:
            if steps.had_gradient:
                continue
            if steps.reached:
                message = "no parameter of the optimizer has a gradient when it steps"
                self.record.fault("no gradient at the step", message, steps.line)
            else:
                message = "the optimizer has no parameter of the model that is called"
                self.record.fault("optimizer without the model", message, steps.line)
