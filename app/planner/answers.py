"""The plan in a chat model's answer, however it is wrapped and however nearly it is JSON.

Models are asked for one JSON object and give prose, thoughts, fences, several objects, half an object, Python quotes,
comments, other keys. Reading is lenient, the plan is strict: what cannot be read is named, nothing is made up.
"""

import ast
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from dlcodegen import categories, vocabulary
from dlcodegen.errors import InputError
from dlcodegen.plan import SolutionPlan, layer_call, paper_fields
from dlcodegen.planner.layer_spelling import MOST_LAYERS, layer_calls, split_layers
from dlcodegen.planner.notation import unified
from dlcodegen.planner.numbers import NUMBER, number
from dlcodegen.writers.answers import without_thoughts

_LONGEST_OBJECT = 20_000
"""Characters; a plan has about 1,000."""
_MOST_OBJECTS = 20
_MOST_BRACES = 200
_LONGEST_TEXT = 400
_TOO_DEEP = re.compile(r"(?:[\[{(]\s*){20}")
_BLOCK = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})[^\n]*\n(?P<body>.*?)(?=^[ \t]*(?P=fence)|\Z)", re.DOTALL | re.MULTILINE
)
_POWER = re.compile(r"(?:\b(\d(?:\.\d+)?)\s?[x×*·]\s?)?\b10\s?(?:\^|\*\*)\s?[{(]?([-−]?\d+)[})]?")
_PLACEHOLDER = re.compile(r"<[^<>]*>|\.{3}|…|none|null|n/?a|string|number|unknown", re.IGNORECASE)
_UNQUOTED_LAYERS = re.compile(
    r"[\"']?\b(?:layers|model architecture)\b[\"']?\s*:\s*\[(?=\s*[A-Za-z_][\w.]*\()", re.IGNORECASE
)
_RANGES = {"learning rate": (1e-9, 10.0), "batch size": (1, 1_000_000), "epochs": (1, 1_000_000)}
_TEXTS = ("input", "output", "preprocess", "loss function", "evaluation metric")
_SPELLINGS = {
    "taskcategory": "task category", "tasktype": "task category", "inputs": "input", "inputdata": "input",
    "datasetinput": "input", "outputs": "output", "outputdata": "output", "datasetoutput": "output", "target": "output",
    "learningrate": "learning rate", "batchsize": "batch size", "batch": "batch size", "numepochs": "epochs",
    "numberofepochs": "epochs", "nepochs": "epochs", "trainingepochs": "epochs", "lossfunction": "loss function",
    "lossfn": "loss function", "criterion": "loss function", "optimiser": "optimizer",
    "optimizername": "optimizer", "evaluationmetric": "evaluation metric", "evalmetric": "evaluation metric",
    "layer": "layers", "modellayers": "layers", "network": "layers", "modelarchitecture": "layers",
    "architecture": "layers", "model": "layers", "dataset": "input", "preprocessingsteps": "preprocess",
    "datapreprocessing": "preprocess",
}  # fmt: skip
"""Keys without spaces and case, those that say it best first."""


def read_plan(answer: str, category: str) -> SolutionPlan:
    """The last complete plan in the answer; one that is spread over several objects is put together.

    A category that is on no list is taken for `category`. Raises InputError with one line that says what is missing.
    """
    objects = _objects(answer)
    if not objects:
        raise InputError("the answer holds no JSON object")
    problem = ""
    together = {str(place): item for place, item in enumerate(objects)}
    for item in (*reversed(objects), together):
        try:
            return _plan(item, category)
        except InputError as error:
            problem = str(error)
    raise InputError(problem)


def _plan(item: dict[str, Any], category: str) -> SolutionPlan:
    found = _fields(item)
    texts = {key: _text(found[key]) for key in _TEXTS if key in found}
    numbers = {key: _number(found[key], *limits) for key, limits in _RANGES.items() if key in found}
    layers = layer_calls(found.get("layers"))
    if len(layers) > MOST_LAYERS:
        raise InputError(f"the plan has {len(layers)} layers: at most {MOST_LAYERS} are read")
    optimizer = _optimizer(str(found.get("optimizer", "")))
    named = categories.nearest(_text(found.get("task category", "")))
    chosen = category if named == "other" else named
    fields = {
        **texts,
        **numbers,
        "layers": layers,
        "optimizer": optimizer,
        "category": "" if chosen == "other" else chosen,
    }
    return SolutionPlan.from_paper({key: value for key, value in fields.items() if value not in ("", None, [])})


