"""What goes into a model, what comes out, and how data is prepared: in a plan's words, as far as the code shows it."""

from dataclasses import dataclass

from dlcodegen.corpus.importing.built_parts import Layer, Unknown
from dlcodegen.corpus.importing.layer_texts import width_of
from dlcodegen.corpus.importing.model_layers import ModelLayers
from dlcodegen.execution.code_view import CodeView
from dlcodegen.execution.conformance import shapes
from dlcodegen.execution.conformance.preprocess import judge_preprocess
from dlcodegen.execution.conformance.shapes import Shape, batched
from dlcodegen.execution.conformance.values import Values
from dlcodegen.planner.datasets import known_dataset

_DATA = {
    "image": "images", "video": "clips of video", "text": "texts as token ids", "audio": "audio clips",
    "tabular": "table rows", "time-series": "windows of a series", "other": "examples",
}  # fmt: skip
_ONE = {
    "image": "image", "video": "clip", "text": "text", "audio": "clip", "tabular": "row", "time-series": "window",
    "other": "example",
}  # fmt: skip
_KIND = {
    "image-classification": "image", "image-segmentation": "image", "object-detection": "image",
    "keypoint-detection": "image", "image-regression": "image", "depth-estimation": "image", "image-to-image": "image",
    "unconditional-image-generation": "image", "image-to-text": "image", "metric-learning": "image",
    "self-supervised-learning": "image", "multimodal-classification": "image", "video-classification": "video",
    "text-classification": "text", "token-classification": "text", "question-answering": "text",
    "summarization": "text", "translation": "text", "text-generation": "text", "tabular-classification": "tabular",
    "tabular-regression": "tabular", "time-series-forecasting": "time-series",
    "time-series-classification": "time-series", "anomaly-detection": "tabular", "audio-classification": "audio",
    "automatic-speech-recognition": "audio", "graph-machine-learning": "tabular",
}  # fmt: skip
_OUTPUT = {
    "image-segmentation": "one mask per image", "object-detection": "boxes and classes of the objects",
    "keypoint-detection": "coordinates of the keypoints", "depth-estimation": "depth of every pixel",
    "image-to-image": "images", "unconditional-image-generation": "new images",
    "image-to-text": "one caption per image",
    "metric-learning": "embeddings", "self-supervised-learning": "features",
    "token-classification": "one tag per token",
    "question-answering": "where the answer stands", "summarization": "summaries as token ids",
    "translation": "target sentences as token ids", "text-generation": "the next token at every position",
    "time-series-forecasting": "the next values", "anomaly-detection": "label 0 (normal) or 1 (anomaly)",
    "automatic-speech-recognition": "one transcript per clip", "recommendation": "one score per pair",
    "reinforcement-learning": "one value per action",
}  # fmt: skip

# Steps as a plan words them; the check of plan conformance says which of them the code shows.
_STEPS = {
    "image": (
        "resize images", "scale pixels to [0, 1]", "scale pixels to [-1, 1]", "standardise channels",
        "mirror at random", "random rotation", "random crop", "one-hot encode classes",
    ),
    "video": ("resize images", "scale pixels to [0, 1]"),
    "text": ("lower-case", "tokenise", "build a vocabulary", "pad or truncate", "remove stop words"),
    "audio": ("resample", "log-mel spectrogram", "pad or truncate"),
    "tabular": ("standardise features", "min-max scaling", "fill missing values", "one-hot encode", "stratified split"),
    "time-series": ("standardise features", "min-max scaling", "cut sliding windows", "fill missing values"),
    "other": ("standardise features", "one-hot encode"),
}  # fmt: skip
_IN_TWO = ("80/20", "75/25", "70/30", "90/10", "85/15")
_IN_THREE = ("70/15/15", "80/10/10", "60/20/20")


@dataclass(frozen=True)
class Described:
    """A text for the plan; `known` when the code shows more of it than the task's name."""

    text: str
    known: bool
    line: int | None = None


