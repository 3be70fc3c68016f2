"""The layers of the plan against those that the running model really holds."""

import ast
from collections.abc import Sequence

from dlcodegen.execution.code_view import CodeView, Value
from dlcodegen.execution.conformance.built import Built, read_built
from dlcodegen.execution.conformance.layer_names import LEAVES, ONCE
from dlcodegen.execution.conformance.layers import LayerRow
from dlcodegen.execution.conformance.smoke import counts_are_lowered
from dlcodegen.execution.conformance.verdicts import judged
from dlcodegen.execution.conformance.wanted import Wanted
from dlcodegen.execution.observer.notes import MOST_LAYERS
from dlcodegen.report import Conformance, Seen, Verdict

_FROM_DATA = 100
"""A vocabulary or its logits from here on may be smaller in smoke mode, where the words come from synthetic data."""


def sharpened(view: CodeView, rows: Sequence[LayerRow], seen: Seen, smaller: dict[str, Value]) -> list[Conformance]:
    """The rows, changed where the layers of the running model show more than the code does.

    They can only confirm where they may not be all: the list was cut, or the script makes more than one model.
    """
    built = read_built(seen.get("layers", []), seen.get("framework", view.framework))
    if not built:
        return [row.row for row in rows]
    found = [_sharpen(row, _ordinal(rows, position), built, smaller) for position, row in enumerate(rows)]
    # What is not in a list of that length may exist.
    if len(built) < MOST_LAYERS and len(seen.get("optimizers", [])) <= 1 and _makes_one_model(view):
        return found
    return [new if new["verdict"] == "honoured" else row.row for new, row in zip(found, rows, strict=True)]


def _makes_one_model(view: CodeView) -> bool:
    """Whether what is trained is what `build_model` returns, and that is one thing; what Keras compiles is one, too."""
    build = view.function("build_model")
    if build is None:
        return len(view.calls_of("compile")) == 1
    returned = [node.value for node in view.inside(build) if isinstance(node, ast.Return)]
    return not any(isinstance(value, ast.Tuple | ast.List | ast.Dict) for value in returned)


def _sharpen(row: LayerRow, place: tuple[int, int], built: list[Built], smaller: dict[str, Value]) -> Conformance:
    wanted, leaves = row.wanted, LEAVES.get(row.wanted.kind, ())
    candidates = [layer for layer in built if layer.name in leaves]
    alike = [layer for layer in candidates if _is(layer, wanted)]
    by_module = row.use in leaves and row.use[:1].isupper()
    if row.row["verdict"] == "honoured" and not by_module:
        return row.row  # a block of the script's own, or a function: what it holds is not known by its name
    if not candidates:
        return _missing(row) if by_module else row.row
    free = next((layer for layer in alike if layer.left > 0 or wanted.kind not in ONCE), None)
    if free is not None:
        free.left -= 1
        return row.row if row.row["verdict"] == "honoured" else _shown(wanted, "honoured", free)
    if alike:
        return row.row if counts_are_lowered(smaller) else _too_few(row, alike)
    other = _nearest(wanted, candidates, place)
    if row.row["verdict"] == "contradicted" or _may_be_smaller(wanted, other, smaller):
        return row.row  # a line of code says more than what it builds
    return _shown(wanted, "contradicted", other)


def _nearest(wanted: Wanted, candidates: list[Built], place: tuple[int, int]) -> Built:
    """The layer that has most of the wanted numbers; of several the one at the same place, counted from either end."""

    def likeness(item: tuple[int, Built]) -> tuple[int, int]:
        index, layer = item
        same = sum(layer.numbers.get(key) == number for key, number in wanted.numbers.items())
        return same, -min(abs(index - place[0]), abs((len(candidates) - index) - (place[1] - place[0])))

    return max(enumerate(candidates), key=likeness)[1]


def _is(layer: Built, wanted: Wanted) -> bool:
    """Whether every number of the plan's layer is that of the built one, as far as it is printed."""
    return all(layer.numbers.get(key, number) == number for key, number in wanted.numbers.items())


def _may_be_smaller(wanted: Wanted, built: Built, smaller: dict[str, Value]) -> bool:
    """Whether smoke mode or its synthetic data can be why the built layer has smaller numbers."""
    for key, number in wanted.numbers.items():
        own = built.numbers.get(key, number)
        if not isinstance(own, int | float) or not isinstance(number, int | float) or own == number:
            continue
        from_data = key in ("vocab", "units") and number >= _FROM_DATA and wanted.kind in ("embedding", "dense")
        if own > number or not (from_data or any(_makes(default, number) for default in smaller.values())):
            return False
    return True


def _makes(default: Value, number: float) -> bool:
    """Whether a setting can be what the number comes from: itself, or a multiple, as widths of stages are."""
    return isinstance(default, int | float) and (default == number or (default > 1 and number % default == 0))


def _ordinal(rows: Sequence[LayerRow], position: int) -> tuple[int, int]:
    """The place of a layer among the plan's layers of its kind, and how many there are."""
    same = [index for index, row in enumerate(rows) if row.wanted.kind == rows[position].wanted.kind]
    return same.index(position), len(same)


def _shown(wanted: Wanted, verdict: Verdict, layer: Built) -> Conformance:
    return judged("layer", wanted.text, verdict, f"the running model has {layer.text}")


def _missing(row: LayerRow) -> Conformance:
    return judged("layer", row.wanted.text, "contradicted", f"the running model has no {row.use}")


def _too_few(row: LayerRow, alike: list[Built]) -> Conformance:
    reason = f"the running model has fewer of these layers than planned: {len(alike)} like {alike[0].text}"
    return judged("layer", row.wanted.text, "not found", reason)
