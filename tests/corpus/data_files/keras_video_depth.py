"""The data sets of the Keras samples on video and depth: those of their PyTorch twins."""

from tests.corpus.data_files.annotated_images import SMALL, depth_map, grey_maps
from tests.corpus.data_files.files import DataFiles
from tests.corpus.data_files.images import NARROW, clip_folders

FILES: dict[str, DataFiles] = {
    "video-classification/keras-cnn-gru": DataFiles(
        clip_folders, (*NARROW, "--num-classes", "2", "--num-frames", "4", "--hidden-size", "8")
    ),
    "depth-estimation/keras-unet": DataFiles(grey_maps("depths", depth_map), (*SMALL, "--depth", "2")),
}
