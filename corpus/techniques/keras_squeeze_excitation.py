import keras
from keras import layers


def squeeze_excitation(x: keras.KerasTensor) -> keras.KerasTensor:
    """Weighs the channels of a map (N, ..., channels) by what the whole map holds; the shape stays."""
    channels, places = x.shape[-1], tuple(range(1, len(x.shape) - 1))
    excited = layers.Dense(max(4, channels // 8), activation="relu")(keras.ops.mean(x, axis=places, keepdims=True))
    return layers.Multiply()([x, layers.Dense(channels, activation="sigmoid")(excited)])
