"""Shapes of datasets that everybody knows by name: public facts, used where the requirement says nothing itself."""

import re

_DATASETS: tuple[tuple[str, dict[str, int]], ...] = (
    (r"fashion[- ]?mnist|kmnist|mnist", {"image_height": 28, "image_width": 28, "channels": 1, "num_classes": 10}),
    (r"emnist", {"image_height": 28, "image_width": 28, "channels": 1, "num_classes": 47}),
    (r"cifar[- ]?100", {"image_height": 32, "image_width": 32, "channels": 3, "num_classes": 100}),
    (r"cifar(?:[- ]?10)?", {"image_height": 32, "image_width": 32, "channels": 3, "num_classes": 10}),
    (r"svhn", {"image_height": 32, "image_width": 32, "channels": 3, "num_classes": 10}),
    (r"stl[- ]?10", {"image_height": 96, "image_width": 96, "channels": 3, "num_classes": 10}),
    (r"imdb", {"num_classes": 2}),
    (r"ag[ _]?news", {"num_classes": 4}),
    (r"20[ _]?newsgroups?", {"num_classes": 20}),
    (r"conll[- ]?2003", {"num_classes": 9}),
    (r"iris", {"num_features": 4, "num_classes": 3}),
    (r"california housing", {"num_features": 8}),
    (r"boston housing", {"num_features": 13}),
    (r"pima|diabetes dataset", {"num_features": 8, "num_classes": 2}),
    (r"titanic", {"num_classes": 2}),
    (r"esc[- ]?50", {"num_classes": 50}),
    (r"urbansound(?:8k)?", {"num_classes": 10}),
    (r"gtzan", {"num_classes": 10}),
    (r"uci har|human activity recognition using smartphones", {"window": 128, "num_features": 9, "num_classes": 6}),
    (r"movielens[- ]?100k", {"num_users": 943, "num_items": 1682}),
)


def known_dataset(text: str) -> dict[str, int]:
    """What is known of the first dataset that the text names; empty when it names none."""
    for pattern, facts in _DATASETS:
        if re.search(rf"(?<![\w-])(?:{pattern})(?!\w)", text, re.IGNORECASE):
            return facts
    return {}
