"""What a writer does. Nodes call the writer that the context names; they never know which one it is."""

from typing import Protocol

from typing_extensions import TypedDict  # pydantic reads no other before Python 3.12

from dlcodegen.corpus.sample import Sample
from dlcodegen.plan import SolutionPlan
from dlcodegen.report import Candidate, Fact, Usage


class Request(TypedDict):
    """What the user asked for, validated by `read_requirement`."""

    requirement: str
    dataset: str
    """Attributes of the dataset in words; may be empty."""
    data: str
    """Path of the user's data; may be empty."""
    framework: str
    """`pytorch` or `keras`."""
    facts: list[Fact]
    """What the requirement states, read once; it wins over anything predicted."""


class Template(TypedDict):
    """A script whose project-specific parts are named slots (paper, section III-C)."""

    code: str
    """The script; a slot stands as `{{name}}`."""
    slots: dict[str, str]
    """Slot name -> what the best sample has there, used where the plan has nothing better."""
    origin: list[str]
    """Ids of the samples it was abstracted from."""


class Writer(Protocol):
    """The five jobs of writing.

    A writer answers with its best effort and never judges it: checking is done elsewhere. Raises ModelError when a
    chat model cannot be reached or used at all.
    """

    name: str

    @property
    def usage(self) -> Usage:
        """What the jobs done so far cost: `calls`, `input_tokens`, `output_tokens`, `cost`; empty without a model."""

    def abstract(self, plan: SolutionPlan, samples: list[Sample]) -> Template:
        """The samples' shared structure, with named slots."""

    def draft_from_code(self, request: Request, plan: SolutionPlan, samples: list[Sample]) -> Candidate:
        """Code RAG: a script written after the retrieved samples."""

    def draft_from_template(self, request: Request, plan: SolutionPlan, template: Template) -> Candidate:
        """Template RAG: the template with its slots filled."""

    def merge(self, request: Request, plan: SolutionPlan, drafts: list[Candidate]) -> Candidate:
        """Comparative merge of checked drafts; `origin` has one line a segment: which draft, and why."""

    def repair(
        self, request: Request, plan: SolutionPlan, history: list[Candidate], samples: list[Sample], left: int
    ) -> Candidate:
        """The next attempt after the last of `history` failed its check; `left`: attempts left, this one among them.

        Code that is in `history` already means that nothing else is at hand.
        """
