"""The sample pool and what finds a sample in it."""
