"""The data sets of the Keras samples that write texts or find answers in them: those of their PyTorch twins."""

from tests.corpus.data_files.files import DataFiles
from tests.corpus.data_files.texts import ATTENTION, questions, sentence_pairs, summaries

SMALL = ("--sequence-length", "12", "--hidden-size", "8")

FILES: dict[str, DataFiles] = {
    "summarization/keras-seq2seq-attention": DataFiles(
        summaries, (*SMALL, "--embedding-dim", "8", "--summary-length", "6"), "data/summaries.csv"
    ),
    "translation/keras-transformer": DataFiles(
        sentence_pairs, (*SMALL, "--num-layers", "1", "--num-heads", "2"), "data/pairs.tsv"
    ),
    "question-answering/keras-span-transformer": DataFiles(
        questions, ("--sequence-length", "32", *ATTENTION[2:]), "data/questions.csv"
    ),
}
