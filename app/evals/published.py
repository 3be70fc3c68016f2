"""Where the published data of the paper's authors lies. It has no licence: it is read to measure, never copied."""

import os
from pathlib import Path

from dlcodegen.errors import SettingsError

ENVIRONMENT = "DLCODEGEN_PUBLISHED_DATA"
_BESIDE_THE_CHECKOUT = Path("shared/data/dlcodegen")


def published_data() -> Path:
    """The folder with `README.md` (the published table), `plans/{train,dev,test}.jsonl` and `plans/published/*.jsonl`.

    It is the one that DLCODEGEN_PUBLISHED_DATA names, or `shared/data/dlcodegen` beside the checkout.
    Raises SettingsError, one line that says what is missing.
    """
    named = os.environ.get(ENVIRONMENT)
    folder = Path(named) if named else Path(__file__).resolve().parents[3] / _BESIDE_THE_CHECKOUT
    if (folder / "plans" / "test.jsonl").is_file():
        return folder
    raise SettingsError(
        f"there is no published data in {folder}: set {ENVIRONMENT} to the folder that has plans/test.jsonl"
    )


def published_predictions(folder: Path) -> list[Path]:
    """Files of the published predictors' plans for the test rows, by name."""
    return sorted((folder / "plans" / "published").glob("*.jsonl"))
