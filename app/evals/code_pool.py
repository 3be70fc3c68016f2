"""The sample pool of a coding task: what is shipped, and the other tasks' reference code as if a user had added it."""

import json
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from dlcodegen.corpus.importing.newcomers import Newcomer, Newcomers
from dlcodegen.corpus.own import OwnCorpus
from dlcodegen.corpus.sample import Sample, all_samples
from dlcodegen.corpus.store import cache_folder
from dlcodegen.evals.code_files import Codes, Id, Task


class ReferencePool:
    """Reference code, imported as `dlcodegen corpus add` imports it. The user's own corpus is neither read nor changed.

    Near-copies are kept: which of two is left out would depend on the task that is to be solved.
    """

    def __init__(self, references: Codes, keep_itself: bool = False) -> None:
        """`keep_itself`: a task may find its own reference."""
        self._references = references
        self._keep_itself = keep_itself

    @contextmanager
    def for_task(self, task: Task) -> Iterator[int]:
        """What is done inside retrieves from this pool, without the task's own reference, whatever its id there.

        Gives the number of references in it. The place of the corpus belongs to the whole process: one task at a time.
        """
        own = [key for key in self._samples if not self._keep_itself and self._is_of(task, key)]
        wanted = {sample.id: sample for key, sample in self._samples.items() if key not in own}
        self._hold(wanted)
        with _environment(DLCODEGEN_DATA=str(self._folder), DLCODEGEN_CHROMA="", DLCODEGEN_CACHE=_own_cache()):
            yield len(wanted)

    def _hold(self, wanted: Mapping[str, Sample]) -> None:
        """Exactly these. One corpus serves all tasks: each that is opened keeps a dozen files open."""
        corpus = OwnCorpus(self._folder / "corpus", server="")
        present = set(corpus.ids())
        if gone := present - wanted.keys():
            corpus.remove(gone)
        if missing := [sample for key, sample in wanted.items() if key not in present]:
            corpus.add(missing)

    @cached_property
    def _folder(self) -> Path:
        """Of the corpus; it goes with this object."""
        folder = tempfile.mkdtemp(prefix="dlcodegen-bench-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return Path(folder)

    @cached_property
    def _samples(self) -> dict[Id, Sample]:
        """By id; code that is no deep learning, or no Python even as a notebook, cannot be imported."""
        with tempfile.TemporaryDirectory(prefix="dlcodegen-bench-") as folder:
            written = {}
            for number, (key, code) in enumerate(self._references.by_id.items()):
                path = Path(folder) / f"reference-{number}.ipynb"
                path.write_text(_notebook(code), encoding="utf-8")
                written[key] = path
            nowhere = OwnCorpus(Path(folder) / "corpus", server="")
            reader = Newcomers(nowhere, all_samples().values(), near_copies=True)
            found = {key: next(iter(reader.read(path))) for key, path in written.items()}
        return {key: item.sample for key, item in found.items() if isinstance(item, Newcomer)}

    def _is_of(self, task: Task, key: Id) -> bool:
        same = "".join(self._references.by_id[key].split()) == "".join(task.reference.split())
        return key == task.id or same


def _own_cache() -> str:
    """For indexes: those of the user's corpus would be dropped in favour of ours. Pulled models are the user's."""
    folder, models = cache_folder() / "bench", cache_folder() / "models"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "models").is_symlink():
        (folder / "models").symlink_to(models)
    return str(folder)


def _notebook(code: str) -> str:
    """The published references were notebooks, and hold commands that only a notebook understands."""
    return json.dumps({"nbformat": 4, "metadata": {}, "cells": [{"cell_type": "code", "source": code}]})


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
