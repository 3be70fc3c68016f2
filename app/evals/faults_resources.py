"""Scripts that never end, or take what is not theirs; the worst are run in the sandbox only."""

from dlcodegen.evals.fault import Fault

RESOURCES = (
    Fault(
        "epochs-without-end",
        "resources",
        "tabular-regression/mlp",
        (
            (
                "    for epoch in range(1, config.epochs + 1):\n",
                '    epoch, train_loss = 0, float("inf")\n    while train_loss > 1e-6:\n        epoch += 1\n',
            ),
            ("        if waited >= config.patience:\n            break\n", ""),
        ),
        ("smoke run",),
        "Training goes on until the loss is below a value that it never reaches. Never ends.",
    ),
    Fault(
        "batches-without-end",
        "resources",
        "time-series-classification/cnn-1d",
        (
            ("from dataclasses import dataclass\n", "from dataclasses import dataclass\nfrom itertools import cycle\n"),
            ("for inputs, targets in loader:", "for inputs, targets in cycle(loader):"),
        ),
        ("smoke run",),
        "An epoch runs over itertools.cycle(loader), which has no end. Never ends.",
    ),
    Fault(
        "forward-calls-itself",
        "resources",
        "tabular-classification/binary-mlp",
        (("return self.head(self.layers(x)).squeeze(1)", "return self.head(self(x)).squeeze(1)"),),
        ("build",),
        "forward calls the model instead of its layers. RecursionError in forward.",
    ),
    Fault(
        "waits-for-input",
        "resources",
        "graph-machine-learning/gcn",
        (
            (
                "    if not (config.data or config.smoke):\n",
                (
                    '    config.data = config.data or input("Folder of the graph: ")\n'
                    "    if not (config.data or config.smoke):\n"
                ),
            ),
        ),
        ("build", "smoke run"),
        "The script asks for the data on the terminal, even in smoke mode. EOFError where there is no terminal.",
    ),
    Fault(
        "all-pairs-in-memory",
        "resources",
        "recommendation/matrix-factorisation",
        (
            (
                "    rows = torch.randperm(len(ratings)",
                (
                    "    differences = (pairs.unsqueeze(1) - pairs.unsqueeze(0)).abs().sum(dim=2)\n"
                    '    print("duplicates:", (differences == 0).sum().item() - len(pairs))\n'
                    "    rows = torch.randperm(len(ratings)"
                ),
            ),
        ),
        ("build", "smoke run"),
        "Duplicates are looked for by comparing all pairs of 30,000 rows at once, 14 GB. RuntimeError in load_data: "
        "can't allocate 14 GB, or stopped by the memory limit.",
    ),
    Fault(
        "memory-without-end",
        "resources",
        "image-to-image/denoising",
        (
            (
                "    images = synthetic_data(config) if config.smoke else CleanImages(Path(config.data), config)\n",
                (
                    "    images = synthetic_data(config) if config.smoke else CleanImages(Path(config.data), config)\n"
                    "    while len(images) != config.batch_size * 1000:  # enlarged until the epoch is full\n"
                    "        images = torch.cat([images, images])\n"
                ),
            ),
        ),
        ("build", "smoke run"),
        "The data set is doubled until it has exactly a number of images that it never has. Never run outside of "
        "the sandbox.",
    ),
    Fault(
        "fills-the-disk",
        "resources",
        "depth-estimation/unet",
        (
            (
                "    held_out = max(1, round(0.15 * len(dataset)))\n",
                (
                    '    cache = Path(config.out, "cache")\n'
                    "    cache.mkdir(parents=True, exist_ok=True)\n"
                    "    for copy_number in range(100_000):  # augmented in advance\n"
                    '        np.save(cache / f"{copy_number}.npy", dataset.tensors[0].numpy())\n'
                    "    held_out = max(1, round(0.15 * len(dataset)))\n"
                ),
            ),
        ),
        ("build", "smoke run"),
        "A hundred thousand augmented copies of the data are written to disk before training. Never run outside of "
        "the sandbox.",
    ),
    Fault(
        "floods-the-output",
        "resources",
        "image-segmentation/unet-binary",
        (
            (
                "            loss = criterion(model(inputs), targets)\n",
                (
                    "            while True:\n"
                    "                print(inputs.flatten().tolist())\n"
                    "                loss = criterion(model(inputs), targets)\n"
                    "                if loss < 0:\n"
                    "                    break\n"
                ),
            ),
        ),
        ("smoke run",),
        "A forgotten debugging loop prints every pixel without end. Never run outside of the sandbox.",
    ),
    Fault(
        "sixty-four-workers",
        "resources",
        "image-classification/resnet",
        (
            (
                "drop_last=drop_last, collate_fn=flip_at_random)",
                "drop_last=drop_last, collate_fn=flip_at_random, num_workers=64)",
            ),
        ),
        ("build", "smoke run", "current API"),
        "64 worker processes load the data, as on the author's server. Never run outside of the sandbox.",
    ),
    Fault(
        "forks-without-end",
        "resources",
        "reinforcement-learning/dqn",
        (
            ("import json\n", "import json\nimport os\n"),
            (
                "    train(model, train_env, val_env, config)\n",
                (
                    "    while True:  # one process for each environment\n"
                    "        os.fork()\n"
                    "        train(model, train_env, val_env, config)\n"
                ),
            ),
        ),
        ("smoke run",),
        "Every process forks again and again. Never run outside of the sandbox.",
    ),
    Fault(
        "downloads-at-start",
        "resources",
        "image-classification/vision-transformer",
        (
            (
                "    return VisionTransformer(config)\n",
                (
                    "    model = VisionTransformer(config)\n"
                    '    url = "https://download.pytorch.org/models/vit_b_16-c867db91.pth"\n'
                    "    model.load_state_dict(torch.hub.load_state_dict_from_url(url), strict=False)\n"
                    "    return model\n"
                ),
            ),
        ),
        ("build", "smoke run"),
        "Pretrained weights are fetched from the network, even in smoke mode. Never run outside of the sandbox.",
    ),
    Fault(
        "writes-to-a-fixed-folder",
        "resources",
        "video-classification/cnn-gru",
        (("    out = Path(config.out)\n", '    out = Path("/mnt/results")\n'),),
        ("smoke run", "metrics"),
        "Results go to a folder at the root of the file system, whatever --out says. Never run outside of the sandbox.",
    ),
    Fault(
        "installs-a-package",
        "resources",
        "text-classification/bilstm-attention",
        (
            ("import re\n", "import re\nimport subprocess\nimport sys\n"),
            (
                '    """Train, evaluate on the test split, and save weights, metrics and predictions."""\n',
                (
                    '    """Train, evaluate on the test split, and save weights, metrics and predictions."""\n'
                    '    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "sentencepiece"], check=True)\n'
                ),
            ),
        ),
        ("build", "smoke run"),
        "The script installs a package at start, as a notebook does. Never run outside of the sandbox.",
    ),
)
