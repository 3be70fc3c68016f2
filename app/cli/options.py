"""Arguments and options that several commands share, their help texts among them."""

import sys
from pathlib import Path
from typing import Annotated, Literal

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
Model = Annotated[str, typer.Option(metavar="NAME", help="Chat model: offline (none), or PROVIDER:NAME.")]
BaseUrl = Annotated[
    str, typer.Option(metavar="URL", show_default=False, help="Address of an OpenAI-compatible server.")
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
