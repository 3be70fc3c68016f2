"""DLCodeGen: from one sentence to a deep-learning project that runs."""
