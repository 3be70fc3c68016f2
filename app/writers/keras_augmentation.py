"""Stated augmentation as layers in front of a Keras model of images: they change pictures in training only."""

import ast

from dlcodegen.execution.code_view import dotted
from dlcodegen.syntax_tree import parse
from dlcodegen.writers.interface import read_interface
from dlcodegen.writers.script_edit import Edit, apply, function

_LAYERS = {
    # A mirrored picture shows the same thing, but not always the same number.
    ("num_classes",): 'layers.RandomRotation(0.05)(layers.RandomFlip("horizontal")({}))',
    **dict.fromkeys([(), ("1",)], "layers.RandomRotation(0.05)({})"),
}
"""What the model gives -> what its pictures may undergo; where the target is a map or a place, nothing by itself."""
_HAS_IT = ("Random", "augment")


def augment_pictures(code: str) -> str:
    """The script whose `build_model` turns and mirrors its input; unchanged where that would spoil the targets."""
    tree, interface = parse(code), read_interface(code)
    build = function(tree, "build_model")
    if build is None or interface is None or interface.outputs not in _LAYERS or any(name in code for name in _HAS_IT):
        return code
    given = next((node for node in build.body if _is_input(node)), None)
    if set(interface.inputs) != {"image_height", "image_width", "channels"} or not isinstance(given, ast.Assign):
        return code
    name = ast.unparse(given.targets[-1])
    if len(given.targets) > 1:  # `inputs = x = keras.Input(...)`: what follows works on `x`
        return _with_line(code, given, f"{name} = {_LAYERS[interface.outputs].format(name)}")
    model = {
        id(inner)
        for node in ast.walk(build)
        if isinstance(node, ast.Call) and dotted(node.func) == "keras.Model"
        for inner in node.args[:1]
    }
    reads = [
        node
        for node in ast.walk(build)
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load) and id(node) not in model
    ]
    if not reads:
        return code
    code = apply(code, [Edit(node, "augmented") for node in reads])
    return _with_line(code, given, f"augmented = {_LAYERS[interface.outputs].format(name)}")


def _with_line(code: str, before: ast.stmt, statement: str) -> str:
    lines = code.splitlines(keepends=True)
    line = f"{' ' * before.col_offset}{statement}  # in training only\n"
    return "".join([*lines[: before.end_lineno], line, *lines[before.end_lineno or 0 :]])


def _is_input(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and dotted(node.value.func) == "keras.Input"
    )
