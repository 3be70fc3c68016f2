"""The data sets of the Keras samples on captions and keypoints: those of their PyTorch twins."""

from tests.corpus.data_files.annotated_images import SMALL, captions, keypoints
from tests.corpus.data_files.files import DataFiles

FILES: dict[str, DataFiles] = {
    "image-to-text/keras-cnn-transformer": DataFiles(
        captions, (*SMALL, "--hidden-size", "8", "--num-layers", "1", "--vocab-size", "100")
    ),
    "keypoint-detection/keras-heatmaps": DataFiles(keypoints, (*SMALL, "--num-keypoints", "3")),
}
