"""The data sets of the Keras samples on pictures and films: those of their PyTorch twins."""

from tests.corpus.data_files.annotated_images import (
    SMALL,
    captions,
    depth_map,
    grey_maps,
    keypoints,
    several_boxes_each,
)
from tests.corpus.data_files.files import DataFiles
from tests.corpus.data_files.images import NARROW, THREE_CLASSES, class_folders, clip_folders
from tests.corpus.data_files.new_images import many_classes

FILES: dict[str, DataFiles] = {
    "image-to-text/keras-cnn-transformer": DataFiles(
        captions, (*SMALL, "--hidden-size", "8", "--num-layers", "1", "--vocab-size", "100")
    ),
    "keypoint-detection/keras-heatmaps": DataFiles(keypoints, (*SMALL, "--num-keypoints", "3")),
    "object-detection/keras-center-net": DataFiles(several_boxes_each, (*SMALL, "--num-classes", "2")),
    "metric-learning/keras-triplet": DataFiles(many_classes, (*NARROW, "--embedding-dim", "8")),
    "self-supervised-learning/keras-simclr": DataFiles(
        class_folders, (*NARROW, *THREE_CLASSES, "--embedding-dim", "8")
    ),
    "video-classification/keras-cnn-gru": DataFiles(
        clip_folders, (*NARROW, "--num-classes", "2", "--num-frames", "4", "--hidden-size", "8")
    ),
    "depth-estimation/keras-unet": DataFiles(grey_maps("depths", depth_map), (*SMALL, "--depth", "2")),
}
