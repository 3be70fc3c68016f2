"""The layers of the plan against those that the running model really holds."""

from collections.abc import Sequence

from dlcodegen.execution.code_view import CodeView, Value
from dlcodegen.execution.conformance_built import Built, read_built
from dlcodegen.execution.conformance_layers import LayerRow
from dlcodegen.execution.conformance_smoke import counts_are_lowered
from dlcodegen.execution.conformance_wanted import Wanted
from dlcodegen.execution.judging import judged
from dlcodegen.execution.layer_names import LEAVES, ONCE
from dlcodegen.report import Conformance, Seen

_MOST_LAYERS = 300
"""The observer lists so many layers at the most: what is not in a list of that length may exist."""
_FROM_DATA = 100
"""A vocabulary or its logits from here on may be smaller in smoke mode, where the words come from synthetic data."""


def sharpened(view: CodeView, rows: Sequence[LayerRow], seen: Seen, smaller: dict[str, Value]) -> list[Conformance]:
    """The rows, changed where the layers of the running model show more than the code does.

    Left as they are where the list may not hold all: it was cut, or the script trains more than one model.
    """
    built = read_built(seen.get("layers", []), seen.get("framework", view.framework))
    if not built or len(built) >= _MOST_LAYERS or len(seen.get("optimizers", [])) > 1:
        return [row.row for row in rows]
    return [_sharpen(row, _ordinal(rows, position), built, smaller) for position, row in enumerate(rows)]


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
    other = candidates[-1] if place[0] == place[1] - 1 else candidates[min(place[0], len(candidates) - 1)]
    if _may_be_smaller(wanted, other, smaller):
        return row.row
    return _shown(wanted, "contradicted", other)


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
        if own > number or not (smaller or from_data):
            return False
    return True


def _ordinal(rows: Sequence[LayerRow], position: int) -> tuple[int, int]:
    """The place of a layer among the plan's layers of its kind, and how many there are."""
    same = [index for index, row in enumerate(rows) if row.wanted.kind == rows[position].wanted.kind]
    return same.index(position), len(same)


def _shown(wanted: Wanted, verdict: str, layer: Built) -> Conformance:
    sentence = f"the running model has {layer.text}"
    return judged("layer", wanted.text, "honoured" if verdict == "honoured" else "contradicted", sentence)


def _missing(row: LayerRow) -> Conformance:
    return judged("layer", row.wanted.text, "contradicted", f"the running model has no {row.use}")


def _too_few(row: LayerRow, alike: list[Built]) -> Conformance:
    reason = f"the running model has fewer of these layers than planned: {len(alike)} like {alike[0].text}"
    return judged("layer", row.wanted.text, "not found", reason)
