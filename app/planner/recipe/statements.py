"""How people state settings: sizes, counts, optimizer, loss. A statement is a phrase that can follow a requirement."""

from collections.abc import Callable
from random import Random

_SIZES = (28, 32, 48, 64, 96, 128, 160, 192, 224, 256, 299, 320, 384, 512)
_BATCHES = (4, 8, 10, 16, 20, 24, 32, 48, 50, 64, 100, 128, 256, 512)
_EPOCHS = (2, 3, 5, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75, 80, 100, 120, 150, 200)
_RATES = ("0.1", "0.01", "0.05", "0.001", "1e-3", "0.0005", "5e-4", "3e-4", "0.0003", "2e-4", "1e-4", "0.0001", "2e-5")
_OPTIMIZERS = ("Adam", "AdamW", "SGD", "SGD with momentum 0.9", "RMSprop", "Nadam", "adam", "sgd", "rmsprop", "Adagrad")
_LOSSES = {
    "image-segmentation": ("Dice loss", "binary cross-entropy plus Dice", "focal loss", "cross-entropy"),
    "classification": ("cross-entropy", "focal loss", "label smoothing of 0.1", "weighted cross-entropy"),
    "regression": ("mean squared error", "MSE loss", "MAE", "Huber loss", "L1 loss"),
    "forecasting": ("MSE", "mean absolute error", "Huber loss", "quantile loss"),
}
_METRICS = {
    "image-segmentation": ("IoU", "Dice", "mean IoU"),
    "classification": ("accuracy", "F1", "macro F1", "AUC", "precision and recall", "balanced accuracy"),
    "regression": ("RMSE", "MAE", "R2", "mean absolute error"),
    "forecasting": ("MAE", "RMSE", "MAPE", "sMAPE"),
    "translation": ("BLEU",),
    "summarization": ("ROUGE",),
    "automatic-speech-recognition": ("word error rate",),
}
_IMAGES = ("image", "depth", "keypoint", "object", "video", "metric-learning", "self-supervised", "unconditional")
_TEXTS = ("text-", "token-", "question", "summar", "transl")


def statements(category: str, limit: int, random: Random) -> list[str]:
    """Up to `limit` statements, of different kinds, that make sense for the category."""
    kinds: list[Callable[[], str]] = [
        lambda: _one(random, "batch size {}", "batches of {}", "batch_size={}", "batch of {}").format(
            _pick(_BATCHES, random)
        ),
        lambda: _one(random, "{} epochs", "train for {} epochs", "epochs: {}", "trained for {} epochs").format(
            _pick(_EPOCHS, random)
        ),
        lambda: _one(random, "learning rate {}", "lr {}", "lr={}", "a learning rate of {}").format(
            _pick(_RATES, random)
        ),
        lambda: _one(random, "{}", "the {} optimizer", "optimised with {}", "optimizer {}").format(
            _pick(_OPTIMIZERS, random)
        ),
    ]
    for table, forms in (
        (_LOSSES, ("{}", "loss: {}", "{} as the loss")),
        (_METRICS, ("judged by {}", "metric: {}", "report {}", "I care about {}")),
    ):
        if values := _of(table, category):
            kinds.append(lambda values=values, forms=forms: _one(random, *forms).format(_pick(values, random)))  # type: ignore[misc]
    if category.startswith(_IMAGES):
        kinds += [lambda: _size(random)] * 2
    if category.startswith(_TEXTS):
        kinds.append(
            lambda: _one(random, "at most {} tokens", "max length {}", "sequences of {} tokens").format(
                _pick((64, 100, 128, 200, 256), random)
            )
        )
    if category.endswith("classification"):
        kinds.append(
            lambda: _one(random, "{} classes", "there are {} classes", "num_classes={}").format(
                _pick((2, 3, 4, 5, 6, 8, 10, 12, 20, 50, 100), random)
            )
        )
    if category.startswith("time-series-f"):
        kinds += [lambda: _horizon(random)] * 2
    drawn = dict.fromkeys(random.sample(kinds, len(kinds)))  # one that is there twice comes sooner, but once
    return [kind() for kind in list(drawn)[:limit]]


def _of(table: dict[str, tuple[str, ...]], category: str) -> tuple[str, ...]:
    return table.get(category) or next((values for end, values in table.items() if category.endswith(end)), ())


def _size(random: Random) -> str:
    size = _pick(_SIZES, random)
    form = _one(
        random,
        "{0}x{0} images",
        "images of {0}x{0} pixels",
        "resize to {0}x{0}",
        "{0} x {0} px",
        "input size {0}",
        "grayscale {0}x{0}",
    )
    return form.format(size)


def _horizon(random: Random) -> str:
    window, horizon = _pick((7, 14, 24, 30, 48, 60, 96, 168), random), _pick((1, 3, 6, 7, 12, 24, 30), random)
    unit = random.choice(("steps", "hours", "days", "values"))
    form = _one(
        random,
        "from the last {0} {2} to the next {1}",
        "window of {0} {2}, horizon {1}",
        "look back {0} {2}, predict {1}",
    )
    return form.format(window, horizon, unit)


def _one(random: Random, *forms: str) -> str:
    return random.choice(forms)


def _pick(values: tuple[int, ...] | tuple[str, ...], random: Random) -> str:
    return str(random.choice(values))
