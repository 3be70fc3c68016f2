"""Whether a script does deep learning, and in which framework."""

import ast
from typing import Literal

from dlcodegen.corpus.importing.sources import Skipped, Source
from dlcodegen.syntax_tree import parse

Framework = Literal["pytorch", "keras"]

_OTHER_FRAMEWORKS = {
    "jax": "JAX", "flax": "Flax", "mxnet": "MXNet", "paddle": "Paddle", "theano": "Theano", "caffe": "Caffe",
    "fastai": "fastai", "tensorflow": "TensorFlow without Keras", "sklearn": "scikit-learn", "xgboost": "XGBoost",
    "lightgbm": "LightGBM", "catboost": "CatBoost",
}  # fmt: skip
_MODEL_CLASSES = ("Module", "LightningModule", "Model", "Sequential", "Layer")
_MODEL_CALLS = frozenset({"Sequential", "Model", "from_pretrained", "create_model", "load_state_dict"})
_TRAINING_CALLS = frozenset({"fit", "fit_generator", "compile", "backward", "train_on_batch", "apply_gradients"})
_LAYER_MODULES = frozenset({"nn", "layers", "models", "applications"})


def framework_of(source: Source) -> Framework | Skipped:
    """The framework of a script that builds or trains a model; else why it is of no use."""
    try:
        tree = parse(source.code)
    except SyntaxError as error:
        return Skipped(source.path, f"no valid Python: line {error.lineno}, {error.msg}")
    except (ValueError, RecursionError, MemoryError):
        return Skipped(source.path, "no valid Python")
    nodes = list(ast.walk(tree))
    imported = _imported(nodes)
    packages = {name.partition(".")[0] for name in imported}
    if "keras" in packages or any("keras" in name.split(".") for name in imported) or _mentions_keras(nodes, packages):
        framework: Framework = "keras"
    elif packages & {"torch", "torchvision", "pytorch_lightning", "lightning"}:
        framework = "pytorch"
    else:
        other = next((title for name, title in _OTHER_FRAMEWORKS.items() if name in packages), "")
        return Skipped(source.path, f"written with {other}" if other else "no deep learning in it")
    if not _works_on_models(nodes):
        return Skipped(source.path, "imports a framework, but builds and trains no model")
    return framework


def _imported(nodes: list[ast.AST]) -> set[str]:
    """Modules and what is taken from them, in full: `tensorflow.keras.layers`."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _mentions_keras(nodes: list[ast.AST], packages: set[str]) -> bool:
    """`tf.keras...` after `import tensorflow as tf`."""
    return "tensorflow" in packages and any(isinstance(node, ast.Attribute) and node.attr == "keras" for node in nodes)


def _works_on_models(nodes: list[ast.AST]) -> bool:
    for node in nodes:
        if isinstance(node, ast.ClassDef) and any(_last(base) in _MODEL_CLASSES for base in node.bases):
            return True
        if isinstance(node, ast.Call):
            name = _last(node.func)
            owner = _last(node.func.value) if isinstance(node.func, ast.Attribute) else ""
            if name in _MODEL_CALLS or name in _TRAINING_CALLS or owner in _LAYER_MODULES:
                return True
    return False


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
