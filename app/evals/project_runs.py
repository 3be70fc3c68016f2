"""Does a sentence become the project that it asks for? One run of the graph for each sentence of the suite.

A run is a success when the code passed the whole ladder, its category is the right one, and it honours every fact that
the suite lists for the sentence. No model's opinion counts.
"""

from collections.abc import Callable, Iterable, Iterator
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

from dlcodegen.api import Project, generate
from dlcodegen.context import Context
from dlcodegen.errors import ModelError, RequirementError
from dlcodegen.evals.honoured_facts import judged_facts, shows_category
from dlcodegen.evals.journal import Row
from dlcodegen.evals.suite import Sentence

_OF_THE_PLAN = frozenset({
    "learning_rate", "batch_size", "epochs", "optimizer", "loss", "metric", "category", "input", "output", "preprocess",
    "layer",
})  # fmt: skip
"""Rows of conformance that judge a field of the plan; the others judge stated facts."""
_NOTHING_EXECUTED = ("not_executed", "sandbox_error", "unchecked")


class Way(NamedTuple):
    """How projects are made: who writes, by which method."""

    name: str
    context: Context


def way(context: Context) -> Way:
    """The way of these settings, named by what makes a difference: `local / dlcodegen, by segment`."""
    if context.writer_in_use == "syntax":
        who, by = "syntax writer", ""
    else:
        who, by = context.model_for("draft"), f", by {context.pieces_in_use}"
    drawn = "" if context.seed == Context().seed else f", seed {context.seed}"
    return Way(f"{who} / {context.method}{by}{drawn}", context)


def steps(ways: Iterable[Way], sentences: Iterable[Sentence]) -> Iterator[tuple[str, Callable[[], Row]]]:
    """Every way on the first sentence, then on the next: an unfinished measurement compares them on the same ones."""
    ways = list(ways)
    for sentence in sentences:
        for one in ways:
            yield f"{one.name} / {sentence.id}", lambda sentence=sentence, one=one: run(sentence, one)  # type: ignore[misc]


def run(sentence: Sentence, one: Way) -> Row:
    """The row of one run. Raises SettingsError when the model is set up wrongly."""
    context = one.context
    asked: Row = {
        "way": one.name,
        "sentence": sentence.id,
        "category": sentence.category,
        "kept": sentence.kept,
        "author": sentence.author,
        "framework": sentence.facts.get("framework", ""),
        "seed": context.seed,
        "model": "none" if context.writer_in_use == "syntax" else context.model_for("draft"),
        "facts": len(sentence.facts),
    }
    began = perf_counter()
    try:
        project = generate(
            sentence.requirement, dataset=sentence.dataset, framework=sentence.framework, context=context
        )
    except RequirementError as refusal:
        return asked | _nothing("refused", str(refusal), sentence, perf_counter() - began)
    except ModelError as failure:  # what the user then has in hand is nothing
        return asked | _nothing("model error", str(failure), sentence, perf_counter() - began)
    seconds = perf_counter() - began
    if project.status in _NOTHING_EXECUTED:
        return {"absent": f"nothing could be executed here ({project.status}): see `dlcodegen doctor`"}
    pieces = "" if context.writer_in_use == "syntax" else context.pieces_in_use
    return asked | _judged(sentence, project) | _course(project) | {"seconds": round(seconds, 1), "pieces": pieces}


def summary(rows: list[Row]) -> list[Row]:
    """A row for each way and part: how many sentences became what they ask for, and what that took."""
    measured = [row for row in rows if "absent" not in row]
    groups = dict.fromkeys((row["way"], _part(row)) for row in measured)
    return [_summed(*group, [row for row in measured if (row["way"], _part(row)) == group]) for group in groups]


