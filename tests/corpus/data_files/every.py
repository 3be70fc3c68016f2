"""The data sets of all modules of this folder in one table."""

import importlib
import pkgutil

from tests.corpus import data_files
from tests.corpus.data_files.files import DataFiles


def every_data_set() -> dict[str, DataFiles]:
    """Sample id -> its data set, from the table FILES of each module that has one."""
    found: dict[str, DataFiles] = {}
    for module in pkgutil.iter_modules(data_files.__path__, f"{data_files.__name__}."):
        files: dict[str, DataFiles] = getattr(importlib.import_module(module.name), "FILES", {})
        assert not found.keys() & files.keys(), f"{module.name}: two data sets for {found.keys() & files.keys()}"
        found |= files
    return found
