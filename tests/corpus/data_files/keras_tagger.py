"""The data set of the Keras tagger: that of its PyTorch twin."""

from tests.corpus.data_files.files import DataFiles
from tests.corpus.data_files.texts import conll

FILES: dict[str, DataFiles] = {
    "token-classification/keras-bilstm-tagger": DataFiles(
        conll,
        ("--embedding-dim", "8", "--hidden-size", "8", "--num-classes", "4", "--sequence-length", "8"),
        "data/sentences.conll",
    ),
}
