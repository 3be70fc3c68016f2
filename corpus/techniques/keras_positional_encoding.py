import math

import keras
from keras import layers


class PositionalEncoding(layers.Layer):
    """Adds to each step of (N, length, width) what tells its place; the shape stays."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True  # padding stays padding

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        places = keras.ops.arange(keras.ops.shape(x)[1], dtype=x.dtype)[:, None]
        columns = keras.ops.arange(x.shape[-1], dtype=x.dtype)
        rates = keras.ops.exp(-9.0 * columns / x.shape[-1])
        return x + keras.ops.sin(places * rates + columns % 2 * math.pi / 2)
