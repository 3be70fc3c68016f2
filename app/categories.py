"""The closed list of task categories: the Hugging Face task names, plus what they lack (design, "The words")."""

import re

CATEGORIES: tuple[str, ...] = (
    "image-classification",
    "image-segmentation",
    "object-detection",
    "keypoint-detection",
    "image-regression",
    "depth-estimation",
    "image-to-image",
    "unconditional-image-generation",
    "image-to-text",
    "metric-learning",
    "self-supervised-learning",
    "video-classification",
    "text-classification",
    "token-classification",
    "question-answering",
    "summarization",
    "translation",
    "text-generation",
    "tabular-classification",
    "tabular-regression",
    "time-series-forecasting",
    "time-series-classification",
    "anomaly-detection",
    "audio-classification",
    "automatic-speech-recognition",
    "recommendation",
    "graph-machine-learning",
    "reinforcement-learning",
    "multimodal-classification",
    "other",
)

# Spellings seen in published plans and in people's sentences that share too few words with the canonical name.
_ALIASES = {
    "image captioning": "image-to-text",
    "caption generation": "image-to-text",
    "image generation": "unconditional-image-generation",
    "image denoising": "image-to-image",
    "image reconstruction": "image-to-image",
    "super resolution": "image-to-image",
    "image processing": "image-to-image",
    "style transfer": "image-to-image",
    "text to text": "translation",
    "sequence to sequence": "translation",
    "machine translation": "translation",
    "sentiment analysis": "text-classification",
    "named entity recognition": "token-classification",
    "speech recognition": "automatic-speech-recognition",
    "time series prediction": "time-series-forecasting",
    "sequence prediction": "time-series-forecasting",
    "stock prediction": "time-series-forecasting",
    "image retrieval": "metric-learning",
    "face verification": "metric-learning",
    "landmark detection": "keypoint-detection",
    "pose estimation": "keypoint-detection",
    "language modeling": "text-generation",
    "language modelling": "text-generation",
    "regression": "tabular-regression",
    "classification": "tabular-classification",
    "data fusion": "multimodal-classification",
    "multimodal analysis": "multimodal-classification",
}


# Whose samples and plans come next where a category has too few of its own, nearest first.
NEIGHBOURS: dict[str, tuple[str, ...]] = {
    "image-classification": ("multimodal-classification", "metric-learning", "self-supervised-learning"),
    "image-segmentation": ("image-to-image", "depth-estimation"),
    "object-detection": ("keypoint-detection", "image-regression"),
    "keypoint-detection": ("image-regression", "object-detection"),
    "image-regression": ("keypoint-detection", "image-classification"),
    "depth-estimation": ("image-segmentation", "image-to-image"),
    "image-to-image": ("image-segmentation", "depth-estimation"),
    "unconditional-image-generation": ("image-to-image",),
    "image-to-text": ("image-classification", "translation", "text-generation"),
    "metric-learning": ("self-supervised-learning", "image-classification"),
    "self-supervised-learning": ("metric-learning", "image-classification"),
    "video-classification": ("image-classification", "time-series-classification"),
    "text-classification": ("token-classification", "question-answering"),
    "token-classification": ("text-classification", "question-answering"),
    "question-answering": ("token-classification", "text-classification"),
    "summarization": ("translation", "text-generation"),
    "translation": ("summarization", "text-generation"),
    "text-generation": ("translation", "summarization"),
    "tabular-classification": ("tabular-regression", "recommendation"),
    "tabular-regression": ("tabular-classification", "time-series-forecasting"),
    "time-series-forecasting": ("time-series-classification", "tabular-regression"),
    "time-series-classification": ("audio-classification", "time-series-forecasting"),
    "anomaly-detection": ("time-series-forecasting", "tabular-classification", "image-to-image"),
    "audio-classification": ("automatic-speech-recognition", "time-series-classification"),
    "automatic-speech-recognition": ("audio-classification", "token-classification"),
    "recommendation": ("metric-learning", "tabular-regression"),
    "graph-machine-learning": ("tabular-classification",),
    "reinforcement-learning": ("tabular-regression",),
    "multimodal-classification": ("image-classification", "tabular-classification"),
    "other": (),
}


def title(category: str) -> str:
    """The category as the paper prints it: `image-segmentation` -> `Image Segmentation`."""
    if category == "image-to-image":
        return "Image-to-Image"
    return category.replace("-", " ").title()


def nearest(name: str) -> str:
    """The canonical category for any spelling: exact, by alias, by shared words, or `other`.

    Ties go to the category that stands earlier in `CATEGORIES`.
    """
    words = re.sub(r"[^a-z]+", " ", name.lower()).strip()
    if (slug := words.replace(" ", "-")) in CATEGORIES:
        return slug
    for alias in sorted(_ALIASES, key=len, reverse=True):
        if alias in words:
            return _ALIASES[alias]
    given = set(words.split())

    def overlap(category: str) -> float:
        own = set(category.split("-"))
        return len(given & own) / len(given | own)

    best = max(CATEGORIES[:-1], key=overlap)
    return best if overlap(best) >= 0.5 else "other"
