"""The layers of a plan, read for comparison: in Keras or PyTorch spelling, or in words."""

import ast
import re
from dataclasses import dataclass, field
from typing import TypeGuard

from dlcodegen.execution.conformance.layer_names import ALIASES, COMPARED, LAYER_CODE, PROSE, SIGNATURES, TORCH_SPELLING
from dlcodegen.plan import layer_call

Number = int | float | tuple[int | float, ...]
_WRAPPERS = ("Bidirectional", "TimeDistributed")
_WIDTH_IN_PROSE = re.compile(r"(\d+) (?:hidden )?(?:units|neurons|filters|channels|nodes|cells|kernels|outputs)")


@dataclass(frozen=True)
class Wanted:
    """One layer of a plan."""

    text: str
    kind: str
    """Lower-case name: `conv2d`; empty for words that name no layer we know."""
    codes: tuple[str, ...]
    """Names that show it in a script."""
    numbers: dict[str, Number] = field(default_factory=dict)
    """What its arguments stand for -> value, as far as they are numbers and compared."""
    loose: tuple[Number, ...] = ()
    """Positional numbers of a block whose arguments nobody knows by place."""
    named: dict[str, Number] = field(default_factory=dict)
    """Numbers of such a block by keyword."""


def read_layer(text: str) -> Wanted:
    """The layer that the plan's text means."""
    written = re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Za-z])", "", text.strip())  # tf.keras.layers.Dense -> Dense
    call = layer_call(f"{written}()" if written.isidentifier() else written)
    if call is None:
        return _prose(text)
    name = getattr(call.func, "id", "")
    if name in _WRAPPERS and call.args:
        inner = read_layer(ast.unparse(call.args[0]))
        return Wanted(text, inner.kind, inner.codes, inner.numbers, inner.loose, inner.named)
    kind = TORCH_SPELLING.get(name.lower(), name.lower())
    codes = tuple(dict.fromkeys((*LAYER_CODE.get(kind, ()), name)))
    places = positions(name, keras=_is_keras(name, call))
    if places is None:
        loose = tuple(value for node in call.args if (value := number(node)) is not None)
        named = {str(item.arg): value for item in call.keywords if (value := number(item.value)) is not None}
        return Wanted(text, kind, codes, {}, loose, named)
    given = [*zip(places, call.args, strict=False), *((str(item.arg), item.value) for item in call.keywords)]
    read = {ALIASES.get(place, place): value for place, node in given if (value := number(node)) is not None}
    return Wanted(text, kind, codes, {key: read[key] for key in COMPARED if key in read})


def positions(name: str, keras: bool) -> list[str] | None:
    """What the positional arguments of a call of this name stand for; None when nobody knows."""
    if keras and name in ("LSTM", "GRU"):
        return ["units"]
    return SIGNATURES[name].split() if name in SIGNATURES else None


def number(node: ast.expr) -> Number | None:
    """A literal number, or one for each side; equal sides are one number. None for anything else."""
    return as_number(literal_value(node))


def literal_value(node: ast.expr) -> object:
    """The value of a literal; None for anything else."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def as_number(value: object) -> Number | None:
    """A number, or the numbers of a tuple; `(3, 3)` is 3."""
    if isinstance(value, tuple | list) and value and all(_is_number(item) for item in value):
        return value[0] if len(set(value)) == 1 else tuple(value)
    return value if _is_number(value) else None


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_keras(name: str, call: ast.Call) -> bool:
    """A recurrent layer with one number is Keras's; PyTorch's has its input's size before."""
    return len(call.args) <= 1 and not any(item.arg in ("input_size", "hidden_size") for item in call.keywords)


def _prose(text: str) -> Wanted:
    """A layer in words: `fully connected layer with 128 units`."""
    lowered = text.lower()
    kind = next((kind for pattern, kind in PROSE if re.search(pattern, lowered)), "")
    if not kind:
        return Wanted(text, "", tuple(re.findall(r"[A-Za-z_]\w{3,}", text)))
    width = _WIDTH_IN_PROSE.search(lowered)
    rate = re.search(r"0?\.\d+", lowered) if kind == "dropout" else None
    numbers: dict[str, Number] = {}
    if width:
        numbers["units"] = int(width[1])
    if rate:
        numbers["rate"] = float(rate[0])
    return Wanted(text, kind, LAYER_CODE[kind], numbers)
