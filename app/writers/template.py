"""Abstracting a template from samples, and filling it from a plan (paper, section III-C)."""

import ast
import re

from dlcodegen import categories, vocabulary
from dlcodegen.corpus.sample import Sample
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import Fact
from dlcodegen.syntax_tree import config_defaults, parse
from dlcodegen.writers import adapt
from dlcodegen.writers.framework import framework_of
from dlcodegen.writers.interface import is_built_from_layers, read_interface
from dlcodegen.writers.layer_calls import LayerError
from dlcodegen.writers.protocol import Template
from dlcodegen.writers.script_edit import Edit, add_imports, apply, optimizer_calls, returned
from dlcodegen.writers.segments import SEGMENTS, split


def abstract(samples: list[Sample]) -> Template:
    """The best sample with its project-specific parts as slots: settings, model, loss, optimizer.

    `origin` says which segments the other samples share, and so are structure rather than project.
    """
    best = samples[0]
    tree = parse(best.code)
    edits = [Edit(node, f"{{{{config.{name}}}}}") for name, node in config_defaults(tree).items()]
    loss, optimizers = returned(tree, "build_loss"), optimizer_calls(tree)
    if framework_of(best.code).family(loss) and loss is not None:
        edits.append(Edit(loss, "{{loss}}"))
    if len(optimizers) == 1:
        edits.append(Edit(optimizers[0], "{{optimizer}}"))
    slots = {edit.text[2:-2]: ast.get_source_segment(best.code, edit.node) or "" for edit in edits}
    code = apply(best.code, edits)
    model = split(best.code)["model"]
    if read_interface(best.code) is not None and is_built_from_layers(best.category) and model in code:
        slots["model"] = model.strip("\n")
        code = code.replace(model, "\n\n{{model}}\n")
    return Template(code=code, slots=slots, origin=_origin(samples))


def _origin(samples: list[Sample]) -> list[str]:
    shared = {name: [samples[0].id] for name in SEGMENTS}
    own = split(samples[0].code)
    for other in samples[1:]:
        for name, text in split(other.code).items():
            if text.strip() == own[name].strip():
                shared[name].append(other.id)
    lines = [f"{name}: shared by {', '.join(ids)}" for name, ids in shared.items() if len(ids) > 1]
    return [f"structure of {samples[0].id}", *lines]


def fill(template: Template, plan: SolutionPlan, facts: list[Fact], seed: int) -> tuple[str, list[str]]:
    """The template's script for this plan, and one line for each slot that was filled from the plan."""
    slots, notes = dict(template["slots"]), []
    original = filled(template["code"], slots)
    framework = framework_of(original)
    for name, value in adapt.settings(original, plan, facts, seed).items():
        slot = f"config.{name}"
        if slot in slots and type(value) in (int, float, str, bool):
            old = ast.literal_eval(slots[slot])
            slots[slot] = repr(float(value) if isinstance(old, float) else value)
    kind = framework.family(returned(parse(original), "build_loss"))
    if kind and "loss" in slots and framework.loss_expression(plan.hyperparameters.loss_function, kind, facts):
        notes.append(f"loss: {plan.hyperparameters.loss_function}")
    if "optimizer" in slots:
        call = optimizer_calls(parse(original))[0]
        expression = framework.optimizer_expression(plan.hyperparameters.optimizer, call, facts)
        slots["optimizer"] = expression or slots["optimizer"]
        notes.append(f"optimizer: {plan.hyperparameters.optimizer}")
    imports: tuple[str, ...] = ()
    interface = read_interface(original)
    if "model" in slots and interface is not None:
        try:
            segment = framework.model_segment(plan.layers, interface, original)
        except LayerError as error:
            notes.append(f"model: the sample's own, since {error}")
        else:
            slots["model"], imports = segment.code.strip("\n"), segment.imports
            notes.append(f"model: built from the plan's {len(plan.layers)} layers")
    code = add_imports(filled(template["code"], slots), imports)
    code = adapt.set_loss(code, plan, facts)
    if imports or slots.get("model") != template["slots"].get("model"):
        code = _retitled(_without_unused_settings(code), plan, facts)
    return adapt.finished(code, facts), notes


def filled(code: str, slots: dict[str, str]) -> str:
    """The code with every slot replaced by its text."""
    return re.sub(r"\{\{([\w.]+)\}\}", lambda match: slots.get(match.group(1), match.group()), code)


def _without_unused_settings(code: str) -> str:
    """Config without the fields that only the replaced model read."""
    tree = parse(code)
    read = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    named = {keyword.arg for node in ast.walk(tree) if isinstance(node, ast.Call) for keyword in node.keywords}
    spelt = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}  # `caps["num_layers"]`
    used = read | named | spelt | {"data", "out", "smoke", "seed"}
    unused = {name for name in config_defaults(tree) if name not in used}
    lines = code.splitlines(keepends=True)
    drop = {
        item.lineno
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == "Config"
        for item in node.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and item.target.id in unused
    }
    return "".join(line for number, line in enumerate(lines, start=1) if number not in drop)


def _retitled(code: str, plan: SolutionPlan, facts: list[Fact]) -> str:
    """A docstring that is true of the new model: its title, what the task is, and the format of the data."""
    old = ast.get_docstring(parse(code), clean=False) or ""
    title, _, rest = old.partition("\n")
    stated = next((str(fact["value"]) for fact in facts if fact["name"] == "architecture"), "")
    shown = vocabulary.find(vocabulary.ARCHITECTURES, title)
    if not stated or (shown and shown.name == stated):
        return code
    task = re.split(r" with | in Keras", title.rstrip("."))[0]
    if _tells_a_model(task):
        task = categories.title(plan.category).capitalize()
    new = f"{task}: {stated.upper() if len(stated) <= 6 else stated}."
    first = re.match(r"\s*([^\n].*?\.)(?=\s)", rest, re.DOTALL)
    told = [first.group(1)] if first and not _tells_a_model(first.group(1)) else []
    data = re.search(r"Data \(--data PATH\):.*?(?=\nResult|\Z)", old, re.DOTALL)
    parts = [new, *told, *([data.group().rstrip()] if data else [])]
    return code.replace(old, "\n\n".join(parts) + "\n", 1).replace(title, new)


def _tells_a_model(text: str) -> bool:
    return vocabulary.find(vocabulary.ARCHITECTURES, text) is not None or "layer" in text
