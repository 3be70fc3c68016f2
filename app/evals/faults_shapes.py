"""Tensors of the wrong shape or type, and operations over the wrong dimension."""

from dlcodegen.evals.fault import Fault

SHAPES = (
    Fault(
        "linear-after-flatten",
        "shapes",
        "keypoint-detection/coordinate-regression",
        (("nn.Linear(16 * in_channels, hidden_size)", "nn.Linear(in_channels, hidden_size)"),),
        ("build",),
        "The linear layer after the flattened 4x4 grid counts the channels only. RuntimeError in forward: 8x2048 "
        "and 128x128 cannot be multiplied.",
    ),
    Fault(
        "linear-sized-for-fewer-poolings",
        "shapes",
        "audio-classification/logmel-cnn",
        (("(config.num_mels + 7) // 8", "config.num_mels // 4"),),
        ("build",),
        "The classifier was sized for two poolings, there are three. RuntimeError in forward: 8x1024 and 2048x10 "
        "cannot be multiplied.",
    ),
    Fault(
        "convolution-channels",
        "shapes",
        "image-classification/resnet",
        (("conv_norm(out_channels, out_channels, 3, 1)", "conv_norm(in_channels, out_channels, 3, 1)"),),
        ("build",),
        "The second convolution of a block expects the channels of the block's input. RuntimeError in forward: "
        "expected 32 channels, got 64.",
    ),
    Fault(
        "lstm-input-size",
        "shapes",
        "text-generation/lstm",
        (
            (
                "sizes = (config.embedding_dim, config.hidden_size, config.num_layers)",
                "sizes = (config.hidden_size, config.hidden_size, config.num_layers)",
            ),
        ),
        ("build",),
        "The LSTM expects hidden_size numbers a step, the embedding gives embedding_dim. RuntimeError in forward: "
        "expected 256, got 64.",
    ),
    Fault(
        "skip-connection-not-counted",
        "shapes",
        "depth-estimation/unet",
        (("DoubleConv(3 * width, width)", "DoubleConv(2 * width, width)"),),
        ("build",),
        "A decoder block does not count the channels of the skip connection that it joins. RuntimeError in forward: "
        "expected 128 channels, got 192.",
    ),
    Fault(
        "directions-not-counted",
        "shapes",
        "token-classification/bilstm-tagger",
        (
            (
                "nn.Linear(2 * config.hidden_size, config.num_classes)",
                "nn.Linear(config.hidden_size, config.num_classes)",
            ),
        ),
        ("build",),
        "The classifier after a bidirectional LSTM counts one direction only. RuntimeError in forward: 512x256 and "
        "128x9 cannot be multiplied.",
    ),
    Fault(
        "heads-do-not-divide",
        "shapes",
        "text-classification/transformer-encoder",
        (("TransformerClassifier(config, usable_heads(config))", "TransformerClassifier(config, num_heads=6)"),),
        ("build", "smoke run"),
        "128 channels cannot be divided among six attention heads. AssertionError in build_model.",
    ),
    Fault(
        "residual-without-projection",
        "shapes",
        "time-series-forecasting/tcn",
        (("nn.Identity() if same else nn.Conv1d(in_channels, out_channels, kernel_size=1)", "nn.Identity()"),),
        ("build",),
        "The first block adds its input of 4 channels to its output of 64. RuntimeError in forward: 64 must match 4 "
        "at dimension 1.",
    ),
    Fault(
        "channel-axis-missing",
        "shapes",
        "audio-classification/logmel-cnn",
        (
            (
                "nn.functional.layer_norm(mels, mels.shape[1:]).unsqueeze(1)",
                "nn.functional.layer_norm(mels, mels.shape[1:])",
            ),
        ),
        ("build",),
        "Spectrograms go into Conv2d without the axis for their one channel. RuntimeError in forward: expected 1 "
        "channel, got the batch of 8.",
    ),
    Fault(
        "image-channels-last",
        "shapes",
        "multimodal-classification/image-table",
        (
            (
                "self.image_branch(images).mean(dim=(2, 3))",
                "self.image_branch(images.permute(0, 2, 3, 1)).mean(dim=(2, 3))",
            ),
        ),
        ("build",),
        "Images are turned to channels-last, as TensorFlow wants them, before a PyTorch convolution. RuntimeError "
        "in forward: expected 3 channels, got 64.",
    ),
    Fault(
        "double-precision-rows",
        "shapes",
        "time-series-forecasting/lstm",
        (("series = ((series - mean) / std).float()", "series = (series - mean) / std"),),
        ("build",),
        "Rows stay in double precision, as NumPy gives them, the weights are in single precision. ValueError in "
        "forward: float64 does not match float32.",
    ),
    Fault(
        "mean-over-the-channels",
        "shapes",
        "image-regression/cnn",
        (("self.stages(x).mean(dim=(2, 3))", "self.stages(x).mean(dim=(1, 2))"),),
        ("build",),
        "Global pooling runs over channels and rows instead of rows and columns. RuntimeError in forward: 8x8 and "
        "128x1 cannot be multiplied.",
    ),
    Fault(
        "view-of-a-transposed-tensor",
        "shapes",
        "unconditional-image-generation/dcgan",
        (("self.layers(images).flatten(1)", "self.layers(images).transpose(1, 3).view(len(images), -1)"),),
        ("build",),
        "view is called on a transposed tensor, which is not contiguous. RuntimeError in forward: view size is not "
        "compatible.",
    ),
    Fault(
        "one-id-too-few",
        "shapes",
        "recommendation/matrix-factorisation",
        (("self.item_embedding = nn.Embedding(num_items + 1,", "self.item_embedding = nn.Embedding(num_items,"),),
        ("build", "step", "smoke run"),
        "Ids run from 1 to num_items, the table has no row for the last. IndexError in forward, at the first batch "
        "that has this id.",
    ),
    Fault(
        "softmax-over-the-batch",
        "shapes",
        "text-classification/bilstm-attention",
        (("scores.softmax(dim=1)", "scores.softmax(dim=0)"),),
        ("judgement",),
        "Attention weights sum to one over the batch instead of over the words. Runs silently, accuracy 1.0, but a "
        "prediction depends on its neighbours.",
    ),
    Fault(
        "batch-first-forgotten",
        "shapes",
        "time-series-forecasting/lstm",
        (("num_layers, batch_first=True, dropout=between", "num_layers, dropout=between"),),
        ("judgement",),
        "The LSTM takes the batch for time, so that examples mix. Runs silently, and a forecast depends on its "
        "neighbours.",
    ),
    Fault(
        "argmax-over-the-batch",
        "shapes",
        "image-classification/small-cnn",
        (
            (
                "return model(inputs.to(DEVICE)).argmax(dim=1).cpu()",
                "return model(inputs.to(DEVICE)).argmax(dim=0).cpu()",
            ),
        ),
        ("reload", "judgement"),
        "predict looks for the best example of each class, not for the best class of each example. Runs silently "
        "with good metrics, but predictions have shape (50,) for 36 images.",
    ),
    Fault(
        "predict-gives-logits",
        "shapes",
        "time-series-classification/cnn-1d",
        (("return model(inputs.to(DEVICE)).argmax(dim=1).cpu()", "return model(inputs.to(DEVICE)).cpu()"),),
        ("reload", "judgement"),
        "predict returns logits (N, num_classes) where class numbers (N,) are promised. Runs silently with good "
        "metrics, but predictions have shape (60, 6).",
    ),
    Fault(
        "heads-mixed-by-reshape",
        "shapes",
        "text-generation/gpt",
        (("attended.transpose(1, 2).flatten(2)", "attended.reshape(*x.shape)"),),
        (),
        "Attention heads are joined by reshape without transpose, which mixes positions and lets the model see "
        "ahead. Runs silently, cross-entropy 1.11 instead of 1.10.",
    ),
)
