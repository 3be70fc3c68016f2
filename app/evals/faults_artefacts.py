"""metrics.json and model.pt as nobody can read or trust them."""

from dlcodegen.evals.fault import Fault

ARTEFACTS = (
    Fault(
        "metrics-only-printed",
        "artefacts",
        "tabular-classification/binary-mlp",
        (('    (out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\\n", encoding="utf-8")\n', ""),),
        ("metrics",),
        "The metrics are printed, but not written. Runs silently.",
    ),
    Fault(
        "metrics-under-another-name",
        "artefacts",
        "image-regression/cnn",
        (('(out / "metrics.json")', '(out / "results.json")'),),
        ("metrics",),
        "The metrics are written to results.json. Runs silently.",
    ),
    Fault(
        "metrics-as-texts",
        "artefacts",
        "video-classification/cnn-gru",
        (
            (
                "json.dumps(metrics, indent=2)",
                'json.dumps({name: f"{value:.2%}" for name, value in metrics.items()}, indent=2)',
            ),
        ),
        ("metrics",),
        'The metrics are texts such as "93.75%". Runs silently.',
    ),
    Fault(
        "metrics-nested",
        "artefacts",
        "text-generation/lstm",
        (("json.dumps(metrics, indent=2)", 'json.dumps({"test": metrics, "seed": config.seed}, indent=2)'),),
        ("metrics",),
        'The metrics stand one level deeper, under "test". Runs silently.',
    ),
    Fault(
        "metric-by-another-key",
        "artefacts",
        "image-classification/resnet",
        (('"accuracy": (hits.sum()', '"acc": (hits.sum()'),),
        ("metrics", "conformance"),
        "The plan's metric is there under an abbreviation only. Runs silently.",
    ),
    Fault(
        "metrics-behind-a-link",
        "artefacts",
        "recommendation/matrix-factorisation",
        (
            (
                '    (out / "metrics.json").write_text(',
                (
                    '    (out / "run_1").mkdir(exist_ok=True)\n'
                    '    (out / "metrics.json").symlink_to("run_1/metrics.json")\n'
                    '    (out / "run_1" / "metrics.json").write_text('
                ),
            ),
        ),
        ("metrics",),
        "metrics.json is a symbolic link to the latest run. Runs silently.",
    ),
    Fault(
        "tensor-into-json",
        "artefacts",
        "keypoint-detection/coordinate-regression",
        (('"rmse": errors.square().mean().sqrt().item()', '"rmse": errors.square().mean().sqrt()'),),
        ("smoke run",),
        "One metric is still a tensor, which JSON cannot hold. TypeError in main, after everything was computed.",
    ),
    Fault(
        "weights-not-saved",
        "artefacts",
        "unconditional-image-generation/vae",
        (('    torch.save(model.state_dict(), out / "model.pt")\n', ""),),
        ("reload",),
        "The trained weights are lost. Runs silently.",
    ),
    Fault(
        "weights-saved-before-training",
        "artefacts",
        "text-classification/transformer-encoder",
        (
            (
                "    train(model, train_loader, val_loader, config)\n",
                (
                    "    Path(config.out).mkdir(parents=True, exist_ok=True)\n"
                    '    torch.save(model.state_dict(), Path(config.out, "model.pt"))\n'
                    "    train(model, train_loader, val_loader, config)\n"
                ),
            ),
            ('    torch.save(model.state_dict(), out / "model.pt")\n', ""),
        ),
        ("judgement",),
        "model.pt holds the random weights from before training. Runs silently with good metrics.",
    ),
    Fault(
        "whole-model-pickled",
        "artefacts",
        "image-classification/multi-label",
        (("torch.save(model.state_dict(),", "torch.save(model,"),),
        ("reload",),
        "model.pt is a pickle of the model object, which a safe reader refuses. Runs silently.",
    ),
    Fault(
        "weights-under-another-name",
        "artefacts",
        "summarization/transformer",
        (('out / "model.pt"', 'out / "best_model.pth"'),),
        ("contract", "reload"),
        "The weights are saved as best_model.pth. Runs silently.",
    ),
    Fault(
        "weights-of-a-wrapper",
        "artefacts",
        "audio-classification/logmel-cnn",
        (
            (
                "    model = build_model(config).to(DEVICE)\n",
                "    model = nn.DataParallel(build_model(config)).to(DEVICE)\n",
            ),
        ),
        ("reload",),
        'The names of the saved weights begin with the wrapper\'s "module.". Runs silently.',
    ),
    Fault(
        "scaler-not-among-the-weights",
        "artefacts",
        "time-series-forecasting/tcn",
        (
            (
                "        model.register_buffer(name, torch.tensor(scaler[name], device=DEVICE))\n",
                "        setattr(model, name, torch.tensor(scaler[name], device=DEVICE))\n",
            ),
        ),
        ("reload", "judgement"),
        "The scale of the target is a plain attribute, so that model.pt alone cannot predict in the original unit. "
        "Runs silently.",
    ),
    Fault(
        "metric-is-a-count",
        "artefacts",
        "image-segmentation/unet-multiclass",
        (
            (
                '"accuracy": (overlap.sum() / confusion.sum()).item()',
                '"accuracy": (overlap.sum() / len(outputs)).item()',
            ),
        ),
        ("metrics",),
        "Accuracy is a number of pixels per image, far above one. Runs silently, accuracy 16295.5.",
    ),
    Fault(
        "deviation-of-one-run",
        "artefacts",
        "image-classification/small-cnn",
        (
            (
                "    metrics = evaluate(model, test_loader)\n",
                (
                    "    metrics = evaluate(model, test_loader)\n"
                    '    metrics |= {f"{key}_std": float(np.std([value], ddof=1)) for key, value in metrics.items()}\n'
                ),
            ),
        ),
        ("metrics", "current API"),
        "The deviation over runs is reported, but there was one run, so that it is not a number. Runs silently and "
        "writes NaN, which is no JSON.",
    ),
)
