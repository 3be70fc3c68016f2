"""What the shipped weights are trained on: topics, phrasings and names of our own, and the grammar over them."""
