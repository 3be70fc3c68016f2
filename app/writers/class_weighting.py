"""Stated class weights, put into a script whose loss compares one class number with one vector of logits an example."""

import ast

from dlcodegen.execution.code_view import dotted
from dlcodegen.syntax_tree import config_defaults, parse
from dlcodegen.writers.block_source import blocks_for
from dlcodegen.writers.interface import read_interface
from dlcodegen.writers.script_edit import Edit, apply, function, insert_before, returned

_HAS_THEM = ("class_weight", "pos_weight", "WeightedRandomSampler")


def weigh_classes_in_torch(code: str) -> str:
    """`nn.CrossEntropyLoss` weighted by the training examples' classes; unchanged where the loss is another one."""
    tree = parse(code)
    train = function(tree, "train")
    built = next((node for node in train.body if "build_loss(" in ast.unparse(node)), None) if train else None
    if train is None or built is None or len(train.args.args) < 2 or not _compares_classes(code, "nn.CrossEntropyLoss"):
        return code
    loss, loader = _name_of_the_loss(built), train.args.args[1].arg
    weights = f"class_weights({loader}, config.num_classes).to(DEVICE)"
    if not loss or "num_classes" not in config_defaults(tree) or "DEVICE" not in code:
        return code
    lines = code.splitlines(keepends=True)
    lines.insert(built.end_lineno or 0, f"{' ' * built.col_offset}{loss}.weight = {weights}\n")
    return _with_block("".join(lines), weights, "pytorch")


def weigh_classes_in_keras(code: str) -> str:
    """`class_weight` of the training examples' classes passed to `fit`; unchanged where the loss is another one."""
    tree = parse(code)
    fit = next(
        (node for node in ast.walk(tree) if isinstance(node, ast.Call) and dotted(node.func).endswith(".fit")), None
    )
    if fit is None or not fit.args or not _compares_classes(code, "keras.losses.SparseCategoricalCrossentropy"):
        return code
    epochs = next((item.value for item in fit.keywords if item.arg == "epochs"), None)
    targets = _training_targets(tree, fit.args[0])
    if epochs is None or targets is None:
        return code
    weights = f"class_weights({targets})"
    written = ast.get_source_segment(code, epochs) or ast.unparse(epochs)
    return _with_block(apply(code, [Edit(epochs, f"{written}, class_weight={weights}")]), weights, "keras")


def _compares_classes(code: str, loss: str) -> bool:
    """Whether the script trains with this loss on one label an example, and weighs no classes yet."""
    built, interface = returned(parse(code), "build_loss"), read_interface(code)
    return (
        isinstance(built, ast.Call)
        and dotted(built.func) == loss
        and interface is not None
        and interface.outputs == ("num_classes",)
        and not any(name in code for name in _HAS_THEM)
    )


def _name_of_the_loss(statement: ast.stmt) -> str:
    """`criterion` in `criterion, optimizer = build_loss(config), build_optimizer(model, config)`."""
    if not isinstance(statement, ast.Assign):
        return ""
    target, value = statement.targets[0], statement.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = list(zip(target.elts, value.elts, strict=False))
    else:
        pairs = [(target, value)]
    return next((ast.unparse(name) for name, built in pairs if "build_loss(" in ast.unparse(built)), "")


def _training_targets(tree: ast.Module, passed: ast.expr) -> str | None:
    """What the class numbers of the training split are called: `train_set[1]`, or as `evaluate` reads its split's."""
    if isinstance(passed, ast.Starred):
        return f"{ast.unparse(passed.value)}[1]"
    evaluate = function(tree, "evaluate")
    calls = [node for node in ast.walk(evaluate) if isinstance(node, ast.Call)] if evaluate else []
    read = next((call.args[1] for call in calls if dotted(call.func) == "compute_metrics" and len(call.args) > 1), None)
    if evaluate is None or read is None or not isinstance(passed, ast.Name) or len(evaluate.args.args) < 2:
        return None
    split = evaluate.args.args[1].arg
    names = {node.id for node in ast.walk(read) if isinstance(node, ast.Name)}
    if names != {split}:
        return None
    renamed = ast.parse(ast.unparse(read), mode="eval")
    for node in ast.walk(renamed):
        if isinstance(node, ast.Name):
            node.id = passed.id
    return ast.unparse(renamed)


def _with_block(code: str, weights: str, framework: str) -> str:
    anchor = function(parse(code), "train")
    blocks = blocks_for(weights, framework)
    return insert_before(code, anchor, "\n\n\n".join(blocks)) if anchor is not None and blocks else code
