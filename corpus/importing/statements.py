"""Statements of a script as the tracer follows them: bindings, branches, loops."""

import ast
from typing import Any

from dlcodegen.corpus.importing.arithmetic import calculate
from dlcodegen.corpus.importing.built_parts import Class, Following, Function, Library, Scope
from dlcodegen.corpus.importing.expressions import assign, evaluate, items_of, truth


class Left(Exception):  # noqa: N818 - no error: how a function is left
    """`return`."""

    def __init__(self, value: Any) -> None:
        self.value = value


def execute(tracer: Following, body: list[ast.stmt], scope: Scope) -> None:
    """Follow statements. Raises Left at a `return`, TracerLimitError when there is too much to follow."""
    for statement in body:
        tracer.step()
        _statement(tracer, statement, scope)


def _statement(tracer: Following, statement: ast.stmt, scope: Scope) -> None:  # noqa: PLR0912 - one case a statement
    match statement:
        case ast.Import(names=names):
            for alias in names:
                root = alias.name if alias.asname else alias.name.partition(".")[0]
                scope.names[alias.asname or root] = Library(root)
        case ast.ImportFrom(module=module, names=names):
            for alias in names:
                if alias.name == "*":
                    scope.names.setdefault("*", []).append(module or "")
                else:
                    scope.names[alias.asname or alias.name] = Library(f"{module}.{alias.name}")
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            scope.names[statement.name] = Function(statement, scope)
        case ast.ClassDef():
            scope.names[statement.name] = Class(statement, scope)
        case ast.Assign(targets=targets, value=value):
            result = evaluate(tracer, value, scope)
            for target in targets:
                assign(tracer, target, result, scope)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            assign(tracer, target, evaluate(tracer, value, scope), scope)
        case ast.AugAssign(target=target, op=op, value=value):
            tracer.changes += 1
            result = calculate(op, evaluate(tracer, target, scope), evaluate(tracer, value, scope))
            assign(tracer, target, result, scope)
        case ast.Expr(value=value):
            evaluate(tracer, value, scope)
        case ast.Return(value=value):
            raise Left(evaluate(tracer, value, scope) if value else None)
        case ast.If():
            _if(tracer, statement, scope)
        case ast.For() | ast.AsyncFor():
            _for(tracer, statement, scope)
        case ast.While(body=body) | ast.With(body=body) | ast.AsyncWith(body=body):
            execute(tracer, body, scope)
        case ast.Try(body=body, orelse=other, finalbody=last):
            execute(tracer, [*body, *other, *last], scope)


def _if(tracer: Following, statement: ast.If, scope: Scope) -> None:
    """The branch that is taken; where that is not known, the first, unless it only complains."""
    if _is_main_guard(statement.test):
        execute(tracer, statement.body if tracer.follow_main else statement.orelse, scope)
        return
    taken = truth(tracer, statement.test, scope)
    complains = taken is None and _only_raises(statement.body)
    execute(tracer, statement.orelse if taken is False or complains else statement.body, scope)


def _for(tracer: Following, statement: ast.For | ast.AsyncFor, scope: Scope) -> None:
    """Once for each known element. A round that builds nothing and uses nothing new ends the loop: so does training."""
    for item in items_of(evaluate(tracer, statement.iter, scope)):
        before, used = tracer.changes, len(tracer.used)
        assign(tracer, statement.target, item, scope)
        execute(tracer, statement.body, scope)
        if tracer.changes == before:
            tracer.step(1 + used // 64)  # looking through them is work, too
            known = {id(module) for module in tracer.used[:used]}
            if all(id(module) in known for module in tracer.used[used:]):
                break


def _is_main_guard(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and getattr(test.left, "id", "") == "__name__"


def _only_raises(body: list[ast.stmt]) -> bool:
    return all(isinstance(statement, ast.Raise | ast.Assert) for statement in body)
