"""What goes into the model and what comes out of it: shapes and numbers that the plan's text states."""

import re
from collections.abc import Callable, Sequence

from dlcodegen.execution import conformance_shapes as shapes
from dlcodegen.execution.code_view import CodeView, Found, Value
from dlcodegen.execution.conformance_shapes import Shape, Stated
from dlcodegen.execution.conformance_values import Values
from dlcodegen.execution.judging import equal, judged, worst
from dlcodegen.report import Conformance, Seen, Verdict

# Fields of Config that together are the shape of an example, in the order of its sizes.
_INPUT_FIELDS = (
    ("channels", "image_height", "image_width"),
    ("num_channels", "image_height", "image_width"),
    ("channels", "image_size", "image_size"),
    ("channels", "img_size", "img_size"),
    ("num_frames", "channels", "image_height", "image_width"),
    ("window", "num_features"),
    ("sequence_length", "num_features"),
    ("sequence_length",),
    ("max_length",),
    ("window",),
    ("num_features",),
    ("input_dim",),
    ("input_size",),
)
_OUTPUT_FIELDS = (("horizon",), ("num_outputs",), ("num_classes",), ("embedding_dim",), ("output_dim",))
# A number in words -> the fields that say it, where the text states no shape.
_IN_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"(\d+)\s?[x×]\s?\d+", ("image_height", "image_size", "img_size", "height")),
    (r"\d+\s?[x×]\s?(\d+)", ("image_width", "image_size", "img_size", "width")),
    (r"(\d+) (?:\w+ )?(?:features|columns|attributes|variables|numbers)", ("num_features", "input_dim", "input_size")),
    (r"(\d+) (?:past |time ?)?steps", ("window", "window_size", "sequence_length", "lookback")),
    (r"next (\d+)", ("horizon",)),
    (r"(\d+) (?:\w+ )?(?:tokens|words|token ids)", ("sequence_length", "max_length", "max_len", "maxlen")),
    (r"(\d+) ?Hz", ("sample_rate",)),
    (r"(\d+) frames", ("num_frames",)),
    (r"(\d+) keypoints", ("num_keypoints",)),
)
_CLASSES = re.compile(
    r"(?<![\w.])(\d+)(?:[- ](?!or\b)[a-z]+)?[- ](?:class(?:es)?|class ids|labels|categories|tags)\b", re.IGNORECASE
)
_BINARY = ("BCEWithLogitsLoss", "BCELoss", "binary_cross_entropy_with_logits", "BinaryCrossentropy", "BCEDiceLoss")
_OF_TOKENS = re.compile(r"token|word|character|text|sentence|sequence", re.IGNORECASE)


def judge_input(
    view: CodeView, values: Values, text: str, seen: Seen, smaller: dict[str, Value]
) -> list[Conformance]:
    """The row of the plan's input; none where its text states nothing that can be checked."""
    stated, _ = shapes.of_model(view, values)
    running = [tuple(shape[1:]) for shape in seen.get("inputs", []) if shape]
    tokens = bool(_OF_TOKENS.search(text))
    rows = []
    for wanted in shapes.in_text(text):
        row = _shape_row(view, "input", text, wanted, _with_fields(view, stated, _INPUT_FIELDS), shapes.same)
        rows.append(_by_inputs(row, wanted, running, is_exact=not smaller and not (tokens and len(wanted) < 2)))
    if not rows:
        rows = _numbers(view, "input", text)
    return [worst(rows)] if rows else []


def judge_output(
    view: CodeView, values: Values, text: str, seen: Seen, smaller: dict[str, Value]
) -> list[Conformance]:
    """The row of the plan's output; the model may give logits where the plan speaks of classes."""
    _, stated = shapes.of_model(view, values)
    running = [tuple(shape[1:]) for shape in seen.get("outputs", []) if shape]
    count = next((int(match[1]) for match in _CLASSES.finditer(text)), None)
    rows = []
    for wanted in shapes.in_text(text):
        fits = _fits_output(count)
        row = _shape_row(view, "output", text, wanted, _with_fields(view, stated, _OUTPUT_FIELDS), fits)
        rows.append(_by_outputs(row, wanted, running, fits, is_exact=not smaller))
    if count is not None:
        sizes = {size for shape in (running or [one.shape for one in stated]) for size in shape}
        rows.append(_classes_row(view, values, text, count, sizes))
    if not rows:
        rows = _numbers(view, "output", text)
    return [worst(rows)] if rows else []


