"""`dlcodegen plan`: what would be built, without building it."""

from dlcodegen.cli import options


def plan(
    requirement: options.Requirement,
    dataset: options.Dataset = "",
    framework: options.FrameworkOption = None,
    planner: options.PlannerOption = "auto",
    decode: options.PlanDecoding = "greedy",
    model: options.Model = "offline",
    base_url: options.BaseUrl = "",
    as_json: options.AsJson = False,
) -> int:
    """Show the solution plan for a requirement, and what the requirement states.

    What is stated wins over what is predicted. Nothing is written or run.

    For example:

    dlcodegen plan "Segment polyps in 256x256 images with a U-Net"
    dlcodegen plan "Predict house prices" --dataset "13 numeric columns"
    dlcodegen plan "Summarise news articles" --json > plan.json
    dlcodegen plan "Find faulty bearings by their sound" --planner llm --model openai:gpt-4o-mini
    """
    from dlcodegen.cli import show
    from dlcodegen.context import Context
    from dlcodegen.planner import make_plan

    context = Context(planner=planner, plan_decoding=decode, model=model, base_url=base_url)
    planned = make_plan(requirement, dataset, framework or "", context)
    if as_json:
        show.as_json(
            planned.plan.to_paper() | {name: value for name, value in planned._asdict().items() if name != "plan"}
        )
    else:
        show.plan(planned)
    return 0
