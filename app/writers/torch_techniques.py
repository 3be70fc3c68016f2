"""Techniques that need no other model, put into the loops that the PyTorch scripts of the pool share.

A script that is written in another way stays as it is: what it lacks is then said by its conformance.
"""

import re
from collections.abc import Callable
from typing import Any

from dlcodegen.syntax_tree import parse
from dlcodegen.techniques import USUAL_ACCUMULATION
from dlcodegen.writers.block_source import technique_source
from dlcodegen.writers.interface import read_interface
from dlcodegen.writers.script_edit import function, insert_before

_LOSS = re.compile(r"^( +)loss = criterion\(model\(inputs\), targets\)\n", re.MULTILINE)
_LOOP = re.compile(r"^( +)for inputs, targets in loader:\n", re.MULTILINE)
_UPDATE = re.compile(r"^( +)optimizer\.zero_grad\(\)\n +loss\.backward\(\)\n +optimizer\.step\(\)\n", re.MULTILINE)
_VALIDATED = re.compile(r"^( +)val_loss = run_epoch\(model, val_loader, criterion\)\n", re.MULTILINE)
_BEST = "val_loss, copy.deepcopy(model.state_dict())"
_BUILT = re.compile(r"^( +)criterion, optimizer = build_loss\(.*\), build_optimizer\(.*\)\n", re.MULTILINE)
_LOG_MELS = re.compile(r"^( +)mels = torch\.log\(.*\n", re.MULTILINE)
_OUTPUTS = "model(inputs.to(DEVICE))"
_AUGMENTS = re.compile(r"(?i:augment|flip)|rot90|Random[A-Z]")

_MIRRORED = '''def augment(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Every second image is mirrored{with_map}."""
    mirrored = (torch.rand(len(inputs), device=inputs.device) < 0.5).view(-1, 1, 1, 1)
    inputs = torch.where(mirrored, inputs.flip(-1), inputs)
    return inputs, {targets}
'''
_OF_MAP = "torch.where(mirrored.view(-1, *[1] * (targets.dim() - 1)), targets.flip(-1), targets)"
_LIGHTER = '''def augment(inputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Every image becomes somewhat lighter or darker; mirrored, it might show another number."""
    return inputs * (0.8 + 0.4 * torch.rand(len(inputs), 1, 1, 1, device=inputs.device)), targets
'''
_AUGMENTED = {
    "class": _MIRRORED.format(with_map="", targets="targets"),
    "map": _MIRRORED.format(with_map=", with what is to be found in it", targets=_OF_MAP),
    "number": _LIGHTER,
}
_TTA = '''def tta(model: nn.Module, images: Tensor) -> Tensor:
    """Test-time augmentation: the mean of the outputs for the images and for their mirror images."""
    return (model(images) + model(images.flip(-1)){back}) / 2
'''


def add_techniques(code: str, stated: dict[str, Any]) -> str:
    """The script with the stated techniques, as far as it has a place for them."""
    if stated.get("gradient_accumulation") is True and "accumulate" not in code:
        code = _accumulate(code, stated.get("accumulation_steps", USUAL_ACCUMULATION))
    for name, (there, add) in _TECHNIQUES.items():
        if stated.get(name) is True and there not in code:
            code = add(code)
    return code


def _accumulate(code: str, batches: int) -> str:
    """The gradients of so many batches make one step."""
    update, loops = _UPDATE.search(code), list(_LOOP.finditer(code))
    if update is None or len(loops) != 1:
        return code
    lines = (
        "(loss / accumulate).backward()",
        "if number % accumulate == 0 or number == len(loader):",
        "    optimizer.step()",
        "    optimizer.zero_grad()",
    )
    code = _replaced(code, update, lines)  # which stands behind the loop's first line
    loop = (f"accumulate = {batches}  # batches to a step", "for number, (inputs, targets) in enumerate(loader, 1):")
    return _replaced(code, loops[0], loop)


def _augment(code: str) -> str:
    """Images that are mirrored, with their maps, or where that might change the target, made lighter and darker."""
    loss, written = _LOSS.search(code), _AUGMENTED.get(_target_of_images(code))
    if loss is None or written is None or _AUGMENTS.search(code):
        return code
    lines = ("if optimizer is not None:", "    inputs, targets = augment(inputs, targets)", loss.group().strip())
    return _defined(_replaced(code, loss, lines), "run_epoch", written)


