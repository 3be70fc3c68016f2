"""The tensor on its way through a model: what kind it is, how wide, and the modules written so far."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from dlcodegen.writers.interface import InputKind, Interface, OutputKind
from dlcodegen.writers.layer_calls import Layer, LayerError
from dlcodegen.writers.module_code import product

_GRID = 4  # an image that was convolved is flattened as 4 x 4 places, whatever its size


@dataclass
class Trace:
    """Modules are appended while the tensor changes its shape.

    kind: `image` (N, width, height, width), `series` (N, steps, width), `vector` (N, width), `tokens` (N, steps) ids.
    """

    kind: InputKind
    output_kind: OutputKind
    width: str
    """Channels or features, as code."""
    output_width: str
    """Number of outputs, as code."""
    steps: str = ""
    """Length of a series as code, while it is known."""
    modules: list[str] = field(default_factory=list)
    raw: bool = True
    """No layer has looked at the input yet."""
    resized: bool = False
    """The image has no longer the size of the input."""
    merged_by: str = ""
    """The layer that made a vector out of an image or a series."""
    reads_steps: bool = False
    """A later layer reads a series."""
    reads_places: bool = False
    """A later layer reads an image."""
    is_last: bool = False
    """No layer but the head follows."""
    complete: bool = False
    """The output has been written."""

    @classmethod
    def of_input(cls, interface: Interface) -> Self:
        """The tensor as it comes in. Raises LayerError for a task of its own."""
        kind, output_kind = interface.input_kind, interface.output_kind
        if kind is None or output_kind is None:
            shapes = f"{batch_shape(interface.inputs)} to {batch_shape(interface.outputs)}"
            raise LayerError(f"no list of layers leads from {shapes}")
        fits = {"map": kind == "image", "steps": kind == "tokens"}.get(output_kind, True)
        if not fits:
            raise LayerError(f"{_NAMES[kind]} has no output {batch_shape(interface.outputs)}")
        width = {"image": "config.channels", "tokens": ""}.get(kind, "config.num_features")
        steps = {"series": "config.window", "tokens": "config.sequence_length"}.get(kind, "")
        return cls(kind, output_kind, width, interface.width, steps)

    def emit(self, *modules: str) -> None:
        """Append modules, empty ones skipped."""
        self.modules.extend(module for module in modules if module)
        self.raw = False

    def widen(self, width: str, *modules: str) -> None:
        """Append modules that change the channels or features."""
        self.emit(*modules)
        self.width = width

    def resize(self, layer: Layer) -> None:
        """Note that height and width, or the number of steps, change. Raises LayerError where every step counts."""
        self.resized, self.steps = True, ""
        if self.kind == "series" and self.output_kind == "steps":
            layer.fail("it changes the number of steps, and each step needs an output")

    def embed(self) -> None:
        """Ids become vectors."""
        if self.kind == "tokens":
            self.widen("config.embedding_dim", "nn.Embedding(config.vocab_size, config.embedding_dim)")
            self.kind = "series"

    def to_series(self) -> None:
        """Anything becomes (N, steps, width)."""
        self.embed()
        if self.kind == "image":
            self.emit("ImageToSequence()")
            self.steps = ""
        elif self.kind == "vector":
            self.steps = self.width
            self.widen("1", f"nn.Unflatten(1, ({self.width}, 1))")
        self.kind = "series"

    def to_image(self, layer: Layer) -> None:
        """A series becomes an image of one channel. Raises LayerError for a vector."""
        self.embed()
        if self.kind == "vector":
            layer.fail("it needs an image or a series")
        if self.kind == "series":
            self.resize(layer)
            self.widen("1", "nn.Unflatten(1, (1, -1))")
        self.kind = "image"

    def to_vector(self, reason: str) -> None:
        """Anything becomes (N, width): a raw input flattened, an image averaged, a series pooled."""
        if self.raw and self.kind in ("image", "series"):
            self.flatten(reason)
            return
        self.embed()
        if self.kind == "image":
            self.merge(reason, "nn.AdaptiveAvgPool2d(1)", "nn.Flatten()")
        elif self.kind == "series":
            causal = bool(self.modules) and self.modules[-1].startswith("TemporalBlock")
            self.merge(reason, "LastStep()" if causal else "MeanOverSteps()")

    def merge(self, reason: str, *modules: str) -> None:
        """Append modules that leave one vector for each example."""
        self.emit(*modules)
        self.kind, self.merged_by, self.steps = "vector", reason, ""

    def flatten(self, reason: str) -> None:
        """All values of an example in a row; of a fixed number of places once their number is unknown."""
        self.embed()
        if self.kind == "image" and self.raw:
            self.merge(reason, "nn.Flatten()")
            self.width = f"{self.width} * config.image_height * config.image_width"
        elif self.kind == "image":
            self.merge(reason, f"nn.AdaptiveAvgPool2d({_GRID})", "nn.Flatten()")
            self.width = product(self.width, _GRID * _GRID)
        elif self.kind == "series" and self.steps:
            self.width = f"{self.steps} * {self.width}"
            self.merge(reason, "nn.Flatten()")
        elif self.kind == "series":
            self.merge(reason, f"ChannelsFirst(nn.AdaptiveAvgPool1d({_GRID}))", "nn.Flatten()")
            self.width = product(self.width, _GRID)


def batch_shape(dimensions: tuple[str, ...]) -> str:
    """`("window",)` -> `(N, window)`, `()` -> `(N,)`."""
    return f"(N, {', '.join(dimensions)})" if dimensions else "(N,)"


def shapes_of(interface: Interface) -> str:
    """What comes in and goes out: `(N, window) -> (N, horizon)`."""
    return f"{batch_shape(interface.inputs)} -> {batch_shape(interface.outputs)} {interface.kept}".rstrip()


_NAMES = {"image": "an image", "series": "a series", "tokens": "a text", "vector": "a table"}

Rule = Callable[[Trace, Layer], None]
"""Appends a layer's modules to the trace. Raises LayerError when the layer cannot be built there."""
