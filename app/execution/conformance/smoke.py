"""What smoke mode makes smaller: a running model that is smaller for this reason contradicts nothing."""

import ast

from dlcodegen.execution.code_view import CodeView, Value

_OF_THE_RUN = ("batch_size", "epochs", "patience", "data", "out", "smoke", "seed", "learning_rate", "weight_decay")
_COUNTS = ("depth", "layers", "blocks", "stages")


def lowered(view: CodeView) -> dict[str, Value]:
    """Config fields of data and model that smoke mode lowers, with their defaults.

    `min(self.image_height, 64)` lowers 128, and leaves 32 alone; what is set in another way may be lower. Fields of
    the run itself (epochs, ...) are left out.
    """
    found: dict[str, Value] = {}
    for scope in view.nodes:
        if isinstance(scope, ast.FunctionDef) and "smoke" in scope.name:
            found |= _set_in(scope, view)
    return {
        name: view.config[name].value
        for name, value in found.items()
        if name not in _OF_THE_RUN and _is_lower(view, name, value)
    }


def counts_are_lowered(fields: dict[str, Value]) -> bool:
    """Whether smoke mode builds fewer layers."""
    return any(name.endswith(_COUNTS) for name in fields)


def _set_in(scope: ast.FunctionDef, view: CodeView) -> dict[str, Value]:
    """The fields that a function caps by `min(self.x, 64)`, by a table of caps, or sets by keyword."""
    found: dict[str, Value] = {}
    for node in view.inside(scope):
        match node:
            case ast.keyword(arg=str(name), value=value) if name in view.config:
                found.setdefault(name, view.literal(value) if isinstance(value, ast.Constant) else None)
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and key.value in view.config:
                        found[str(key.value)] = view.literal(value)
    for node in view.inside(scope):
        match node:
            case ast.Call(func=ast.Name(id="min"), args=[ast.Attribute(attr=name), cap]) if name in view.config:
                found[name] = view.literal(cap)
    return found


def _is_lower(view: CodeView, name: str, value: Value) -> bool:
    """A cap above the default changes nothing; one that is not written as a number may."""
    default = view.config[name].value
    if isinstance(value, int | float) and isinstance(default, int | float):
        return value < default
    return True
