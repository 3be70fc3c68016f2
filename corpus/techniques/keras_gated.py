import keras
from keras import layers


def gated_dense(x: keras.KerasTensor, units: int) -> keras.KerasTensor:
    """A linear layer whose output is weighed by a gate: (N, ..., width) -> (N, ..., units)."""
    return layers.Multiply()([layers.Dense(units)(x), layers.Dense(units, activation="sigmoid")(x)])
