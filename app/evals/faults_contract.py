"""What breaks the project contract: imports, placeholders, named parts."""

from dlcodegen.evals.fault import Fault

CONTRACT = (
    Fault(
        "package-not-allowed",
        "imports",
        "image-segmentation/unet-multiclass",
        (
            ("import numpy as np\n", "import numpy as np\nimport segmentation_models_pytorch as smp\n"),
            ("return nn.CrossEntropyLoss()", 'return smp.losses.DiceLoss(mode="multiclass")'),
        ),
        ("imports",),
        "The loss comes from a package that is not on the list of those that a project may use. ModuleNotFoundError "
        "where it is not installed.",
    ),
    Fault(
        "module-of-a-repository",
        "imports",
        "depth-estimation/unet",
        (("import numpy as np\n", "import numpy as np\nfrom models.blocks import DoubleConv\n"),),
        ("imports",),
        "The script was written for a repository whose other modules it imports. ModuleNotFoundError.",
    ),
    Fault(
        "relative-import",
        "imports",
        "image-to-image/denoising",
        (("import numpy as np\n", "import numpy as np\nfrom .metrics import structural_similarity\n"),),
        ("imports",),
        "A function is imported from a file beside the script, as in a package. ImportError: no known parent package.",
    ),
    Fault(
        "class-that-the-library-lacks",
        "imports",
        "summarization/transformer",
        (
            (
                "from torch.optim import Optimizer\n",
                "from torch.optim import Optimizer\nfrom torch.optim.lr_scheduler import WarmupCosineAnnealingLR\n",
            ),
        ),
        ("imports", "build", "smoke run"),
        "torch.optim.lr_scheduler exists, the class imported from it was made up. ImportError at start.",
    ),
    Fault(
        "placeholder-path",
        "placeholders",
        "image-regression/cnn",
        (('data: str = ""', 'data: str = "path/to/your/dataset"'),),
        ("complete",),
        "The default of --data is a path that nobody has. The smoke run does not show it.",
    ),
    Fault(
        "path-of-a-notebook-service",
        "placeholders",
        "image-segmentation/attention-unet",
        (('data: str = ""', 'data: str = "/kaggle/input/polyps"'),),
        ("complete",),
        "The default of --data is a folder of a notebook service. The smoke run does not show it.",
    ),
    Fault(
        "body-left-empty",
        "placeholders",
        "translation/seq2seq-attention",
        (
            (
                (
                    "    model.eval()\n"
                    "    ids = model(inputs.to(DEVICE)).argmax(dim=2).cpu()\n"
                    "    ended = (ids == END).cumsum(dim=1) - (ids == END).long()\n"
                    "    return ids.masked_fill(ended > 0, PADDING)\n"
                ),
                "    # TODO: greedy decoding\n    pass\n",
            ),
        ),
        ("complete", "smoke run"),
        "`predict` is a TODO and a `pass`. TypeError in evaluate, which cannot join None to tensors.",
    ),
    Fault(
        "not-implemented",
        "placeholders",
        "image-classification/resnet",
        (
            (
                (
                    "    images, labels = default_collate(examples)\n"
                    "    return torch.where(torch.rand(len(images), 1, 1, 1) < 0.5, images.flip(-1), images), labels\n"
                ),
                '    raise NotImplementedError("augmentation goes here")\n',
            ),
        ),
        ("complete", "build", "smoke run"),
        "The augmentation was left to the reader as a NotImplementedError. NotImplementedError at the first batch.",
    ),
    Fault(
        "the-rest-as-before",
        "placeholders",
        "tabular-classification/mlp",
        (
            (
                (
                    "                optimizer.zero_grad()\n"
                    "                loss.backward()\n"
                    "                optimizer.step()\n"
                ),
                "                ...  # zero_grad, backward and step as before\n",
            ),
        ),
        ("complete", "step", "smoke run", "judgement"),
        "The update was abbreviated to an ellipsis, so nothing is trained. Runs silently, accuracy 0.09 instead of "
        "0.99.",
    ),
    Fault(
        "main-without-guard",
        "contract",
        "unconditional-image-generation/vae",
        (('if __name__ == "__main__":\n    main()\n', "main()\n"),),
        ("contract",),
        "main() is called wherever the script is imported. Runs as before, but cannot be imported.",
    ),
    Fault(
        "no-smoke-flag",
        "contract",
        "time-series-forecasting/transformer",
        (("    smoke: bool = False\n", ""),),
        ("contract", "smoke run"),
        "Config has no field `smoke`, so there is no flag --smoke. Exit code 2: unrecognized arguments: --smoke.",
    ),
    Fault(
        "smoke-wants-real-data",
        "contract",
        "image-segmentation/unet-binary",
        (("dataset = synthetic_data(config) if config.smoke else SegmentationFolder", "dataset = SegmentationFolder"),),
        ("contract", "build", "smoke run"),
        "load_data takes no notice of --smoke and reads a folder. Exit code 1 with a message that the folder holds "
        "too few pairs.",
    ),
    Fault(
        "field-without-a-flag",
        "contract",
        "keypoint-detection/coordinate-regression",
        (
            (
                '        flag = "--" + field.name.replace("_", "-")\n',
                (
                    '        if field.name in ("learning_rate", "weight_decay"):\n'
                    "            continue  # tuned already\n"
                    '        flag = "--" + field.name.replace("_", "-")\n'
                ),
            ),
        ),
        ("contract",),
        "Two fields of Config cannot be set from the command line. Runs as before.",
    ),
    Fault(
        "function-by-another-name",
        "contract",
        "text-generation/gpt",
        (
            ("def evaluate(", "def test_model("),
            ("metrics = evaluate(", "metrics = test_model("),
        ),
        ("contract",),
        "evaluate is called test_model. Runs as before.",
    ),
    Fault(
        "learning-rate-hard-coded",
        "contract",
        "tabular-classification/binary-mlp",
        (
            ("    learning_rate: float = 1e-3\n", ""),
            ("lr=config.learning_rate", "lr=1e-3"),
        ),
        ("contract",),
        "The learning rate is a number in the code instead of a field of Config. Runs as before.",
    ),
    Fault(
        "seeds-not-set",
        "contract",
        "recommendation/matrix-factorisation",
        (
            (
                ("    random.seed(config.seed)\n    np.random.seed(config.seed)\n    torch.manual_seed(config.seed)\n"),
                "",
            ),
        ),
        ("contract", "judgement"),
        "No seed is set, so every run draws other data and other weights. Runs as before, with other metrics each "
        "time.",
    ),
    Fault(
        "torch-not-seeded",
        "contract",
        "metric-learning/siamese",
        (("    torch.manual_seed(config.seed)\n", ""),),
        ("contract", "judgement"),
        "random and NumPy are seeded, PyTorch, which draws all numbers here, is not. Runs as before, with other "
        "metrics each time.",
    ),
    Fault(
        "two-loaders-instead-of-three",
        "contract",
        "image-to-image/super-resolution",
        (("        DataLoader(val_set, config.batch_size, collate_fn=collate),\n", ""),),
        ("contract", "build", "smoke run"),
        "load_data returns training and test loader, main expects a validation loader too. ValueError in main: not "
        "enough values to unpack.",
    ),
)
