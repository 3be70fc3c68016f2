"""Watches a running script from inside its process, without knowing anything of its structure."""
