"""Shapes of datasets that everybody knows by name: public facts, used where the requirement says nothing itself."""

import re

_MNIST = {"image_height": 28, "image_width": 28, "channels": 1, "num_classes": 10}
_CIFAR = {"image_height": 32, "image_width": 32, "channels": 3, "num_classes": 10}

# The first fact of each tells what kind of task the dataset is for: Iris has features, an iris scan has none.
_DATASETS: tuple[tuple[str, dict[str, int]], ...] = (
    (r"emnist", {**_MNIST, "num_classes": 47}),
    (r"fashion[- ]?mnist|fmnist|kmnist|mnist", _MNIST),
    (r"cifar[- ]?100", {**_CIFAR, "num_classes": 100}),
    (r"cifar(?:[- ]?10)?", _CIFAR),
    (r"svhn", _CIFAR),
    (r"stl[- ]?10", {**_CIFAR, "image_height": 96, "image_width": 96}),
    (r"tiny[- ]?imagenet", {**_CIFAR, "image_height": 64, "image_width": 64, "num_classes": 200}),
    (r"imagenet-?1k", {"image_height": 224, "image_width": 224, "channels": 3, "num_classes": 1000}),
    (r"eurosat", {**_CIFAR, "image_height": 64, "image_width": 64}),
    (r"fer-?2013", {"image_height": 48, "image_width": 48, "channels": 1, "num_classes": 7}),
    (r"imdb", {"num_classes": 2}),
    (r"sst-?2", {"num_classes": 2}),
    (r"ag[ _]?news", {"num_classes": 4}),
    (r"20[ _]?newsgroups?", {"num_classes": 20}),
    (r"dbpedia", {"num_classes": 14}),
    (r"conll[- ]?2003", {"num_classes": 9}),
    (r"iris(?! (?:scan|recogn|image|photo))", {"num_features": 4, "num_classes": 3}),
    (r"california housing", {"num_features": 8}),
    (r"boston housing", {"num_features": 13}),
    (r"pima|diabetes dataset", {"num_features": 8, "num_classes": 2}),
    (r"titanic", {"num_classes": 2}),
    (r"(?:forest )?cover ?type", {"num_features": 54, "num_classes": 7}),
    (r"esc[- ]?50", {"num_classes": 50}),
    (r"urbansound(?:8k)?", {"num_classes": 10}),
    (r"gtzan", {"num_classes": 10}),
    (r"uci har|human activity recognition using smartphones", {"window": 128, "num_features": 9, "num_classes": 6}),
    (r"ecg5000", {"window": 140, "num_features": 1, "num_classes": 5}),
    (r"movielens[- ]?100k", {"num_users": 943, "num_items": 1682}),
)
_ONLY_MENTIONED = (
    r"(?:pre-?trained|pre-?training|weights|trained) (?:on|from|for) (?:the )?$|(?:like|unlike|not|than) (?:the )?$"
)


def known_dataset(text: str, wanted: set[str]) -> dict[str, int]:
    """What is known of the first dataset that the text names and that suits the task; empty when there is none."""
    for pattern, facts in _DATASETS:
        for match in re.finditer(rf"(?<![\w-])(?:{pattern})(?!\w)", text, re.IGNORECASE):
            before = text[max(0, match.start() - 40) : match.start()]
            if next(iter(facts)) in wanted and not re.search(_ONLY_MENTIONED, before, re.IGNORECASE):
                return facts
    return {}
