"""Shapes: as a plan's text states them, as the code states them, and whether two of them are the same."""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dlcodegen.execution.code_view import CodeView, Found
from dlcodegen.execution.conformance.values import Values
from dlcodegen.syntax_tree import parse_expression

Shape = tuple[int | None, ...]
"""Sizes behind the batch; None for one that is not known."""

_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_SIDES = re.compile(r"(?<![\w.])(\d+)\s?[x×]\s?(\d+)\s?[x×]\s?(\d+)(?![\w.])")
_BATCH = re.compile(r"N|B|n|None|-1|\?|batch|batch_size|batch size|nodes|samples|num_samples|examples")
_ANNOUNCED = re.compile(r"(?:shapes?|dimensions?|dims?|sized?|tensors?)(?: (?:of|is|=))?[ :=]*$", re.IGNORECASE)
_KERAS_SHAPES = ("shape", "input_shape", "batch_input_shape")
_SIDE = r"((?:\([^)]*\)|[^\n(])*?)"  # on one line, but for what stands in brackets
_INTERFACE = re.compile(rf"Shapes?:\s*{_SIDE}\s*->\s*{_SIDE}(?:\n|$)")


@dataclass(frozen=True)
class Stated:
    """A shape that the code states, and the line of each size; the first line where it has none."""

    shape: Shape
    lines: tuple[int, ...]
    documented: bool = True
    """By what makes the model, not by settings alone."""

    def line_of(self, wanted: Shape) -> int:
        """The line of the first size that is not the wanted one."""
        if len(wanted) == len(self.lines):
            for own, other, line in zip(self.shape, wanted, self.lines, strict=False):
                if own != other:
                    return line
        return self.lines[0]


def in_text(text: str) -> list[Shape]:
    """The shapes that a text states: `(N, 3, 128, 128)`, `shape (28, 28, 1)`, `224x224x3`."""
    found = []
    for match in _BRACKETS.finditer(text):
        items = [item.strip() for item in match[1].split(",")]
        batched = bool(_BATCH.fullmatch(items[0]))
        announced = bool(_ANNOUNCED.search(text[: match.start()])) and len(items) > 1
        sizes = items[batched:] if items[-1] else items[batched:-1]
        if (batched or announced) and all(re.fullmatch(r"\d+|[A-Za-z_]\w*|-1|\?", size) for size in sizes):
            found.append(tuple(int(size) if size.isdecimal() else None for size in sizes))
    return found or [tuple(map(int, match.groups())) for match in _SIDES.finditer(text)]


def of_model(view: CodeView, values: Values) -> tuple[list[Stated], list[Stated]]:
    """What goes into the model and what comes out, as `build_model` documents it or Keras's `Input` states it."""
    inputs, outputs = _documented(view)
    nodes = [call.args[0] for call in view.calls_of("Input", "InputLayer") if call.args]
    nodes += [item.value for _, call in view.calls for item in call.keywords if item.arg in _KERAS_SHAPES]
    return inputs + [stated for node in nodes for stated in _literal(values, node)], outputs


def of_fields(view: CodeView, groups: Sequence[tuple[str, ...]]) -> list[Stated]:
    """The shapes that Config's fields spell: each group whose fields there all are, and are read."""
    found = []
    for group in groups:
        fields = [view.config[name] for name in group if name in view.config and name in view.settings_read]
        sizes = [field.value for field in fields if isinstance(field.value, int)]
        if len(sizes) == len(group):
            found.append(Stated(tuple(sizes), tuple(field.line for field in fields), documented=False))
    return found


def same(a: Shape, b: Shape) -> bool:
    """Whether two shapes are the same: unknown sizes fit any, channels may stand first or last, sizes of 1 aside."""
    return any(_equal(one, other) for one in _ways(a) for other in _ways(b))


def one_less(whole: Shape, part: Shape) -> list[int | None]:
    """The sizes that `whole` has more than `part`: what is left when one size goes, as argmax takes the classes'."""
    ways = [(size, whole[:index] + whole[index + 1 :]) for index, size in enumerate(whole)]
    return [size for size, rest in ways if same(rest, part)]


def is_known(shape: Shape) -> bool:
    return None not in shape


def batched(shape: Shape) -> str:
    """With the batch before it: `(N, 3, 128, 128)`, `(N,)`."""
    sizes = ", ".join("?" if size is None else str(size) for size in shape)
    return f"(N, {sizes})" if sizes else "(N,)"


def _equal(a: Shape, b: Shape) -> bool:
    return len(a) == len(b) and all(None in (one, other) or one == other for one, other in zip(a, b, strict=True))


def _ways(shape: Shape) -> list[Shape]:
    """The shape, the same without sizes of 1, and with its first size last."""
    ways = [shape, tuple(size for size in shape if size != 1)]
    if len(shape) >= 2:
        ways.append((*shape[1:], shape[0]))
    return ways


def _documented(view: CodeView) -> tuple[list[Stated], list[Stated]]:
    """`Shapes: (N, window, num_features) -> (N, horizon)` with Config's numbers."""
    function = view.function("build_model")
    text = ast.get_docstring(function, clean=False) if function else None
    match = _INTERFACE.search(text or "")
    if function is None or text is None or match is None:
        return [], []
    line = function.body[0].lineno + text[: match.start()].count("\n")
    sides = ([Stated(shape, (line,)) for shape in _of_fields(side, view.config)] for side in match.groups())
    inputs, outputs = sides
    return inputs, outputs[:1]


def _of_fields(text: str, config: Mapping[str, Found]) -> list[Shape]:
    """The shapes of a documented side, each size an expression of Config's fields."""
    found = []
    for match in _BRACKETS.finditer(text):
        items = [item.strip() for item in match[1].split(",")]
        if _BATCH.fullmatch(items[0]):
            found.append(tuple(_size(item, config) for item in items[1:] if item))
    return found


def _size(text: str, config: Mapping[str, Found]) -> int | None:
    try:
        value = _number(parse_expression(text), config)
    except (SyntaxError, ValueError, TypeError, ArithmeticError, RecursionError):
        return None
    return round(value) if 0 < value < 10**9 else None


def _number(node: ast.expr, config: Mapping[str, Found]) -> float:
    """Sums, products and quotients of numbers and fields. Raises ValueError or ArithmeticError for all else."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.Name(id=name) if name in config and isinstance(setting := config[name].value, int | float):
            return setting
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _number(left, config), _number(right, config)
            match op:
                case ast.Add():
                    return a + b
                case ast.Sub():
                    return a - b
                case ast.Mult():
                    return a * b
                case ast.Div() | ast.FloorDiv():
                    return a // b
    raise ValueError("no expression of sizes")


def _literal(values: Values, node: ast.expr) -> list[Stated]:
    """A tuple of sizes in the code, those that cannot be told left open."""
    known = values.of(node).only
    if isinstance(node, ast.Tuple | ast.List):
        known = tuple(values.of(item).only for item in node.elts)
    if not isinstance(known, tuple):
        return []
    return [Stated(tuple(size if _is_size(size) else None for size in known), (node.lineno,))]


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
