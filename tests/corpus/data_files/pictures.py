"""Pictures for the data sets: noise in several sizes, modes and file formats, as in folders that people have."""

from pathlib import Path

import numpy as np
from PIL import Image

KINDS = (("RGB", ".png"), ("L", ".jpg"), ("P", ".gif"), ("RGBA", ".PNG"), ("RGB", ".JPEG"), ("L", ".bmp"))


def write_picture(folder: Path, name: str, number: int) -> Path:
    """A picture of the kind and size that `number` selects; the ending of its file name is that of the kind."""
    mode, ending = KINDS[number % len(KINDS)]
    width, height = size(number)
    pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
    path = folder / f"{name}{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(path)
    return path


def size(number: int) -> tuple[int, int]:
    """Width and height of picture `number`; most are neither square nor as large as the models want them."""
    return 12 + number % 5, 18 - number % 3
