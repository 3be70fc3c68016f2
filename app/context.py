"""What a run can be told: the graph's context, its descriptions and defaults shown as a form by LangGraph Studio."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_type_hints

from dlcodegen.errors import SettingsError

WriterName = Literal["auto", "syntax", "llm"]
PlannerName = Literal["auto", "gpt2", "llm", "nearest"]


def _setting(default: Any, description: str, **schema: Any) -> Any:
    return field(default=default, metadata={"description": description, "json_schema_extra": schema})


@dataclass(frozen=True, kw_only=True)
class Context:
    """Settings of one run. Explicit settings win; nothing is read from the environment."""

    writer: WriterName = _setting("auto", "Who writes the code: `syntax` needs no model; `auto` takes it when offline.")
    model: str = _setting("offline", "Chat model: `offline` (none), or PROVIDER:NAME such as `openai:gpt-4o-mini`.")
    base_url: str = _setting("", "Address of an OpenAI-compatible server, such as http://localhost:8080/v1.")
    planner: PlannerName = _setting(
        "auto",
        "Who predicts the solution plan: `gpt2`, trained for it; `llm`, the chat model; `nearest`, a sample's plan; "
        "`auto`: gpt2, and the chat model where there is one and gpt2 is unsure.",
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
            choices = get_args(hint)
            if choices and getattr(self, name) not in choices:
                raise SettingsError(f"{name} is one of {', '.join(choices)}, not {getattr(self, name)!r}")
        for item in dataclasses.fields(self):
            limits, value = item.metadata["json_schema_extra"], getattr(self, item.name)
            if not limits.get("minimum", value) <= value <= limits.get("maximum", value):
                raise SettingsError(
                    f"{item.name} lies between {limits['minimum']} and {limits['maximum']}, not {value}"
                )

    @property
    def writer_in_use(self) -> Literal["syntax", "llm"]:
        """`auto` resolved. Raises SettingsError when a model is needed and none is named."""
        if self.writer == "auto":
            return "syntax" if self.model == "offline" else "llm"
        if self.writer == "llm" and self.model == "offline":
            raise SettingsError("the llm writer needs a model: set --model PROVIDER:NAME")
        return self.writer

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
