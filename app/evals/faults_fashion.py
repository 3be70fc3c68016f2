"""Calls that went out of use, and departures from the plan that run as well as before."""

from dlcodegen.evals.fault import Fault

FASHION = (
    Fault(
        "numpy-alias-removed",
        "outdated",
        "reinforcement-learning/dqn",
        (("np.zeros((size, *shape), np.float32) for", "np.zeros((size, *shape), np.float) for"),),
        ("names", "build", "smoke run", "current API"),
        "np.float was removed from NumPy. AttributeError before training.",
    ),
    Fault(
        "numpy-function-removed",
        "outdated",
        "unconditional-image-generation/dcgan",
        (("int(np.prod(self.start_shape))", "int(np.product(self.start_shape))"),),
        ("names", "build", "smoke run", "current API"),
        "np.product was removed from NumPy 2. AttributeError in build_model.",
    ),
    Fault(
        "loss-read-as-an-array",
        "outdated",
        "image-segmentation/unet-binary",
        (("total += loss.item() * len(inputs)", "total += loss.data[0] * len(inputs)"),),
        ("step", "smoke run", "current API"),
        "loss.data[0] is how a loss was read before PyTorch 0.4. IndexError after the first step.",
    ),
    Fault(
        "scheduler-argument-removed",
        "outdated",
        "metric-learning/siamese",
        (
            (
                ('    best_loss, best_weights, waited = float("inf"), copy.deepcopy(model.state_dict()), 0\n    for'),
                (
                    "    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=3, verbose=True)\n"
                    '    best_loss, best_weights, waited = float("inf"), copy.deepcopy(model.state_dict()), 0\n'
                    "    for"
                ),
            ),
            ("        waited += 1\n", "        scheduler.step(val_loss)\n        waited += 1\n"),
        ),
        ("build", "step", "smoke run", "current API"),
        "`verbose` was removed from the schedulers. TypeError in train.",
    ),
    Fault(
        "autocast-of-cuda",
        "outdated",
        "image-classification/resnet",
        (
            (
                "            loss = criterion(model(inputs), targets)\n",
                (
                    "            with torch.cuda.amp.autocast():\n"
                    "                loss = criterion(model(inputs), targets)\n"
                ),
            ),
        ),
        ("current API",),
        "torch.cuda.amp.autocast was replaced by torch.amp.autocast. Runs as before with a FutureWarning.",
    ),
    Fault(
        "reduction-by-two-flags",
        "outdated",
        "recommendation/matrix-factorisation",
        (("return nn.MSELoss()", "return nn.MSELoss(size_average=True)"),),
        ("current API",),
        "size_average was replaced by reduction. Runs as before with a UserWarning, raised inside of PyTorch.",
    ),
    Fault(
        "softmax-without-a-dimension",
        "outdated",
        "text-classification/bilstm-attention",
        (("(scores.softmax(dim=1).unsqueeze(-1)", "(nn.functional.softmax(scores).unsqueeze(-1)"),),
        ("current API",),
        "softmax guesses its dimension. Runs as before with a UserWarning.",
    ),
    Fault(
        "clipping-by-the-old-name",
        "outdated",
        "text-generation/lstm",
        (
            (
                "                optimizer.step()\n",
                (
                    "                nn.utils.clip_grad_norm(model.parameters(), 1.0)\n"
                    "                optimizer.step()\n"
                ),
            ),
        ),
        ("current API",),
        "clip_grad_norm was replaced by clip_grad_norm_. Runs with a FutureWarning.",
    ),
    Fault(
        "upsampling-by-the-old-name",
        "outdated",
        "depth-estimation/unet",
        (
            (
                'F.interpolate(x, size=skip.shape[-2:], mode="bilinear", align_corners=False)',
                'F.upsample(x, size=skip.shape[-2:], mode="bilinear", align_corners=False)',
            ),
        ),
        ("current API",),
        "F.upsample was replaced by F.interpolate. Runs as before with a UserWarning.",
    ),
    Fault(
        "initialisation-by-the-old-name",
        "outdated",
        "image-to-image/super-resolution",
        (
            (
                "nn.init.zeros_(self.detail[-2].weight)  # training starts from the bicubic enlargement",
                "nn.init.normal(self.detail[-2].weight, std=1e-3)",
            ),
        ),
        ("current API",),
        "nn.init.normal was replaced by nn.init.normal_. Runs with a FutureWarning.",
    ),
    Fault(
        "other-optimizer",
        "plan",
        "object-detection/single-box",
        (("torch.optim.AdamW(", "torch.optim.RMSprop("),),
        ("conformance",),
        "RMSprop instead of the plan's AdamW. Runs silently, overlap 0.50 instead of 0.64.",
    ),
    Fault(
        "other-loss",
        "plan",
        "time-series-forecasting/lstm",
        (("return nn.MSELoss()", "return nn.L1Loss()"),),
        ("conformance",),
        "Absolute error instead of the plan's squared error. Runs silently, error 1.46.",
    ),
    Fault(
        "other-number-of-classes",
        "plan",
        "image-segmentation/unet-multiclass",
        (("num_classes: int = 4", "num_classes: int = 5"),),
        ("conformance", "build", "reload"),
        "Five classes instead of the plan's four. Runs as well as before.",
    ),
    Fault(
        "layer-left-out",
        "plan",
        "audio-classification/logmel-cnn",
        (
            (
                "nn.Sequential(nn.Dropout(config.dropout), nn.Linear(widths[-1] * bands, config.num_classes))",
                "nn.Linear(widths[-1] * bands, config.num_classes)",
            ),
        ),
        ("conformance",),
        "The plan's dropout is missing. Runs as well as before.",
    ),
    Fault(
        "other-batch-size",
        "plan",
        "tabular-classification/mlp",
        (("batch_size: int = 64", "batch_size: int = 16"),),
        ("conformance",),
        "Batches of 16 instead of the plan's 64. Runs as well as before.",
    ),
    Fault(
        "other-learning-rate",
        "plan",
        "graph-machine-learning/gcn",
        (("learning_rate: float = 1e-2", "learning_rate: float = 5e-3"),),
        ("conformance",),
        "The learning rate is half of the plan's. Runs as well as before.",
    ),
)
