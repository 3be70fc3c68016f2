"""DLCodeGen as a LangChain tool: a small input, a short answer for the model, the files as artifact."""

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field

from dlcodegen.api import Project, agenerate, generate
from dlcodegen.context import Context
from dlcodegen.errors import InputError

if TYPE_CHECKING:
    from langchain_core.tools import StructuredTool


class ProjectRequest(BaseModel):
    """What an agent says to get a deep-learning project."""

    requirement: str = Field(
        description="One sentence: what to learn from which data. Name sizes, classes, architecture if known."
    )
    dataset: str = Field(default="", description="Attributes of the dataset in words: shapes, classes, file format.")
    framework: Literal["", "pytorch", "keras"] = Field(default="", description="Empty: what the requirement says.")


def project_tool(context: Context | None = None) -> "StructuredTool":
    """A tool whose content is the chat answer and whose artifact is `{path: text}` of the project's files.

    Bad input comes back as content, so that the agent can mend its request; failures of ours are raised.
    """
    from langchain_core.tools import StructuredTool

    def build(requirement: str, dataset: str = "", framework: str = "") -> tuple[str, dict[str, str]]:
        try:
            return _answered(generate(requirement, dataset=dataset, framework=framework, context=context))
        except InputError as problem:
            return str(problem), {}

    async def abuild(requirement: str, dataset: str = "", framework: str = "") -> tuple[str, dict[str, str]]:
        try:
            return _answered(await agenerate(requirement, dataset=dataset, framework=framework, context=context))
        except InputError as problem:
            return str(problem), {}

    return StructuredTool.from_function(
        build,
        coroutine=abuild,
        name="build_deep_learning_project",
        description="Build a complete deep-learning project (it trains, evaluates, predicts) that was run and checked.",
        args_schema=ProjectRequest,
        response_format="content_and_artifact",
    )


def _answered(project: Project) -> tuple[str, dict[str, str]]:
    return project.answer, project.files
