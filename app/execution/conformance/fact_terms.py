"""Where stated facts show in code: names of PyTorch and of Keras."""

RECURRENT = ("LSTM", "GRU", "RNN", "SimpleRNN", "RecurrentLayer")
CONVOLUTIONS = (
    "Conv1d",
    "Conv2d",
    "Conv1D",
    "Conv2D",
    "SeparableConv2d",
    "SeparableConv2D",
    "ResidualBlock",
    "TemporalBlock",
    "InvertedResidual",
    "ConvNeXtBlock",
)
DENSE = ("Linear", "LazyLinear", "Dense")

WHERE: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "hidden_size": (
        (*RECURRENT, *DENSE, "TransformerEncoderLayer", "TransformerEncoder"),
        ("hidden_size", "d_model", "units"),
    ),
    "num_heads": (
        ("TransformerEncoderLayer", "MultiheadAttention", "MultiHeadAttention", "TransformerEncoder"),
        ("num_heads", "nhead"),
    ),
    "dropout": (
        ("Dropout", "Dropout1d", "Dropout2d", "SpatialDropout1D", "SpatialDropout2D"),
        ("dropout", "p", "rate"),
    ),
    "embedding_dim": (("Embedding", "PatchEmbedding"), ("embedding_dim", "latent_dim", "output_dim")),
    "kernel_size": (("Conv1d", "Conv2d", "Conv1D", "Conv2D"), ("kernel_size",)),
    "patch_size": (("PatchEmbedding",), ("patch_size",)),
    "gradient_clip": (
        ("clip_grad_norm_", "clip_grad_value_"),
        ("max_norm", "clip_value", "clipnorm", "clipvalue", "global_clipnorm"),
    ),
    "vocab_size": (("Embedding",), ("vocab_size", "num_embeddings", "input_dim", "max_tokens")),
    "sequence_length": ((), ("sequence_length", "max_length", "maxlen", "output_sequence_length")),
    "patience": ((), ("patience",)),
}
"""Where a number may stand when it is no Config field: callees whose arguments, and keywords whose value, may be it."""

PRESENCE: dict[str, tuple[str, ...]] = {
    "early_stopping": ("patience", "EarlyStopping"),
    "augmentation": (
        *("flip", "augment", "augmented", "rot90", "RandomHorizontalFlip", "fliplr", "random_flip", "RandomFlip"),
        *("RandomRotation", "RandomCrop", "RandomResizedCrop", "RandomZoom", "flip_at_random"),
    ),
    "batch_norm": ("BatchNorm1d", "BatchNorm2d", "BatchNormalization"),
    "class_weights": ("pos_weight", "class_weights", "class_weight", "WeightedRandomSampler"),
}
"""Facts that the mere presence of a name shows."""

SCHEDULERS: dict[str, tuple[str, ...]] = {
    "cosine": ("CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CosineDecay", "CosineDecayRestarts"),
    "step": ("StepLR", "MultiStepLR", "PiecewiseConstantDecay", "ExponentialDecay"),
    "exponential": ("ExponentialLR", "ExponentialDecay"),
    "one-cycle": ("OneCycleLR", "warmup_target"),
    "plateau": ("ReduceLROnPlateau",),
    "warm-up": ("LinearLR", "LambdaLR", "OneCycleLR", "warmup_steps"),
}
NEVER = {
    "pretrained": "no weights are downloaded: the model is trained from scratch",
    "variant": "a smaller relative of the same family is built",
}
"""Facts that no script of ours honours, and why."""

OF_OPTIMIZER = ("weight_decay", "momentum", "nesterov")
"""Facts that the running optimizer's settings show."""

OF_LAYERS = {
    "hidden_size": "units",
    "embedding_dim": "width",
    "dropout": "rate",
    "num_heads": "heads",
    "kernel_size": "kernel",
}
"""Facts that the layers of the running model show -> what the number is in them (`Built.numbers`)."""
