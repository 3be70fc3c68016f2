"""The rung that looks for the named parts of the project contract (`corpus/README.md`)."""

import ast
from collections.abc import Iterator

from dlcodegen.execution.diagnosis import fault
from dlcodegen.execution.script import Script
from dlcodegen.report import Diagnosis
from dlcodegen.syntax_tree import config_defaults

FUNCTIONS = ("load_data", "build_model", "train", "evaluate", "predict", "main")
SETTINGS = ("seed", "batch_size", "learning_rate", "epochs")
# Of the framework, not only of one generator or of numpy.
_SEEDING = {"torch.manual_seed", "manual_seed", "torch.random.manual_seed", "keras.utils.set_random_seed"}
_SEEDING |= {"set_random_seed", "seed_everything"}


def contract(script: Script) -> Diagnosis | str:
    """Config with its settings, the six functions, the guard around `main()`, seeds that are set, and `--smoke`."""
    problems = list(missing_parts(script.tree))
    if not problems:
        return ""
    line, first = problems[0]
    others = f"; also: {'; '.join(text for _, text in problems[1:])}" if len(problems) > 1 else ""
    return fault("contract", "missing part", first + others, line, script.code)


def missing_parts(tree: ast.Module) -> Iterator[tuple[int | None, str]]:
    """Line, where there is one, and what is missing."""
    config = next((node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Config"), None)
    if config is None:
        yield None, "there is no dataclass `Config`"
    else:
        missing = [name for name in SETTINGS if name not in config_defaults(tree)]
        if missing:
            yield config.lineno, f"Config has no default for {', '.join(missing)}"
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    missing = [name for name in FUNCTIONS if name not in defined]
    if missing:
        yield None, f"there is no function {', '.join(f'`{name}`' for name in missing)}"
    guard = next((node for node in tree.body if _is_guard(node)), None)
    if guard is None:
        yield None, 'nothing calls main() under `if __name__ == "__main__":`'
    outside = next((node for node in tree.body if _calls_main(node)), None)
    if outside is not None:
        yield outside.lineno, "main() is called when the script is only imported"
    if not any(_is_seeding(node) for node in ast.walk(tree)):
        yield None, "the framework's seed is not set: torch.manual_seed(config.seed)"
    if not _knows_smoke(tree):
        yield None, "it has no flag --smoke"


def _is_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in {
        name.id for name in ast.walk(node.test) if isinstance(name, ast.Name)
    }


def _calls_main(node: ast.stmt) -> bool:
    """At the top level, outside of any function, class or guard."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "main"


def _is_seeding(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in _SEEDING


def _knows_smoke(tree: ast.Module) -> bool:
    """As a field of Config, each of which is a flag, or as a flag of its own."""
    return "smoke" in config_defaults(tree) or any(
        isinstance(node, ast.Constant) and node.value == "--smoke" for node in ast.walk(tree)
    )
