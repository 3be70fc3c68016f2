"""DLCodeGen: from one sentence to a deep-learning project that runs.

    from dlcodegen import generate
    project = generate("segment polyps in colonoscopy images with a U-Net")
    project.write("polyps")

Nothing heavy is imported until it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlcodegen.api import Project, agenerate, generate
    from dlcodegen.context import Context
    from dlcodegen.tool import project_tool

__version__ = "0.1.0"
__all__ = ["Context", "Project", "__version__", "agenerate", "generate", "project_tool"]

_HOMES = {
    "Context": "dlcodegen.context",
    "Project": "dlcodegen.api",
    "agenerate": "dlcodegen.api",
    "generate": "dlcodegen.api",
    "project_tool": "dlcodegen.tool",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
