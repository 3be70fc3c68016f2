"""`dlcodegen bench code`, `bench ablation` and `bench temperature`: code for published or your own coding tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from dlcodegen.cli import options
from dlcodegen.cli.measuring import RESULTS, Fresh, measure, measured

if TYPE_CHECKING:
    from dlcodegen.context import Method
    from dlcodegen.evals.code_systems import Systems

_ABLATED = ["DLCodeGen", "wo_"]
_OUT = "A line for each output: id, code, what its check found. The scores go to a file beside it."
Tasks = Annotated[
    Path | None,
    typer.Option(metavar="FILE", show_default=False, help="JSON lines: id, requirement, dataset, reference."),
]
Pool = Annotated[
    Path | None,
    typer.Option(metavar="FILE", show_default=False, help="JSON lines with reference code to retrieve; the tasks'."),
]
ExcludeSelf = Annotated[
    bool, typer.Option("--exclude-self/--keep-self", help="Hide a task's own reference from its retrieval.")
]
Framework = Annotated[options.Framework, typer.Option(help="What the code is written with.")]
Seeds = Annotated[int, typer.Option(metavar="N", min=0, help="How many seeds; 0: three with a model, else one.")]
Limit = Annotated[int, typer.Option(metavar="N", min=0, help="The first N tasks; 0: all.")]
ModelOn = Annotated[
    str, typer.Option(metavar="TEXT", show_default=False, help="The model's machine, if it is another: for the report.")
]
Outputs = Annotated[Path | None, typer.Option("--out", metavar="FILE", show_default=False, help=_OUT)]


@dataclass(frozen=True)
class _Bench:
    """What the three commands have in common."""

    name: str
    tasks: Path | None
    pool: Path | None
    exclude_self: bool
    framework: options.Framework
    model_on: str
    limit: int
    out: Path | None
    fresh: bool
    as_json: bool

    def run(self, systems: "Systems", published: Sequence[str]) -> int:
        """Write what is missing and score it, beside published outputs with one of these words in their names."""
        from dlcodegen.corpus.store import cache_folder
        from dlcodegen.errors import SettingsError
        from dlcodegen.evals import code_files, code_outputs, code_table
        from dlcodegen.evals.code_pool import ReferencePool

        summary = code_table.summary if self.as_json else code_table.brief
        scores = RESULTS / f"{self.name}.jsonl" if self.out is None else self.out.with_name(_beside(self.out))
        try:
            path = self.tasks or code_files.published_tasks()
        except SettingsError as problem:
            steps = code_table.steps([], [], [], [], {"published tasks": str(problem)})
            return measure(self.name, steps, summary, scores, self.fresh, self.as_json)
        known = code_files.read_tasks(path)
        tasks = known[: self.limit or None]
        references = code_files.read_references(self.pool or path)
        outputs = measured(
            f"{self.name}: writing",
            code_outputs.steps(
                tasks,
                ReferencePool(references, not self.exclude_self),
                systems.contexts,
                self.framework,
                self.model_on,
            ),
            lambda rows: rows,
            self.out or cache_folder() / "bench" / f"{self.name}-outputs.jsonl",
            self.fresh,
        )
        beside = [file for file in code_files.published_codes(path) if any(word in file.stem for word in published)]
        steps = code_table.steps(tasks, known, beside, code_table.outputs_of(tasks, outputs), systems.absent)
        return measure(self.name, steps, summary, scores, self.fresh, self.as_json)


def code(  # noqa: PLR0913, PLR0917  one parameter an option
    tasks: Tasks = None,
    pool: Pool = None,
    exclude_self: ExcludeSelf = True,
    framework: Framework = "keras",
    methods: Annotated[
        str, typer.Option(metavar="NAME,NAME", show_default=False, help="direct, ps, c-cot, cedar, dlcodegen, ...")
    ] = "",
    model: options.Model = "offline",
    base_url: options.BaseUrl = "",
    model_on: ModelOn = "",
    seeds: Seeds = 0,
    limit: Limit = 0,
    out: Outputs = None,
    fresh: Fresh = False,
    as_json: options.AsJson = False,
) -> int:
    """Write code for every task, run it, and compare it with reference code: CodeBLEU and its parts (Table II).

    The tasks are the published ones, read where DLCODEGEN_PUBLISHED_DATA says,
    unless --tasks names others; published outputs beside them are scored too.
    Each task retrieves from the shipped samples and the other tasks' references.

    For example:

    dlcodegen bench code
    dlcodegen bench code --model local --methods direct,dlcodegen --limit 5
    dlcodegen bench code --tasks mine.jsonl --pool theirs.jsonl --out outputs.jsonl
    """
    from dlcodegen.context import Context
    from dlcodegen.evals import code_systems

    shared = _Bench("code", tasks, pool, exclude_self, framework, model_on, limit, out, fresh, as_json)
    chosen = _methods(methods) or code_systems.TABLE
    return shared.run(code_systems.of_table(Context(model=model, base_url=base_url), chosen, seeds), published=[""])


def ablation(  # noqa: PLR0913, PLR0917  one parameter an option
    tasks: Tasks = None,
    pool: Pool = None,
    framework: Framework = "keras",
    model: options.Model = "offline",
    base_url: options.BaseUrl = "",
    model_on: ModelOn = "",
    seeds: Seeds = 1,
    limit: Limit = 0,
    out: Outputs = None,
    fresh: Fresh = False,
    as_json: options.AsJson = False,
) -> int:
    """Leave out each part of the method: what is lost by CodeBLEU, and what by running the code (Table V)?

    For example:

    dlcodegen bench ablation --model local --limit 5
    """
    from dlcodegen.context import Context
    from dlcodegen.evals import code_systems

    shared = _Bench("ablation", tasks, pool, True, framework, model_on, limit, out, fresh, as_json)
    return shared.run(code_systems.of_parts(Context(model=model, base_url=base_url), seeds), published=_ABLATED)


def temperature(  # noqa: PLR0913, PLR0917  one parameter an option
    tasks: Tasks = None,
    pool: Pool = None,
    framework: Framework = "keras",
    model: options.Model = "offline",
    base_url: options.BaseUrl = "",
    model_on: ModelOn = "",
    seeds: Seeds = 1,
    limit: Limit = 0,
    out: Outputs = None,
    fresh: Fresh = False,
    as_json: options.AsJson = False,
) -> int:
    """See what the temperature of the model's sampling does, from 0 (greedy) to 2 (Figure 5), and the plan's decoding.

    Without a model the plan's decoding alone: greedy, by beam search, sampled, by consensus.

    For example:

    dlcodegen bench temperature
    dlcodegen bench temperature --model local --limit 3
    """
    from dlcodegen.context import Context
    from dlcodegen.evals import code_systems

    shared = _Bench("temperature", tasks, pool, True, framework, model_on, limit, out, fresh, as_json)
    return shared.run(code_systems.of_sampling(Context(model=model, base_url=base_url), seeds), published=[])


def _beside(out: Path) -> str:
    return f"{out.stem}.scores.jsonl"


def _methods(text: str) -> "Sequence[Method]":
    from dlcodegen.context import Method
    from dlcodegen.errors import SettingsError

    names = [name.strip() for name in text.split(",") if name.strip()]
    known: dict[str, Method] = {name: name for name in get_args(Method)}
    unknown = next((name for name in names if name not in known), None)
    if unknown:
        raise SettingsError(f"there is no method {unknown!r}: use any of {', '.join(known)}")
    return [known[name] for name in names]
