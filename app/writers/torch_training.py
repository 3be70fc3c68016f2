"""A stated learning-rate schedule, gradient clipping and class weights, put into the training of a PyTorch script."""

import ast
import re
from typing import Any

from dlcodegen.syntax_tree import parse
from dlcodegen.writers.class_weighting import weigh_classes_in_torch
from dlcodegen.writers.script_edit import function
from dlcodegen.writers.torch_techniques import add_techniques

_SCHEDULERS = {
    "cosine": "torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=config.epochs)",
    "step": "torch.optim.lr_scheduler.StepLR(optimizer, step_size=max(1, config.epochs // 3))",
    "plateau": "torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)",
    "exponential": "torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)",
    "one-cycle": (  # a step of it is an epoch here; not every optimizer has a momentum to turn with the rate
        "torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=config.learning_rate, "
        "total_steps=max(2, config.epochs), cycle_momentum=False)"
    ),
    "warm-up": "torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=5)",
}


def add_torch_extras(code: str, stated: dict[str, Any]) -> str:
    """The code that clips gradients, weighs classes, steps a schedule and has techniques of training, as stated."""
    code = add_techniques(code, stated)
    if stated.get("class_weights") is True:
        code = weigh_classes_in_torch(code)
    clip = stated.get("gradient_clip")
    if clip is not None and "clip_grad_norm_" not in code:
        code = re.sub(
            r"^( +)optimizer\.step\(\)$",
            rf"\1nn.utils.clip_grad_norm_(model.parameters(), max_norm={clip})\n\1optimizer.step()",
            code,
            flags=re.MULTILINE,
        )
    schedule = _SCHEDULERS.get(str(stated.get("scheduler", "")))
    return _with_scheduler(code, schedule) if schedule and "lr_scheduler" not in code else code


def _with_scheduler(code: str, schedule: str) -> str:
    """Build the schedule beside the optimizer; step it once an epoch, after the epoch's report."""
    train = function(parse(code), "train")
    built = next((node for node in train.body if "build_optimizer(" in ast.unparse(node)), None) if train else None
    loop = next((node for node in train.body if isinstance(node, ast.For)), None) if train else None
    if built is None or loop is None:
        return code
    report = next(
        (node for node in loop.body if isinstance(node, ast.Expr) and "print(" in ast.unparse(node)), loop.body[-1]
    )
    step = "scheduler.step(val_loss)" if "ReduceLROnPlateau" in schedule else "scheduler.step()"
    lines = code.splitlines(keepends=True)
    lines.insert(report.end_lineno or 0, f"{' ' * report.col_offset}{step}\n")
    lines.insert(built.end_lineno or 0, f"{' ' * built.col_offset}scheduler = {schedule}\n")
    return "".join(lines)
