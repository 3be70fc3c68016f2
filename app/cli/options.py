"""Arguments and options that several commands share, their help texts among them."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

Framework = Literal["pytorch", "keras"]


def _or_stdin(requirement: str) -> str:
    """A requirement too long for a command line comes through standard input."""
    if requirement != "-":
        return requirement
    return sys.stdin.buffer.read().decode("utf-8", errors="replace")


Requirement = Annotated[
    str,
    typer.Argument(
        metavar="REQUIREMENT",
        show_default=False,
        callback=_or_stdin,
        help="What the project should do, in a sentence; - reads it from standard input.",
    ),
]
Dataset = Annotated[
    str,
    typer.Option(metavar="TEXT", show_default=False, help="What the data looks like: sizes, classes, columns."),
]
FrameworkOption = Annotated[
    Framework | None,
    typer.Option(show_default=False, help="What the code is written with; if not given, what the sentence says."),
]
PlannerOption = Annotated[
    Literal["auto", "gpt2", "llm", "nearest"],
    typer.Option(help="Who predicts the solution plan; auto: gpt2, and the chat model (--model) where gpt2 is unsure."),
]
PlanDecoding = Annotated[
    Literal["greedy", "beam", "sampled", "consensus"],
    typer.Option(
        "--decode",
        help="How gpt2 writes a plan's layers and texts: likeliest words first, by beam search as in the paper, "
        "sampled, or as several samples agree.",
    ),
]
_MODELS = "Models"
"""The panel of `--help` with everything about chat models."""


def _model_for(work: str) -> Any:
    """The option that names another model for a part of the work."""
    told = f"Another chat model for {work}; if not given, --model."
    return typer.Option(metavar="NAME", show_default=False, help=told, rich_help_panel=_MODELS)


Model = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Chat model: offline (none), local (on this computer), or PROVIDER:NAME.",
        rich_help_panel=_MODELS,
    ),
]
BaseUrl = Annotated[
    str,
    typer.Option(
        metavar="URL", show_default=False, help="Address of an OpenAI-compatible server.", rich_help_panel=_MODELS
    ),
]
ModelPlan = Annotated[str, _model_for("the plan")]
ModelDraft = Annotated[str, _model_for("template and drafts")]
ModelMerge = Annotated[str, _model_for("the merge of the drafts")]
ModelRepair = Annotated[str, _model_for("repairs")]
MaxTokens = Annotated[
    int,
    typer.Option(
        metavar="N",
        help="Tokens that the run may use, prompts and answers together; 0: no bound.",
        rich_help_panel=_MODELS,
    ),
]
MaxCost = Annotated[
    float,
    typer.Option(metavar="DOLLARS", help="What the run may cost by --prices; 0: no bound.", rich_help_panel=_MODELS),
]
Prices = Annotated[
    str,
    typer.Option(
        metavar="IN/OUT",
        show_default=False,
        help="Dollars per million tokens of prompts and of answers, such as 0.15/0.60; of another model for one role: "
        "0.15/0.60,repair=2.5/10.",
        rich_help_panel=_MODELS,
    ),
]
Pieces = Annotated[
    Literal["auto", "script", "segment"],
    typer.Option(
        help="What a model is asked for at a time; auto: segments of a local model, else whole scripts.",
        rich_help_panel=_MODELS,
    ),
]
Answers = Annotated[
    int,
    typer.Option(
        metavar="N", help="Answers sampled side by side for a segment; the best is kept.", rich_help_panel=_MODELS
    ),
]
Temperature = Annotated[
    float | None,
    typer.Option(
        metavar="0..2",
        show_default=False,
        help="Of the model's sampling; if not given, the provider's own, and 0.7 for segments.",
        rich_help_panel=_MODELS,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on stdout.")]
TimeLimit = Annotated[float, typer.Option(metavar="SECONDS", help="How long one smoke run may take.")]
Sandbox = Annotated[
    str,
    typer.Option(metavar="NAME", help="What code is run in: auto, docker:IMAGE, or sandbox-exec (macOS, untested)."),
]
AcceptUnsandboxed = Annotated[
    bool, typer.Option("--accept-unsandboxed", help="Where there is no sandbox, run the code without protection.")
]
PlanFile = Annotated[
    Path | None, typer.Option("--plan", metavar="plan.json", show_default=False, help="The plan to compare it with.")
]
