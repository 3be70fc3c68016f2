"""The data set of the Keras sample on self-supervised learning: that of its PyTorch twin."""

from tests.corpus.data_files.files import DataFiles
from tests.corpus.data_files.images import NARROW, THREE_CLASSES, class_folders

FILES: dict[str, DataFiles] = {
    "self-supervised-learning/keras-simclr": DataFiles(
        class_folders, (*NARROW, *THREE_CLASSES, "--embedding-dim", "8")
    ),
}
