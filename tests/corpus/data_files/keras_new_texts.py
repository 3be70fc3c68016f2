"""The data sets of the Keras samples that write texts: those of their PyTorch twins."""

from tests.corpus.data_files.files import DataFiles
from tests.corpus.data_files.texts import sentence_pairs, summaries

SMALL = ("--sequence-length", "12", "--hidden-size", "8")

FILES: dict[str, DataFiles] = {
    "summarization/keras-seq2seq-attention": DataFiles(
        summaries, (*SMALL, "--embedding-dim", "8", "--summary-length", "6"), "data/summaries.csv"
    ),
    "translation/keras-transformer": DataFiles(
        sentence_pairs, (*SMALL, "--num-layers", "1", "--num-heads", "2"), "data/pairs.tsv"
    ),
}
