"""Losses that do not fit their targets, or are not a number."""

from dlcodegen.evals.fault import Fault

LOSSES = (
    Fault(
        "squared-error-on-class-numbers",
        "losses",
        "tabular-classification/mlp",
        (("return nn.CrossEntropyLoss()", "return nn.MSELoss()"),),
        ("build",),
        "Logits (N, num_classes) are compared with class numbers (N,) by squared error. RuntimeError in the loss: 5 "
        "must match 32.",
    ),
    Fault(
        "binary-loss-on-logits",
        "losses",
        "image-classification/multi-label",
        (("return nn.BCEWithLogitsLoss()", "return nn.BCELoss()"),),
        ("build",),
        "BCELoss wants probabilities and gets logits. RuntimeError in the loss: elements should be between 0 and 1.",
    ),
    Fault(
        "sigmoid-twice",
        "losses",
        "tabular-classification/binary-mlp",
        (
            (
                "return self.head(self.layers(x)).squeeze(1)",
                "return torch.sigmoid(self.head(self.layers(x))).squeeze(1)",
            ),
        ),
        ("smoke run", "judgement"),
        "The model ends in a sigmoid, and BCEWithLogitsLoss applies it again. Runs silently, accuracy 0.2 instead "
        "of 0.77, as every output is above zero.",
    ),
    Fault(
        "softmax-before-cross-entropy",
        "losses",
        "time-series-classification/cnn-1d",
        (("return self.head(maps.mean(dim=2))", "return self.head(maps.mean(dim=2)).softmax(dim=1)"),),
        ("smoke run",),
        "The model ends in a softmax, and CrossEntropyLoss applies it again. Runs silently, accuracy 1.0 all the same.",
    ),
    Fault(
        "nll-without-log-softmax",
        "losses",
        "video-classification/cnn-gru",
        (("return nn.CrossEntropyLoss()", "return nn.NLLLoss()"),),
        ("smoke run", "judgement", "conformance"),
        "NLLLoss wants log-probabilities and gets logits, so the loss falls without bound. Runs silently with a "
        "loss of -8, accuracy 0.78 instead of 0.97.",
    ),
    Fault(
        "class-numbers-as-floats",
        "losses",
        "image-classification/vision-transformer",
        (
            (
                "labels = torch.arange(count) % config.num_classes\n    patterns",
                "labels = (torch.arange(count) % config.num_classes).float()\n    patterns",
            ),
            ("patterns[labels]", "patterns[labels.long()]"),
        ),
        ("build",),
        "Cross-entropy gets class numbers as floats. RuntimeError in the loss: expected Long, got Float.",
    ),
    Fault(
        "argmax-before-the-loss",
        "losses",
        "graph-machine-learning/gcn",
        (
            (
                "loss = criterion(model(inputs), targets)",
                "loss = criterion(model(inputs).argmax(dim=1).float(), targets.float())",
            ),
            ("return nn.CrossEntropyLoss()", "return nn.MSELoss()"),
        ),
        ("build", "step"),
        "The loss compares class numbers, through which no gradient flows. RuntimeError in backward: does not "
        "require grad.",
    ),
    Fault(
        "targets-broadcast",
        "losses",
        "tabular-regression/mlp",
        (("return self.head(self.layers(x)).squeeze(1)", "return self.head(self.layers(x))"),),
        ("build", "step", "smoke run", "current API", "judgement"),
        "Outputs (N, 1) and targets (N,) are broadcast to (N, N) by the loss. Runs to its end, r2 -0.01 instead of "
        "0.92; PyTorch warns of the sizes.",
    ),
    Fault(
        "label-out-of-range",
        "losses",
        "image-classification/vision-transformer",
        (
            (
                "labels = torch.arange(count) % config.num_classes\n    patterns",
                "labels = torch.arange(count) % config.num_classes + 1\n    patterns",
            ),
            ("patterns[labels]", "patterns[labels - 1]"),
        ),
        ("build", "step", "smoke run"),
        "Classes are numbered from one, cross-entropy counts from zero. IndexError in the loss: target 10 is out of "
        "bounds.",
    ),
    Fault(
        "log-of-a-negative-number",
        "losses",
        "unconditional-image-generation/vae",
        (
            (
                "divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1)",
                "divergence = 0.5 * (mean**2 + log_variance - 1 - log_variance.log()).sum(dim=1)",
            ),
        ),
        ("build", "step"),
        "The encoder's output is taken for a variance, but may be negative. Runs to its end with a loss that is not "
        "a number from the first batch on.",
    ),
    Fault(
        "divided-by-the-deviation-of-one",
        "losses",
        "image-segmentation/unet-multiclass",
        (("        skips = []\n", "        x = (x - x.mean(dim=0)) / x.std(dim=0)\n        skips = []\n"),),
        ("build", "step"),
        "Images are standardised by the batch, and the deviation of a batch of one is not a number. Runs to its end "
        "with a loss that is not a number from the first batch on.",
    ),
    Fault(
        "root-of-zero",
        "losses",
        "metric-learning/siamese",
        (
            (
                "distances = 2 - 2 * outputs @ outputs.T  # squared, of vectors of length one",
                "distances = (2 - 2 * outputs @ outputs.T).clamp(min=0).sqrt()",
            ),
        ),
        ("step", "smoke run", "metrics", "judgement"),
        "The distance of an example from itself is zero, where the root has an infinite slope. Runs to its end: the "
        "first step turns all weights into NaN, restored are the untrained ones.",
    ),
    Fault(
        "overlap-minimised",
        "losses",
        "image-segmentation/attention-unet",
        (
            (
                (
                    "        dice_loss = 1 - ((2 * overlap + 1) / (total + 1)).mean()\n"
                    "        return F.binary_cross_entropy_with_logits(logits, targets) + dice_loss\n"
                ),
                "        return ((2 * overlap + 1) / (total + 1)).mean()\n",
            ),
        ),
        ("judgement", "conformance"),
        "The Dice coefficient is returned as loss, so training makes the overlap small. Runs silently, Dice 0.001 "
        "instead of 0.95.",
    ),
    Fault(
        "padding-counts",
        "losses",
        "translation/seq2seq-attention",
        (("targets, ignore_index=PADDING)", "targets)"),),
        (),
        "The loss counts padding, so that the model learns mostly to write nothing. Runs silently, BLEU 0.20 "
        "instead of 0.98.",
    ),
    Fault(
        "learning-rate-far-too-high",
        "losses",
        "image-classification/resnet",
        (("learning_rate: float = 0.05", "learning_rate: float = 5.0"),),
        ("step", "smoke run", "metrics", "judgement", "conformance"),
        "A misplaced point makes the learning rate a hundred times too high. Runs silently, accuracy 0.11 instead "
        "of 0.97.",
    ),
)
