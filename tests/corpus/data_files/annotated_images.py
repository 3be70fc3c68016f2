"""Tiny data sets in the formats that the samples on images with a table, masks or depths beside them read."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from tests.corpus.data_files.files import Columns, DataFiles, write_csv
from tests.corpus.data_files.pictures import size, write_picture

COUNT = 10
SMALL = ("--image-height", "16", "--image-width", "16", "--base-width", "4")


def pictures(folder: Path) -> list[str]:
    """File names of the pictures written to images/, one of which lies in a sub-folder there."""
    names = ["deep/0", *(f"picture {number}" for number in range(1, COUNT))]
    paths = [write_picture(folder / "images", name, number) for number, name in enumerate(names)]
    return [path.relative_to(folder / "images").as_posix() for path in paths]


def labels(folder: Path) -> None:
    table: Columns = {
        "file": pictures(folder),
        "rain": [number % 2 for number in range(COUNT)],
        "fog": [number % 3 // 2 for number in range(COUNT)],
        "none at all": [0] * COUNT,
    }
    write_csv(folder / "labels.csv", table)


def targets(folder: Path) -> None:
    """A column that nobody asked for, and a row whose target is missing."""
    values = [None if number == 3 else number / 4 for number in range(COUNT)]
    write_csv(folder / "targets.csv", {"photographer": ["us"] * COUNT, "target": values, "file": pictures(folder)})


def keypoints(folder: Path) -> None:
    table: dict[str, Sequence[object]] = {"file": pictures(folder)}
    for point in (1, 2, 3):
        table[f"x{point}"] = [size(number)[0] / 2 - point for number in range(COUNT)]
        table[f"y{point}"] = [size(number)[1] / 2 + point for number in range(COUNT)]
    write_csv(folder / "keypoints.csv", table)


def boxes(names: list[str], numbers: Sequence[int], offset: int) -> list[tuple[object, ...]]:
    """Rows of a box in each of these pictures; the classes are numbers, which are names, too."""
    return [
        (names[number], offset, 1.5, size(number)[0] - 4 + offset, size(number)[1] - 2, 10 * (number % 2 + 1))
        for number in numbers
    ]


def write_boxes(folder: Path, rows: list[tuple[object, ...]]) -> None:
    columns = ("file", "x_min", "y_min", "x_max", "y_max", "label")
    write_csv(folder / "boxes.csv", dict(zip(columns, zip(*rows, strict=True), strict=True)))


def one_box_each(folder: Path) -> None:
    write_boxes(folder, boxes(pictures(folder), range(COUNT), 1))


def several_boxes_each(folder: Path) -> None:
    """Up to two objects in a picture, and pictures in images/ that show none."""
    names = pictures(folder)
    write_boxes(folder, boxes(names, range(COUNT - 2), 0) + boxes(names, range(4), 3))


def captions(folder: Path) -> None:
    """Two captions of most images, with commas and quotes in them, and one that could be taken for a missing value."""
    names = pictures(folder)
    names += names[3:]
    texts = ['A heron, "Ardea", by the lake.', "Two kingfishers", "nothing", "NA", "Ein Reiher am See"]
    write_csv(folder / "captions.csv", {"file": names, "caption": [texts[row % 5] for row in range(len(names))]})


def image_table(folder: Path) -> None:
    """Rows with an empty cell and a constant column; classes by name."""
    table: Columns = {
        "age": [None if number == 2 else number * 1.5 for number in range(COUNT)],
        "file": pictures(folder),
        "constant": [1] * COUNT,
        "label": [("malignant", "benign")[number % 2] for number in range(COUNT)],
    }
    write_csv(folder / "table.csv", table)


def grey_maps(kind: str, make: Callable[[int], Image.Image]) -> Callable[[Path], None]:
    """A maker of images/ and of a PNG with the same name in another folder, which has one too many."""

    def write(folder: Path) -> None:
        (folder / kind).mkdir()
        for number in range(COUNT):
            write_picture(folder / "images", f"scan {number}", number)
        for number in range(COUNT + 1):
            make(number).save(folder / kind / f"scan {number}.png")

    return write


def disc(number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Whether a pixel (height, width) belongs to the object of that picture."""
    width, height = size(number)
    rows, columns = np.ogrid[:height, :width]
    return np.asarray((rows - 9) ** 2 + (columns - 6) ** 2 < 20 + number)


def binary_mask(number: int) -> Image.Image:
    """Black and white, in one bit, grey or colour."""
    mask = Image.fromarray(disc(number).astype(np.uint8) * 255)
    return mask.convert(("1", "L", "RGB")[number % 3])


def class_mask(number: int) -> Image.Image:
    """Class ids as grey or palette values; some with the size of the image, some larger."""
    mask = Image.fromarray(disc(number).astype(np.uint8) * (1 + number % 2))
    if number % 2:
        mask.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0])  # which makes the values indices, and keeps them
    return mask if number % 3 else mask.resize((30, 30), Image.Resampling.NEAREST)


def depth_map(number: int) -> Image.Image:
    """Millimetres in 16 bits, some pixels not measured, or metres / 8 in 8 bits."""
    metres = np.where(disc(number), 1.2, 3.4)
    metres[0] = 0
    return Image.fromarray((metres * 8).astype(np.uint8) if number % 4 == 3 else (metres * 1000).astype(np.uint16))


masks = grey_maps("masks", binary_mask)

FILES: dict[str, DataFiles] = {
    "image-classification/multi-label": DataFiles(labels, (*SMALL, "--num-classes", "3")),
    "image-regression/cnn": DataFiles(targets, SMALL),
    "keypoint-detection/coordinate-regression": DataFiles(keypoints, (*SMALL, "--num-keypoints", "3")),
    "object-detection/single-box": DataFiles(one_box_each, (*SMALL, "--num-classes", "2")),
    "object-detection/center-net": DataFiles(several_boxes_each, (*SMALL, "--num-classes", "2")),
    "image-to-text/cnn-transformer": DataFiles(captions, (*SMALL, "--hidden-size", "8", "--num-layers", "1")),
    "image-to-text/captioning": DataFiles(captions, (*SMALL, "--embedding-dim", "8", "--hidden-size", "8")),
    "multimodal-classification/image-table": DataFiles(
        image_table, (*SMALL, "--num-features", "2", "--num-classes", "2")
    ),
    "image-segmentation/unet-binary": DataFiles(masks, (*SMALL, "--depth", "2")),
    "image-segmentation/attention-unet": DataFiles(masks, (*SMALL, "--depth", "2")),
    "image-segmentation/unet-multiclass": DataFiles(
        grey_maps("masks", class_mask), (*SMALL, "--depth", "2", "--num-classes", "3")
    ),
    "depth-estimation/unet": DataFiles(grey_maps("depths", depth_map), (*SMALL, "--depth", "2")),
}