def _target_of_images(code: str) -> str:
    """What a model of images gives: a `map`, a `class`, a `number`; "" for places and for models of other things."""
    interface = read_interface(code)
    if interface is None or interface.input_kind != "image":
        return ""
    if interface.outputs == ("num_classes",):
        return "class"
    return {"map": "map", "scalar": "number"}.get(interface.output_kind or "", "")


def _mix(code: str) -> str:
    """Mixtures of examples; those of words, which are numbers that mean nothing, would be none."""
    loss = _LOSS.search(code)
    if loss is None or "nn.Embedding(" in code:
        return code
    lines = (
        "if optimizer is None:",
        f"    {loss.group().strip()}",
        "else:",
        "    loss = mixup_loss(model, criterion, inputs, targets)",
    )
    return _defined(_replaced(code, loss, lines), "run_epoch", technique_source("mixup"))


def _mixed_precision(code: str) -> str:
    """Everything up to the loss in half precision, as far as it bears that."""
    block = re.search(
        r"^( +)(?:loss = criterion\(model\(inputs\), targets\)\n"
        r"|if optimizer is None:\n +loss = .*\n +else:\n +loss = mixup_loss\(.*\n)",
        code,
        re.MULTILINE,
    )
    if block is None:
        return code
    inner = [line.removeprefix(block.group(1)) for line in block.group().rstrip("\n").split("\n")]
    return _replaced(
        code, block, ("with torch.autocast(DEVICE.type, dtype=torch.bfloat16):", *(f"    {line}" for line in inner))
    )


def _average_weights(code: str) -> str:
    """A moving average of the weights is validated and kept; it follows every step of the optimizer."""
    built, validated = _BUILT.search(code), _VALIDATED.search(code)
    if built is None or validated is None or code.count(_BEST) != 1:
        return code
    code = code.replace(_BEST, _BEST.replace("model", "averaged"))
    code = _VALIDATED.sub(
        r"\1average.copy_to(averaged)\n\1val_loss = run_epoch(averaged, val_loader, criterion)\n", code
    )
    lines = (
        built.group().strip(),
        "average, averaged = WeightAverage(model), copy.deepcopy(model)",
        "optimizer.register_step_post_hook(lambda *_: average.update(model))",
    )
    return _defined(_replaced(code, built, lines), "train", technique_source("weight_average"))


def _mask_spectrograms(code: str) -> str:
    """Bands and stretches of a centred spectrogram are set to its mean, in training only."""
    mels = _LOG_MELS.search(code)
    if mels is None:
        return code
    lines = (
        mels.group().strip(),
        "if self.training:",
        "    mels = spec_augment(mels - mels.mean(dim=(-2, -1), keepdim=True))",
    )
    code = _replaced(code, mels, lines)
    module = next(
        (node for node in parse(code).body if getattr(node, "end_lineno", 0) > code[: mels.start()].count("\n")), None
    )
    return insert_before(code, module, technique_source("spec_augment")) if module else code


def _augment_tests(code: str) -> str:
    """In evaluation and prediction the mean over an image and its mirror image."""
    target, start = _target_of_images(code), code.find("def evaluate(")
    if not target or start < 0 or _OUTPUTS not in code[start:]:
        return code
    code = code[:start] + code[start:].replace(_OUTPUTS, "tta(model, inputs.to(DEVICE))")
    return _defined(code, "evaluate", _TTA.format(back=".flip(-1)" if target == "map" else ""))


def _replaced(code: str, match: re.Match[str], lines: tuple[str, ...]) -> str:
    """The code with these lines, at the indentation of the match, in its place."""
    text = "".join(f"{match.group(1)}{line}\n" for line in lines)
    return code[: match.start()] + text + code[match.end() :]


def _defined(code: str, before: str, source: str) -> str:
    """The code with a definition in front of the function that uses it."""
    anchor = function(parse(code), before)
    return insert_before(code, anchor, source) if anchor else code


_TECHNIQUES: dict[str, tuple[str, Callable[[str], str]]] = {
    "augmentation": ("augment(", _augment),
    "mixup": ("mixup_loss", _mix),
    "mixed_precision": ("torch.autocast", _mixed_precision),
    "weight_average": ("WeightAverage", _average_weights),
    "spec_augment": ("spec_augment", _mask_spectrograms),
    "test_time_augmentation": ("def tta", _augment_tests),
}
"""Technique -> what a script has that has it already, and how it is put in."""
