"""A user's own scripts, read and described without executing any of them."""
