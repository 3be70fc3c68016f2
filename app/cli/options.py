"""Arguments and options that several commands share, their help texts among them."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Framework = Literal["pytorch", "keras"]

Requirement = Annotated[
    str,
    typer.Argument(metavar="REQUIREMENT", show_default=False, help="What the project should do, in a sentence."),
]
Dataset = Annotated[
    str,
    typer.Option(metavar="TEXT", show_default=False, help="What the data looks like: sizes, classes, columns."),
]
FrameworkOption = Annotated[
    Framework | None,
    typer.Option(show_default=False, help="What the code is written with; if not given, what the sentence says."),
]
PlannerOption = Annotated[Literal["auto", "nearest"], typer.Option(help="Who predicts the solution plan.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on stdout.")]
TimeLimit = Annotated[float, typer.Option(metavar="SECONDS", help="How long one smoke run may take.")]
PlanFile = Annotated[
    Path | None, typer.Option("--plan", metavar="plan.json", show_default=False, help="The plan to compare it with.")
]
