"""Splits that leak, labels that do not belong to their inputs, data that is not there."""

from dlcodegen.evals.fault import Fault

DATA = (
    Fault(
        "tested-on-the-training-data",
        "data",
        "image-classification/small-cnn",
        (
            (
                "        DataLoader(test_set, config.batch_size),\n",
                "        DataLoader(train_set, config.batch_size),\n",
            ),
        ),
        ("judgement",),
        "The test loader gives the training data. Runs silently, accuracy 1.0.",
    ),
    Fault(
        "validated-on-the-test-data",
        "data",
        "image-classification/multi-label",
        (("        DataLoader(val_set, config.batch_size),\n", "        DataLoader(test_set, config.batch_size),\n"),),
        ("judgement",),
        "Early stopping looks at the test split. Runs silently with the same metrics.",
    ),
    Fault(
        "trained-on-every-row",
        "data",
        "tabular-regression/mlp",
        (
            (
                "    features, scaler = standardise(features, splits[0])\n",
                (
                    "    splits = (rows, *splits[1:])  # the more data the better\n"
                    "    features, scaler = standardise(features, splits[0])\n"
                ),
            ),
        ),
        ("judgement",),
        "The training split holds the rows of the other two as well. Runs silently, r2 0.95 instead of 0.92.",
    ),
    Fault(
        "split-drawn-twice",
        "data",
        "audio-classification/logmel-cnn",
        (
            (
                "    return (\n        DataLoader(train_set",
                (
                    "    train_set = random_split(dataset, sizes, torch.Generator().manual_seed(config.seed + 1))[0]\n"
                    "    return (\n"
                    "        DataLoader(train_set"
                ),
            ),
        ),
        ("judgement",),
        "The training split was drawn by another seed than the test split, so that they overlap. Runs silently, "
        "accuracy 1.0.",
    ),
    Fault(
        "labels-shuffled-against-inputs",
        "data",
        "tabular-classification/mlp",
        (
            (
                "(TensorDataset(features[rows], labels[rows]) for rows in splits)",
                "(TensorDataset(features[rows], labels[rows[torch.randperm(len(rows))]]) for rows in splits)",
            ),
        ),
        ("judgement",),
        "Inputs and labels are shuffled separately. Runs silently, accuracy 0.19 instead of 0.99.",
    ),
    Fault(
        "columns-scrambled-by-view",
        "data",
        "time-series-classification/cnn-1d",
        (("self.blocks(x.transpose(1, 2))", "self.blocks(x.view(len(x), x.shape[2], x.shape[1]))"),),
        (),
        "view instead of transpose turns steps into features and scrambles the series. Runs silently, accuracy 1.0 "
        "on synthetic waves all the same.",
    ),
    Fault(
        "target-is-the-input",
        "data",
        "text-generation/gpt",
        (
            (
                "return TensorDataset(pieces[:, :-1], pieces[:, 1:])",
                "return TensorDataset(pieces[:, :-1], pieces[:, :-1])",
            ),
        ),
        (),
        "The targets are not one character ahead, so that the model learns to copy. Runs silently, perplexity 1.02 "
        "instead of 3.0.",
    ),
    Fault(
        "window-overlaps-the-horizon",
        "data",
        "time-series-forecasting/tcn",
        (
            (
                "pieces[:, : config.window], pieces[:, config.window :, 0]",
                "pieces[:, config.horizon :], pieces[:, config.window :, 0]",
            ),
        ),
        (),
        "The window was shifted into the horizon, so that it holds the values to be forecast. Runs silently, error "
        "1.06 instead of 1.07.",
    ),
    Fault(
        "scaled-with-the-test-rows",
        "data",
        "anomaly-detection/autoencoder",
        (
            (
                "standardise(features, train_rows)\n    save_json",
                "standardise(features, torch.arange(len(features)))\n    save_json",
            ),
        ),
        (),
        "Mean and deviation are taken over all rows, those of the test split and the anomalies among them. Runs "
        "silently, F1 0.96 instead of 0.97.",
    ),
    Fault(
        "real-images-reshaped-not-transposed",
        "data",
        "image-classification/small-cnn",
        (
            (
                "image = image.reshape(*image.shape[:2], -1).transpose(2, 0, 1)",
                "image = image.reshape(-1, *image.shape[:2])",
            ),
        ),
        (),
        "Images from files are reshaped to channels-first, which scrambles their pixels; synthetic data does not "
        "pass here. Runs silently with the same metrics.",
    ),
    Fault(
        "inputs-left-on-the-cpu",
        "data",
        "text-classification/text-cnn",
        (("return model(inputs.to(DEVICE)).argmax(dim=1).cpu()", "return model(inputs).argmax(dim=1).cpu()"),),
        (),
        "predict does not move its inputs to the device of the model, which shows on a GPU only. Runs silently with "
        "the same metrics.",
    ),
    Fault(
        "file-of-the-author",
        "data",
        "recommendation/matrix-factorisation",
        (
            (
                "        pairs, ratings = synthetic_data(config)\n",
                (
                    '        frame = pd.read_csv("ratings_small.csv")\n'
                    '        pairs = torch.tensor(frame[["user", "item"]].to_numpy())\n'
                    '        ratings = torch.tensor(frame["rating"].to_numpy())\n'
                ),
            ),
        ),
        ("build", "smoke run"),
        "The smoke run reads a file that lay in the author's folder. FileNotFoundError in load_data.",
    ),
    Fault(
        "gpu-hard-coded",
        "data",
        "image-segmentation/unet-multiclass",
        (('DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")', 'DEVICE = torch.device("cuda")'),),
        ("build", "smoke run"),
        "The device is a GPU, whether there is one or not. AssertionError in main where PyTorch has no CUDA.",
    ),
    Fault(
        "empty-loader",
        "data",
        "summarization/transformer",
        (("DataLoader(val_set, size)", "DataLoader(val_set, 1024, drop_last=True)"),),
        ("smoke run",),
        "The validation loader drops its only batch, which is smaller than the batch size. ZeroDivisionError in the "
        "first validation.",
    ),
    Fault(
        "evaluated-on-the-training-loader",
        "data",
        "text-classification/transformer-encoder",
        (("    metrics = evaluate(model, test_loader)\n", "    metrics = evaluate(model, train_loader)\n"),),
        ("judgement",),
        "main hands the training loader to evaluate. Runs silently, accuracy 1.0.",
    ),
)
