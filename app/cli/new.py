"""`dlcodegen new`: from one sentence to a project folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dlcodegen.cli import options
from dlcodegen.errors import SettingsError

if TYPE_CHECKING:
    from dlcodegen.state import InputState

_EXIT_CODES = {"passed": 0, "unchecked": 0, "failed": 3, "not_executed": 3, "sandbox_error": 1}


def new(  # noqa: PLR0913, PLR0917  one parameter an option
    requirement: options.Requirement,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", show_default=False, help="Folder of the project to make.")
    ] = None,
    dataset: options.Dataset = "",
    data: Annotated[
        str, typer.Option(metavar="PATH", show_default=False, help="Your data, if it is on this computer.")
    ] = "",
    framework: options.FrameworkOption = None,
    model: options.Model = "offline",
    base_url: options.BaseUrl = "",
    model_plan: options.ModelPlan = "",
    model_draft: options.ModelDraft = "",
    model_merge: options.ModelMerge = "",
    model_repair: options.ModelRepair = "",
    max_tokens: options.MaxTokens = 0,
    max_cost: options.MaxCost = 0,
    prices: options.Prices = "",
    pieces: options.Pieces = "auto",
    answers: options.Answers = 4,
    temperature: options.Temperature = None,
    planner: options.PlannerOption = "auto",
    decode: options.PlanDecoding = "greedy",
    writer: Annotated[
        Literal["auto", "syntax", "llm"], typer.Option(help="Who writes the code; syntax needs no chat model.")
    ] = "auto",
    samples: Annotated[int, typer.Option(metavar="N", help="How many samples are retrieved from the pool.")] = 3,
    embeddings: Annotated[
        str,
        typer.Option(
            metavar="PROVIDER:NAME", show_default=False, help="Embedding model, for a second opinion on samples."
        ),
    ] = "",
    embeddings_url: Annotated[
        str, typer.Option(metavar="URL", show_default=False, help="OpenAI-compatible server of embeddings.")
    ] = "",
    repairs: Annotated[int, typer.Option(metavar="N", help="How many repairs are tried at the most.")] = 3,
    time_limit: options.TimeLimit = 60,
    sandbox: options.Sandbox = "auto",
    accept_unsandboxed: options.AcceptUnsandboxed = False,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the project, and of a model that takes one.")] = 42,
    no_check: Annotated[bool, typer.Option("--no-check", help="Hand the code over without running it.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the project in a folder that is not empty.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Add the project to your own samples if it passed and is none of them yet.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the prompts that a chat model would get; call none.")
    ] = False,
    as_json: options.AsJson = False,
) -> int:
    r"""Make a deep-learning project from one sentence.

    The code is run and checked before it is handed over. README.md in the
    folder says what was honoured of your sentence, and what was not.
    Exit code 0: it passed; 3: it is there, but did not pass.

    For example:

    dlcodegen new "Classify 64x64 images into 5 kinds of flowers" --out flowers
    dlcodegen new "Forecast 24 hours of demand" --dataset "8 columns" --out demand
    dlcodegen new "Find roads in aerial images" --data ~/roads --out roads

    With a chat model:

    dlcodegen new "Tag named entities" --out tags --model openai:gpt-4o-mini
    dlcodegen new "Tag named entities" --out tags --model openai:local \
      --base-url http://localhost:8080/v1
    dlcodegen new "Tag named entities" --out tags --model openai:gpt-4o-mini \
      --prices 0.15/0.60 --max-cost 0.05
    """
    from dlcodegen.cli import show
    from dlcodegen.cli.dry_run import prompts as dry_run_prompts
    from dlcodegen.cli.run import run_graph
    from dlcodegen.context import Context
    from dlcodegen.delivery.folder import ensure_writable, write_project

    context = Context(
        writer=writer,
        model=model,
        base_url=base_url,
        model_plan=model_plan,
        model_draft=model_draft,
        model_merge=model_merge,
        model_repair=model_repair,
        max_tokens=max_tokens,
        max_cost=max_cost,
        prices=prices,
        pieces=pieces,
        answers=answers,
        temperature=temperature,
        planner=planner,
        plan_decoding=decode,
        samples=samples,
        embeddings=embeddings,
        embeddings_url=embeddings_url,
        repairs=repairs,
        check=not no_check,
        time_limit=time_limit,
        sandbox=sandbox,
        accept_unsandboxed=accept_unsandboxed,
        seed=seed,
    )
    request: InputState = {"requirement": requirement, "dataset": dataset, "data": data, "framework": framework or ""}
    if dry_run:
        show.prompts(dry_run_prompts(request, context), as_json)
        return 0
    if out is None:
        raise SettingsError("name the folder to make: --out DIR")
    ensure_writable(out, force)
    state = run_graph(request, context)
    write_project(state["files"], out, force)
    report = state["report"] | {"out": str(out)} | ({"kept": _keep(out, state)} if keep else {})
    if as_json:
        show.as_json(report)
    else:
        show.project(report, state["files"], data)
        if keep:
            typer.echo(f"\n{report['kept']}")
    return _EXIT_CODES[state["status"]]


def _keep(out: Path, state: dict[str, Any]) -> str:
    """What became of the project as a sample, in one line."""
    from dlcodegen.corpus.kept import keep
    from dlcodegen.plan import SolutionPlan
    from dlcodegen.report import best

    if state["status"] != "passed":
        return "not kept: it did not pass its check"
    report = best(state["candidates"])["report"]
    kept = keep(out / "main.py", SolutionPlan.from_paper(state["plan"]), report["metrics"] if report else {})
    return f"kept as {kept.sample}" if kept.sample else f"not kept: {kept.reason}"
