"""The stages, one a file: a function of state and context that gives back what it changed."""
