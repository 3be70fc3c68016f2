"""`dlcodegen bench speed`: what takes time, measured together."""

from typing import Annotated

import typer

from dlcodegen.cli import options
from dlcodegen.cli.measuring import RESULTS, OutFolder, measure_parts


def speed(
    repeats: Annotated[int, typer.Option(metavar="N", min=1, help="How often each way of the sandbox is timed.")] = 12,
    out: OutFolder = RESULTS,
    as_json: options.AsJson = False,
) -> int:
    """Time the sandbox, the plan predictor, and retrieval from pools of up to 100,000 scripts.

    Parts of `bench sandbox`, `bench plans` and `bench corpus`, whose journals they share: what is known already is not
    timed again. Seconds of one computer say little; ratios within one run do.

    For example:

    dlcodegen bench speed
    dlcodegen bench speed --out here --repeats 3
    """
    from dlcodegen.evals import plan_prediction, pool_growth, sandbox_speed

    parts = (
        ("sandbox", sandbox_speed.steps(repeats), sandbox_speed.summary),
        ("plans", plan_prediction.speed_steps(), plan_prediction.summary),
        ("growth", pool_growth.steps(), pool_growth.summary),
    )
    return measure_parts("speed", parts, out, as_json)
