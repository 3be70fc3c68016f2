"""Adapting a script to a plan on its syntax tree: settings, optimizer, loss, recurrent cells, metrics, extras."""

import ast
import re
from typing import Any

from dlcodegen import vocabulary
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import Fact
from dlcodegen.syntax_tree import config_defaults, parse
from dlcodegen.widths import width_settings
from dlcodegen.writers.block_source import imports_for
from dlcodegen.writers.data_split import set_split
from dlcodegen.writers.expressions import outputs_family
from dlcodegen.writers.framework import framework_of
from dlcodegen.writers.script_edit import (
    Edit,
    add_imports,
    apply,
    function,
    insert_before,
    optimizer_calls,
    returned,
)  # fmt: skip
from dlcodegen.writers.tidy import tidy


def settings(code: str, plan: SolutionPlan, facts: list[Fact], seed: int) -> dict[str, Any]:
    """Config field -> value for this script, from the plan and from what is stated."""
    hyper = plan.hyperparameters
    stated = {fact["name"]: fact["value"] for fact in facts}
    return {
        "seed": seed,
        **width_settings(code, stated),
        **stated,
        "learning_rate": hyper.learning_rate,
        "batch_size": hyper.batch_size,
        "epochs": hyper.epochs,
    }


def set_config(code: str, values: dict[str, Any]) -> str:
    """Config defaults replaced where the script has a field of that name and the value is of its type."""
    edits = []
    for name, node in config_defaults(parse(code)).items():
        old = ast.literal_eval(node)
        value = values.get(name, old)
        if isinstance(old, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is type(old) and value != old:
            edits.append(Edit(node, repr(value)))
    return apply(code, edits)


def set_optimizer(code: str, plan: SolutionPlan, facts: list[Fact]) -> str:
    """Every optimizer of the script becomes the planned one."""
    edits = []
    framework = framework_of(code)
    for call in optimizer_calls(parse(code)):
        expression = framework.optimizer_expression(plan.hyperparameters.optimizer, call, facts)
        if expression is not None and expression != ast.unparse(call):
            edits.append(Edit(call, expression))
    return apply(code, edits)


def set_loss(code: str, plan: SolutionPlan, facts: list[Fact]) -> str:
    """The planned loss in `build_loss`, where it suits the script's outputs; a loss class no longer used goes."""
    tree, framework = parse(code), framework_of(code)
    old = returned(tree, "build_loss")
    kind = framework.family(old)
    if old is None or kind is None or not isinstance(old, ast.Call):
        return code
    new = framework.loss_expression(plan.hyperparameters.loss_function, kind, facts)
    own = ast.unparse(old.func)
    if new is None or (new.split("(")[0] == own and "label_smoothing" not in new):
        return code
    code = apply(code, [Edit(old, new)])
    code = without_class(code, own)
    blocks = [
        block
        for block in framework.blocks_for(new)
        if f"class {block.split('(')[0].removeprefix('class ')}" not in code
    ]
    anchor = function(parse(code), "build_loss")
    if blocks and anchor is not None:
        code = insert_before(code, anchor, "\n\n\n".join(blocks))
    return add_imports(code, imports_for("\n\n".join([new, *blocks])))


def without_class(code: str, name: str) -> str:
    """The code without the class of that name, unless something still uses it."""
    tree = parse(code)
    node = next((item for item in tree.body if isinstance(item, ast.ClassDef) and item.name == name), None)
    used = any(isinstance(item, ast.Name) and item.id == name for item in ast.walk(tree))
    return apply(code, [Edit(node, "")]) if node is not None and not used else code


def set_cells(code: str, facts: list[Fact]) -> str:
    """The stated recurrent cell in place of the script's, in names and words alike (`nn.LSTM` -> `nn.GRU`)."""
    stated = next((str(fact["value"]) for fact in facts if fact["name"] == "architecture"), "")
    title = ast.get_docstring(parse(code)) or ""
    shown = vocabulary.find(vocabulary.ARCHITECTURES, title.split("\n", maxsplit=1)[0])
    cells = framework_of(code).cells
    old, new = cells.get(shown.name if shown else "", ""), cells.get(stated, "")
    if not old or not new or old == new:
        return code
    called = rf"(self\.\w*{old.lower()}\w*)\("
    code = re.sub(rf"\(([a-z_]+), _\) = {called}", r"\1 = \2(", code)  # an LSTM's state is a pair
    if new == "LSTM":
        code = re.sub(rf", ([a-z_]+) = {called}", r", (\1, _) = \2(", code)
    code = code.replace(old, new)
    old, new = (name.removeprefix("Simple") for name in (old, new))  # in words, Keras's SimpleRNN is an RNN
    return code.replace(old, new).replace(old.lower(), new.lower())


def add_metrics(code: str, names: list[str]) -> str:
    """The stated metrics that `compute_metrics` does not report yet, as far as they suit the script's outputs."""
    tree = parse(code)
    framework = framework_of(code)
    compute = function(tree, "compute_metrics")
    if compute is None or len(compute.args.args) < 2:
        return code
    kind = outputs_family(ast.get_docstring(compute) or "") or framework.family(returned(tree, "build_loss"))
    if kind is None:
        return code
    report = next(
        (node.value for node in ast.walk(compute) if isinstance(node, ast.Return) and isinstance(node.value, ast.Dict)),
        None,
    )
    if report is None:
        return code
    known = {key.value for key in report.keys if isinstance(key, ast.Constant)}
    outputs, targets = (argument.arg for argument in compute.args.args[:2])
    new = {
        name: expression
        for name in names
        if name not in known and (expression := framework.metric_expression(name, kind, outputs, targets)) is not None
    }
    if not new:
        return code
    entries = ", ".join(f'"{name}": {expression}' for name, expression in new.items())
    body = ast.get_source_segment(code, report) or "{}"
    code = apply(code, [Edit(report, f"{body.rstrip()[:-1].rstrip().rstrip(',')}, {entries}}}")])
    blocks = framework.blocks_for(" ; ".join(f"({expression})" for expression in new.values()))
    anchor = function(parse(code), "compute_metrics")
    return insert_before(code, anchor, "\n\n\n".join(blocks)) if blocks and anchor else code


def adapted_script(code: str, plan: SolutionPlan, facts: list[Fact], seed: int) -> str:
    """A whole sample after the plan, its recurrent cells those that are stated, tidied."""
    return tidy(adapted(set_cells(code, facts), plan, facts, seed))


def adapted(code: str, plan: SolutionPlan, facts: list[Fact], seed: int) -> str:
    """The script with everything of the plan set that does not change its architecture."""
    code = set_config(code, settings(code, plan, facts, seed))
    code = set_optimizer(code, plan, facts)
    code = set_loss(code, plan, facts)
    return finished(code, facts)


def finished(code: str, facts: list[Fact]) -> str:
    """Metrics and training extras added, and the claim about the sample's own smoke result taken out."""
    metrics = next((fact["value"] for fact in facts if fact["name"] == "metric"), [])
    code = add_metrics(code, [str(name) for name in metrics] if isinstance(metrics, list) else [])
    stated = {fact["name"]: fact["value"] for fact in facts}
    code = set_split(code, stated["split"]) if "split" in stated else code
    code = framework_of(code).add_training_extras(code, stated)
    return re.sub(r"\nResult \(--smoke\):.*?(?=\n\n|\n?\"\"\")", "", code, count=1, flags=re.DOTALL)
