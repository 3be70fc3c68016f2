"""The data sets of the Keras samples on questions and speech: those of their PyTorch twins."""

from tests.corpus.data_files.files import DataFiles
from tests.corpus.data_files.series import SOUND, transcribed_clips
from tests.corpus.data_files.texts import ATTENTION, questions

FILES: dict[str, DataFiles] = {
    "question-answering/keras-span-transformer": DataFiles(
        questions, ("--sequence-length", "32", *ATTENTION[2:]), "data/questions.csv"
    ),
    "automatic-speech-recognition/keras-ctc": DataFiles(
        transcribed_clips, (*SOUND, "--clip-seconds", "0.5", "--hidden-size", "8", "--num-layers", "1")
    ),
}
