"""What usually mends a failure: one sentence for the commonest, by exception and message."""

import re

# (exception, message, what to do); the first that fits counts.
_HINTS: tuple[tuple[str, str, str], ...] = (
    (
        "RuntimeError",
        r"mat1 and mat2 shapes",
        "Set the layer's in_features to what the layer before it gives, flattened.",
    ),
    (
        "RuntimeError",
        r"expected input.* to have (\d+) channels",
        "Set the layer's in_channels to the channels it gets.",
    ),
    ("RuntimeError", r"input\.size\(-1\) must be equal to input_size", "Set input_size to the last dimension it gets."),
    ("RuntimeError", r"running_mean should contain", "Give the normalisation as many features as the layer before it."),
    ("RuntimeError", r"Given normalized_shape", "Normalise over the last dimension that the layer really gets."),
    ("RuntimeError", r"Sizes of tensors must match", "Bring both to the same height and width before joining them."),
    ("RuntimeError", r"The size of tensor a .* must match", "Make both shapes equal, or of size 1 where they differ."),
    ("RuntimeError", r"shape '.*' is invalid for input of size", "Compute the sizes from the tensor's own shape."),
    ("RuntimeError", r"view size is not compatible", "Use reshape instead of view, or contiguous() before it."),
    ("RuntimeError", r"(expected|found).*(scalar type|dtype)", "Convert: class ids to long, everything else to float."),
    ("RuntimeError", r"must have the same dtype|Found dtype", "Convert: class ids to long, everything else to float."),
    ("RuntimeError", r"does not require grad", "The loss must come from the model's output, outside of no_grad."),
    ("RuntimeError", r"a second time", "Run the model again before each backward, or detach what is kept."),
    (
        "RuntimeError",
        r"modified by an inplace operation",
        "Replace the in-place operation by one that makes a new tensor.",
    ),
    (
        "RuntimeError",
        r"0D or 1D target|multi-target",
        "cross_entropy wants class ids of shape (N,), not one column each.",
    ),
    ("RuntimeError", r"all elements of (input|target) should be between 0 and 1", "Use the loss with logits."),
    ("RuntimeError", r"(?i)no nvidia driver|cuda", "Choose the device once: cuda when it is available, else cpu."),
    (
        "IndexError|RuntimeError",
        r"Target -?\d+ is out of bounds",
        "Class ids run from 0 to the number of outputs less one.",
    ),
    ("IndexError|RuntimeError", r"index out of range in self", "The embedding needs a row for the largest id."),
    ("AssertionError", r"embed_dim must be divisible", "Choose a width that the number of heads divides."),
    ("ValueError", r"Using a target size", "Give outputs and targets the same shape."),
    ("ValueError", r"Expected more than 1 value per channel", "Drop the last batch when it has one example."),
    ("TypeError", r"unexpected keyword argument", "Look up how this is called in the installed version."),
    ("TypeError", r"missing \d+ required positional", "Pass every argument that the function declares."),
    ("AttributeError", r"has no attribute", "Look for a misspelling, or a name the installed version does not have."),
    ("FileNotFoundError", r"", "With --smoke make the data in the script; read files from --data only."),
    ("PermissionError", r"", "Write below --out only, and start no processes and no connections."),
    ("OSError|URLError|ConnectionError|gaierror", r"", "There is no network: make the data in the script."),
    (
        "NonFiniteLoss|NonFiniteWeights",
        r"",
        "Lower the learning rate, and guard logarithms and divisions against zero.",
    ),
    ("ModuleNotFoundError", r"", "Use torch, numpy and the standard library."),
    ("timeout", r"", "With --smoke use fewer examples and epochs."),
    ("out of memory|MemoryError", r"", "With --smoke use smaller batches and sizes, and keep no graph between steps."),
    ("too many processes|BlockingIOError", r"", "Start no processes, and few threads."),
    ("RecursionError", r"", "Look for a function that calls itself without an end."),
    ("SIGSYS", r"", "It made a system call that the sandbox forbids."),
    ("SIGKILL", r"", "It was killed from outside: when memory is short, the system does that."),
)


def hint(exception: str, message: str) -> str:
    """One sentence; empty when nothing is known."""
    for name, pattern, text in _HINTS:
        if re.fullmatch(name, exception) and re.search(pattern, message):
            return text
    return ""
