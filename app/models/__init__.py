"""Chat models: from a name to a model that can be asked, and the scripted model that tests and dry runs use."""
