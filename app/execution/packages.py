"""Which packages generated code may import, and what they are called when they are installed."""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from importlib import metadata

from dlcodegen.syntax_tree import parse

# import name -> distribution
PACKAGES: dict[str, str] = {
    "PIL": "pillow",
    "albumentations": "albumentations",
    "cv2": "opencv-python-headless",
    "datasets": "datasets",
    "einops": "einops",
    "gymnasium": "gymnasium",
    "h5py": "h5py",
    "imageio": "imageio",
    "jax": "jax",
    "joblib": "joblib",
    "keras": "keras",
    "librosa": "librosa",
    "lightgbm": "lightgbm",
    "lightning": "lightning",
    "matplotlib": "matplotlib",
    "networkx": "networkx",
    "nltk": "nltk",
    "numpy": "numpy",
    "openpyxl": "openpyxl",
    "pandas": "pandas",
    "pyarrow": "pyarrow",
    "pytorch_lightning": "pytorch-lightning",
    "safetensors": "safetensors",
    "scipy": "scipy",
    "seaborn": "seaborn",
    "sentencepiece": "sentencepiece",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "soundfile": "soundfile",
    "statsmodels": "statsmodels",
    "tensorboard": "tensorboard",
    "tensorflow": "tensorflow",
    "timm": "timm",
    "tokenizers": "tokenizers",
    "torch": "torch",
    "torch_geometric": "torch-geometric",
    "torchaudio": "torchaudio",
    "torchmetrics": "torchmetrics",
    "torchvision": "torchvision",
    "tqdm": "tqdm",
    "transformers": "transformers",
    "xgboost": "xgboost",
    "yaml": "PyYAML",
}
_KERAS_BACKENDS = {"torch", "tensorflow", "jax"}


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Top-level name and line of every import, wherever it stands; the name of a relative one begins with a dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.split(".")[0], node.lineno
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield module if node.level else module.split(".")[0], node.lineno


def import_problem(name: str) -> str:
    """Why this top-level name cannot be imported here; empty when it can. Nothing is imported to find out."""
    if name.startswith("."):
        return "a relative import has no package to be relative to: the project is one script"
    if name in sys.stdlib_module_names:
        return ""
    if name not in PACKAGES:
        return f"`{name}` is not among the packages that a project may use"
    if not _is_installed(name):
        return f"`{name}` is not installed: pip install {PACKAGES[name]}"
    return ""


def required_distributions(code: str) -> list[str]:
    """Lines of requirements.txt for what the script imports: pinned to what is installed here, sorted.

    A package that is not installed stands without a version. Empty for code that is no Python.
    """
    try:
        names = {name for name, _ in imports(parse(code))}
    except (SyntaxError, ValueError):  # ValueError: a null byte
        return []
    if "keras" in names and not names & _KERAS_BACKENDS:  # Keras computes with one of them without naming it
        names.add("torch")
    return sorted((_pinned(PACKAGES[name]) for name in names if name in PACKAGES), key=str.lower)


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ValueError:  # somebody put a module without a spec into sys.modules
        return True


def _pinned(distribution: str) -> str:
    """`torch==2.6.0`; what stands behind a plus sign names a build that the package index does not have."""
    try:
        return f"{distribution}=={metadata.version(distribution).split('+')[0]}"
    except metadata.PackageNotFoundError:
        return distribution
