"""What goes into the model and what comes out of it: shapes and numbers that the plan's text states."""

import re
from collections.abc import Callable

from dlcodegen.execution.code_view import CodeView, Value
from dlcodegen.execution.conformance import shapes
from dlcodegen.execution.conformance.layers import settings_of
from dlcodegen.execution.conformance.shapes import Shape, Stated
from dlcodegen.execution.conformance.values import UNKNOWN, Values
from dlcodegen.execution.conformance.verdicts import compare, honoured, judged, worst
from dlcodegen.report import Conformance, Seen, Verdict

Fits = Callable[[Shape, Shape], bool]

# Fields of Config that together are the shape of an example, in the order of its sizes.
_INPUT_FIELDS = (
    ("channels", "image_height", "image_width"),
    ("channels", "image_size", "image_size"),
    ("num_frames", "channels", "image_height", "image_width"),
    ("window", "num_features"),
    ("sequence_length", "num_features"),
    ("sequence_length",),
    ("window",),
    ("num_features",),
)
_OUTPUT_FIELDS = (("horizon",), ("num_outputs",), ("num_classes",), ("embedding_dim",))
# A number in words -> the fields that say it, where the text states no shape.
_IN_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"(\d+) ?[x×] ?\d+", ("image_height", "image_size", "img_size", "height")),
    (r"\d+ ?[x×] ?(\d+)", ("image_width", "image_size", "img_size", "width")),
    (r"(\d+) (?:\w+ )?(?:features|columns|attributes|variables)", ("num_features", "input_dim", "input_size")),
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
_ONE_LOGIT = ("BCEWithLogitsLoss", "BCELoss", "binary_cross_entropy_with_logits", "BinaryCrossentropy", "BCEDiceLoss")
_OF_CLASSES = re.compile(r"class|\bids?\b|label|token|\btags?\b|categor|mask", re.IGNORECASE)
_LAYERS = ("Linear", "Dense", "LazyLinear", "Conv1d", "Conv2d", "Conv1D", "Conv2D")
_OF_TOKENS = re.compile(r"token|word|character|text|sentence|sequence", re.IGNORECASE)


def judge_input(view: CodeView, values: Values, text: str, seen: Seen, smaller: dict[str, Value]) -> list[Conformance]:
    """The row of the plan's input; none where its text states nothing that can be checked."""
    stated, _ = shapes.of_model(view, values)
    stated += shapes.of_fields(view, _INPUT_FIELDS)
    running: list[Shape] = [tuple(shape[1:]) for shape in seen.get("inputs", []) if shape]
    rows = []
    for wanted in shapes.in_text(text):
        row = _by_code(view, "input", text, wanted, stated, shapes.same)
        varies = len(wanted) == 1 and bool(_OF_TOKENS.search(text))  # each batch may have its own length
        alike = [shape for shape in running if len(shape) == len(wanted)]
        rows.append(_by_run(row, "gets", wanted, alike, shapes.same, bool(smaller) or varies))
    rows += [] if rows else _numbers(view, "input", text)
    return [worst(rows)] if rows else []


def judge_output(view: CodeView, values: Values, text: str, seen: Seen, smaller: dict[str, Value]) -> list[Conformance]:
    """The row of the plan's output; the model may give logits where the plan speaks of classes."""
    _, stated = shapes.of_model(view, values)
    spelt = shapes.of_fields(view, _OUTPUT_FIELDS)
    running: list[Shape] = [tuple(shape[1:]) for shape in seen.get("outputs", []) if shape]
    count = next((int(match[1]) for match in _CLASSES.finditer(text)), None)
    fits = _fits_logits(count) if count is not None or _OF_CLASSES.search(text) else shapes.same
    rows = []
    for wanted in shapes.in_text(text):
        row = _by_code(view, "output", text, wanted, [*stated, *spelt], fits)
        if row["verdict"] == "not found" and count is not None:
            row = _by_widths(view, values, text, count)
        alike = [shape for shape in running if len(shape) in (len(wanted), len(wanted) + 1)]
        rows.append(_by_run(row, "gives", wanted, alike, fits, bool(smaller)))
    if count is not None:
        row = _by_classes(view, values, text, count, stated)
        rows.append(row if rows else _by_run(row, "gives", (), running, _fits_any(count), bool(smaller)))
    rows += [] if rows else _numbers(view, "output", text)
    return [worst(rows)] if rows else []


