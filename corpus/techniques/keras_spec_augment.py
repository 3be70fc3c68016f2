import keras
from keras import layers


class SpecAugment(layers.Layer):
    """In training, silences a band of pitches and a stretch of time of (N, num_mels, frames, ...); the shape stays."""

    def __init__(self, share: float = 0.15, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.share = share
        self.generator = keras.random.SeedGenerator()

    def call(self, x: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        if not training:
            return x
        silence = keras.ops.min(x, axis=tuple(range(1, len(x.shape))), keepdims=True)
        for axis in (1, 2):
            x = keras.ops.where(self.masked(x, axis), silence, x)
        return x

    def masked(self, x: keras.KerasTensor, axis: int) -> keras.KerasTensor:
        """True at the places along the axis that are silenced, others for each example."""
        size = (keras.ops.shape(x)[0], *[1] * (len(x.shape) - 1))
        width = keras.random.uniform(size, 0, self.share, seed=self.generator)
        start = keras.random.uniform(size, seed=self.generator) * (1 - width)
        shape = [-1 if number == axis else 1 for number in range(len(x.shape))]
        places = keras.ops.reshape(keras.ops.arange(x.shape[axis], dtype="float32") / x.shape[axis], shape)
        return keras.ops.logical_and(places >= start, places < start + width)

    def get_config(self) -> dict:
        return {**super().get_config(), "share": self.share}
