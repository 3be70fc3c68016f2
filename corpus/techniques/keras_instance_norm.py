import keras
from keras import layers


def instance_norm(x: keras.KerasTensor) -> keras.KerasTensor:
    """Normalises each channel of each example of (N, ..., channels) by itself; the shape stays."""
    return layers.GroupNormalization(x.shape[-1])(x)
