"""The layers of a plan in whatever spelling a model gives them: calls, one text, objects, or words."""

import ast
import builtins
import re
import warnings
from typing import Any

from dlcodegen.plan import layer_call

MOST_LAYERS = 150
"""A model that is caught in a loop writes thousands."""
_LONGEST = 300
_MODULE = re.compile(r"\b(?:(?:tf|tensorflow|torch|keras|nn|layers|models|applications|modules)\.)+(?=[A-Za-z_])")
_BULLET = re.compile(r"^(?:[-*•]\s+|\d+[.):]\s+|layer\s*\d+\s*[:.)-]\s*)", re.IGNORECASE)
_LABEL = re.compile(r"^[\w \-()]{1,40}?\s*[:=]\s*(?=[A-Za-z_]\w*\()")
_BETWEEN = re.compile(r"->|=>|→|⟶|➔|[;|\n>]")
_ANY_SEPARATOR = re.compile(rf"{_BETWEEN.pattern}|[,+]")
_HAS_CALL = re.compile(r"[A-Za-z_]\w*\(")
_TIMES = re.compile(r"^(?P<before>\d)\s?[x×*]\s?(?P<first>[A-Za-z].*)$|^(?P<second>.*\))\s?[x×*]\s?(?P<after>\d)$")
_NEED_SIZE = re.compile(r"(?:Dense|Linear|Embedding|LSTM|GRU|SimpleRNN|\w*Conv[123][dD]\w*)\(\)")
_TYPE_KEYS = ("type", "layer", "layer type", "class", "class name", "name", "op")
_FIRST_ARGUMENTS = ("units", "filters", "neurons", "nodes", "rate")
_NESTED_ARGUMENTS = ("config", "params", "parameters", "args", "arguments", "kwargs")
_LITERALS = (
    ast.Constant, ast.Tuple, ast.List, ast.UnaryOp, ast.BinOp, ast.Name, ast.Call, ast.keyword, ast.operator,
    ast.unaryop, ast.expr_context,
)  # fmt: skip

_WORDS = (
    (r"(?:input|output) layer$|^input\b", ""),
    (r"separable conv\w*", "SeparableConv2D({size}, kernel_size={kernel}{activation})"),
    (r"conv\w*[ -]?1d|1d conv\w*", "Conv1D({size}, kernel_size={kernel}{activation})"),
    (r"(?:transposed conv|deconv|upconv)\w*", "Conv2DTranspose({size}, kernel_size={kernel}, strides=2{activation})"),
    (r"conv\w*", "Conv2D({size}, kernel_size={kernel}{activation})"),
    (r"global (?:average|avg) pool\w*", "GlobalAveragePooling2D()"),
    (r"max[ -]?pool\w*", "MaxPooling2D(2)"),
    (r"(?:average|avg)[ -]?pool\w*", "AveragePooling2D(2)"),
    (r"batch ?norm\w*", "BatchNormalization()"),
    (r"layer ?norm\w*", "LayerNormalization()"),
    (r"flatten\w*", "Flatten()"),
    (r"drop ?out", "Dropout({rate})"),
    (r"bi[ -]?(?:directional )?lstm", "Bidirectional(LSTM({size}))"),
    (r"bi[ -]?(?:directional )?gru", "Bidirectional(GRU({size}))"),
    (r"lstm", "LSTM({size})"),
    (r"gru", "GRU({size})"),
    (r"dense|fully[ -]connected|linear", "Dense({size}{activation})"),
)
"""Words for a layer, the special before the general -> the call. One that needs a size is none without it."""
_ACTIVATION = re.compile(r"\b(relu|gelu|selu|elu|silu|tanh|sigmoid|softmax)\b", re.IGNORECASE)


def layer_calls(value: Any) -> list[str]:
    """The layers as calls, in their order. What names no layer is left out; empty when nothing does."""
    return [call for item in _items(value) for call in _calls(item)]


def split_layers(text: str, separators: re.Pattern[str] = _ANY_SEPARATOR) -> list[str]:
    """The text cut at commas, arrows and line ends that stand outside brackets and quotes."""
    pieces, depth, quote, start, place = [], 0, "", 0, 0
    while place < len(text):
        letter = text[place]
        separator = separators.match(text, place) if depth <= 0 and not quote else None
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"" and depth > 0:
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}":
            depth = max(0, depth - 1)
        elif separator:
            pieces.append(text[start:place])
            start = place = separator.end()
            continue
        place += 1
    return [piece.strip() for piece in (*pieces, text[start:]) if piece.strip()]


def _items(value: Any) -> list[str]:
    """Texts of the single layers, whatever they are nested in."""
    if isinstance(value, str):
        parts = split_layers(value, _BETWEEN)
        return _of_item(value) if len(parts) > 1 else split_layers(value)
    if isinstance(value, list):
        return [text for item in value for text in (_of_item(item) if isinstance(item, str) else _items(item))]
    return _of_object(value) if isinstance(value, dict) else []


