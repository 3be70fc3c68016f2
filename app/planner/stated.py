"""What a requirement states, read once: shapes, sizes, names. What the user said wins over anything predicted."""

import re

from dlcodegen.planner.beyond import beyond_reach
from dlcodegen.planner.datasets import known_dataset
from dlcodegen.planner.notation import unified
from dlcodegen.planner.reading import Reading, blank
from dlcodegen.planner.stated_classes import read_classes
from dlcodegen.planner.stated_image import read_image
from dlcodegen.planner.stated_names import read_names
from dlcodegen.planner.stated_numbers import read_lists, read_numbers
from dlcodegen.planner.transformer_sizes import read_transformer_sizes
from dlcodegen.techniques import BY_NAME

_IMAGE = {"image_height", "image_width", "channels", "base_width", "depth", "patch_size", "stride"}
_TRAINING = {
    "learning_rate", "batch_size", "epochs", "patience", "seed", "weight_decay", "momentum", "betas", "label_smoothing",
    "gradient_clip", "accumulation_steps", "optimizer", "loss", "metric", "scheduler", "split",
}  # fmt: skip
_MODEL = {
    "architecture", "num_layers", "dense_layers", "hidden_size", "hidden_units", "filters", "kernel_size", "num_heads",
    "dropout", "bidirectional", "attention", "batch_norm", "pretrained", "activation",
}  # fmt: skip
_EVERYWHERE = _TRAINING | _MODEL | {"framework", "early_stopping", "augmentation", "class_weights"} | set(BY_NAME)
_TEXT = {"vocab_size", "sequence_length", "embedding_dim"}

# A number is read as a quantity only where the category has that quantity: "128 samples" is a window in a
# time series and nothing in an image task.
_QUANTITIES = {
    "image-classification": _IMAGE | {"num_classes", "embedding_dim"},
    "image-segmentation": _IMAGE | {"num_classes"},
    "object-detection": _IMAGE | {"num_classes"},
    "keypoint-detection": _IMAGE | {"num_keypoints"},
    "image-regression": _IMAGE | {"num_outputs"},
    "depth-estimation": _IMAGE,
    "image-to-image": _IMAGE | {"scale_factor", "noise_level", "latent_dim"},
    "unconditional-image-generation": _IMAGE | {"latent_dim", "num_steps", "kl_weight"},
    "image-to-text": _IMAGE | _TEXT,
    "metric-learning": _IMAGE | {"embedding_dim", "num_classes", "margin"},
    "self-supervised-learning": _IMAGE | {"embedding_dim", "num_classes", "temperature"},
    "video-classification": _IMAGE | {"num_classes", "num_frames"},
    "text-classification": _TEXT | {"num_classes", "kernel_sizes"},
    "token-classification": _TEXT | {"num_classes"},
    "question-answering": _TEXT,
    "summarization": _TEXT | {"summary_length"},
    "translation": _TEXT,
    "text-generation": _TEXT,
    "tabular-classification": {"num_features", "num_classes"},
    "tabular-regression": {"num_features", "num_outputs"},
    "time-series-forecasting": {"window", "horizon", "num_features", "stride"},
    "time-series-classification": {"window", "num_features", "num_classes", "stride"},
    "anomaly-detection": _IMAGE | {"num_features", "latent_dim", "window", "threshold_quantile"},
    "audio-classification": {"num_classes", "sample_rate", "clip_seconds", "num_mels"},
    "automatic-speech-recognition": {"vocab_size", "sample_rate", "clip_seconds", "num_mels"},
    "recommendation": {"num_users", "num_items", "latent_dim", "embedding_dim"},
    "graph-machine-learning": {"num_features", "num_classes"},
    "reinforcement-learning": {"gamma", "gae_lambda", "clip_range", "buffer_size", "entropy_weight", "num_envs"},
    "multimodal-classification": _IMAGE | _TEXT | {"num_features", "num_classes"},
}  # fmt: skip


_PICTURES = r"\b(?:photo|image|picture|pic|pixel|px|camera|snapshot|shot|scan|x-?ray|micrograph|frame|rgb|gr[ae]yscale)"


def read_stated(requirement: str, dataset: str, category: str, framework: str = "") -> Reading:
    """The facts that requirement and dataset description state; the requirement counts first."""
    reading = Reading()
    wanted = _QUANTITIES.get(category, set()) | _EVERYWHERE
    if framework:
        reading.facts["framework"] = {"name": "framework", "value": framework, "text": f"--framework {framework}"}
    texts = [unified(text) for text in (requirement, dataset) if text]
    if category == "anomaly-detection" and not re.search(_PICTURES, " ".join(texts), re.IGNORECASE):
        wanted -= _IMAGE
    for text in texts:
        _read_text(text, category, wanted, reading)
    for name, value in known_dataset(" ".join(texts), wanted).items():
        if name in wanted and not (name == "num_features" and category == "anomaly-detection"):
            reading.imply(name, value, "known of this dataset")
    _share_names(category, reading)
    stated_framework = str(reading.facts["framework"]["value"]) if "framework" in reading.facts else ""
    for line in beyond_reach(texts[0] if requirement else "", category, stated_framework):
        reading.note(line)
    return reading


def _read_text(text: str, category: str, wanted: set[str], reading: Reading) -> None:
    whole = text
    if wanted >= _IMAGE:
        text = read_image(text, reading)
    elif {"window", "num_features"} <= wanted:
        text = _read_series_shape(text, reading)
    text = read_lists(text, reading, wanted)
    read_numbers(text, reading, wanted)
    if "num_classes" in wanted:
        read_classes(text, category, reading)
    read_names(whole, category, reading)
    read_transformer_sizes(whole, category, reading)


def _read_series_shape(text: str, reading: Reading) -> str:
    """`input shape (128, 9)`, with or without the batch: steps and features."""
    before, batch = (
        r"(?:shaped?|inputs?|windows?|sequences?)\s?(?:of|is|=|:|shape)?\s?",
        r"(?:(?:none|n|batch\w*|-1), ?)?",
    )
    shape = rf"{before}[(\[]{batch}(\d{{1,6}}), ?(\d{{1,4}})[)\]]"
    if match := re.search(shape, text, re.IGNORECASE):
        reading.add("window", int(match.group(1)), match.group())
        reading.add("num_features", int(match.group(2)), match.group())
        return blank(text, match)
    return text


def _share_names(category: str, reading: Reading) -> None:
    """In recommendation, the size of the embeddings is the number of latent factors."""
    if category == "recommendation" and "embedding_dim" in reading.facts:
        embedding = reading.facts.pop("embedding_dim")
        reading.imply("latent_dim", embedding["value"], embedding["text"])
