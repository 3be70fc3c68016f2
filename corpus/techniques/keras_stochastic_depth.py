import keras
from keras import layers


def stochastic_depth(x: keras.KerasTensor, rate: float = 0.1) -> keras.KerasTensor:
    """In training, drops the whole output of a residual branch for some examples; the shape stays."""
    return layers.Dropout(rate, noise_shape=(None, *[1] * (len(x.shape) - 1)))(x)
