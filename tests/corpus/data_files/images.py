"""Tiny data sets in the formats that the samples on folders of images, without a table beside them, read."""

from pathlib import Path

from tests.corpus.data_files.files import DataFiles
from tests.corpus.data_files.pictures import write_picture

SMALL = ("--image-height", "16", "--image-width", "16")
NARROW = (*SMALL, "--base-width", "4")
CLASSES = ("grey heron", "kingfisher", "müller")


def class_folders(folder: Path) -> None:
    """One sub-folder per class, and what lies about in real ones: a list of the authors, a hidden folder."""
    for label, name in enumerate(CLASSES):
        for number in range(8):
            write_picture(folder / name, f"picture {number}", 8 * label + number)
        (folder / name / "authors.txt").write_text("us", encoding="utf-8")
    (folder / ".thumbnails").mkdir()


def image_folder(folder: Path) -> None:
    """Images in the folder itself and in sub-folders of any depth."""
    for number in range(10):
        write_picture(folder / ("", "north", "south/1999")[number % 3], f"{number}", number)
    (folder / "authors.txt").write_text("us", encoding="utf-8")


def clip_folders(folder: Path) -> None:
    """Class folders with a folder of frames for every clip; clips are of different length."""
    for label, name in enumerate(("wave", "nod")):
        for clip in range(4):
            for frame in range(2 + clip):
                write_picture(folder / name / f"clip {clip}", f"frame{frame:03}", 10 * label + clip)


THREE_CLASSES = ("--num-classes", "3")

FILES: dict[str, DataFiles] = {
    "image-classification/small-cnn": DataFiles(class_folders, (*NARROW, *THREE_CLASSES)),
    "image-classification/resnet": DataFiles(class_folders, (*NARROW, *THREE_CLASSES)),
    "image-classification/vision-transformer": DataFiles(
        class_folders, (*SMALL, *THREE_CLASSES, "--hidden-size", "16", "--num-layers", "1")
    ),
    "metric-learning/siamese": DataFiles(class_folders, (*NARROW, "--embedding-dim", "8")),
    "self-supervised-learning/simclr": DataFiles(class_folders, (*NARROW, *THREE_CLASSES, "--embedding-dim", "8")),
    "self-supervised-learning/masked-autoencoder": DataFiles(
        class_folders, (*SMALL, *THREE_CLASSES, "--hidden-size", "16", "--num-layers", "1")
    ),
    "video-classification/cnn-gru": DataFiles(
        clip_folders, (*NARROW, "--num-classes", "2", "--num-frames", "4", "--hidden-size", "8")
    ),
    "image-to-image/denoising": DataFiles(image_folder, (*NARROW, "--num-layers", "3")),
    "image-to-image/super-resolution": DataFiles(image_folder, (*NARROW, "--num-layers", "1")),
    "unconditional-image-generation/dcgan": DataFiles(image_folder, (*NARROW, "--depth", "2", "--latent-dim", "8")),
    "unconditional-image-generation/diffusion": DataFiles(image_folder, (*NARROW, "--num-steps", "10")),
    "unconditional-image-generation/vae": DataFiles(image_folder, (*NARROW, "--latent-dim", "8")),
}
