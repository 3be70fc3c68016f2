"""The course of training: modes, schedulers, and which weights are kept."""

from dlcodegen.evals.fault import Fault

COURSE = (
    Fault(
        "never-in-evaluation-mode",
        "course",
        "tabular-classification/mlp",
        (
            ("    model.train(optimizer is not None)\n", "    model.train()\n"),
            (
                '"""Metrics over all examples of the loader."""\n    model.eval()\n',
                '"""Metrics over all examples of the loader."""\n',
            ),
        ),
        ("smoke run", "judgement"),
        "Dropout stays active in validation and test, since eval() is called nowhere. Runs silently, accuracy 0.99 "
        "all the same.",
    ),
    Fault(
        "predicts-in-training-mode",
        "course",
        "object-detection/single-box",
        (('class and probability."""\n    model.eval()\n', 'class and probability."""\n    model.train()\n'),),
        ("judgement",),
        "predict normalises by the batch at hand, so that a prediction depends on its neighbours. Runs silently "
        "with good metrics.",
    ),
    Fault(
        "never-in-training-mode",
        "course",
        "video-classification/cnn-gru",
        (("    model.train(optimizer is not None)\n", "    model.eval()\n"),),
        ("smoke run",),
        "Dropout is off and batch normalisation keeps its first statistics while the model is trained. Runs "
        "silently, accuracy 0.94 instead of 0.97.",
    ),
    Fault(
        "scheduler-before-the-optimizer",
        "course",
        "tabular-regression/mlp",
        (
            (
                ('    best_loss, best_weights, waited = float("inf"), copy.deepcopy(model.state_dict()), 0\n    for'),
                (
                    "    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=5, gamma=0.5)\n"
                    '    best_loss, best_weights, waited = float("inf"), copy.deepcopy(model.state_dict()), 0\n'
                    "    for"
                ),
            ),
            (
                "    for epoch in range(1, config.epochs + 1):\n",
                "    for epoch in range(1, config.epochs + 1):\n        scheduler.step()\n",
            ),
        ),
        ("smoke run", "current API"),
        "The scheduler steps before the optimizer, so that the first learning rate is skipped. Runs as before; "
        "PyTorch warns of the order.",
    ),
    Fault(
        "scheduler-without-its-metric",
        "course",
        "image-to-image/denoising",
        (
            (
                ('    best_loss, best_weights, waited = float("inf"), copy.deepcopy(model.state_dict()), 0\n    for'),
                (
                    "    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=3)\n"
                    '    best_loss, best_weights, waited = float("inf"), copy.deepcopy(model.state_dict()), 0\n'
                    "    for"
                ),
            ),
            ("        waited += 1\n", "        scheduler.step()\n        waited += 1\n"),
        ),
        ("smoke run",),
        "ReduceLROnPlateau is stepped without the loss that it watches. TypeError after the first epoch.",
    ),
    Fault(
        "learning-rate-dies-within-an-epoch",
        "course",
        "image-classification/small-cnn",
        (
            (
                "    model.train(optimizer is not None)\n",
                (
                    "    model.train(optimizer is not None)\n"
                    "    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5) if optimizer else None\n"
                ),
            ),
            (
                "                optimizer.step()\n",
                "                optimizer.step()\n                scheduler.step()\n",
            ),
        ),
        ("smoke run", "judgement"),
        "The learning rate is halved at every batch instead of at every epoch. Runs silently, accuracy 0.61 instead "
        "of 1.0.",
    ),
    Fault(
        "best-weights-are-a-view",
        "course",
        "time-series-classification/cnn-1d",
        (("val_loss, copy.deepcopy(model.state_dict()), 0", "val_loss, model.state_dict(), 0"),),
        (),
        "The best weights are remembered without a copy, so that they go on changing. Runs silently, accuracy 1.0 "
        "all the same.",
    ),
    Fault(
        "best-weights-never-restored",
        "course",
        "tabular-classification/binary-mlp",
        (("    model.load_state_dict(best_weights)\n", ""),),
        (),
        "The weights of the last epoch are kept, whatever the validation loss says. Runs silently with the same "
        "metrics, as the last epoch is the best here.",
    ),
    Fault(
        "losses-kept-with-their-graphs",
        "course",
        "text-generation/lstm",
        (("total += loss.item() * len(inputs)", "total += loss * len(inputs)"),),
        (),
        "The sum of the losses keeps the graph of every batch in memory. Runs silently with the same metrics.",
    ),
)
