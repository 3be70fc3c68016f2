"""`dlcodegen bench runs` and `bench models`: whole runs on the sentences of the requirement suite."""

from typing import Annotated, Literal

import typer

from dlcodegen.cli import options
from dlcodegen.cli.measuring import Fresh, Out, measure

Limit = Annotated[
    int, typer.Option(metavar="N", min=0, help="How many sentences, one of each category first; 0: all of the part.")
]
Seed = Annotated[int, typer.Option(metavar="N", help="Seed of the projects, and of a model that takes one.")]


def runs(  # noqa: PLR0913, PLR0917  one parameter an option
    model: options.Model = "offline",
    base_url: options.BaseUrl = "",
    writer: Annotated[
        Literal["auto", "syntax", "llm"], typer.Option(help="Who writes the code; syntax needs no chat model.")
    ] = "auto",
    kept: Annotated[
        bool, typer.Option("--kept", help="The third that is kept for the final figure, instead of the others.")
    ] = False,
    others: Annotated[bool, typer.Option("--others", help="Requirements by another hand, instead of ours.")] = False,
    limit: Limit = 0,
    time_limit: options.TimeLimit = 60,
    seed: Seed = 42,
    out: Out = None,
    fresh: Fresh = False,
    as_json: options.AsJson = False,
) -> int:
    """Make a project of every sentence of the requirement suite, and see whether it is what was asked for.

    A project counts when it passes its check, its category is right, and it
    honours every fact that the suite lists for the sentence. About ten seconds
    a sentence with the syntax writer.

    For example:

    dlcodegen bench runs --limit 12
    dlcodegen bench runs --kept
    dlcodegen bench runs --others
    dlcodegen bench runs --model openai:gpt-4o-mini --out runs.jsonl
    """
    from dlcodegen.context import Context
    from dlcodegen.evals import project_runs, suite

    context = Context(writer=writer, model=model, base_url=base_url, time_limit=time_limit, seed=seed)
    sentences = suite.in_rounds(suite.others())[: limit or None] if others else suite.chosen(kept, limit)
    steps = project_runs.steps([project_runs.way(context)], sentences)
    return measure("runs", steps, project_runs.summary, out, fresh, as_json)


def models(
    names: Annotated[
        str,
        typer.Option(
            "--models", metavar="NAME,NAME", show_default=False, help="Chat models; if not given, the local ones."
        ),
    ] = "",
    base_url: options.BaseUrl = "",
    ablation: Annotated[bool, typer.Option("--ablation", help="Also the method without each of its parts.")] = False,
    limit: Limit = 24,
    seed: Seed = 42,
    out: Out = None,
    fresh: Fresh = False,
    as_json: options.AsJson = False,
) -> int:
    """See what a model adds: asked directly, by the whole method, and beside the syntax writer alone.

    The same sentences for every way: first those that ask for a technique by
    name, then those of the suite, none of the kept third.
    A local model takes minutes a project.

    For example:

    dlcodegen bench models --limit 12
    dlcodegen bench models --models local:qwen2.5-coder-1.5b --ablation
    """
    from dlcodegen.evals import model_runs, project_runs
    from dlcodegen.evals.suite import chosen, techniques

    asked = [name.strip() for name in names.split(",") if name.strip()] or model_runs.MODELS
    sentences = [*techniques(), *chosen(False)][: limit or None]
    steps = model_runs.steps(asked, sentences, base_url, ablation, seed)
    return measure("models", steps, project_runs.summary, out, fresh, as_json)
