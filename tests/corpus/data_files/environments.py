"""Runs of the samples that bring their own environment, and so read no files."""

from tests.corpus.data_files.files import DataFiles, no_files

FILES: dict[str, DataFiles] = {
    "reinforcement-learning/dqn": DataFiles(
        no_files, ("--max-steps", "20", "--epoch-steps", "20", "--hidden-size", "8", "--batch-size", "16")
    ),
}
