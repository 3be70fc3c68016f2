"""What a requirement states about a model, read with defaults, and the small layers that depend on it."""

from collections.abc import Mapping

from dlcodegen.writers.interface import InputKind, OutputKind

__all__ = ["InputKind", "Layers", "ModelFacts", "OutputKind"]

Layers = list[str]

_ACTIVATIONS = {
    *("relu", "relu6", "leakyrelu", "prelu", "elu", "selu"),
    *("gelu", "silu", "swish", "mish", "hardswish", "tanh"),
}


class ModelFacts:
    """Stated values by name; a value of the wrong type or out of range counts as not stated."""

    def __init__(self, facts: Mapping[str, object]) -> None:
        self._facts = facts

    def integer(self, name: str, default: int) -> int:
        """A whole number above zero."""
        value = self._facts.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else default

    def share(self, name: str, default: float) -> float:
        """A number from 0 to below 1."""
        value = self._facts.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1:
            return float(value)
        return default

    def flag(self, name: str) -> bool:
        return self._facts.get(name) is True

    def widths(self, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """Numbers of units or channels, one a layer."""
        value = self._facts.get(name)
        if not isinstance(value, list):
            return default
        return tuple(width for width in value if isinstance(width, int) and width > 0) or default

    def layer_widths(self, name: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """The same, but with `num_layers` stated the default is cut, or its last width repeated."""
        count = self.integer("num_layers", len(default))
        return self.widths(name, (*default, *(default[-1:] * count))[:count])

    @property
    def activation(self) -> str:
        """The layer between two others: `ReLU()` if nothing else is stated."""
        return "ReLU()" if self._activation_name == "relu" else f"Activation('{self._activation_name}')"

    @property
    def _activation_name(self) -> str:
        stated = str(self._facts.get("activation", "relu")).lower().replace("_", "").replace(" ", "")
        return stated if stated in _ACTIVATIONS else "relu"

    @property
    def embedding(self) -> str:
        """The first layer of a text's model."""
        stated = self.integer("embedding_dim", 0)
        return f"Embedding(vocab_size, {stated or 'embedding_dim'})"

    def norm(self, default: bool = False) -> Layers:
        """Batch normalisation, where it is usual or stated."""
        stated = self._facts.get("batch_norm")
        wanted = stated if isinstance(stated, bool) else default
        return ["BatchNormalization()"] if wanted else []

    def dropout(self, default: float = 0.0) -> Layers:
        rate = self.share("dropout", default)
        return [f"Dropout({rate:g})"] if rate else []

    def dense(self, default: tuple[int, ...], dropout: float = 0.0) -> Layers:
        """Hidden dense layers, each with its dropout; without any, the dropout that is stated."""
        hidden = self.integer("hidden_size", 0)
        widths = self.widths("hidden_units", (hidden,) * len(default) if hidden else default)
        layers: Layers = []
        for width in widths:
            if norm := self.norm():
                layers += [f"Dense({width})", *norm, self.activation]
            else:
                layers.append(f"Dense({width}, activation='{self._activation_name}')")
            layers += self.dropout(dropout)
        return layers or self.dropout()
