"""What shows in the text: it is no Python, or a name means nothing."""

from dlcodegen.evals.fault import Fault

TEXT = (
    Fault(
        "answer-cut-at-the-token-limit",
        "syntax",
        "time-series-forecasting/lstm",
        (
            (
                (
                    '    print("test:", ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))\n'
                    "\n"
                    "\n"
                    'if __name__ == "__main__":\n'
                    "    main()\n"
                ),
                '    print("test:", ", ".join(f"{name} {val',
            ),
        ),
        ("parse",),
        "The model's answer ended at its token limit in the middle of the last statement. SyntaxError: unterminated "
        "string literal.",
    ),
    Fault(
        "markdown-fence-left-in",
        "syntax",
        "image-classification/small-cnn",
        (
            ('"""Image classification with a small', '```python\n"""Image classification with a small'),
            ('if __name__ == "__main__":\n    main()\n', 'if __name__ == "__main__":\n    main()\n```\n'),
        ),
        ("parse",),
        "The script was taken over with the fence of the chat answer around it. SyntaxError in line 1.",
    ),
    Fault(
        "tabs-and-spaces-mixed",
        "syntax",
        "tabular-regression/mlp",
        (("        val_loss = run_epoch(", "\tval_loss = run_epoch("),),
        ("parse",),
        "One line of a block is indented with a tab, as after a paste from another editor. TabError.",
    ),
    Fault(
        "no-break-space-from-a-web-page",
        "syntax",
        "text-classification/text-cnn",
        (("x = self.embedding(tokens)", "x\u00a0=\u00a0self.embedding(tokens)"),),
        ("parse",),
        "A line copied from a web page holds no-break spaces, which look like spaces. SyntaxError: non-printable "
        "character U+00A0.",
    ),
    Fault(
        "bracket-never-closed",
        "syntax",
        "object-detection/single-box",
        (("scores[:, None]], dim=1)", "scores[:, None], dim=1)"),),
        ("parse",),
        "A closing bracket is missing in a nested call. SyntaxError: closing parenthesis does not match.",
    ),
    Fault(
        "return-lost-its-indentation",
        "syntax",
        "keypoint-detection/coordinate-regression",
        (("    return model(inputs.to(DEVICE)).view(", "return model(inputs.to(DEVICE)).view("),),
        ("parse",),
        "The last line of a function slid out of it when two drafts were merged. SyntaxError: 'return' outside "
        "function.",
    ),
    Fault(
        "keyword-argument-twice",
        "syntax",
        "text-classification/bilstm-attention",
        (("nn.LSTM(*sizes, batch_first=True, dropout", "nn.LSTM(*sizes, batch_first=True, batch_first=True, dropout"),),
        ("parse",),
        "A keyword argument is given twice after two suggestions were joined. SyntaxError: keyword argument repeated.",
    ),
    Fault(
        "data-pasted-into-the-script",
        "syntax",
        "anomaly-detection/autoencoder",
        (("\n\n@dataclass\nclass Config:", "\nROWS = [" + 90_000 * "0.5, " + "]\n\n\n@dataclass\nclass Config:"),),
        ("parse",),
        "The data set stands in the script as one literal of 450,000 characters. Runs silently, and is longer than "
        "any script should be.",
    ),
    Fault(
        "import-forgotten",
        "names",
        "image-to-text/captioning",
        (("import copy\n", ""),),
        ("names",),
        "`copy` is used, but its import was dropped. NameError in train.",
    ),
    Fault(
        "variable-renamed-half-way",
        "names",
        "audio-classification/logmel-cnn",
        (("loss = criterion(model(inputs), targets)", "loss = criterion(model(inputs), labels)"),),
        ("names",),
        "The loop calls the variable `targets`, the loss is computed from `labels`. NameError in run_epoch.",
    ),
    Fault(
        "argument-used-outside-of-its-function",
        "names",
        "video-classification/cnn-gru",
        (("return self.head(self.dropout(states[-1]))", "return self.head(dropout(states[-1]))"),),
        ("names",),
        "`forward` uses a local variable of `__init__` instead of the attribute. NameError in forward.",
    ),
    Fault(
        "variable-read-before-it-is-set",
        "names",
        "time-series-classification/cnn-1d",
        (
            (
                'best_loss, best_weights, waited = float("inf"), copy.deepcopy(model.state_dict()), 0\n    for',
                "best_weights, waited = copy.deepcopy(model.state_dict()), 0\n    for",
            ),
        ),
        ("names", "smoke run"),
        "`best_loss` is compared before it has a value, since its first assignment is missing. UnboundLocalError "
        "after the first epoch.",
    ),
    Fault(
        "attribute-misspelt",
        "names",
        "token-classification/bilstm-tagger",
        (("return self.head(self.dropout(states))", "return self.heads(self.dropout(states))"),),
        ("build",),
        "`forward` calls an attribute that `__init__` spells otherwise. AttributeError in forward.",
    ),
    Fault(
        "layer-of-another-framework",
        "names",
        "self-supervised-learning/simclr",
        (
            (
                "nn.BatchNorm2d(out_channels),\n            nn.ReLU()",
                "nn.BatchNormalization(out_channels),\n            nn.ReLU()",
            ),
        ),
        ("build", "smoke run"),
        "A Keras layer is looked for in torch.nn. AttributeError in build_model.",
    ),
    Fault(
        "config-field-by-another-name",
        "names",
        "tabular-classification/binary-mlp",
        (("lr=config.learning_rate", "lr=config.lr"),),
        ("contract", "build", "step", "smoke run"),
        "The optimizer reads `config.lr`, the field is called `learning_rate`. AttributeError in build_optimizer.",
    ),
    Fault(
        "keyword-of-another-framework",
        "names",
        "time-series-forecasting/tcn",
        (
            (
                "nn.Conv1d(out_channels, out_channels, kernel_size=3, dilation=dilation)",
                "nn.Conv1d(out_channels, out_channels, kernel_size=3, dilation_rate=dilation)",
            ),
        ),
        ("build", "smoke run"),
        "A keyword argument is spelt as in Keras. TypeError in build_model.",
    ),
    Fault(
        "method-without-its-call",
        "names",
        "graph-machine-learning/gcn",
        (("total += loss.item() * len(inputs)", "total += loss.item() * inputs.size"),),
        ("step", "smoke run"),
        "`inputs.size` is a method in PyTorch, a number in NumPy. TypeError after the first step.",
    ),
)