def _fits_logits(count: int | None) -> Fits:
    """Whether a model that gives a shape gives such classes: their numbers, or logits, one for each of `count`."""

    def fits(own: Shape, wanted: Shape) -> bool:
        if shapes.same(own, wanted) and (count in (None, 2) or wanted != ()):
            return True
        left = shapes.one_less(own, wanted)
        return bool(left) and (count is None or None in left or count in left)

    return fits


def _fits_any(count: int) -> Fits:
    """Whether one of the sizes is the number of classes; two classes may be one logit."""
    return lambda own, _: count in own or (count == 2 and set(own) <= {1})


def _by_code(view: CodeView, name: str, text: str, wanted: Shape, stated: list[Stated], fits: Fits) -> Conformance:
    """What the model documents decides where it is of as many sizes; else what Config's fields spell."""
    known = [one for one in stated if shapes.is_known(one.shape)]
    fitting = [one for one in known if fits(one.shape, wanted)]
    sizes = (len(wanted),) if fits is shapes.same else (len(wanted), len(wanted) + 1)
    others = [one for one in known if len(one.shape) in sizes and one not in fitting]
    decided = [one for one in (*fitting, *others) if one.documented]
    if fitting and (not decided or decided[0] in fitting):
        line = next((one for one in fitting if not one.documented), fitting[0]).lines[0]
        return honoured(view, name, text, line)
    spelt = [one for one in others if not one.documented]
    if decided or len(spelt) == 1:
        line = (spelt if len(spelt) == 1 else decided)[0].line_of(wanted)
        return judged(name, text, "contradicted", view.text(line), line)
    return judged(name, text, "not found", f"nothing in the code states the shape {shapes.batched(wanted)}")


def _by_run(
    row: Conformance, verb: str, wanted: Shape, running: list[Shape], fits: Fits, may_be_smaller: bool
) -> Conformance:
    """What the running model showed, where it says more than the code; smoke mode may make sizes smaller."""
    if any(fits(shape, wanted) for shape in running):
        return row if row["verdict"] == "honoured" else _shown(row, "honoured", verb, running)
    if not running or (may_be_smaller and all(_sum(shape) <= _sum(wanted) for shape in running)):
        return row
    return _shown(row, "contradicted", verb, running)


def _sum(shape: Shape) -> int:
    return sum(size or 0 for size in shape)


def _shown(row: Conformance, verdict: Verdict, verb: str, running: list[Shape]) -> Conformance:
    sizes = " and ".join(shapes.batched(shape) for shape in running[:3])
    return judged(row["name"], row["expected"], verdict, f"the running model {verb} {sizes}")


def _by_classes(view: CodeView, values: Values, text: str, count: int, stated: list[Stated]) -> Conformance:
    """The number of classes: a setting, a size of the documented output, or the width of a layer."""
    setting = view.config.get("num_classes")
    if setting is not None and "num_classes" in view.settings_read:
        return _expecting(text, compare(view, "output", count, [setting]))
    line = next((one.lines[0] for one in stated if count in one.shape), None)
    return _by_widths(view, values, text, count) if line is None else honoured(view, "output", text, line)


def _by_widths(view: CodeView, values: Values, text: str, count: int) -> Conformance:
    """Some layer has the width of that many classes; contradicted where all widths are known, and none is it."""
    widths = [(settings_of(values, call).get("units", UNKNOWN), call.lineno) for call in view.calls_of(*_LAYERS)]
    line = next((line for width, line in widths if width.only == count), None)
    if line is None and count == 2:
        line = view.first_name(*_ONE_LOGIT)
    if line is not None:
        return honoured(view, "output", text, line)
    if widths and all(width.complete and count not in width.values for width, _ in widths):
        return judged("output", text, "contradicted", view.text(widths[-1][1]), widths[-1][1])
    return judged("output", text, "not found", f"nothing in the code shows {count} classes")


def _numbers(view: CodeView, name: str, text: str) -> list[Conformance]:
    """A row for each number in words that a field of Config, if there is one, should have."""
    rows = []
    for pattern, fields in _IN_WORDS:
        match = re.search(rf"(?<![\w.]){pattern}", text)
        if match:
            settings = [view.config[field] for field in fields if field in view.config]
            rows.append(_expecting(text, compare(view, name, int(match[1]), settings[:1])))
    return rows


def _expecting(text: str, row: Conformance) -> Conformance:
    """The row of one number, as that of the whole text."""
    return judged(row["name"], text, row["verdict"], row["evidence"], row["line"])
