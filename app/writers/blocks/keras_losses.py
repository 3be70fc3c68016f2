"""Losses that Keras does not have, or has for one-hot targets only; outputs are logits, channels come last."""

import keras


def one_hot(y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
    """Class numbers (N, ...) or (N, ..., 1) as rows of the shape of the logits (N, ..., classes)."""
    numbers = keras.ops.reshape(keras.ops.cast(y_true, "int32"), (-1, *y_pred.shape[1:-1]))
    return keras.ops.one_hot(numbers, y_pred.shape[-1])


class LabelSmoothingCrossEntropy(keras.losses.Loss):
    """Cross-entropy whose targets leave a share of the probability to the other classes."""

    def __init__(self, label_smoothing: float) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        return keras.losses.categorical_crossentropy(
            one_hot(y_true, y_pred), y_pred, from_logits=True, label_smoothing=self.label_smoothing
        )


class BinaryCrossEntropy(keras.losses.Loss):
    """Binary cross-entropy of each class against the rest: class numbers (N, ...), logits (N, ..., classes)."""

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        return keras.losses.binary_crossentropy(one_hot(y_true, y_pred), y_pred, from_logits=True)


class FocalLoss(keras.losses.Loss):
    """Cross-entropy that gives easy examples less weight: class numbers (N, ...), logits (N, ..., classes)."""

    def __init__(self, gamma: float = 2.0) -> None:
        super().__init__()
        self.gamma = gamma

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        loss = keras.losses.categorical_crossentropy(one_hot(y_true, y_pred), y_pred, from_logits=True)
        return (1 - keras.ops.exp(-loss)) ** self.gamma * loss


class TverskyLoss(keras.losses.Loss):
    """One minus a soft Tversky index; `alpha` weighs what is found wrongly, `beta` what is missed.

    One logit for each target, or class numbers (N, ...) for logits (N, ..., classes): then the mean over the classes.
    """

    def __init__(self, alpha: float = 0.3, beta: float = 0.7, smooth: float = 1.0) -> None:
        super().__init__()
        self.alpha, self.beta, self.smooth = alpha, beta, smooth

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        if y_pred.shape[-1] > 1 and y_true.shape != y_pred.shape:
            found, wanted = keras.ops.softmax(y_pred), one_hot(y_true, y_pred)
        else:
            found, wanted = keras.ops.sigmoid(y_pred), keras.ops.reshape(y_true, keras.ops.shape(y_pred))
        places = tuple(range(1, len(y_pred.shape) - 1)) or (0,)
        overlap = keras.ops.sum(found * wanted, axis=places)
        wrong = keras.ops.sum(found * (1 - wanted), axis=places)
        missed = keras.ops.sum((1 - found) * wanted, axis=places)
        return 1 - (overlap + self.smooth) / (overlap + self.alpha * wrong + self.beta * missed + self.smooth)


class DiceLoss(TverskyLoss):
    """One minus the soft Dice coefficient."""

    def __init__(self) -> None:
        super().__init__(alpha=0.5, beta=0.5)


class IoULoss(TverskyLoss):
    """One minus the soft intersection over union."""

    def __init__(self) -> None:
        super().__init__(alpha=1.0, beta=1.0)


class BCEDiceLoss(keras.losses.Loss):
    """Binary cross-entropy plus Dice loss, both on logits."""

    def __init__(self) -> None:
        super().__init__()
        self.dice = DiceLoss()

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        targets = keras.ops.reshape(y_true, keras.ops.shape(y_pred))
        return keras.losses.binary_crossentropy(targets, y_pred, from_logits=True) + self.dice(y_true, y_pred)


class CrossEntropyDiceLoss(keras.losses.Loss):
    """Cross-entropy plus the mean Dice loss of the classes: class numbers (N, ...), logits (N, ..., classes)."""

    def __init__(self) -> None:
        super().__init__()
        self.dice = DiceLoss()

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        loss = keras.losses.categorical_crossentropy(one_hot(y_true, y_pred), y_pred, from_logits=True)
        return keras.ops.mean(loss) + self.dice(y_true, y_pred)


class QuantileLoss(keras.losses.Loss):
    """Pinball loss of one quantile; 0.5 forecasts the median."""

    def __init__(self, quantile: float = 0.5) -> None:
        super().__init__()
        self.quantile = quantile

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        error = keras.ops.reshape(y_true, keras.ops.shape(y_pred)) - y_pred
        return keras.ops.maximum(self.quantile * error, (self.quantile - 1) * error)
