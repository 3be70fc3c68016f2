"""The command line. Stands above all; nothing imports it."""
