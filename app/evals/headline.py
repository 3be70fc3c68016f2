"""The one table of the first page: what the paper reports, what we measured, what we do not know.

README.md, docs/EVALUATION.md and the HTML report all show it. It is made from the journals, so it cannot go stale: a
figure that was not measured says so.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from dlcodegen.errors import InputError
from dlcodegen.evals import code_table, ladder_faults, pool_proof, project_runs
from dlcodegen.evals.evaluation_plans import BEST_OF_OURS
from dlcodegen.evals.journal import Row
from dlcodegen.evals.report import markdown
from dlcodegen.evals.sections import Cell, Link, Section, Table, Text, anchor

BEGIN, END = "<!-- headline: written by `dlcodegen bench report` -->", "<!-- /headline -->"
"""Between these two lines the table stands in README.md."""
_NOT_MEASURED = "not measured yet"
_HEAD = ("", "the paper", "we measured", "we do not know")
Journals = Mapping[str, Sequence[Row]]


class _Claim(NamedTuple):
    what: str
    journal: str
    """Whose section it leads to."""
    paper: Callable[[Sequence[Row]], str]
    ours: Callable[[Sequence[Row]], str]
    unknown: str


def section(journals: Journals, titles: Mapping[str, str]) -> Section:
    """The table as the first section. `titles`: journal -> title of its section."""
    about = Text(
        "Figures of the paper are what its published outputs get from our scorers, which need no word of ours; only\n"
        "the gains in CodeBLEU and in human judgement are quoted from its abstract."
    )
    return Section("headline", "In short", [about, table(journals, titles)])


def table(journals: Journals, titles: Mapping[str, str]) -> Table:
    """A line for each claim."""
    lines: list[list[Cell]] = []
    for claim in _CLAIMS:
        rows = [row for row in journals.get(claim.journal, ()) if "absent" not in row]
        what = Link(claim.what, anchor(titles[claim.journal])) if claim.journal in titles else claim.what
        lines.append([what, *map(Text, (claim.paper(rows), claim.ours(rows), claim.unknown))])
    return Table(_HEAD, lines)


def in_readme(readme: str, headline: Section, page: str) -> str:
    """The text of README.md with the table in its place, its links leading into `page`.

    Raises InputError when it has no such place.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise InputError(f"README.md has no place for the table: write the lines {BEGIN} and {END} into it")
    (shown,) = (block for block in headline.blocks if isinstance(block, Table))
    return f"{before}{begin}\n\n{markdown.table(shown.head, shown.rows, page)}\n{end}{after}"


def _paper_plans(rows: Sequence[Row]) -> str:
    found = _keyed(rows, "published: GPT-2-Large_Beam")
    return f"GPT-2 Large: {_plan(found)}" if found else _NOT_MEASURED


def _our_plans(rows: Sequence[Row]) -> str:
    parts = {
        "trained on the paper's rows, a base that has read the web": _keyed(rows, BEST_OF_OURS),
        "small networks of ours": _keyed(rows, "paper protocol: networks, classifiers and memory, consensus"),
        "the weights we ship, which never saw such rows": _keyed(rows, "shipped weights, greedy"),
        "with the task classifier and the request's words, as in a run": _keyed(
            rows, "shipped weights, the task read as in a run"
        ),
    }
    return "\n".join(f"{name}: {_plan(row)}" for name, row in parts.items() if row) or _NOT_MEASURED


def _plan(row: Row) -> str:
    return f"BLEU {row['BLEU']:.1f}, category {row['category']:.3g}%, valid {row['valid']:.3g}%"


def _paper_code(rows: Sequence[Row]) -> str:
    models = {"GPT-4o-mini": "gpt-4o-mini", "DeepSeek-V2.5": "deepseek"}
    lines = code_table.comparable(rows)
    found = {name: _bleu(lines, "published: ", word, "DLCodeGen") for name, word in models.items()}
    figures = [f"{value:.1f} with {name}" for name, value in found.items() if value is not None]
    return "\n".join([*(figures or [_NOT_MEASURED]), "its abstract: +9.7% over other methods"])


