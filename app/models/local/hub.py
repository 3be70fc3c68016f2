"""A model's file from the Hugging Face Hub, whose own library resumes what was interrupted."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dlcodegen.errors import InputError
from dlcodegen.models.failures import one_line
from dlcodegen.models.local.catalogue import LocalModel
from dlcodegen.models.local.fetching import Report, is_disk_full, need_space

TIMEOUT = 5.0
"""Seconds until the Hub has answered: where it cannot be reached, nobody wants to wait."""


def fetch_from_hub(model: LocalModel, folder: Path, report: Report, hub: str = "") -> Path | str:
    """The file, in this folder, or in words why the Hub does not give it.

    `hub`: its address; else what its library is set to. Raises InputError when it will not fit on the disk, and
    whatever comes when the disk gets full on the way.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    where, endpoint = (model.repository, model.file), hub or None
    try:
        with _quiet():
            # The download would try for half a minute to reach a Hub that is not there.
            get_hf_file_metadata(hf_hub_url(*where, endpoint=endpoint), timeout=TIMEOUT, endpoint=endpoint)
            need_space(folder.parent, 0 if folder.exists() else model.size)
            bar = _telling(report)
            return Path(hf_hub_download(*where, endpoint=endpoint, local_dir=folder, tqdm_class=bar))
    except InputError:
        raise
    except Exception as error:  # the network's, the Hub's, its transport's: whichever it is, there is another source
        if is_disk_full(error):
            raise
        return one_line(error)


def _telling(report: Report) -> Any:
    """The bar that the library is to draw: it draws nothing and tells us."""
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *_: Any, initial: int = 0, **__: Any) -> None:
            super().__init__(disable=True)
            self._here = initial
            report("from the Hugging Face Hub", initial)

        def update(self, n: float | None = 1) -> None:
            self._here += int(n or 0)
            report("from the Hugging Face Hub", self._here)

    return Bar


@contextmanager
def _quiet() -> Iterator[None]:
    """What went wrong is said by us, once."""
    log = logging.getLogger("huggingface_hub")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)