def _judged(sentence: Sentence, project: Project) -> Row:
    """What the delivered project is, beside what the sentence asks for."""
    chosen = next(row for row in project.report["candidates"] if row["name"] == project.report["chosen"])
    reported, code = chosen["conformance"], project.files["main.py"]
    verdicts = judged_facts(sentence, code, reported)
    right = shows_category(sentence, project.plan, code)
    planned = [row for row in reported if row["name"] in _OF_THE_PLAN]
    missed = [f"{name} {row['expected']} is {row['verdict']}" for name, row in verdicts.items() if not _honours(row)]
    reasons = [
        *([] if project.status == "passed" else [f"did not pass: {_error(chosen)}"]),
        *([] if right else [f"planned as {project.plan.get('Task Category', 'something else')}"]),
        *missed,
    ]
    return {
        "status": project.status,
        "passed": project.status == "passed",
        "category right": right,
        "honoured": len(verdicts) - len(missed),
        "contradicted": sum(row["verdict"] == "contradicted" for row in verdicts.values()),
        "plan fields": len(planned),
        "plan honoured": sum(_honours(row) for row in planned),
        "success": not reasons,
        **_why(sentence, reasons),
    }


def _course(project: Project) -> Row:
    """What happened on the way: which candidates ran, and what the models cost."""
    candidates = {row["name"]: row["status"] == "passed" for row in project.report["candidates"]}
    later = {name: ran for name, ran in candidates.items() if name == "merged" or name.startswith("repair")}
    drafts = [ran for name, ran in candidates.items() if name not in later]
    usage = project.report["usage"]
    asked = {stage: counts for stage, counts in usage.items() if counts.get("calls")}
    return {
        "drafts": len(drafts),
        "drafts that run": sum(drafts),
        "merged runs": later.get("merged"),
        "mended runs": any((later or candidates).values()),
        "repairs": sum(name.startswith("repair") for name in later),
        "chosen": project.report["chosen"],
        "tokens": {stage: _tokens(counts) for stage, counts in asked.items()},
        "calls": sum(counts["calls"] for counts in asked.values()),
    }


def _nothing(status: str, reason: str, sentence: Sentence, seconds: float) -> Row:
    """A run that delivered nothing."""
    counts = ("honoured", "contradicted", "plan fields", "plan honoured", "drafts", "drafts that run", "repairs")
    return {
        "status": status,
        "passed": False,
        "category right": False,
        "success": False,
        **dict.fromkeys(counts, 0),
        "merged runs": None,
        "mended runs": False,
        "tokens": {},
        "calls": 0,
        "seconds": round(seconds, 1),
        **_why(sentence, [f"{status}: {reason}"]),
    }


def _why(sentence: Sentence, reasons: list[str]) -> Row:
    """Nobody looks at the kept sentences: of them there is a figure, and no reason."""
    return {} if sentence.kept else {"why not": reasons}


def _part(row: Row) -> str:
    return "others" if row.get("author") == "others" else "kept" if row["kept"] else "open"


def _summed(name: str, part: str, rows: list[Row]) -> Row:
    merged = [row["merged runs"] for row in rows if row["merged runs"] is not None]
    return {
        "way": name,
        "part": part,
        "sentences": len(rows),
        "facts a sentence": round(sum(row["facts"] for row in rows) / len(rows), 1),
        "success %": _percent(row["success"] for row in rows),
        "delivered runs %": _percent(row["passed"] for row in rows),
        "category right %": _percent(row["category right"] for row in rows),
        "facts honoured %": _share(rows, "honoured", "facts"),
        "facts contradicted %": _share(rows, "contradicted", "facts"),
        "plan honoured %": _share(rows, "plan honoured", "plan fields"),
        "first drafts run %": _share(rows, "drafts that run", "drafts"),
        "merged runs %": _percent(merged),
        "after repair %": _percent(row["mended runs"] for row in rows),
        "repairs": sum(row["repairs"] for row in rows),
        "median s": round(median(row["seconds"] for row in rows), 1),
        "tokens a project": round(sum(sum(row["tokens"].values()) for row in rows) / len(rows)),
    }


def _percent(truths: Iterable[bool]) -> float | None:
    found = list(truths)
    return round(100 * sum(found) / len(found), 1) if found else None


def _share(rows: list[Row], part: str, whole: str) -> float | None:
    total = sum(row[whole] for row in rows)
    return round(100 * sum(row[part] for row in rows) / total, 1) if total else None


def _honours(row: Any) -> bool:
    return bool(row["verdict"] == "honoured")


def _error(candidate: dict[str, Any]) -> str:
    error = candidate["error"]
    return f"{error['rung']}: {error['exception']} {error['message']}" if error else str(candidate["status"])


def _tokens(counts: dict[str, float]) -> int:
    return round(counts.get("input_tokens", 0) + counts.get("output_tokens", 0))
