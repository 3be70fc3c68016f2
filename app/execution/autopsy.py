"""What an exception's frames show, looked at in the process that raised it: where, which tensors, which layer.

Runs inside the sandbox, beside the script; what it gives is a stranger's data.
"""

import sys
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any

_MOST_TENSORS = 12
_MOST_TEXT = 2000  # characters
# What a layer expects of its input: attribute -> in words, and the dimension of the input it speaks of.
_EXPECTATIONS = {
    "in_features": ("features in the last dimension", -1),
    "in_channels": ("channels in dimension 1", 1),
    "input_size": ("features in the last dimension", -1),
    "num_features": ("channels in dimension 1", 1),
    "embed_dim": ("features in the last dimension", -1),
}


def autopsy(error: BaseException, script: str) -> dict[str, Any]:
    """Exception, message, line and function of the innermost frame in `script`, its tensors, and the layer that failed.

    `line` and `layer` are absent where there is none. Plain data, bounded.
    """
    found: dict[str, Any] = {"exception": type(error).__name__, "message": str(error)[:_MOST_TEXT]}
    frames = list(traceback.walk_tb(error.__traceback__))  # outermost first
    own = [(frame, line) for frame, line in frames if frame.f_code.co_filename == script]
    if own:
        frame, found["line"] = own[-1]
        found["function"] = frame.f_code.co_name
        found["tensors"] = list(_tensors(frame))[:_MOST_TENSORS]
    elif isinstance(error, SyntaxError) and error.filename == script:
        found["line"] = error.lineno
    layer = _layer([frame for frame, _ in frames])
    return found | ({"layer": layer} if layer else {})


def _tensors(frame: FrameType) -> Iterator[str]:
    """`name: shape dtype` of each tensor or array among the local variables, and in lists of them."""
    for name, value in frame.f_locals.items():
        if name.startswith("__"):
            continue
        for label, item in _items(name, value):
            if type(item).__module__.split(".")[0] in ("torch", "numpy", "keras") and hasattr(item, "dtype"):
                shape = "x".join(map(str, getattr(item, "shape", ()))) or "scalar"
                yield f"{label[:60]}: {shape} {str(item.dtype).removeprefix('torch.')[:20]}"


def _items(name: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, list | tuple):
        yield from ((f"{name}[{index}]", item) for index, item in enumerate(value[:4]))
    else:
        yield name, value


def _layer(frames: list[FrameType]) -> str:
    """The innermost module that was at work, by its name in the outermost one, and what it expected and got."""
    torch = sys.modules.get("torch")
    if torch is None:
        return ""
    at_work = [
        (frame.f_locals["self"], frame)
        for frame in frames
        if frame.f_code.co_name == "forward" and isinstance(frame.f_locals.get("self"), torch.nn.Module)
    ]
    if not at_work:
        return ""
    module, frame = at_work[-1]
    name = next((name for name, part in at_work[0][0].named_modules() if part is module), "")
    described = " ".join(repr(module).split())[:160]
    return f"{name or 'the model'} = {described}{_expected(module, frame, torch)}"


def _expected(module: Any, frame: FrameType, torch: Any) -> str:
    got = next((value for value in frame.f_locals.values() if isinstance(value, torch.Tensor)), None)
    if got is None:
        return ""
    shape = f" got {'x'.join(map(str, got.shape))}"
    for attribute, (words, dimension) in _EXPECTATIONS.items():
        wanted = getattr(module, attribute, None)
        if isinstance(wanted, int) and got.dim() > abs(dimension) and got.shape[dimension] != wanted:
            return f" expected {wanted} {words},{shape} ({got.shape[dimension]})"
    return f",{shape}"
