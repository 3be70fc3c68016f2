"""How a plan's layers are called in PyTorch and Keras code, and what the arguments of such calls stand for."""

LAYER_CODE: dict[str, tuple[str, ...]] = {
    "dense": ("Dense", "Linear", "LazyLinear", "linear"),
    "conv1d": ("Conv1D", "Conv1d", "LazyConv1d"),
    "conv2d": ("Conv2D", "Conv2d", "LazyConv2d"),
    "conv3d": ("Conv3D", "Conv3d", "LazyConv3d"),
    "conv1dtranspose": (
        "Conv1DTranspose",
        "ConvTranspose1d",
    ),
    "conv2dtranspose": (
        "Conv2DTranspose",
        "ConvTranspose2d",
    ),
    "separableconv2d": ("SeparableConv2D", "SeparableConv2d", "Conv2d"),
    "depthwiseconv2d": (
        "DepthwiseConv2D",
        "Conv2d",
    ),
    "maxpooling1d": ("MaxPooling1D", "MaxPool1d", "max_pool1d", "AdaptiveMaxPool1d"),
    "maxpooling2d": ("MaxPooling2D", "MaxPool2d", "max_pool2d", "AdaptiveMaxPool2d"),
    "averagepooling1d": ("AveragePooling1D", "AvgPool1d", "avg_pool1d"),
    "averagepooling2d": ("AveragePooling2D", "AvgPool2d", "avg_pool2d", "AdaptiveAvgPool2d", "mean"),
    "globalaveragepooling1d": ("GlobalAveragePooling1D", "AdaptiveAvgPool1d", "MeanPooling", "mean", "sum"),
    "globalaveragepooling2d": ("GlobalAveragePooling2D", "AdaptiveAvgPool2d", "adaptive_avg_pool2d", "mean"),
    "globalmaxpooling1d": ("GlobalMaxPooling1D", "AdaptiveMaxPool1d", "amax", "max"),
    "globalmaxpooling2d": ("GlobalMaxPooling2D", "AdaptiveMaxPool2d", "amax", "max"),
    "adaptiveaveragepooling2d": ("AdaptiveAvgPool2d", "adaptive_avg_pool2d"),
    "upsampling2d": ("UpSampling2D", "Upsample", "interpolate"),
    "batchnormalization": (
        "BatchNormalization",
        "BatchNorm2d",
        "BatchNorm1d",
        "BatchNorm3d",
        "LazyBatchNorm1d",
        "LazyBatchNorm2d",
    ),
    "layernormalization": ("LayerNormalization", "LayerNorm", "layer_norm"),
    "groupnormalization": (
        "GroupNormalization",
        "GroupNorm",
    ),
    "dropout": ("Dropout", "Dropout1d", "Dropout2d", "SpatialDropout1D", "SpatialDropout2D", "dropout"),
    "embedding": ("Embedding",),
    "concatenate": ("Concatenate", "cat", "concat", "hstack"),
    "add": ("Add", "add"),
    "positionembedding": ("PositionEmbedding", "PositionalEncoding", "PositionalEmbedding", "Embedding", "Parameter"),
    "positionalembedding": ("PositionalEmbedding", "PositionalEncoding", "positional_encoding", "Embedding"),
    "positionalencoding": ("PositionalEncoding", "positional_encoding", "PositionalEmbedding", "Embedding"),
    "lstm": ("LSTM",),
    "gru": ("GRU",),
    "simplernn": (
        "SimpleRNN",
        "RNN",
    ),
    "multiheadattention": (
        "MultiHeadAttention",
        "MultiheadAttention",
        "TransformerEncoderLayer",
        "scaled_dot_product_attention",
    ),
    "attention": ("AttentionPooling", "AdditiveAttention", "Attention", "MultiheadAttention", "softmax"),
    "transformerencoder": ("TransformerEncoder", "TransformerEncoderLayer"),
    "transformerencoderlayer": ("TransformerEncoderLayer", "MultiheadAttention", "MultiHeadAttention"),
    "transformerdecoder": ("TransformerDecoder", "TransformerDecoderLayer"),
    "flatten": ("Flatten", "flatten", "reshape", "view"),
    "relu": ("ReLU", "relu"),
    "leakyrelu": ("LeakyReLU", "leaky_relu"),
    "gelu": ("GELU", "gelu"),
    "silu": ("SiLU", "silu", "swish"),
    "tanh": ("Tanh", "tanh"),
    "sigmoid": ("Sigmoid", "sigmoid"),
    "softmax": ("Softmax", "softmax", "log_softmax", "LogSoftmax"),
    "softplus": ("Softplus", "softplus"),
    "activation": (
        "Activation",
        "ReLU",
        "GELU",
        "Tanh",
        "Sigmoid",
        "LeakyReLU",
        "Softmax",
        "relu",
        "gelu",
        "tanh",
        "sigmoid",
    ),
    "reshape": ("Reshape", "reshape", "view", "Unflatten", "unflatten"),
}
"""Lower-case name of a plan's layer -> names that show it in a script: Keras's, then PyTorch's."""

ONCE = frozenset(
    {
        "dense", "conv1d", "conv2d", "conv3d", "conv1dtranspose", "conv2dtranspose",
        "lstm", "gru", "simplernn", "embedding",
    }
)  # fmt: skip
"""Layers with weights of their own: two of a plan are two in the code. The rest may be used again and again."""

ACTIVATIONS = frozenset({"relu", "gelu", "silu", "tanh", "sigmoid", "softmax", "softplus", "elu", "selu", "swish"})
"""Layers that Keras also takes by their name: `Dense(64, activation="relu")`."""

