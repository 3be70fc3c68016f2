"""Tiny data sets in the formats that the Keras samples on images, sounds and anomalies read: those of their twins."""

from tests.corpus.data_files.annotated_images import class_mask, grey_maps, masks, targets
from tests.corpus.data_files.files import DataFiles
from tests.corpus.data_files.images import NARROW, THREE_CLASSES, class_folders, image_folder
from tests.corpus.data_files.series import SOUND, sound_folders
from tests.corpus.data_files.tables import NARROW as NARROW_TABLE
from tests.corpus.data_files.tables import rare_anomalies

FILES: dict[str, DataFiles] = {
    "image-classification/keras-small-cnn": DataFiles(class_folders, (*NARROW, *THREE_CLASSES)),
    "image-classification/keras-resnet": DataFiles(class_folders, (*NARROW, *THREE_CLASSES)),
    "image-segmentation/keras-unet-binary": DataFiles(masks, (*NARROW, "--depth", "2")),
    "image-segmentation/keras-unet-multiclass": DataFiles(
        grey_maps("masks", class_mask), (*NARROW, "--depth", "2", "--num-classes", "3")
    ),
    "image-to-image/keras-denoising": DataFiles(image_folder, NARROW),
    "image-regression/keras-cnn": DataFiles(targets, NARROW),
    "unconditional-image-generation/keras-vae": DataFiles(image_folder, (*NARROW, "--latent-dim", "8")),
    "anomaly-detection/keras-autoencoder": DataFiles(rare_anomalies, NARROW_TABLE, "data/table.csv"),
    "audio-classification/keras-logmel-cnn": DataFiles(
        sound_folders, (*SOUND, "--clip-seconds", "0.25", "--num-classes", "2", "--base-width", "4")
    ),
}
