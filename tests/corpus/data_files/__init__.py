"""Tiny data sets, one maker a sample, in the formats that the docstrings of the samples state."""
