"""Parts that do what a technique's name says (`dlcodegen.techniques`): a small model puts them in, and need not invent
them. They go into the delivered script, so they are ours, and stand alone. `keras_` begins those in Keras, of which
there is none where Keras has a layer or a setting that does it.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
