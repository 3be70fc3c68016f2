"""`dlcodegen corpus`: look at the sample pool, prove it, and bring your own code into it."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dlcodegen.cli import options
from dlcodegen.cli.corpus_own import add, remove
from dlcodegen.cli.corpus_verify import verify

if TYPE_CHECKING:
    from dlcodegen.corpus.sample import Sample

corpus = typer.Typer(
    help="Look at the samples that projects are grounded in, prove that they run, and add your own code.",
    no_args_is_help=True,
)
Whose = Annotated[
    Literal["all", "shipped", "own"], typer.Option("--from", help="Samples that are shipped, your own, or both.")
]
Category = Annotated[
    str,
    typer.Option(metavar="NAME", show_default=False, help="One task category, in any spelling: image-segmentation."),
]
SampleId = Annotated[str, typer.Argument(metavar="ID", show_default=False, help="As `corpus list` names it.")]


@corpus.command("list")
def list_(
    category: Category = "",
    framework: options.FrameworkOption = None,
    whose: Whose = "all",
    as_json: options.AsJson = False,
) -> int:
    """List samples: what each does, with which framework, and how long it is.

    For example:

    dlcodegen corpus list
    dlcodegen corpus list --category image-segmentation --framework keras
    """
    from dlcodegen.cli import show, show_corpus

    samples = [sample for sample in all_samples_of(whose) if _wanted(sample, category, framework)]
    if as_json:
        show.as_json({"samples": [show_corpus.entry(sample) for sample in samples]})
    else:
        show_corpus.listing(samples)
    return 0


@corpus.command("show")
def show_(
    sample: SampleId,
    code: Annotated[bool, typer.Option("--code", help="Print the script alone, as it is.")] = False,
    as_json: options.AsJson = False,
) -> int:
    """Show one sample: what it is, its solution plan, and its code.

    For example:

    dlcodegen corpus show image-segmentation/unet-binary
    dlcodegen corpus show image-segmentation/unet-binary --code > unet.py
    """
    from dlcodegen.cli import show, show_corpus

    found = one(sample)
    if as_json:
        show.as_json(show_corpus.entry(found) | {"plan": found.plan.to_paper(), "code": found.code})
    elif code:
        typer.echo(found.code, nl=False)
    else:
        show_corpus.whole(found)
    return 0


@corpus.command()
def search(
    words: Annotated[
        str, typer.Argument(metavar="WORDS", show_default=False, help="What you look for, in a sentence.")
    ],
    category: Category = "",
    framework: options.FrameworkOption = None,
    count: Annotated[int, typer.Option("-k", "--count", metavar="N", min=1, help="How many to show.")] = 5,
    as_json: options.AsJson = False,
) -> int:
    """Find samples by what they are about, best first; near-duplicates are skipped.

    Without --category all are searched. The number is the BM25 score.

    For example:

    dlcodegen corpus search "dice loss for small lesions"
    dlcodegen corpus search "attention" --category text-classification -k 3
    """
    from dlcodegen.cli import show, show_corpus
    from dlcodegen.corpus.pool import open_pool
    from dlcodegen.corpus.retrieval import distinct, rank_by_words
    from dlcodegen.planner.stated import read_stated

    pool = open_pool()
    stated = read_stated(words, "", canonical(category), framework or "").facts.values()
    facts = [fact for fact in stated if category or fact["name"] == "architecture"]  # shapes differ between tasks
    ids = [sample.id for sample in all_samples_of("all") if _wanted(sample, category, framework)]
    found = distinct([item for item in rank_by_words(words, facts, ids, pool) if item.score > 0], count)
    if as_json:
        show.as_json({"samples": [show_corpus.entry(item.sample) | {"score": item.score} for item in found]})
    else:
        show_corpus.hits(found)
    return 0


@corpus.command()
def stats(as_json: options.AsJson = False) -> int:
    """Count the samples: by category, framework, licence and origin, and say where they are kept.

    For example:

    dlcodegen corpus stats
    """
    from dlcodegen.cli import show, show_corpus

    counted = show_corpus.counted(all_samples_of("all"))
    if as_json:
        show.as_json(counted)
    else:
        show_corpus.counts(counted)
    return 0


corpus.command()(verify)
corpus.command()(add)
corpus.command()(remove)


def all_samples_of(whose: str) -> "list[Sample]":
    """Those that are `shipped`, the user's `own`, or `all`."""
    from dlcodegen.corpus.pool import open_pool

    pool = open_pool()
    assert pool.own is not None
    shipped = [] if whose == "own" else list(pool.shipped.values())
    return shipped + ([] if whose == "shipped" else pool.samples(pool.own.ids()))


def one(name: str) -> "Sample":
    """The sample of that id. Raises InputError with the nearest id when there is none."""
    from difflib import get_close_matches

    from dlcodegen.corpus.pool import open_pool
    from dlcodegen.errors import InputError

    pool = open_pool()
    if found := pool.samples([name]):
        return found[0]
    near = get_close_matches(name, pool.shipped, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise InputError(f"there is no sample {name!r}: {hint}see `dlcodegen corpus list`")


def _wanted(sample: "Sample", category: str, framework: str | None) -> bool:
    return (not category or sample.category == canonical(category)) and framework in (None, sample.framework)


def canonical(category: str) -> str:
    """The category of any spelling; raises InputError for one that is none."""
    from dlcodegen import categories
    from dlcodegen.errors import InputError

    found = categories.nearest(category) if category else ""
    if found == "other" and category != "other":
        raise InputError(f"there is no task category {category!r}: use one of {', '.join(categories.CATEGORIES)}")
    return found
