"""`dlcodegen planner predict` and `eval`: plans of a file of requests, and how good predicted plans are."""

import json
from pathlib import Path
from typing import Annotated

import typer

from dlcodegen.cli import options
from dlcodegen.cli.planner_rows import Out, Seed, tracked, written

_SIDE_BY_SIDE = 16
"""Plans that are predicted at a time."""


def predict(
    source: Annotated[
        Path, typer.Option("--in", metavar="FILE", show_default=False, help="JSON lines with requirements.")
    ],
    out: Out,
    weights: Annotated[
        Path | None, typer.Option(metavar="DIR", show_default=False, help="Weights of your own; else the shipped ones.")
    ] = None,
    way: options.PlanDecoding = "greedy",
    beams: Annotated[int, typer.Option(metavar="N", min=2, help="Hypotheses of a beam search.")] = 3,
    with_odds: Annotated[
        bool, typer.Option("--odds", help="Write also how likely each value of a field was: `bench plans --said`.")
    ] = False,
    seed: Seed = 42,
) -> int:
    """Predict the plan of each row, as the model says it: nothing that a row states is set in it.

    For example:

    dlcodegen planner predict --in test.jsonl --out predicted.jsonl
    dlcodegen planner predict --in test.jsonl --out predicted.jsonl --weights weights --decode beam
    """
    from dlcodegen.planner.gpt2.decoding import Asked, Decoder, Settings
    from dlcodegen.planner.gpt2.memory import Memory
    from dlcodegen.planner.gpt2.rows import requests
    from dlcodegen.planner.gpt2.weights import SHIPPED, load

    folder = weights or SHIPPED
    decoder = Decoder(load(folder), Memory.load(folder), Settings(way=way, beams=beams, seed=seed))
    rows = list(requests(source))
    together = [rows[start : start + _SIDE_BY_SIDE] for start in range(0, len(rows), _SIDE_BY_SIDE)]
    with written(out) as file:
        for some in tracked(together, len(together), "predicting"):
            plans = decoder.decode_all([Asked(requirement, dataset) for _, requirement, dataset in some])
            for (key, *_), plan in zip(some, plans, strict=True):
                row = {"id": key, "plan_text": json.dumps(plan.to_paper(), ensure_ascii=False)}
                file.write(json.dumps(row | ({"odds": plan.odds} if with_odds else {}), ensure_ascii=False) + "\n")
            file.flush()
    typer.echo(f"{out}: {len(rows):,} plans")
    return 0


def evaluate(
    references: Annotated[
        Path, typer.Argument(metavar="REFERENCES", show_default=False, help="JSON lines with the right plans.")
    ],
    predictions: Annotated[
        list[Path],
        typer.Argument(metavar="PREDICTIONS...", show_default=False, help="JSON lines with predicted plans."),
    ],
    as_json: options.AsJson = False,
) -> int:
    """Compare predicted plans with the right ones, field by field: a row of the paper's table for each file.

    On each line of a file stands {"id": ..., "plan_text": "{...}"}. Plans are matched by id; one that is missing counts
    as an empty plan. Malformed JSON is read as far as it can be, and costs `valid` alone.

    valid, category, loss, optimizer and metric are percentages; BLEU, input and output are BLEU scores;
    layers is the edit distance of the layers' names; lr, batch and epochs are mean differences.

    For example:

    dlcodegen planner eval test.jsonl predicted.jsonl
    dlcodegen planner eval test.jsonl greedy.jsonl beam.jsonl --json
    """
    from dlcodegen.cli import show, show_planner
    from dlcodegen.evals.plan_files import mismatches, read_plans
    from dlcodegen.evals.plan_scores import score

    right = read_plans(references, numbered=True)
    systems = [read_plans(path) for path in predictions]
    scores = {plans.source: score(right, plans) for plans in systems}
    remarks = [*right.remarks, *(line for plans in systems for line in (*plans.remarks, *mismatches(right, plans)))]
    if as_json:
        rows = [{"file": source, **row._asdict()} for source, row in scores.items()]
        show.as_json({"references": str(references), "plans": len(right.by_id), "scores": rows, "remarks": remarks})
    else:
        show_planner.scores(scores, len(right.by_id), remarks)
    return 0
