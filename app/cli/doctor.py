"""`dlcodegen doctor`: what this computer offers, for the user and for a bug report. Shows no secret."""

import os
import platform

from dlcodegen.cli import options


def doctor(as_json: options.AsJson = False) -> int:
    """Show what is installed, how well the sandbox protects here, and which chat models are set up.

    Names of key variables are shown, never their values. For a bug report:

    dlcodegen doctor --json > doctor.json
    """
    from dlcodegen.cli import show
    from dlcodegen.delivery.versions import versions

    content = {
        "versions": versions(),
        "computer": _computer(),
        "sandbox": _sandbox(),
        "dlcodegen": _ours(),
        "chat models": _models(),
    }
    if as_json:
        show.as_json(content)
    else:
        show.sections(content)
    return 0


def _computer() -> dict[str, str]:
    from dlcodegen.execution.sandbox.limits import cores

    return {"system": platform.platform(), "cores": str(cores()), "memory": _memory()}


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB"
    except (AttributeError, ValueError, OSError):  # systems that do not tell
        return "unknown"


def _sandbox() -> dict[str, str]:
    """Each tier and whether it holds here; of the one in use, every protection and what it does not stop."""
    from dlcodegen.execution.sandbox.tiers import TIERS, available, describe, trial

    tiers = {f"tier {tier}": f"no: {trial(tier).problem}" if trial(tier).problem else "holds" for tier in TIERS}
    held = available()
    if not held:
        return {"in use": "none: generated code is not executed here", **tiers}
    used = describe(held[0])
    return {"in use": used.pop("tier"), "not stopped": used.pop("not stopped"), **tiers, **used}


def _ours() -> dict[str, str]:
    from dlcodegen.corpus.own import OwnCorpus
    from dlcodegen.corpus.sample import all_samples
    from dlcodegen.corpus.store import cache_folder

    samples = all_samples()
    categories = len({sample.category for sample in samples.values()})
    return {
        "sample pool": f"{len(samples)} samples in {categories} categories",
        "your corpus": OwnCorpus().place,
        "cache folder": str(cache_folder()),
    }


def _local_models() -> str:
    from importlib.util import find_spec

    from dlcodegen.models.local.store import pulled_models

    here = ", ".join(f"{model.name} ({model.size / 1e9:.1f} GB)" for model in pulled_models())
    missing = "" if find_spec("xllamacpp") else "; to run one: pip install 'dlcodegen[local]'"
    return (here or "none is here: dlcodegen model pull") + missing


def _models() -> dict[str, str]:
    """Providers whose key is set. Names of variables only, never their values."""
    from dlcodegen.models.chat import KEYS

    ready = {
        provider: ", ".join(f"{name} is set" for name in names if os.environ.get(name))
        for provider, names in KEYS.items()
        if any(os.environ.get(name) for name in names)
    }
    here = {"offline": "always there: no model, no key", "local": _local_models()}
    return here | (ready or {"others": "no key variable is set"})
