"""Expressions of a script as the tracer follows them: names, attributes, calls, literals, comprehensions."""

import ast
from collections.abc import Iterator
from typing import Any

from dlcodegen.corpus.importing.arithmetic import bounded, calculate, compare, is_known
from dlcodegen.corpus.importing.built_parts import (
    Chain,
    Class,
    Following,
    Function,
    Layer,
    Library,
    Method,
    Own,
    Scope,
    Settings,
    Tensor,
    Unknown,
    modules_in,
)
from dlcodegen.execution.code_view import SETTINGS


def evaluate(tracer: Following, node: ast.expr, scope: Scope) -> Any:  # noqa: PLR0911, PLR0912 - one case each
    """What an expression is worth, as far as it can be followed; calls are followed on the way."""
    tracer.step()
    match node:
        case ast.Constant(value=value):
            return value if is_known(value) else Unknown()
        case ast.Name(id=name):
            return _name(tracer, name, scope)
        case ast.Attribute(value=holder, attr=name):
            return _attribute(tracer, evaluate(tracer, holder, scope), name)
        case ast.Call():
            return _call(tracer, node, scope)
        case ast.BinOp(left=left, op=op, right=right):
            return _binary(op, evaluate(tracer, left, scope), evaluate(tracer, right, scope))
        case ast.UnaryOp(op=op, operand=operand):
            return _unary(op, evaluate(tracer, operand, scope))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            holds = compare(op, evaluate(tracer, left, scope), evaluate(tracer, right, scope))
            return Unknown() if holds is None else holds
        case ast.BoolOp(op=op, values=values):
            return _boolean(tracer, op, values, scope)
        case ast.IfExp(test=test, body=body, orelse=other):
            return evaluate(tracer, other if truth(tracer, test, scope) is False else body, scope)
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return _elements(tracer, items, scope)
        case ast.Dict(keys=keys, values=values):
            pairs = [(evaluate(tracer, key, scope), value) for key, value in zip(keys, values, strict=True) if key]
            return {key: evaluate(tracer, value, scope) for key, value in pairs if isinstance(key, str | int)}
        case ast.DictComp(key=key, value=value, generators=loops):
            pair = ast.Tuple(elts=[key, value], ctx=ast.Load())
            made = _comprehended(tracer, pair, loops, scope)
            return {name: one for name, one in made if isinstance(name, str | int)}
        case ast.ListComp(elt=element, generators=loops) | ast.GeneratorExp(elt=element, generators=loops):
            return bounded(list(_comprehended(tracer, element, loops, scope)))
        case ast.Subscript(value=holder, slice=index):
            return _subscript(tracer, evaluate(tracer, holder, scope), index, scope)
        case ast.Lambda():
            return Function(node, scope)
        case ast.NamedExpr(target=target, value=value):
            result = evaluate(tracer, value, scope)
            assign(tracer, target, result, scope)
            return result
        case ast.Starred(value=inner) | ast.Await(value=inner):
            return evaluate(tracer, inner, scope)
    return Unknown()


def _name(tracer: Following, name: str, scope: Scope) -> Any:
    value = scope.find(name)
    if isinstance(value, Unknown):
        if name in SETTINGS and name != "self":
            return Settings()
        modules = scope.find("*")
        if isinstance(modules, list) and name[:1].isupper():
            return Library(f"{next((one for one in modules if 'layers' in one or 'nn' in one), modules[0])}.{name}")
    return value


def _attribute(tracer: Following, holder: Any, name: str) -> Any:  # noqa: PLR0911 - one case each
    match holder:
        case Library(path=path):
            return Library(f"{path}.{name}")
        case Settings(fields=fields):
            value = fields.get(name, tracer.settings.get(name))
            return Unknown(name) if value is None else value
        case Own(attributes=attributes):
            if name in attributes:
                return attributes[name]
            return tracer.method(holder, name) or _of_class(tracer, holder, name)
        case Class(node=node):
            return tracer.constants(node).get(name, Unknown(name))
        case Unknown():
            return Unknown(name)
        case Tensor() if name in ("shape", "device", "dtype", "size_"):
            return Unknown(name)
    return Method(holder, name)


def _of_class(tracer: Following, module: Own, name: str) -> Any:
    """A setting kept in the module (`self.config`), a module's method such as `to`, else unknown."""
    if name in SETTINGS or name == "hparams":
        return Settings()
    for definition in tracer.lineage(module.definition):
        if name in (constants := tracer.constants(definition)):
            return constants[name]
    return Method(module, name)


def _call(tracer: Following, node: ast.Call, scope: Scope) -> Any:
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call):
        inner = node.func.value
        if isinstance(inner.func, ast.Name) and inner.func.id == "super":
            return _call_super(tracer, node, scope)
    function = evaluate(tracer, node.func, scope)
    arguments = _elements(tracer, node.args, scope)
    keywords = {item.arg: evaluate(tracer, item.value, scope) for item in node.keywords if item.arg}
    for item in node.keywords:
        spread = evaluate(tracer, item.value, scope) if item.arg is None else None
        if isinstance(spread, dict):
            keywords |= {key: value for key, value in spread.items() if isinstance(key, str)}
    return tracer.call(function, arguments, keywords, node.lineno)