def _fits_output(count: int | None) -> Callable[[Shape, Shape], bool]:
    """Whether a model that gives a shape gives what the plan wants: itself, or logits of that many classes."""

    def fits(own: Shape, wanted: Shape) -> bool:
        if shapes.same(own, wanted) and (count in (None, 2) or wanted != ()):
            return True
        left = shapes.one_less(own, wanted)
        return bool(left) and (count is None or None in left or count in left)

    return fits


def _with_fields(view: CodeView, stated: list[Stated], groups: Sequence[tuple[str, ...]]) -> list[Stated]:
    """The shapes that the code states, and those that Config's fields spell."""
    found = list(stated)
    for group in groups:
        fields = [view.config.get(name) for name in group]
        numbers = [field.value for field in fields if field and isinstance(field.value, int)]
        if len(numbers) == len(group) and view.settings_read.issuperset(group):
            found.append(Stated(tuple(numbers), min(field.line for field in fields if field)))
    return found


def _shape_row(
    view: CodeView, name: str, text: str, wanted: Shape, stated: list[Stated], fits: Callable[[Shape, Shape], bool]
) -> Conformance:
    """Honoured by any shape that fits; contradicted where the code states as many sizes, and others."""
    for one in stated:
        if shapes.is_known(one.shape) and fits(one.shape, wanted):
            return _row(view, name, text, "honoured", one)
    for one in stated:
        if not fits(one.shape, wanted) and _is_comparable(one.shape, wanted, fits):
            return _row(view, name, text, "contradicted", one)
    return judged(name, text, "not found", f"nothing in the code states the shape {shapes.written(wanted)}")


def _is_comparable(own: Shape, wanted: Shape, fits: Callable[[Shape, Shape], bool]) -> bool:
    """As many sizes: then they are meant for the same thing; or one more, the classes'."""
    return len(own) == len(wanted) or (fits is not shapes.same and len(own) == len(wanted) + 1)


def _by_inputs(row: Conformance, wanted: Shape, running: list[Shape], is_exact: bool) -> Conformance:
    """What the model really got; a smaller one only counts where smoke mode keeps the sizes."""
    if any(shapes.same(shape, wanted) for shape in running):
        return row if row["verdict"] == "honoured" else _by_run(row, "honoured", "gets", running)
    alike = [shape for shape in running if len(shape) == len(wanted) and shape]
    if alike and (is_exact or any(_is_larger(shape, wanted) for shape in alike)):
        return _by_run(row, "contradicted", "gets", alike)
    return row


def _by_outputs(
    row: Conformance, wanted: Shape, running: list[Shape], fits: Callable[[Shape, Shape], bool], is_exact: bool
) -> Conformance:
    if any(fits(shape, wanted) for shape in running):
        return row if row["verdict"] == "honoured" else _by_run(row, "honoured", "gives", running)
    alike = [shape for shape in running if len(shape) in (len(wanted), len(wanted) + 1)]
    if alike and (is_exact or any(_is_larger(shape, wanted) for shape in alike)):
        return _by_run(row, "contradicted", "gives", alike)
    return row


def _is_larger(shape: Shape, wanted: Shape) -> bool:
    known = [size for size in wanted if size is not None]
    return len(known) == len(wanted) == len(shape) and max(map(int, filter(None, shape)), default=0) > max(known)


def _by_run(row: Conformance, verdict: Verdict, verb: str, running: list[Shape]) -> Conformance:
    shown = " and ".join(shapes.written(("N", *shape)) for shape in running[:3])  # type: ignore[arg-type]
    return judged(row["name"], row["expected"], verdict, f"the running model {verb} {shown}")


def _classes_row(view: CodeView, values: Values, text: str, count: int, sizes: set[int | None]) -> Conformance:
    """The number of classes: a setting, a size of the output, or the width of a layer; two may be one logit."""
    setting = view.config.get("num_classes")
    if setting is not None and isinstance(setting.value, int) and "num_classes" in view.settings_read:
        fits = setting.value == count
        return _row(view, "output", text, "honoured" if fits else "contradicted", Stated((), setting.line))
    widths = [(value, call.lineno) for call in view.calls_of("Linear", "Dense") for value in _last(values, call)]
    line = next((line for width, line in widths if width == count), None)
    if line is None and count == 2:
        line = view.first_name(*_BINARY)
    if line is not None:
        return _row(view, "output", text, "honoured", Stated((), line))
    if count in sizes:
        return judged("output", text, "honoured", f"the running model gives {count} numbers")
    return judged("output", text, "not found", f"nothing in the code shows {count} classes")
