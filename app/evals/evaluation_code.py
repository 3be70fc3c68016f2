"""The sections on generated code: Table II of the paper, its ablation (Table V), and temperature (Figure 5)."""

from collections.abc import Sequence

from dlcodegen.evals import code_table
from dlcodegen.evals.code_scores import DECIMALS, CodeScores
from dlcodegen.evals.journal import Row
from dlcodegen.evals.sections import Bars, Block, Cell, Curves, Part, Strong, Table, Text

_SCORES = [name.replace("_", "-") for name in CodeScores._fields if name not in ("parses", "names", "lines")]
_SOUND = ("answered", "parses", "names", "no placeholder", *code_table.EXECUTED)
_WHAT_COLUMNS_MEAN = Text(
    "More is better. `answered`: there is code at all; empty code counts as it is, with a CodeBLEU near zero, though\n"
    "Python takes it. `names`: code without an undefined name; `no placeholder`: Python without a path that nobody\n"
    "has, or a body left empty; `smoke run`: it ran to its end in the sandbox, under Keras's torch backend; `passed`:\n"
    "the whole ladder. What others published was not executed: it needs data that is not there. `±`: standard\n"
    "deviation of CodeBLEU over the seeds. Its dataflow part depends on the hash seed, which is fixed here."
)


def of_code(rows: list[Row]) -> list[Block]:
    """What the paper's systems, ours, and the floor score on the same tasks."""
    lines = code_table.comparable(rows)
    return [
        Text(
            "Coding tasks with a published reference, a Kaggle notebook each. `published:` what the paper's systems\n"
            "wrote; the others are modes of our graph, retrieving from the shipped samples and the **other** tasks'\n"
            "references. Bold: best but for the floor."
        ),
        *(_warning(line["CodeBLEU"]) for line in lines if line["system"] == code_table.FLOOR),
        _WHAT_COLUMNS_MEAN,
        _table(lines),
        Bars("CodeBLEU", [line["system"] for line in lines], {"CodeBLEU": [line["CodeBLEU"] for line in lines]}),
        *_stopped(rows),
    ]


def of_ablation(rows: list[Row]) -> list[Block]:
    """What each part of the method is worth."""
    lines = code_table.comparable(rows)
    executed = [line for line in lines if "passed" in line]
    return [
        Text(
            "The method without one of its parts at a time: edges of the graph switched off. `published: ..._wo_CR`:\n"
            "the paper's own ablation, without Code RAG; `TR`: Template RAG; `Comparison`: the comparative merge."
        ),
        _WHAT_COLUMNS_MEAN,
        _table(lines),
        *([_by_execution(executed)] if executed else []),
        *_stopped(rows),
    ]


def _by_execution(lines: list[Row]) -> Bars:
    return Bars(
        "By CodeBLEU and by execution",
        [line["system"] for line in lines],
        {name: [line[name] for line in lines] for name in ("CodeBLEU", *code_table.EXECUTED)},
    )


def of_temperature(rows: list[Row]) -> list[Block]:
    """What sampling more freely does, and what the decoding of the plan."""
    warm = [row for row in rows if row.get("temperature") is not None]
    return [_WHAT_COLUMNS_MEAN, *(_warmer(warm) if warm else []), *_plan_decodings(rows)]


def _warmer(rows: list[Row]) -> list[Block]:
    warmth = {row["system"]: row["temperature"] for row in rows}
    lines = sorted(code_table.comparable(rows), key=lambda line: warmth[line["system"]])
    return [
        Text("The whole method, with the temperature of the model's sampling from 0 (greedy) to 2."),
        _table(lines, rows),
        Curves(
            "Figure 5 of the paper, and what runs",
            [warmth[line["system"]] for line in lines],
            {name: [line[name] for line in lines] for name in ("CodeBLEU", *code_table.EXECUTED)},
            x_title="temperature",
            of=rows,
        ),
    ]


def _plan_decodings(rows: list[Row]) -> list[Block]:
    """A model takes long for a task: each writer has its own number of tasks."""
    ours = [row for row in rows if "decoding" in row and row["temperature"] is None]
    by_writer = [
        [row for row in ours if row["model"] == model] for model in dict.fromkeys(row["model"] for row in ours)
    ]
    lines = [line for group in by_writer for line in code_table.comparable(group)]
    what = Text(
        "How the predictor writes the layers and texts of the plan that the code is written from: likeliest words\n"
        "first (where nothing is said of the plan), by a beam search with three hypotheses, sampled once, and by\n"
        "consensus of several samples."
    )
    return [what, _table(lines, ours)] if lines else []


def _warning(floor: float) -> Text:
    return Text(
        f"**What CodeBLEU says.** Copying the reference of whatever other task sounds most alike, unchanged, has\n"
        f"{floor:.1f}, though it solves another task. So CodeBLEU says whether code looks like a Kaggle notebook, not\n"
        "whether it does what was asked. It is reported because the paper reports it; nothing of ours is tuned for it."
    )


def _table(lines: Sequence[Row], of: Sequence[Row] = ()) -> Table:
    shares = (*_SCORES, *_SOUND)
    tops = {
        name: max((_rounded(line[name]) for line in lines if name in line and _is_rival(line)), default=None)
        for name in shares
    }
    head = ["system", "tasks", "seeds", *shares[: len(_SCORES)], "±", *_SOUND, "lines", "s a task", "tokens a task"]
    return Table(head, [_cells(line, tops) for line in lines], of)


def _cells(line: Row, tops: dict[str, float | None]) -> list[Cell]:
    def marked(name: str) -> Cell:
        if name not in line:
            return None
        text = f"{line[name]:.{DECIMALS if name in _SCORES else 0}f}"
        best = _is_rival(line) and _rounded(line[name]) == tops[name]
        return Strong(text) if best else text

    spread = f"{line['±']:.{DECIMALS}f}" if "±" in line else None
    return [
        *(line["system"], line["tasks"], line["seeds"]),
        *map(marked, _SCORES),
        spread,
        *map(marked, _SOUND),
        f"{line['lines']:.0f}",
        line.get("seconds a task"),
        line.get("tokens a task"),
    ]


def _is_rival(line: Row) -> bool:
    return bool(line["system"] != code_table.FLOOR)


def _rounded(value: float) -> float:
    return round(value, DECIMALS)


def _stopped(rows: Sequence[Row]) -> list[Block]:
    """Outputs of ours that did not pass, and where they stopped."""
    found = [[row["system"], row["seed"], text] for row in rows for text in row.get("stopped", ())]
    table = Table(["system", "seed", "task: where it stopped"], found)
    return [Part("What did not pass", [table], folded=True)] if found else []
