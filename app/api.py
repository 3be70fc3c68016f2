"""The library's front door: one call from a sentence to a project, sync and async."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dlcodegen.context import Context
from dlcodegen.errors import RequirementError

if TYPE_CHECKING:
    from dlcodegen.state import InputState


@dataclass(frozen=True)
class Project:
    """What was built. Nothing is on disk until `write` is called."""

    status: Literal["passed", "failed", "unchecked", "not_executed", "sandbox_error"]
    """`passed` only when the code ran and passed its check."""
    files: dict[str, str] = field(repr=False)
    """Path in the project folder -> text."""
    plan: dict[str, Any] = field(repr=False)
    """The solution plan as the paper's JSON."""
    report: dict[str, Any] = field(repr=False)
    """report.json."""
    answer: str = field(repr=False)
    """What was planned and built, how to run it, what was not honoured; Markdown."""

    def write(self, folder: str | Path, *, force: bool = False) -> Path:
        """Write the files into `folder`, all or none, and return it.

        Raises SettingsError when the folder is not empty and `force` is not set.
        """
        from dlcodegen.delivery.folder import write_project

        write_project(self.files, Path(folder), force)
        return Path(folder)


def generate(
    requirement: str, *, dataset: str = "", data: str = "", framework: str = "", context: Context | None = None
) -> Project:
    """Build a project for one requirement. Takes seconds; nothing is written to disk.

    Raises InputError when there is nothing to work on, DLCodeGenError for a failure of ours. Generated code that does
    not pass its check is no exception: see `Project.status`.
    """
    from dlcodegen.graph.builder import graph

    return _project(graph.invoke(_input(requirement, dataset, data, framework), context=context or Context()))


async def agenerate(
    requirement: str, *, dataset: str = "", data: str = "", framework: str = "", context: Context | None = None
) -> Project:
    """`generate` for asynchronous programs; the work runs in threads and leaves the event loop free."""
    from dlcodegen.graph.builder import graph

    return _project(await graph.ainvoke(_input(requirement, dataset, data, framework), context=context or Context()))


def _input(requirement: str, dataset: str, data: str, framework: str) -> "InputState":
    return {"requirement": requirement, "dataset": dataset, "data": data, "framework": framework}


def _project(state: dict[str, Any]) -> Project:
    answer = state["messages"][-1].text
    if state["status"] == "needs_input":
        raise RequirementError(answer)
    return Project(
        status=state["status"], files=state["files"], plan=state["plan"], report=state["report"], answer=answer
    )