def _of_item(text: str) -> list[str]:
    """Commas part calls; in words (`32 filters, 5x5, ReLU`) they part what is said of one layer."""
    parts = split_layers(text, _BETWEEN)
    return [piece for part in parts for piece in (split_layers(part) if _HAS_CALL.search(part) else [part])]


def _of_object(value: dict[str, Any]) -> list[str]:
    """`{"type": "Dense", "units": 64}` is a layer, `{"Dense": 64}` too; `{"encoder": [...]}` holds several."""
    keys = {re.sub(r"[\s_]+", " ", str(key)).strip().lower(): key for key in value}
    for name in _TYPE_KEYS:
        if name in keys and isinstance(value[keys[name]], str):
            others = {key: item for key, item in value.items() if key not in (keys[name], keys.get("name"))}
            return [_spelt(value[keys[name]], others)]
    texts = []
    for key, item in value.items():
        within = _items(item)
        named = layer_call(f"{key}()") is not None and str(key)[:1].isupper()
        texts += [_spelt(str(key), item)] if named and not any(map(_calls, within)) else within
    return texts


def _spelt(name: str, arguments: Any) -> str:
    """The call of a layer that is given as a name and its arguments."""
    if "(" in name:
        return name
    call = re.sub(r"\s*layer$", "", name.strip(), flags=re.IGNORECASE)
    if not isinstance(arguments, dict):
        return f"{call}({arguments!r})"
    flat = dict(arguments)
    for key in _NESTED_ARGUMENTS:
        if isinstance(inner := flat.pop(key, None), dict):
            flat |= inner
    flat = {str(key).strip().replace(" ", "_"): item for key, item in flat.items() if item is not None}
    first = next((key for key in _FIRST_ARGUMENTS if key in flat), "")
    positional = [repr(flat.pop(first))] if first else []
    return f"{call}({', '.join([*positional, *(f'{key}={item!r}' for key, item in flat.items())])})"


def _calls(text: str) -> list[str]:
    """The layer of one text as often as it says; none when it names no layer."""
    text = _MODULE.sub("", _BULLET.sub("", text.strip().strip("`'\" .")))[:_LONGEST]
    text = _LABEL.sub("", text)
    if times := _TIMES.match(text):
        call = _call(times["first"] or times["second"])
        return [call] * int(times["before"] or times["after"]) if call else []
    call = _call(text)
    return [call] if call else []


def _call(text: str) -> str:
    """The call in a text, or what its words describe."""
    call = _checked(text)
    if call is None and (began := re.match(r"[A-Za-z_]\w*\(", text)):
        call = _checked(text[: _end_of_call(text, began.end())])
    if call is None and re.fullmatch(r"[A-Z]\w+", text):
        call = _checked(f"{text}()")
    return call or _described(text)


def _end_of_call(text: str, start: int) -> int:
    depth = 1
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place + 1
    return len(text)


def _checked(text: str) -> str | None:
    """The call in one spelling, or None. A call of a function of Python's own (`exec`, `open`) is no layer."""
    try:
        with warnings.catch_warnings(action="ignore"):  # Python's remarks on odd escapes are not for the user
            call = layer_call(text)
    except (ValueError, RecursionError, MemoryError):  # null bytes; nested hundreds of levels deep
        return None
    if call is None or not all(isinstance(node, _LITERALS) for node in ast.walk(call)):
        return None
    inner = [node for node in ast.walk(call) if isinstance(node, ast.Call)]
    names = [node.func.id if isinstance(node.func, ast.Name) else "_" for node in inner]
    if any(name.startswith("_") or hasattr(builtins, name) for name in names) or names[0] in ("Input", "InputLayer"):
        return None
    for keyword in (keyword for node in inner for keyword in node.keywords):
        if keyword.arg == "activation" and isinstance(keyword.value, ast.Name):
            keyword.value = ast.Constant(keyword.value.id)
    plain = ast.unparse(call)
    return None if _NEED_SIZE.fullmatch(plain) else plain


def _described(text: str) -> str:
    """`a dense layer with 64 units and ReLU` -> `Dense(64, activation='relu')`; empty when no words name a layer."""
    for words, call in _WORDS:
        if re.search(rf"\b(?:{words})", text, re.IGNORECASE):
            return _filled(call, text)
    return ""


def _filled(call: str, text: str) -> str:
    kernel = re.search(r"(\d+)\s?[x×]\s?\d+", text)
    plain = re.sub(r"\d+\s?[x×]\s?\d+(?:\s?[x×]\s?\d+)?|\b[123]-?d\b|(?<=[a-z])[123]d\b", "", text, flags=re.IGNORECASE)
    size = re.search(r"(?<![\d.])[1-9]\d*(?!\.?\d)", plain)
    rate = re.search(r"0?\.\d+", text)
    if "{size}" in call and size is None:
        return ""
    activation = _ACTIVATION.search(text)
    return call.format(
        size=size.group() if size else "",
        kernel=kernel.group(1) if kernel else "3",
        rate=rate.group() if rate else "0.5",
        activation=f", activation='{activation.group(1).lower()}'" if activation else "",
    )
