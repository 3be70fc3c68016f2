"""A tiny data set in the format that the samples on images with a text beside them read."""

from pathlib import Path

from tests.corpus.data_files.annotated_images import COUNT, SMALL, pictures
from tests.corpus.data_files.files import DataFiles, write_csv
from tests.corpus.data_files.texts import NARROW, REMARKS


def listings(folder: Path) -> None:
    """A column that nobody asked for, a text without a word in it, and classes by name, one of which is `NA`."""
    texts = ["", *REMARKS, 'Mug, "blue"']
    labels = [("NA", "toys")[number % 2] for number in range(COUNT)]
    write_csv(
        folder / "labels.csv", {"seller": ["us"] * COUNT, "text": texts, "label": labels, "file": pictures(folder)}
    )


FLAGS = (*SMALL, *NARROW, "--hidden-size", "8", "--num-classes", "2")

FILES: dict[str, DataFiles] = {
    "multimodal-classification/image-text": DataFiles(listings, FLAGS),
    "multimodal-classification/keras-image-text": DataFiles(listings, (*FLAGS, "--num-filters", "4")),
}
