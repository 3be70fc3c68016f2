"""Tiny data sets in the formats that the samples on transfer, rare classes, colour, domains and retrieval read."""

from pathlib import Path

from tests.corpus.data_files.files import DataFiles
from tests.corpus.data_files.images import CLASSES, NARROW, class_folders, image_folder
from tests.corpus.data_files.pictures import write_picture

NUM_CLASSES = ("--num-classes", str(len(CLASSES)))


def rare_classes(folder: Path) -> None:
    """One sub-folder per class; the last has no more images than there are splits."""
    for name, count in zip(CLASSES, (12, 6, 3), strict=True):
        for number in range(count):
            write_picture(folder / name, f"{number}", number)


def domains(folder: Path) -> None:
    """Two domains of different size, one of them in sub-folders."""
    for number in range(7):
        write_picture(folder / "a", f"{number}", number)
    for number in range(10):
        write_picture(folder / "b" / ("", "winter")[number % 2], f"{number}", 7 + number)


def many_classes(folder: Path) -> None:
    """Sub-folders enough to hold whole classes out, and an empty one."""
    for label in range(7):
        for number in range(2 + label % 2):
            write_picture(folder / f"product {label}", f"{number}", 3 * label + number)
    (folder / "sold out").mkdir()


FILES: dict[str, DataFiles] = {
    "image-classification/frozen-backbone": DataFiles(
        class_folders, (*NARROW, *NUM_CLASSES, "--pretraining-epochs", "1")
    ),
    "image-classification/imbalanced": DataFiles(rare_classes, (*NARROW, *NUM_CLASSES)),
    "image-to-image/colourisation": DataFiles(image_folder, NARROW),
    "image-to-image/cycle-gan": DataFiles(domains, (*NARROW, "--num-blocks", "1")),
    "unconditional-image-generation/wgan-gp": DataFiles(image_folder, (*NARROW, "--depth", "2", "--latent-dim", "8")),
    "metric-learning/triplet": DataFiles(many_classes, (*NARROW, "--embedding-dim", "8")),
}
