"""`dlcodegen bench corpus` and `bench retrieval`: what the sample pool is worth."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from dlcodegen.cli import options
from dlcodegen.cli.measuring import RESULTS, Fresh, Out, OutFolder, measure, measure_parts
from dlcodegen.errors import InputError

if TYPE_CHECKING:
    from dlcodegen.corpus.dense import DenseOpinion
    from dlcodegen.evals.journal import Row

_CORPUS_PARTS = ("retrieval", "duplicates", "derivation", "growth", "samples")
_Embeddings = Annotated[
    str, typer.Option(metavar="PROVIDER:NAME", show_default=False, help="Measure this embedding model beside BM25.")
]
_EmbeddingsUrl = Annotated[
    str, typer.Option(metavar="URL", show_default=False, help="OpenAI-compatible server of embeddings.")
]


def corpus(
    parts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[PART]...", show_default=False, help=f"Any of {', '.join(_CORPUS_PARTS)}; if none, all."
        ),
    ] = None,
    out: OutFolder = RESULTS,
    embeddings: _Embeddings = "",
    embeddings_url: _EmbeddingsUrl = "",
    fresh: Fresh = False,
    as_json: options.AsJson = False,
) -> int:
    """Measure the sample pool: is the right sample found, what does a large pool cost, does every sample learn?

    retrieval: requirements against the sample each asks for. duplicates: rules that keep copies out.
    derivation: plans derived from code. growth: pools of up to 100,000. samples: every sample run.

    For example:

    dlcodegen bench corpus
    dlcodegen bench corpus retrieval --embeddings openai:nomic-embed-text --embeddings-url http://localhost:8080/v1
    """
    unknown = sorted(set(parts or ()) - set(_CORPUS_PARTS))
    if unknown:
        raise InputError(f"there is no part {unknown[0]!r}: use any of {', '.join(_CORPUS_PARTS)}")
    chosen = ((name, *_corpus_part(name, embeddings, embeddings_url)) for name in parts or _CORPUS_PARTS)
    return measure_parts("corpus", chosen, out, as_json, fresh)


def retrieval(
    out: Out = None,
    embeddings: _Embeddings = "",
    embeddings_url: _EmbeddingsUrl = "",
    fresh: Fresh = False,
    as_json: options.AsJson = False,
) -> int:
    """See whether the right sample is found: requirements against the sample that each asks for.

    A part of `bench corpus`.

    For example:

    dlcodegen bench retrieval
    dlcodegen bench retrieval --embeddings openai:nomic-embed-text --embeddings-url http://localhost:8080/v1
    """
    return measure("retrieval", *_corpus_part("retrieval", embeddings, embeddings_url), out, fresh, as_json)


def _corpus_part(
    name: str, embeddings: str, embeddings_url: str
) -> "tuple[Iterable[tuple[str, Callable[[], Row]]], Callable[[list[Row]], list[Row]]]":
    """Steps and summary of a part of `bench corpus`."""
    from dlcodegen.evals import derivation, near_duplicates, pool_growth, pool_proof, retrieval

    if name == "retrieval":
        return retrieval.steps(_opinion(embeddings, embeddings_url)), retrieval.summary
    modules = {
        "duplicates": near_duplicates,
        "derivation": derivation,
        "growth": pool_growth,
        "samples": pool_proof,
    }
    return modules[name].steps(), modules[name].summary


def _opinion(embeddings: str, embeddings_url: str) -> "DenseOpinion | None":
    if not embeddings:
        return None
    from dlcodegen.corpus.dense import DenseOpinion
    from dlcodegen.models.embeddings import embedder

    return DenseOpinion(embeddings, embedder(embeddings, embeddings_url))