def _fields(item: dict[str, Any]) -> dict[str, Any]:
    """Every known field that is filled in; a value beats a placeholder, the usual key an unusual one."""
    found = {key: value for key, value in paper_fields(item).items() if _is_filled(value)}
    squeezed = {re.sub(r"[^a-z]", "", key): value for key, value in found.items()}
    for spelling, name in _SPELLINGS.items():
        value = squeezed.get(spelling)
        if isinstance(value, str | int | float) or (name == "layers" and isinstance(value, list)):
            found.setdefault(name, value)
    return found


def _is_filled(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip() != "" and _PLACEHOLDER.fullmatch(value.strip()) is None
    return value is not None and value not in ([], {})


def _text(value: Any) -> str:
    """On one line, without control characters, and short enough for a plan."""
    if isinstance(value, dict):
        value = "; ".join(f"{key}: {_text(item)}" for key, item in value.items())
    elif isinstance(value, list):
        value = ", ".join(map(_text, value))
    line = " ".join(re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", " ", str(value)).split())
    return line if len(line) <= _LONGEST_TEXT else line[:_LONGEST_TEXT].rsplit(" ", maxsplit=1)[0]


def _number(value: Any, least: float, most: float) -> float | None:
    """The first number: `32 to 64` is 32, `1e-3 (with decay)` 0.001, `ten` 10; None out of range."""
    match = re.search(NUMBER, f" {unified(str(value)[:_LONGEST_TEXT].lower())}")
    found = number(match["n"]) if match else None
    return found if found is not None and least <= found <= most else None


def _optimizer(text: str) -> str:
    """`Adam optimizer` -> `Adam`; of a call the settings stay, save the learning rate, which has its own field."""
    known = vocabulary.find(vocabulary.OPTIMIZERS, text)
    call = layer_call(text)
    if call is None:
        return known.name if known else _text(text) if _is_filled(text) else ""
    call.args = []
    call.keywords = [item for item in call.keywords if item.arg and item.arg not in ("lr", "learning_rate", "params")]
    spelt = ast.unparse(call)
    return spelt if call.keywords else spelt.removesuffix("()")


def _objects(answer: str) -> list[dict[str, Any]]:
    """The JSON objects of an answer in their order; what stands in fences wins over what stands around them."""
    text = without_thoughts(answer.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff"))
    blocks = [match["body"] for match in _BLOCK.finditer(text) if "{" in match["body"]]
    return list(islice((item for block in blocks or [text] for item in _in_block(block)), _MOST_OBJECTS))


def _in_block(text: str) -> Iterator[dict[str, Any]]:
    """Objects that are strict JSON as they stand, the others as far as they can be repaired."""
    decoder, place = json.JSONDecoder(), 0
    for _ in range(_MOST_BRACES):
        if (place := text.find("{", place)) < 0:
            return
        try:
            item, place = decoder.raw_decode(text, place)
            yield item
        except (ValueError, RecursionError):
            end = (_closing(text, place, "{}") or len(text)) + 1
            yield from _repaired(text[place:end][:_LONGEST_OBJECT])
            place = end


def _repaired(text: str) -> list[dict[str, Any]]:
    """The objects in text that is nearly JSON."""
    import json_repair

    if _TOO_DEEP.search(text):
        return []
    try:
        found = json_repair.loads(_quoted_layers(_POWER.sub(_power, text)))
    except (ValueError, RecursionError):
        return []
    return [item for item in (found if isinstance(found, list) else [found]) if isinstance(item, dict)]


def _power(match: re.Match[str]) -> str:
    """`10^-3` and `5 x 10^-4` as JSON spells them."""
    return f"{match[1] or 1}e{match[2].replace('−', '-')}"


def _quoted_layers(text: str) -> str:
    """`[Dense(10, activation="relu"), Flatten()]` with each layer as a string, as JSON wants it."""
    match = _UNQUOTED_LAYERS.search(text)
    if match is None:
        return text
    end = _closing(text, match.end() - 1, "[]") or len(text)
    return text[: match.end()] + ", ".join(map(json.dumps, split_layers(text[match.end() : end]))) + text[end:]


def _closing(text: str, opening: int, pair: str) -> int | None:
    """Where the bracket that opens there is closed, strings not looked at; None where it never is."""
    steps, depth = {pair[0]: 1, pair[1]: -1}, 0
    for place in range(opening, len(text)):
        depth += steps.get(text[place], 0)
        if depth == 0:
            return place
    return None