def _call_super(tracer: Following, node: ast.Call, scope: Scope) -> Any:
    """`super().__init__(...)`: of a class of the script it is followed; of Sequential, it names the children."""
    module = scope.find("self")
    if not isinstance(module, Own) or getattr(node.func, "attr", "") != "__init__":
        return Unknown()
    arguments = _elements(tracer, node.args, scope)
    above = next((base for base in list(tracer.lineage(module.definition))[1:]), None)
    if above is not None:
        maker = tracer.method(Own(above, {}, 0), "__init__")
        if maker is not None:
            keywords = {item.arg: evaluate(tracer, item.value, scope) for item in node.keywords if item.arg}
            own = Function(maker.node, maker.scope, module)
            tracer.call(own, arguments, keywords)
    module.attributes |= {f"part {place}": part for place, part in enumerate(arguments) if modules_in(part)}
    return None


def _elements(tracer: Following, items: list[ast.expr], scope: Scope) -> list[Any]:
    found: list[Any] = []
    for item in items:
        value = evaluate(tracer, item, scope)
        if isinstance(item, ast.Starred):
            spread = items_of(value) if isinstance(value, list | tuple | Chain) else [value]
            tracer.step(len(spread))
            found += spread
        else:
            found.append(value)
    return found


def _comprehended(tracer: Following, element: ast.expr, loops: list[ast.comprehension], scope: Scope) -> Iterator[Any]:
    inner = Scope({}, scope)
    for item in items_of(evaluate(tracer, loops[0].iter, scope)):
        assign(tracer, loops[0].target, item, inner)
        if any(truth(tracer, test, inner) is False for test in loops[0].ifs):
            continue
        if len(loops) > 1:
            yield from _comprehended(tracer, element, loops[1:], inner)
        else:
            yield evaluate(tracer, element, inner)


def _binary(op: ast.operator, left: Any, right: Any) -> Any:
    if isinstance(left, Tensor) or isinstance(right, Tensor):
        return Tensor()
    return calculate(op, left, right)


def _boolean(tracer: Following, op: ast.boolop, values: list[ast.expr], scope: Scope) -> Any:
    """`a or b`: the first that decides; unknown as soon as one is."""
    result: Any = Unknown()
    for value in values:
        result = evaluate(tracer, value, scope)
        holds = _holds(result)
        if holds is None or holds == isinstance(op, ast.Or):
            return result
    return result


def _subscript(tracer: Following, holder: Any, index: ast.expr, scope: Scope) -> Any:
    if isinstance(holder, Tensor):
        return holder
    items = (holder.named or holder.children) if isinstance(holder, Chain) else holder
    if isinstance(index, ast.Slice) and isinstance(items, list | tuple):
        bounds = [evaluate(tracer, part, scope) if part else None for part in (index.lower, index.upper, index.step)]
        known = all(bound is None or isinstance(bound, int) for bound in bounds) and bounds[2] != 0
        return bounded(items[slice(*bounds)]) if known else Unknown()
    key = evaluate(tracer, index, scope) if not isinstance(index, ast.Slice) else None
    if isinstance(items, list | tuple) and isinstance(key, int) and -len(items) <= key < len(items):
        return items[key]
    if isinstance(items, dict) and isinstance(key, str | int):
        return items.get(key, Unknown(str(key)))
    if isinstance(holder, Settings) and isinstance(key, str):
        return _attribute(tracer, holder, key)
    return holder if isinstance(holder, Method) else Unknown(key if isinstance(key, str) else "")


def truth(tracer: Following, test: ast.expr, scope: Scope) -> bool | None:
    """Whether a condition holds; None where nobody knows."""
    return _holds(evaluate(tracer, test, scope))


def _holds(value: Any) -> bool | None:
    if isinstance(value, Unknown | Tensor | Settings | Method):
        return None
    return bool(value) if is_known(value) else True


def items_of(value: Any) -> list[Any]:
    """What a loop over the value takes, one after the other; one unknown element where that is not known."""
    if isinstance(value, dict):
        return list(value)
    if isinstance(value, Chain):
        return list(value.children)
    return list(value) if isinstance(value, list | tuple) else [Tensor() if isinstance(value, Tensor) else Unknown()]


def assign(tracer: Following, target: ast.expr, value: Any, scope: Scope) -> None:
    """Bind what stands left of a `=`."""
    match target:
        case ast.Name(id=name):
            scope.names[name] = value
        case ast.Attribute(value=holder, attr=name):
            owner = evaluate(tracer, holder, scope)
            if isinstance(owner, Own):
                owner.attributes[name] = value
            elif isinstance(owner, Layer) and modules_in(value):
                owner.replaced += modules_in(value)
        case ast.Subscript(value=holder, slice=index):
            owner, key = evaluate(tracer, holder, scope), evaluate(tracer, index, scope)
            if isinstance(owner, dict) and isinstance(key, str | int):
                owner[key] = value
            elif isinstance(owner, Method) and isinstance(owner.holder, Layer):  # model.classifier[6] = ...
                owner.holder.replaced += modules_in(value)
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            known = isinstance(value, list | tuple) and len(value) == len(targets)
            rest = Tensor() if isinstance(value, Tensor) else Unknown()
            for place, one in enumerate(targets):
                assign(tracer, one, value[place] if known else rest, scope)
        case ast.Starred(value=inner):
            assign(tracer, inner, value, scope)


def _unary(op: ast.unaryop, value: Any) -> Any:
    if isinstance(value, Tensor):
        return value
    if isinstance(op, ast.USub) and isinstance(value, int | float):
        return -value
    if isinstance(op, ast.Not) and is_known(value):
        return not value
    return value if isinstance(op, ast.UAdd) else Unknown()
