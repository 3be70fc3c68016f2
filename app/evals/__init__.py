"""Measurements of ours, and what they measure with."""