LEAVES: dict[str, tuple[str, ...]] = {
    **{kind: LAYER_CODE[kind] for kind in ONCE},
    "batchnormalization": LAYER_CODE["batchnormalization"],
    "layernormalization": ("LayerNorm",),
    "dropout": ("Dropout", "Dropout1d", "Dropout2d", "SpatialDropout1D", "SpatialDropout2D"),
}
"""Layers that a running model holds as modules without parts, under one of these names."""

TORCH_SPELLING: dict[str, str] = {
    "linear": "dense",
    "convtranspose1d": "conv1dtranspose",
    "convtranspose2d": "conv2dtranspose",
    "maxpool1d": "maxpooling1d",
    "maxpool2d": "maxpooling2d",
    "avgpool1d": "averagepooling1d",
    "avgpool2d": "averagepooling2d",
    "adaptiveavgpool2d": "adaptiveaveragepooling2d",
    "batchnorm1d": "batchnormalization",
    "batchnorm2d": "batchnormalization",
    "layernorm": "layernormalization",
    "groupnorm": "groupnormalization",
    "upsample": "upsampling2d",
    "rnn": "simplernn",
}
"""Lower-case PyTorch name of a plan's layer -> the name in `LAYER_CODE`."""

_CONV = "in units kernel stride padding dilation"
_KERAS_CONV = "units kernel stride"
SIGNATURES: dict[str, str] = {
    "Linear": "in units",
    "LazyLinear": "units",
    "Dense": "units",
    "Conv1d": _CONV,
    "Conv2d": _CONV,
    "Conv3d": _CONV,
    "ConvTranspose1d": "in units kernel stride",
    "ConvTranspose2d": "in units kernel stride",
    "LazyConv1d": "units kernel stride",
    "LazyConv2d": "units kernel stride",
    "Conv1D": _KERAS_CONV,
    "Conv2D": _KERAS_CONV,
    "Conv3D": _KERAS_CONV,
    "Conv1DTranspose": _KERAS_CONV,
    "Conv2DTranspose": _KERAS_CONV,
    "SeparableConv2D": _KERAS_CONV,
    "MaxPool1d": "kernel stride",
    "MaxPool2d": "kernel stride",
    "AvgPool1d": "kernel stride",
    "AvgPool2d": "kernel stride",
    "max_pool1d": "x kernel stride",
    "max_pool2d": "x kernel stride",
    "avg_pool2d": "x kernel stride",
    "MaxPooling1D": "kernel stride",
    "MaxPooling2D": "kernel stride",
    "AveragePooling1D": "kernel stride",
    "AveragePooling2D": "kernel stride",
    "Dropout": "rate",
    "Dropout1d": "rate",
    "Dropout2d": "rate",
    "SpatialDropout1D": "rate",
    "SpatialDropout2D": "rate",
    "dropout": "x rate",
    "Embedding": "vocab width",
    "LSTM": "in units num_layers",
    "GRU": "in units num_layers",
    "RNN": "in units num_layers",
    "SimpleRNN": "units",
    "MultiheadAttention": "width heads",
    "MultiHeadAttention": "heads",
    "TransformerEncoderLayer": "width heads feed_forward dropout",
    "TransformerDecoderLayer": "width heads feed_forward dropout",
    "AdaptiveAvgPool1d": "size",
    "AdaptiveAvgPool2d": "size",
    "AdaptiveAveragePooling2D": "size",
    "AdaptiveMaxPool2d": "size",
    "adaptive_avg_pool2d": "x size",
}
"""What the arguments of a call stand for, by place. Keras's LSTM and GRU take their units first."""

ALIASES: dict[str, str] = {
    "out_features": "units", "hidden_size": "units", "filters": "units", "out_channels": "units", "out_width": "units",
    "kernel_size": "kernel", "pool_size": "kernel", "strides": "stride", "dilation_rate": "dilation", "p": "rate",
    "input_dim": "vocab", "num_embeddings": "vocab", "vocab_size": "vocab", "output_dim": "width",
    "embedding_dim": "width", "embed_dim": "width", "d_model": "width", "num_heads": "heads", "nhead": "heads",
    "dim_feedforward": "feed_forward", "output_size": "size",
}  # fmt: skip
"""Keyword of a call -> what it stands for; others stand for themselves."""

COMPARED = (
    "units", "rate", "vocab", "width", "heads", "kernel", "stride", "dilation", "size", "feed_forward", "dropout",
)  # fmt: skip
"""What of a plain layer is compared; the rest (padding, bias, names) decides nothing that a plan states."""

PROSE: tuple[tuple[str, str], ...] = (
    (r"(?:transposed?|de)[- ]?conv", "conv2dtranspose"),
    (r"1-?d[- ]conv|conv\w*[- ]?1-?d", "conv1d"),
    (r"conv", "conv2d"),
    (r"max[- ]?pool", "maxpooling2d"),
    (r"(?:average|avg|mean)[- ]?pool", "globalaveragepooling2d"),
    (r"batch[- ]?norm", "batchnormalization"),
    (r"layer[- ]?norm", "layernormalization"),
    (r"drop-?out", "dropout"),
    (r"embedding", "embedding"),
    (r"lstm", "lstm"),
    (r"gru\b", "gru"),
    (r"attention", "attention"),
    (r"flatten", "flatten"),
    (r"dense|fully[- ]connected|linear layer|output layer|hidden layer", "dense"),
    (r"softmax", "softmax"),
    (r"sigmoid", "sigmoid"),
    (r"relu", "relu"),
)
"""Pattern of a layer described in words -> the layer; the first that matches counts."""
