"""The sections of the report, in their order: what was measured, how, and what is not known."""

from pathlib import Path

from dlcodegen.errors import InputError
from dlcodegen.evals import (
    evaluation_code,
    evaluation_corpus,
    evaluation_execution,
    evaluation_plans,
    evaluation_runs,
    headline,
)
from dlcodegen.evals.journal import Row, read_journal
from dlcodegen.evals.sections import Entry, Section, section

ENTRIES = (
    Entry(
        "plans",
        "Predicted plans",
        "dlcodegen bench plans",
        evaluation_plans.of_plans,
        seed="42 (training), 7 and 11 (phrasings)",
        model="our GPT-2",
    ),
    Entry("code", "Generated code", "dlcodegen bench code", evaluation_code.of_code),
    Entry("ablation", "What each part is worth", "dlcodegen bench ablation", evaluation_code.of_ablation),
    Entry("temperature", "Temperature", "dlcodegen bench temperature", evaluation_code.of_temperature),
    Entry("runs", "From a sentence to a project that runs", "dlcodegen bench runs", evaluation_runs.of_runs, seed="42"),
    Entry("models", "What models add", "dlcodegen bench models", evaluation_runs.of_models, seed="42"),
    Entry(
        "retrieval",
        "Is the right sample found?",
        "dlcodegen bench corpus retrieval",
        evaluation_corpus.of_retrieval,
        model="our GPT-2 (tasks, plans); an embedding model where a way is dense or has a second opinion",
    ),
    Entry(
        "duplicates",
        "Which rule keeps copies out?",
        "dlcodegen bench corpus duplicates",
        evaluation_corpus.of_duplicates,
    ),
    Entry("growth", "What a large pool costs", "dlcodegen bench corpus growth", evaluation_corpus.of_growth, seed="0"),
    Entry(
        "derivation", "Plans derived from code", "dlcodegen bench corpus derivation", evaluation_corpus.of_derivation
    ),
    Entry("samples", "The samples, proved", "dlcodegen bench corpus samples", evaluation_corpus.of_samples),
    Entry("sandbox", "What the sandbox costs", "dlcodegen bench sandbox", evaluation_execution.of_sandbox),
    Entry("ladder", "What the ladder catches", "dlcodegen bench ladder", evaluation_execution.of_ladder),
)


def sections(folder: Path, quick: bool = False) -> list[Section]:
    """All sections; one whose journal is not in `folder` says what makes it. `quick`: without the headline figures.

    Raises InputError when no benchmark has left results there, or when a journal is none.
    """
    rows = {entry.journal: read_journal(folder / f"{entry.journal}.jsonl") for entry in ENTRIES}
    if not any(rows.values()):
        raise InputError(f"there are no results in {folder}: run `dlcodegen bench sandbox` first")
    titles = {entry.journal: entry.title for entry in ENTRIES}
    found = [_section(entry, rows[entry.journal], folder) for entry in ENTRIES]
    return found if quick else [headline.section(rows, titles), *found]


def _section(entry: Entry, rows: list[Row], folder: Path) -> Section:
    """Raises InputError when the rows are those of an older version."""
    try:
        return section(entry, rows)
    except KeyError as error:
        raise InputError(
            f"a row in {folder / entry.journal}.jsonl has no {error}: measure anew with `{entry.command} --fresh`"
        ) from error
