"""A tiny data set in the format that the samples on anomalies in images read."""

from pathlib import Path

from tests.corpus.data_files.files import DataFiles
from tests.corpus.data_files.images import NARROW
from tests.corpus.data_files.pictures import write_picture


def good_and_bad(folder: Path) -> None:
    """Good images, two kinds of bad ones, and what lies about in real folders: a text, a picture, thumbnails."""
    for number in range(9):
        write_picture(folder / "good" / ("", "second shift")[number % 2], f"{number}", number)
    for number in range(3):
        write_picture(folder / ("scratch", "dent")[number % 2], f"{number}", 9 + number)
    (folder / "scratch" / "authors.txt").write_text("us", encoding="utf-8")
    write_picture(folder, "overview", 12)
    write_picture(folder / ".thumbnails", "0", 13)


FILES: dict[str, DataFiles] = {
    "anomaly-detection/image-autoencoder": DataFiles(good_and_bad, (*NARROW, "--depth", "2", "--latent-dim", "8")),
    "anomaly-detection/keras-image-autoencoder": DataFiles(
        good_and_bad, (*NARROW, "--depth", "2", "--latent-dim", "8", "--erased-size", "4")
    ),
}
