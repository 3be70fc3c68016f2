"""Training loops that do not train what they should."""

from dlcodegen.evals.fault import Fault

TRAINING = (
    Fault(
        "zero-grad-forgotten",
        "training",
        "text-classification/text-cnn",
        (("                optimizer.zero_grad()\n", ""),),
        ("smoke run",),
        "Gradients of all batches add up. Runs silently, accuracy 1.0 all the same.",
    ),
    Fault(
        "backward-forgotten",
        "training",
        "image-regression/cnn",
        (("                loss.backward()\n", ""),),
        ("step", "smoke run", "judgement"),
        "No gradient is ever computed. Runs silently, r2 -0.04 instead of 0.87.",
    ),
    Fault(
        "step-forgotten",
        "training",
        "time-series-forecasting/transformer",
        (("                optimizer.step()\n", ""),),
        ("step", "smoke run", "judgement"),
        "Gradients are computed, but no weight is changed. Runs silently, error 8.0 instead of 1.3.",
    ),
    Fault(
        "optimizer-of-another-model",
        "training",
        "text-classification/transformer-encoder",
        (
            (
                "build_loss(config), build_optimizer(model, config)",
                "build_loss(config), build_optimizer(build_model(config), config)",
            ),
        ),
        ("step", "smoke run", "judgement"),
        "The optimizer updates a second model, the first keeps its random weights. Runs silently, accuracy 0.44 "
        "instead of 1.0.",
    ),
    Fault(
        "optimizer-of-the-last-layer",
        "training",
        "object-detection/single-box",
        (("torch.optim.AdamW(model.parameters(),", "torch.optim.AdamW(model.class_head.parameters(),"),),
        ("smoke run", "judgement"),
        "Only one head is handed to the optimizer, as if the rest were trained already. Runs silently, overlap 0.22 "
        "instead of 0.64.",
    ),
    Fault(
        "encoder-cut-off-by-detach",
        "training",
        "self-supervised-learning/simclr",
        (("self.projection(self.encoder(x))", "self.projection(self.encoder(x).detach())"),),
        ("smoke run", "judgement"),
        "The gradient ends before the encoder, which is all that is used later. Runs silently, accuracy 0.40 "
        "instead of 0.88.",
    ),
    Fault(
        "loss-made-anew-from-its-number",
        "training",
        "anomaly-detection/autoencoder",
        (
            (
                "            loss = criterion(model(inputs), targets)\n",
                (
                    "            loss = criterion(model(inputs), targets)\n"
                    "            loss = torch.tensor(loss.item(), requires_grad=True)\n"
                ),
            ),
        ),
        ("step", "smoke run", "judgement"),
        "An error about gradients was silenced by a new tensor, which no weight leads to. Runs silently, F1 0.47 "
        "instead of 0.97.",
    ),
    Fault(
        "outputs-without-their-graph",
        "training",
        "time-series-forecasting/tcn",
        (("loss = criterion(model(inputs), targets)", "loss = criterion(model(inputs).data, targets)"),),
        ("build", "step"),
        "`.data` cuts the outputs off the graph. RuntimeError in backward: does not require grad.",
    ),
    Fault(
        "no-grad-around-training",
        "training",
        "question-answering/span-transformer",
        (("with torch.set_grad_enabled(optimizer is not None):", "with torch.no_grad():"),),
        ("build", "step"),
        "The training loop stands under torch.no_grad(). RuntimeError in backward: does not require grad.",
    ),
    Fault(
        "random-encoder-frozen",
        "training",
        "image-to-text/captioning",
        (
            (
                "        self.length = config.sequence_length\n",
                (
                    "        self.encoder.requires_grad_(False)  # pretrained\n"
                    "        self.length = config.sequence_length\n"
                ),
            ),
        ),
        ("smoke run", "judgement"),
        "The image encoder is frozen as if it were pretrained, but its weights are random. Runs silently, BLEU 0.53 "
        "instead of 0.79.",
    ),
    Fault(
        "trained-on-the-validation-split",
        "training",
        "automatic-speech-recognition/ctc",
        (
            (
                "train_loss = run_epoch(model, train_loader, criterion, optimizer)",
                "train_loss = run_epoch(model, val_loader, criterion, optimizer)",
            ),
        ),
        ("smoke run", "judgement"),
        "train never uses the training loader. Runs silently, word error rate 0.79 instead of 0.",
    ),
)
