"""The library in four lines: a sentence in, a project folder out.

python examples/generate_project.py FOLDER
"""

import sys

from dlcodegen import generate

project = generate("Classify 28x28 grayscale digits into 10 classes with a small CNN and Adam, batch size 64")
folder = project.write(sys.argv[1])
print(f"{project.status}: {sorted(project.files)} in {folder}")
