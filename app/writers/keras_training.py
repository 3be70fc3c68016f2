"""What is stated about training, put into a Keras script: a schedule, class weights, augmented pictures.

Its optimizer clips gradients by itself.
"""

import ast
import re
from typing import Any

from dlcodegen.execution.code_view import dotted
from dlcodegen.syntax_tree import parse
from dlcodegen.techniques import USUAL_ACCUMULATION
from dlcodegen.writers.block_source import blocks_for, technique_source
from dlcodegen.writers.class_weighting import weigh_classes_in_keras
from dlcodegen.writers.keras_augmentation import augment_pictures
from dlcodegen.writers.script_edit import Edit, apply, function, insert_before, optimizer_calls

_SCHEDULES = {
    "cosine": "by_epoch(keras.optimizers.schedules.CosineDecay(config.learning_rate, decay_steps=config.epochs))",
    "step": (
        "by_epoch(keras.optimizers.schedules.ExponentialDecay("
        "config.learning_rate, decay_steps=max(1, config.epochs // 3), decay_rate=0.1, staircase=True))"
    ),
    "exponential": (
        "by_epoch(keras.optimizers.schedules.ExponentialDecay(config.learning_rate, decay_steps=1, decay_rate=0.95))"
    ),
    "one-cycle": (
        "by_epoch(keras.optimizers.schedules.CosineDecay(0.04 * config.learning_rate, max(1, config.epochs * 7 // 10), "
        "warmup_target=config.learning_rate, warmup_steps=max(1, config.epochs * 3 // 10)))"
    ),
    "plateau": 'keras.callbacks.ReduceLROnPlateau(monitor="val_loss")',
    "warm-up": (
        "by_epoch(keras.optimizers.schedules.CosineDecay("
        "0.1 * config.learning_rate, config.epochs, alpha=1.0, warmup_target=config.learning_rate, warmup_steps=5))"
    ),
}
_OF_RATES = ("ReduceLROnPlateau", "LearningRateScheduler", "by_epoch")


def add_keras_extras(code: str, stated: dict[str, Any]) -> str:
    """The script with what is stated, as far as it suits its task."""
    if stated.get("class_weights") is True:
        code = weigh_classes_in_keras(code)
    if stated.get("augmentation") is True:
        code = augment_pictures(code)
    return _with_techniques(_with_schedule(code, stated), stated)


def _with_techniques(code: str, stated: dict[str, Any]) -> str:
    """Gradients of several batches, averaged weights, mixtures of examples: Keras has or takes them all."""
    if stated.get("gradient_accumulation") is True:
        batches = stated.get("accumulation_steps", USUAL_ACCUMULATION)
        code = _with_arguments(code, f"gradient_accumulation_steps={batches}")
    if stated.get("weight_average") is True and (callbacks := _callbacks(parse(code))) and "EMA" not in code:
        own = [ast.get_source_segment(code, item) or "" for item in callbacks.elts]
        first = "keras.callbacks.SwapEMAWeights(swap_on_epoch=True)"
        code = apply(code, [Edit(callbacks, f"[{', '.join([first, *own])}]")])
        code = _with_arguments(code, "use_ema=True, ema_momentum=0.9")
    mixes = "Embedding(" not in code and code.count("keras.Input(") == 1  # numbers of words or nodes have no mixture
    if stated.get("mixup") is True and mixes and "MixupModel" not in code:
        compiled = re.search(r"^( +)model\.compile\(", code, re.MULTILINE)
        anchor = function(parse(code), "train")
        if compiled and anchor:
            mixed = f"{compiled.group(1)}model = MixupModel(model.input, model.output)\n"
            code = code[: compiled.start()] + mixed + code[compiled.start() :]
            code = insert_before(code, anchor, technique_source("keras_mixup"))
    return code


def _with_arguments(code: str, arguments: str) -> str:
    """The script whose optimizer is built with these arguments, too."""
    calls = [call for call in optimizer_calls(parse(code)) if arguments not in ast.unparse(call)]
    texts = [(call, ast.get_source_segment(code, call) or "") for call in calls]
    return apply(code, [Edit(call, f"{text.rstrip()[:-1].rstrip().rstrip(',')}, {arguments})") for call, text in texts])


def _with_schedule(code: str, stated: dict[str, Any]) -> str:
    """The stated schedule among the callbacks, in place of one that the script has; one that it has by name stays."""
    schedule = _SCHEDULES.get(str(stated.get("scheduler", "")))
    callbacks = _callbacks(parse(code)) if schedule else None
    if schedule is None or callbacks is None:
        return code
    names = [dotted(item.func).split(".")[-1] if isinstance(item, ast.Call) else "" for item in callbacks.elts]
    if schedule.startswith("keras.callbacks.") and "ReduceLROnPlateau" in names:
        return code
    kept = [
        ast.get_source_segment(code, item) or ""
        for item, name in zip(callbacks.elts, names, strict=True)
        if name not in _OF_RATES
    ]
    code = apply(code, [Edit(callbacks, f"[{', '.join([*kept, schedule])}]")])
    blocks = [block for block in blocks_for(schedule, "keras") if "def by_epoch" not in code]
    anchor = function(parse(code), "train")
    return insert_before(code, anchor, "\n\n\n".join(blocks)) if blocks and anchor else code


def _callbacks(tree: ast.Module) -> ast.List | None:
    """The list of callbacks that `train` passes to `fit`, written there or under a name."""
    train = function(tree, "train")
    nodes = list(ast.walk(train)) if train else []
    passed = next(
        (
            item.value
            for node in nodes
            if isinstance(node, ast.Call) and dotted(node.func).endswith(".fit")
            for item in node.keywords
            if item.arg == "callbacks"
        ),
        None,
    )
    if isinstance(passed, ast.Name):
        passed = next(
            (
                node.value
                for node in nodes
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == ast.unparse(passed)
            ),
            None,
        )
    return passed if isinstance(passed, ast.List) else None
