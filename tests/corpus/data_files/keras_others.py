"""The data sets of the Keras samples on texts, tables, series, speech, graphs and agents: those of their twins."""

from tests.corpus.data_files.files import DataFiles, no_files
from tests.corpus.data_files.series import SOUND, load_curve, transcribed_clips, windows
from tests.corpus.data_files.tables import classes_by_name, graph, numbers
from tests.corpus.data_files.texts import labelled_texts

NARROW = ("--hidden-size", "8")
TABLE = ("--num-features", "4", *NARROW)
SHORT = ("--sequence-length", "12", *NARROW)
FORECAST = ("--window", "8", "--horizon", "2", "--num-features", "3", *NARROW)

FILES: dict[str, DataFiles] = {
    "text-classification/keras-bilstm": DataFiles(labelled_texts, (*SHORT, "--embedding-dim", "8"), "data/texts.csv"),
    "text-classification/keras-transformer": DataFiles(
        labelled_texts, (*SHORT, "--num-layers", "1", "--num-heads", "2"), "data/texts.csv"
    ),
    "tabular-classification/keras-mlp": DataFiles(classes_by_name, (*TABLE, "--num-classes", "3"), "data/table.csv"),
    "tabular-regression/keras-mlp": DataFiles(numbers, TABLE, "data/table.csv"),
    "time-series-classification/keras-cnn-1d": DataFiles(
        windows,
        ("--window", "16", "--num-features", "2", "--num-classes", "3", "--base-width", "4"),
        "data/windows.npz",
    ),
    "time-series-forecasting/keras-lstm": DataFiles(load_curve, FORECAST, "data/load.csv"),
    "time-series-forecasting/keras-conv": DataFiles(load_curve, (*FORECAST, "--num-layers", "2"), "data/load.csv"),
    "automatic-speech-recognition/keras-ctc": DataFiles(
        transcribed_clips, (*SOUND, "--clip-seconds", "0.5", *NARROW, "--num-layers", "1")
    ),
    "graph-machine-learning/keras-gcn": DataFiles(graph, ("--num-features", "2", "--num-classes", "2", *NARROW)),
    "reinforcement-learning/keras-dqn": DataFiles(
        no_files, ("--max-steps", "20", "--epoch-steps", "10", *NARROW, "--batch-size", "16")
    ),
}
