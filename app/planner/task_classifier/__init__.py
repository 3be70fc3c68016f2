"""Which task a request is about, by a linear classifier: it knows few things, and strangers' words better than most."""