def inputs(view: CodeView, values: Values, category: str, model: ModelLayers) -> Described:
    """`images, shape (N, 3, 32, 32)`."""
    kind = _KIND.get(category, "other")
    stated, _ = shapes.of_model(view, values)
    known = next((one for one in stated if one.shape and shapes.is_known(one.shape)), None)
    partly = next((one for one in stated if any(size is not None for size in one.shape)), None)
    if one := known or partly:
        return Described(f"{_DATA[kind]}, shape {batched(one.shape)}", True, one.lines[0])
    facts = known_dataset(" ".join(view.names) + " " + " ".join(view.strings), {"image_height", "num_features"})
    if "image_height" in facts and kind == "image":
        shape: Shape = (facts["channels"], facts["image_height"], facts["image_width"])
        return Described(f"{_DATA[kind]}, shape {batched(shape)}", True)
    if said := _first_size(model.first):
        return Described(f"{_DATA[kind]}, {said}", True, model.first.line if model.first else None)
    return Described(_DATA[kind], False)


def outputs(view: CodeView, values: Values, category: str, model: ModelLayers) -> Described:
    """`one of 10 classes per image, shape (N, 10)`: by what the model documents, else by its last layer."""
    kind = _KIND.get(category, "other")
    _, stated = shapes.of_model(view, values)
    shape = next((one.shape for one in stated if shapes.is_known(one.shape)), None)
    width = width_of(model.last) if model.last else None
    count = shape[-1] if shape else width if isinstance(width, int) else None
    line = stated[0].lines[0] if shape else model.last.line if model.last and count else None
    if category.endswith("-classification") and category != "token-classification":
        classes = "class 0 or 1" if count == 1 else f"one of {count or 'several'} classes"
        return Described(f"{classes} per {_ONE[kind]}", count is not None, line)
    if category.endswith("-regression"):
        numbers = "one number" if count == 1 else f"{count or 'some'} numbers"
        return Described(f"{numbers} per {_ONE[kind]}", count is not None, line)
    text = _OUTPUT.get(category, "what the model gives")
    if shape is not None:
        return Described(f"{text}, shape {batched(shape)}", True, line)
    unit = "channel" if kind == "image" else "unit"
    return Described(f"{text}, {_counted(count, unit)}" if isinstance(count, int) else text, count is not None, line)


def preprocessing(view: CodeView, values: Values, category: str) -> list[tuple[str, int | None]]:
    """The steps that the code shows, each with its line; the split last."""
    wanted = ", ".join(_STEPS[_KIND.get(category, "other")])
    rows = judge_preprocess(view, values, wanted, [])
    shown = [(row["expected"], row["line"]) for row in rows if row["verdict"] == "honoured"]
    once = len(view.calls_of("train_test_split", "random_split")) + len(list(view.keyword("validation_split"))) == 1
    three_lengths = any(
        len(getattr(node, "elts", ())) == 3 for call in view.calls_of("random_split") for node in call.args
    )
    for split in (*_IN_TWO, *_IN_THREE) if once and not three_lengths else (*_IN_THREE, *_IN_TWO):
        row = judge_preprocess(view, values, f"split {split}", [])[0]
        if row["verdict"] == "honoured":
            return [*shown, (row["expected"], row["line"])]
    return shown


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"


def _first_size(layer: Layer | None) -> str:
    """What the first layer takes: `Linear(784, ...)`, `Conv2d(3, ...)`, `Embedding(20000, ...)`."""
    size = layer.arguments[0] if layer and layer.arguments and not layer.keras else None
    if layer is None or isinstance(size, Unknown) or not isinstance(size, int):
        return ""
    if layer.name.startswith("Conv"):
        return _counted(size, "channel")
    if layer.name == "Embedding":
        return f"ids below {size}"
    return _counted(size, "feature") if layer.name in ("Linear", "LSTM", "GRU", "RNN") else ""
