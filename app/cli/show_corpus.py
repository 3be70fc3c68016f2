"""What `dlcodegen corpus` prints."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from dlcodegen.cli import show
from dlcodegen.corpus.own import OwnCorpus
from dlcodegen.corpus.retrieval import Ranked
from dlcodegen.corpus.sample import Sample
from dlcodegen.corpus.store import cache_folder
from dlcodegen.corpus.verify import Proof
from dlcodegen.delivery.markdown import printable
from dlcodegen.execution.diagnosis import clean

_SLUG = 27
"""Characters of the longest slug that is shipped, indented."""


def entry(sample: Sample) -> dict[str, Any]:
    """A sample for machines, without code and plan."""
    return {
        "id": sample.id,
        "title": sample.title,
        "category": sample.category,
        "framework": sample.framework,
        "lines": sample.code.count("\n"),
        "licence": sample.licence,
        "source": sample.source,
        "by_contract": sample.by_contract,
    }


def listing(samples: Sequence[Sample]) -> None:
    """A line each, below their categories."""
    console = Console()
    for category in dict.fromkeys(sample.category for sample in samples):
        table = _columns()
        for sample in samples:
            if sample.category == category:
                name = sample.id.split("/", maxsplit=1)[1]
                table.add_row(
                    Text(f"  {printable(name)}"), *map(_text, (sample.title, sample.framework, _lines(sample)))
                )
        console.print(Text(printable(category), "bold"))
        console.print(table)
    own = sum(bool(sample.source) for sample in samples)
    many = f"{len(samples)} sample{'' if len(samples) == 1 else 's'}"
    console.print(Text(many + (f", {own} of them yours" if own else ""), "dim"))


def hits(found: Sequence[Ranked]) -> None:
    """What a search found, best first."""
    console = Console()
    if not found:
        console.print("nothing was found: use other words, or no --category")
    for item in found:
        console.print(Text.assemble((f"{item.score:6.1f}  ", "cyan"), (printable(item.sample.id), "bold")))
        about = f"{item.sample.title} ({item.sample.framework}, {_lines(item.sample)} lines)"
        console.print(Text(f"        {printable(about)}", "dim"), soft_wrap=True)


def _columns() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, min_width=_SLUG)
    table.add_column(ratio=1)
    table.add_column(no_wrap=True, style="dim", min_width=7)
    table.add_column(no_wrap=True, justify="right", style="dim", min_width=4)
    table.expand = True
    return table


def _lines(sample: Sample) -> str:
    return str(sample.code.count("\n"))


def whole(sample: Sample) -> None:
    """What it is, its plan, its code."""
    console = Console()
    console.print(Text(printable(sample.id), "bold"))
    origin = sample.source or "DLCodeGen's own"
    kept = "kept" if sample.by_contract else "not kept: it serves as an example to a chat model only"
    facts = [("title", sample.title), ("framework", sample.framework), ("licence", sample.licence)]
    console.print(show.grid([*facts, ("source", origin), ("contract", kept), *show.of_plan(sample.plan)]))
    console.print()
    console.print(Syntax(clean(sample.code, len(sample.code)), "python", background_color="default"))


def counted(samples: Iterable[Sample]) -> dict[str, Any]:
    """How many of what, and where they are kept."""
    own, known = OwnCorpus(), list(samples)
    categories = Counter(sample.category for sample in known)
    return {
        "samples": len(known),
        "shipped": sum(not sample.source for sample in known),
        "own": sum(bool(sample.source) for sample in known),
        "lines": sum(sample.code.count("\n") for sample in known),
        "categories": {
            name: dict(Counter(sample.framework for sample in known if sample.category == name))
            for name in sorted(categories)
        },
        "frameworks": dict(Counter(sample.framework for sample in known)),
        "licences": dict(Counter(sample.licence for sample in known)),
        "kept in": {"your corpus": own.place, "indexes": str(cache_folder())},
    }


def counts(content: Mapping[str, Any]) -> None:
    """The same for people."""
    by_category = content["categories"]
    frameworks = sorted(content["frameworks"])
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("task category")
    for name in frameworks:
        table.add_column(name, justify="right")
    for category, found in by_category.items():
        table.add_row(_text(category), *(str(found.get(name, "")) for name in frameworks))
    table.add_section()
    table.add_row(f"{len(by_category)} categories", *(str(content["frameworks"][name]) for name in frameworks))
    Console().print(table)
    licences = ", ".join(f"{name} {count}" for name, count in content["licences"].items())
    totals = f"{content['samples']}: {content['shipped']} shipped, {content['own']} your own"
    lines = f"{content['lines']:,}"
    rows = [("samples", totals), ("lines", lines), ("licences", licences), *content["kept in"].items()]
    Console().print(show.grid(rows))


def _text(text: str) -> Text:
    return Text(printable(text))


def proof_line(proof: Proof) -> Text:
    """One sample's proof, as soon as it is known."""
    mark = ("✓ ", "green") if proof.stands else ("✗ ", "red")
    seconds = (f"{proof.report['seconds']:6.1f} s  ", "dim")
    return Text.assemble(mark, seconds, f"{printable(proof.sample.id)}  ", (_said(proof), "dim"))


def _said(proof: Proof) -> str:
    error, learned = proof.report["error"], proof.learned
    if error:
        return printable(f"{error['rung']}: {error['exception']} {error['message']}")[:160]
    if proof.report["status"] != "passed":
        return proof.report["rungs"][-1]["message"]
    if learned is None:
        return "passed; its metric cannot be compared with that of untrained weights"
    found = f"{learned.metric} {learned.untrained:.3g} untrained, {learned.trained:.3g} trained"
    missed = [row["name"] for row in proof.report["conformance"] if row["verdict"] != "honoured"]
    remarks = [] if learned.clearly else ["not clearly better"]
    return "; ".join([found, *remarks, *([f"not honoured: {', '.join(missed)}"] if missed else [])])


def seconds(proofs: Sequence[Proof]) -> dict[str, float]:
    """Where the time went: rung -> seconds over all samples, most first."""
    total: Counter[str] = Counter()
    for proof in proofs:
        for rung in proof.report["rungs"]:
            total[rung["name"]] += rung["seconds"]  # type: ignore[assignment]
    return {name: round(spent, 2) for name, spent in total.most_common()}


def proofs(made: Sequence[Proof]) -> None:
    """How many stand, and where the time went."""
    spent = seconds(made)
    most = ", ".join(f"{name} {value:.1f} s" for name, value in list(spent.items())[:4])
    slowest = sorted(made, key=lambda proof: -proof.report["seconds"])[:3]
    named = ", ".join(f"{proof.sample.id} {proof.report['seconds']:.1f} s" for proof in slowest)
    rows = [
        ("stand", f"{sum(proof.stands for proof in made)} of {len(made)}"),
        ("seconds", f"{sum(spent.values()):.1f} in all checks: {most}"),
        ("slowest", named),
    ]
    Console().print(show.grid(rows))
