"""Which models are on this computer, and where: once, in the user's cache folder."""

import shutil
from pathlib import Path

from dlcodegen.corpus.store import cache_folder
from dlcodegen.errors import SettingsError
from dlcodegen.models.local.catalogue import MODELS, LocalModel, model_named


def models_folder() -> Path:
    """Where the files are kept, those that are half here among them."""
    return cache_folder() / "models"


def path_of(model: LocalModel) -> Path:
    """Where its file is, or would be."""
    return models_folder() / model.file


def is_pulled(model: LocalModel) -> bool:
    """Whether its file is here: it got this name when its digest was right."""
    path = path_of(model)
    return path.is_file() and path.stat().st_size == model.size


def pulled_models() -> list[LocalModel]:
    """The largest first."""
    return [model for model in MODELS if is_pulled(model)]


def find_model(name: str = "") -> LocalModel:
    """The model of that name, or the largest that is here. Raises SettingsError, with what to type, when it is not."""
    if not name:
        here = pulled_models()
        if not here:
            raise SettingsError(f"no local model is here: type `dlcodegen model pull {MODELS[0].name}`")
        return here[0]
    model = model_named(name)
    if not is_pulled(model):
        raise SettingsError(f"the local model {name} is not here: type `dlcodegen model pull {name}`")
    return model


def partial_path(model: LocalModel) -> Path:
    """The file while parts of it are missing: of its full length, with holes."""
    return models_folder() / f"{model.file}.partial"


def hub_folder(model: LocalModel) -> Path:
    """Where a download from the Hub grows; the Hub's library keeps there what it needs to go on."""
    return models_folder() / f"{model.file}.hub"


def partial_size(model: LocalModel) -> int:
    """Bytes that an interrupted download has left."""
    paths = [partial_path(model), *hub_folder(model).rglob("*.incomplete")]
    return sum(_on_disk(path) for path in paths if path.is_file())


def _on_disk(path: Path) -> int:
    """Without the holes, where the system tells."""
    about = path.stat()
    return min(about.st_size, about.st_blocks * 512) if hasattr(about, "st_blocks") else about.st_size


def remove_model(model: LocalModel) -> bool:
    """Delete its file and what is left of downloads. Whether there was anything."""
    found = [path for path in (path_of(model), partial_path(model), hub_folder(model)) if path.exists()]
    for path in found:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return bool(found)
