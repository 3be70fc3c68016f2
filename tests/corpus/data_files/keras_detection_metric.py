"""The data sets of the Keras samples on detection and metric learning: those of their PyTorch twins."""

from tests.corpus.data_files.annotated_images import SMALL, several_boxes_each
from tests.corpus.data_files.files import DataFiles
from tests.corpus.data_files.images import NARROW
from tests.corpus.data_files.new_images import many_classes

FILES: dict[str, DataFiles] = {
    "object-detection/keras-center-net": DataFiles(several_boxes_each, (*SMALL, "--num-classes", "2")),
    "metric-learning/keras-triplet": DataFiles(many_classes, (*NARROW, "--embedding-dim", "8")),
}