def _our_code(rows: Sequence[Row]) -> str:
    lines = code_table.comparable(rows)
    ours = [
        f"{line['system']}: {line['CodeBLEU']:.1f}, {line['smoke run']:.0f}% run"
        for line in lines
        if "smoke run" in line
    ]
    floor = _bleu(lines, code_table.FLOOR)
    copied = [f"a neighbouring task's code, copied unchanged: {floor:.1f}"] if floor is not None else []
    return "\n".join([*(ours or [_NOT_MEASURED]), *copied])


def _bleu(lines: Sequence[Row], *words: str) -> float | None:
    """CodeBLEU of the system whose name has all these words."""
    found = (line["CodeBLEU"] for line in lines if all(word.lower() in line["system"].lower() for word in words))
    return next(found, None)


_MEASURED_ONLY = {"kept": "kept sentences", "others": "sentences by another hand"}


def _our_runs(rows: Sequence[Row]) -> str:
    counted = [row for row in project_runs.summary(list(rows)) if row["part"] in _MEASURED_ONLY]
    figures = [
        f"{row['way']}: {row['success %']:g}% of {row['sentences']} {_MEASURED_ONLY[row['part']]} of"
        f" {row['facts a sentence']:g} facts each, {row['delivered runs %']:g}% run"
        for row in counted
    ]
    return "\n".join(figures) or _NOT_MEASURED


def _our_models(rows: Sequence[Row]) -> str:
    whole = [row for row in project_runs.summary(list(rows)) if " / no-" not in row["way"]]
    figures = [f"{row['way']}: {row['delivered runs %']:g}% run" for row in whole]
    return "\n".join(figures) or _NOT_MEASURED


def _our_faults(rows: Sequence[Row]) -> str:
    expected = [row for row in rows if row.get("expected")]
    if not expected:
        return _NOT_MEASURED
    sound = ladder_faults.summary(list(rows))[-1]
    return (
        f"{sum(row['caught_by'] != '' for row in expected)} of {len(expected)} planted faults that a check should see\n"
        f"{sound['caught']} false alarms on {sound['planted']} sound scripts"
    )


def _our_retrieval(rows: Sequence[Row]) -> str:
    found = {row["category"]: row for row in rows if row["part"] == "kept" and "what a run does" in row["way"]}
    said = {"known": "the task known", "predicted": "the task read from the sentence"}
    figures = [
        f"{100 * found[name]['hit@1']:.0f}% of {found[name]['pairs']} kept sentences, {words}"
        for name, words in said.items()
        if name in found
    ]
    return "\n".join(figures) or _NOT_MEASURED


def _our_samples(rows: Sequence[Row]) -> str:
    if not rows:
        return _NOT_MEASURED
    frameworks = pool_proof.summary(list(rows))
    return ", ".join(f"{row['stand']} of {row['samples']} in {row['framework']}" for row in frameworks)


def _keyed(rows: Sequence[Row], key: str) -> Row | None:
    return next((row for row in rows if row["key"] == key), None)


def _said(text: str) -> Callable[[Sequence[Row]], str]:
    return lambda _: text


_CLAIMS = (
    _Claim(
        "Plans predicted from a sentence",
        "plans",
        _paper_plans,
        _our_plans,
        "the half of the test rows that we do not have",
    ),
    _Claim(
        "Code like the reference (CodeBLEU)",
        "code",
        _paper_code,
        _our_code,
        "whether likeness to a notebook is worth anything to you",
    ),
    _Claim(
        "A sentence becomes the project it asks for, and runs",
        "runs",
        _said("not executed"),
        _our_runs,
        "sentences of people who use it",
    ),
    _Claim(
        "With a chat model",
        "models",
        _said("GPT-4o-mini and DeepSeek-V2.5, not executed"),
        _our_models,
        "what those two would do here: no key was at hand",
    ),
    _Claim(
        "Mistakes in generated code are caught",
        "ladder",
        _said("no check"),
        _our_faults,
        "how many other mistakes models make",
    ),
    _Claim(
        "The right sample comes first",
        "retrieval",
        _said("not reported"),
        _our_retrieval,
        "pools of your own code",
    ),
    _Claim(
        "Samples that run and learn",
        "samples",
        _said("not reported"),
        _our_samples,
        "real data: they learn on synthetic data here",
    ),
    _Claim(
        "People's judgement",
        "",
        _said("+3.6% over other methods (its abstract)"),
        _said("nothing"),
        "what people think of the projects",
    ),
)
