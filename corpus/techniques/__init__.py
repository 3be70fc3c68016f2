"""Parts that do what a technique's name says (`dlcodegen.techniques`), in PyTorch: a small model puts them in, and need
not invent them. They go into the delivered script, so they are ours, and stand alone.
"""
