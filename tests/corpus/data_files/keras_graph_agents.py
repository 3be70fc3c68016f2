"""The data sets of the Keras samples on graphs and agents: those of their PyTorch twins."""

from tests.corpus.data_files.files import DataFiles, no_files
from tests.corpus.data_files.tables import graph

FILES: dict[str, DataFiles] = {
    "graph-machine-learning/keras-gcn": DataFiles(
        graph, ("--num-features", "2", "--num-classes", "2", "--hidden-size", "8")
    ),
    "reinforcement-learning/keras-dqn": DataFiles(
        no_files, ("--max-steps", "20", "--epoch-steps", "10", "--hidden-size", "8", "--batch-size", "16")
    ),
}
