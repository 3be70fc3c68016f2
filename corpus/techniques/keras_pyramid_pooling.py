import keras
from keras import layers


def pyramid_pooling(x: keras.KerasTensor) -> keras.KerasTensor:
    """Looks at a map (N, height, width, channels) with growing dilation, and joins what it sees; the shape stays."""
    channels = x.shape[-1]
    seen = [
        layers.Conv2D(channels, kernel_size=3, padding="same", dilation_rate=rate, activation="relu")(x)
        for rate in (1, 2, 4)
    ]
    return layers.Conv2D(channels, kernel_size=1)(layers.Concatenate()(seen))
