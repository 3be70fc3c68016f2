"""What does a model add? Each model by several methods, and the syntax writer alone, on the same sentences."""

from collections.abc import Callable, Iterator, Sequence
from typing import get_args

from dlcodegen.context import Context, Method
from dlcodegen.errors import SettingsError
from dlcodegen.evals import project_runs
from dlcodegen.evals.journal import Row
from dlcodegen.evals.suite import Sentence

MODELS = ("local:qwen2.5-coder-1.5b", "local:qwen2.5-coder-0.5b")
_COMPARED: tuple[Method, ...] = ("direct", "dlcodegen")
_ABLATIONS: tuple[Method, ...] = tuple(method for method in get_args(Method) if method.startswith("no-"))


def steps(
    models: Sequence[str], sentences: Sequence[Sentence], base_url: str = "", ablation: bool = False, seed: int = 42
) -> Iterator[tuple[str, Callable[[], Row]]]:
    """The syntax writer, then each model directly and by the whole method; `ablation`: also without each part.

    A model that is not set up here is absent, with the reason.
    """
    methods = (*_COMPARED, *(_ABLATIONS if ablation else ()))
    ways = [project_runs.way(Context(writer="syntax", seed=seed))]
    for model in models:
        settings = [
            Context(writer="llm", model=model, base_url=base_url, method=method, seed=seed) for method in methods
        ]
        reason = _missing(settings[0])
        if reason:
            yield model, lambda reason=reason: {"absent": reason}  # type: ignore[misc]
        else:
            ways += [project_runs.way(context) for context in settings]
    yield from project_runs.steps(ways, sentences)


def _missing(context: Context) -> str:
    """What keeps the model of these settings from being asked, in one line; empty when nothing does."""
    from dlcodegen.models.asking import Asker

    try:
        Asker(context, "draft")
    except SettingsError as error:
        return str(error)
    return ""
