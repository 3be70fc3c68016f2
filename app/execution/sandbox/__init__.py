"""Runs generated code shut in: the door is `run.py`, what the kernel enforces is chosen in `tiers.py`."""
