"""The data sets of further Keras samples: those of their PyTorch twins."""

from tests.corpus.data_files.files import DataFiles
from tests.corpus.data_files.tables import ratings
from tests.corpus.data_files.texts import book

FILES: dict[str, DataFiles] = {
    "recommendation/keras-matrix-factorisation": DataFiles(ratings, ("--latent-dim", "4"), "data/ratings.csv"),
    "text-generation/keras-lstm": DataFiles(
        book,
        ("--embedding-dim", "8", "--hidden-size", "8", "--generated-length", "5", "--sequence-length", "12"),
        "data/book.txt",
    ),
}
