"""The tensor on its way through a Keras model: expressions of `x`, channels last, shapes known when it is built."""

from dataclasses import dataclass

from dlcodegen.writers.layer_calls import Layer
from dlcodegen.writers.tensor_trace import Trace

_GRID = 4  # an image that was convolved is flattened as about 4 x 4 places, however large it is


@dataclass
class KerasTrace(Trace):
    """Appends expressions such as `layers.Dense(64)(x)`; Keras knows the widths, so they are not kept."""

    masks_padding: bool = False
    """The script's token id 0 is padding, which layers pass over."""

    def embed(self) -> None:
        """Ids become vectors."""
        if self.kind == "tokens":
            self.embed_as("config.embedding_dim")

    def embed_as(self, width: str) -> None:
        """Ids become vectors of this width."""
        mask = ", mask_zero=True" if self.masks_padding else ""
        self.emit(f"layers.Embedding(config.vocab_size, {width}{mask})(x)")
        self.kind = "series"

    def to_series(self) -> None:
        """Anything becomes (N, steps, width)."""
        self.embed()
        if self.kind == "image":
            self.emit("layers.Reshape((-1, x.shape[-1]))(x)")
        elif self.kind == "vector":
            self.emit("layers.Reshape((-1, 1))(x)")
        self.kind = "series"

    def to_image(self, layer: Layer) -> None:
        """A series becomes an image of one channel. Raises LayerError for a vector."""
        self.embed()
        if self.kind == "vector":
            layer.fail("it needs an image or a series")
        if self.kind == "series":
            self.resize(layer)
            self.emit("layers.Reshape((*x.shape[1:], 1))(x)")
        self.kind = "image"

    def to_vector(self, reason: str) -> None:
        """Anything becomes (N, width): a raw input flattened, an image averaged, a series pooled."""
        if self.raw and self.kind in ("image", "series"):
            self.flatten(reason)
            return
        self.embed()
        if self.kind == "image":
            self.merge(reason, "layers.GlobalAveragePooling2D()(x)")
        elif self.kind == "series":
            self.merge(reason, "layers.GlobalAveragePooling1D()(x)")

    def flatten(self, reason: str) -> None:
        """All values of an example in a row; of a large image that was convolved, of a grid of places."""
        self.embed()
        if self.kind == "image" and not self.raw:
            sides = ", ".join(f"max(1, x.shape[{axis}] // {_GRID})" for axis in (1, 2))
            self.emit(f"layers.AveragePooling2D(({sides}))(x)")
        if self.kind != "vector":
            self.merge(reason, "layers.Flatten()(x)")
