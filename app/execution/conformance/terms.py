"""What Keras calls losses and metrics, and what PyTorch calls some of them besides `vocabulary`'s names."""

from functools import cache

from dlcodegen import vocabulary

_MORE_LOSSES: dict[str, tuple[str, ...]] = {
    "binary cross-entropy": ("BinaryCrossentropy", "binary_crossentropy", "binary_cross_entropy"),
    "cross-entropy": (
        "CategoricalCrossentropy",
        "SparseCategoricalCrossentropy",
        "categorical_crossentropy",
        "sparse_categorical_crossentropy",
        "NLLLoss",
        "nll_loss",
    ),
    "focal loss": ("BinaryFocalCrossentropy", "CategoricalFocalCrossentropy", "sigmoid_focal_loss", "focal_loss"),
    "Dice loss": ("Dice", "SoftDiceLoss"),
    "Tversky loss": ("Tversky",),
    "Huber": ("Huber",),
    "smooth L1": ("Huber",),
    "log-cosh": ("LogCosh", "log_cosh"),
    "mean absolute error": ("MeanAbsoluteError", "mean_absolute_error", "mae"),
    "mean squared error": ("MeanSquaredError", "mean_squared_error", "mse"),
    "hinge loss": ("Hinge", "SquaredHinge", "CategoricalHinge", "HingeEmbeddingLoss"),
    "KL divergence": ("KLDivergence", "kl_divergence"),
    "triplet loss": ("TripletMarginWithDistanceLoss", "triplet_margin_with_distance_loss"),
    "contrastive loss": ("InfoNCE", "info_nce_loss", "contrastive_loss", "nt_xent_loss"),
}
SHORT_LOSSES = frozenset({"mae", "mse", "dice", "huber", "hinge", "tversky", "meansquarederror", "meanabsoluteerror"})
"""Plain names that mean a loss only where a loss is expected: elsewhere they are metrics."""
KERAS_METRICS: dict[str, str] = {
    "Accuracy": "accuracy",
    "BinaryAccuracy": "accuracy",
    "CategoricalAccuracy": "accuracy",
    "SparseCategoricalAccuracy": "accuracy",
    "TopKCategoricalAccuracy": "top_5_accuracy",
    "SparseTopKCategoricalAccuracy": "top_5_accuracy",
    "AUC": "roc_auc",
    "F1Score": "f1",
    "Precision": "precision",
    "Recall": "recall",
    "MeanIoU": "iou",
    "BinaryIoU": "iou",
    "IoU": "iou",
    "MeanAbsoluteError": "mae",
    "MeanSquaredError": "mse",
    "RootMeanSquaredError": "rmse",
    "MeanAbsolutePercentageError": "mape",
    "R2Score": "r2",
}
"""Class of a Keras metric -> `vocabulary`'s name of it."""


def plain(name: str) -> str:
    """Names compared without case, spaces, `_` and `-`."""
    return name.lower().replace("_", "").replace(" ", "").replace("-", "")


@cache
def loss_codes(term: vocabulary.Term) -> frozenset[str]:
    """Plain names that show a loss; for two classes, cross-entropy and its binary form are the same thing."""
    names = (*term.code, *_MORE_LOSSES.get(term.name, ()))
    if term.name in ("binary cross-entropy", "cross-entropy"):
        names = (*names, *vocabulary.BINARY_CROSS_ENTROPY_CODE, *_MORE_LOSSES["binary cross-entropy"])
    return frozenset(map(plain, names))


@cache
def all_losses() -> frozenset[str]:
    """Plain names of all losses that are known."""
    return frozenset(code for term in vocabulary.LOSSES for code in loss_codes(term))


@cache
def metric_of(name: str) -> str:
    """`vocabulary`'s name for a metric as it is written in code: `val_accuracy`, `f1_score`; empty for none."""
    if name in KERAS_METRICS:
        return KERAS_METRICS[name]
    words = name.replace("_", " ").replace("-", " ").strip()
    for prefix in ("test ", "val ", "train ", "validation ", "mean ", "macro ", "binary ", "sparse categorical "):
        words = words.removeprefix(prefix)
    for term in vocabulary.METRICS:
        match = term.search(words)
        if plain(term.name) == plain(words) or (match and match.group() == words):
            return term.name
    return ""
