"""Which task a script is for: what its names show, what it says of itself, and what its model is made of."""

import ast
import io
import re
import tokenize
from dataclasses import dataclass

from dlcodegen.execution.code_view import CodeView
from dlcodegen.execution.conformance.category import judge_category
from dlcodegen.execution.conformance.category_terms import BROAD, CATEGORY_TERMS
from dlcodegen.execution.conformance.names import words_of
from dlcodegen.planner.category import scores
from dlcodegen.report import Seen

_MOST_PROSE = 4000
_BY_CODE = 4.0
"""Points for the names of the code, on the planner's scale: a clear phrase has three to nine."""
_BROAD_BY_CODE = 2.5
_BY_LAYERS = 3.0
_MOST_BY_WORDS = 6.0
_OF_TITLE = 0.5
"""The first line counts by itself, and again among the rest."""
_OF_COMMENTS = 0.5
"""What comments say is about a line more often than about the task."""
_NO_TASK = re.compile(r"weights|summary|checkpoint|install|licen[cs]e|https?:", re.IGNORECASE)
"""Lines about how the script works, whose words sound like tasks: "restore the best weights"."""
_VISION = re.compile(r"resnet|resnext|vgg|efficient|mobilenet|densenet|inception|xception|alexnet|convnext|vit_", re.I)
_NUMBERS = ("mean squared error", "mean absolute error", "Huber", "smooth L1", "log-cosh", "quantile loss")


@dataclass(frozen=True)
class Task:
    category: str
    line: int | None
    """What shows it; None where the model's layers do."""


def find_task(code: str, view: CodeView, layers: list[str], loss: str) -> Task:
    """The category with the most evidence; `other` where there is none."""
    rows = {name: row for name in CATEGORY_TERMS for row in judge_category(view, name, Seen())}
    shown = {name: row["line"] for name, row in rows.items() if row["verdict"] == "honoured"}
    points = {name: _BROAD_BY_CODE if name in BROAD else _BY_CODE for name in shown}
    said = _docstrings(view)
    for lines, names, weight in (
        (said[:1], "", _OF_TITLE),
        (said, _names(view), 1.0),
        (_comments(code), "", _OF_COMMENTS),
    ):
        for name, score in scores(_about_the_task(lines), names).items():
            points[name] = points.get(name, 0) + weight * min(_MOST_BY_WORDS, score)
    by_layers = _by_sequences(view) or _by_layers(layers, loss)
    if by_layers == "time-series-forecasting" and "anomaly-detection" in shown:
        by_layers = "anomaly-detection"  # by what a forecast is wrong
    if by_layers:
        points[by_layers] = points.get(by_layers, 0) + _BY_LAYERS
    if "multimodal-classification" in shown and any(layer.startswith("Concatenate") for layer in layers):
        points = {name: score for name, score in points.items() if name not in BROAD or name.startswith("multimodal")}
    if not points:
        return Task("other", None)
    best = max(points, key=lambda name: points[name])
    return Task(best, shown.get(best))


def _docstrings(view: CodeView) -> list[str]:
    """What the script and its classes say of themselves."""
    texts = [ast.get_docstring(node) or "" for node in view.nodes if isinstance(node, ast.Module | ast.ClassDef)]
    return [line for text in texts for line in text.split("\n")]


def _about_the_task(lines: list[str]) -> str:
    return "\n".join(line for line in lines if not _NO_TASK.search(line))[:_MOST_PROSE]


def _comments(code: str) -> list[str]:
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    return [token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT]


def _names(view: CodeView) -> str:
    """Classes and functions as words, and file names: `PolypSegmentation` -> `polyp segmentation`."""
    named = [node.name for node in view.nodes if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    files = [text for text in view.strings if re.fullmatch(r"[\w./ -]{3,60}", text) and ("/" in text or "." in text)]
    return " . ".join(" ".join(words_of(name)) for name in [*named, *files])[:_MOST_PROSE]


def _by_sequences(view: CodeView) -> str:
    """Encoder and decoder of tokens: texts become texts."""
    if not all(view.first_term(*terms) for terms in (("encoder",), ("decoder",), ("token", "tokenizer", "vocab"))):
        return ""
    if view.first_term("image", "caption", "img"):
        return "image-to-text" if view.first_term("caption") else ""
    return "summarization" if view.first_term("summary", "summaries", "headline") else "translation"


def _by_layers(layers: list[str], loss: str) -> str:
    """By the first layers and the last, and by whether the loss is one of numbers."""
    text = " ".join(layers)
    numbers = any(term in loss for term in _NUMBERS)
    classes = "cross-entropy" in loss or "hinge" in loss
    maps = bool(layers) and layers[-1].startswith(("Conv2D", "Sigmoid", "Softmax")) and "Conv2D" in text
    if "Conv2D" in text and "Dense" not in text and maps:
        return "image-segmentation" if classes or "Dice" in loss else "image-to-image" if numbers else ""
    if "Conv2D" in text or _VISION.search(text):
        return "image-classification" if classes else "image-regression" if numbers else ""
    if "Embedding" in text:
        return "text-classification" if classes and text.count("Embedding(") == 1 else ""
    if re.search(r"LSTM|GRU|SimpleRNN|Conv1D", text):
        return "time-series-forecasting" if numbers else "time-series-classification" if classes else ""
    if "Dense" in text:
        return "tabular-regression" if numbers else "tabular-classification" if classes else ""
    return ""
