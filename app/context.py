"""What a run can be told: the graph's context, its descriptions and defaults shown as a form by LangGraph Studio."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints

from dlcodegen.errors import SettingsError

WriterName = Literal["auto", "syntax", "llm"]
PlannerName = Literal["auto", "gpt2", "llm", "nearest"]
PlanDecoding = Literal["greedy", "beam", "sampled", "consensus"]
Role = Literal["plan", "draft", "merge", "repair"]
Pieces = Literal["auto", "script", "segment"]
Method = Literal[
    "dlcodegen",
    "direct",
    "ps",
    "c-cot",
    "cedar",
    "no-plan",
    "no-code-rag",
    "no-template-rag",
    "no-merge",
    "no-repair",
]
DIRECT: tuple[Method, ...] = ("direct", "ps", "c-cot", "cedar")
"""The methods that ours is compared with: the whole script is asked for at once, and taken as it is."""


def _setting(default: Any, description: str, **schema: Any) -> Any:
    return field(default=default, metadata={"description": description, "json_schema_extra": schema})


@dataclass(frozen=True, kw_only=True)
class Context:
    """Settings of one run. Explicit settings win; nothing is read from the environment."""

    writer: WriterName = _setting("auto", "Who writes the code: `syntax` needs no model; `auto` takes it when offline.")
    model: str = _setting("offline", "Chat model: `offline` (none), or PROVIDER:NAME such as `openai:gpt-4o-mini`.")
    base_url: str = _setting("", "Address of an OpenAI-compatible server, such as http://localhost:8080/v1.")
    model_plan: str = _setting("", "Another chat model for the plan; empty: `model`.")
    model_draft: str = _setting("", "Another chat model for templates and drafts; empty: `model`.")
    model_merge: str = _setting("", "Another chat model for the comparative merge; empty: `model`.")
    model_repair: str = _setting("", "Another chat model for repairs; empty: `model`.")
    max_tokens: int = _setting(0, "Tokens that a run may use, prompts and answers together; 0: no bound.", minimum=0)
    max_cost: float = _setting(0.0, "Dollars that a run may cost, by `prices`; 0: no bound.", minimum=0)
    prices: str = _setting(
        "",
        "Dollars for a million tokens of prompts and of answers, such as `0.15/0.60`; with other models for some "
        "roles, `0.15/0.60,repair=2.5/10`.",
    )
    pieces: Pieces = _setting(
        "auto",
        "What a chat model is asked for at a time: a whole `script`, or one checked `segment` of it (small models); "
        "`auto`: segments of a local model.",
    )
    answers: int = _setting(4, "Answers sampled side by side for one segment.", minimum=1, maximum=16)
    temperature: float | None = _setting(
        None,
        "Temperature of a chat model's sampling; empty: the provider's own, and 0.7 for segments.",
        minimum=0,
        maximum=2,
    )
    method: Method = _setting(
        "dlcodegen", "The whole method, one of the simpler ones it is compared with, or the method without one part."
    )
    planner: PlannerName = _setting(
        "auto",
        "Who predicts the solution plan: `gpt2`, trained for it; `llm`, the chat model; `nearest`, a sample's plan; "
        "`auto`: gpt2, and the chat model where there is one and gpt2 is unsure.",
    )
    plan_decoding: PlanDecoding = _setting(
        "greedy",
        "How gpt2 writes a plan's layers and texts: likeliest words first (`greedy`), by `beam` search as in the "
        "paper, `sampled`, or as several samples agree (`consensus`).",
    )
    samples: int = _setting(3, "How many samples are retrieved from the pool.", minimum=1, maximum=10)
    embeddings: str = _setting(
        "", "Embedding model for a second opinion on which samples are near: PROVIDER:NAME; empty: BM25 alone."
    )
    embeddings_url: str = _setting("", "Address of an OpenAI-compatible server of embeddings.")
    repairs: int = _setting(3, "How many repairs are tried at the most.", minimum=0, maximum=10)
    check: bool = _setting(True, "Run and check the code before it is handed over.")
    time_limit: float = _setting(60.0, "Seconds that one smoke run may take.", minimum=1, maximum=3600)
    sandbox: str = _setting(
        "auto", "What generated code runs in: `auto` (the strongest that holds here), `docker:IMAGE`, `sandbox-exec`."
    )
    accept_unsandboxed: bool = _setting(
        False, "Run generated code without protection where this computer offers no sandbox."
    )
    seed: int = _setting(42, "Seed of the generated project, and of a model's sampling where it has one.")

    def __post_init__(self) -> None:
        """Raises SettingsError for values outside what the descriptions say."""
        for name, hint in get_type_hints(type(self)).items():
            choices = get_args(hint) if get_origin(hint) is Literal else ()
            if choices and getattr(self, name) not in choices:
                raise SettingsError(f"{name} is one of {', '.join(choices)}, not {getattr(self, name)!r}")
        for item in dataclasses.fields(self):
            limits, value = item.metadata["json_schema_extra"], getattr(self, item.name)
            if value is not None and not limits.get("minimum", value) <= value <= limits.get("maximum", value):
                raise SettingsError(
                    f"{item.name} lies between {limits['minimum']} and {limits['maximum']}, not {value}"
                )

    @property
    def writer_in_use(self) -> Literal["syntax", "llm"]:
        """`auto` resolved. Raises SettingsError when a model is needed and none is named."""
        if self.writer == "auto":
            return "syntax" if self.model_for("draft") == "offline" else "llm"
        if self.writer == "llm" and self.model_for("draft") == "offline":
            raise SettingsError("the llm writer needs a model: set --model PROVIDER:NAME")
        return self.writer

    @property
    def pieces_in_use(self) -> Literal["script", "segment"]:
        """`auto` resolved: a small model writes a function that runs more often than a script that runs."""
        if self.method in DIRECT:
            return "script"
        if self.pieces == "auto":
            return "segment" if self.model_for("draft").partition(":")[0] == "local" else "script"
        return self.pieces

    @property
    def only_by_contract(self) -> bool:
        """Whether samples are taken apart: then only those that have the contract's parts serve, not any script."""
        return self.writer_in_use == "syntax" or self.pieces_in_use == "segment"

    def model_for(self, role: Role) -> str:
        """The chat model of one role; a role without one of its own has the run's."""
        return str(getattr(self, f"model_{role}")) or self.model

    @classmethod
    def resolve(cls, given: object) -> "Context":
        """The context of this run, whatever the caller's graph passes down.

        A subgraph receives its parent's context untouched, and in-process runs without one receive None: a Context is
        kept; of any other object, `dlcodegen` (attribute or key) is taken, a Context or a dict of its fields. Anything
        else in a foreign context is not ours, whatever its name.
        """
        if isinstance(given, cls):
            return given
        own = given.get("dlcodegen") if isinstance(given, dict) else getattr(given, "dlcodegen", None)
        return own if isinstance(own, cls) else cls(**(own or {}))
