"""What nobody here builds is said with the plan; what is only mentioned, or taken back, is not."""

import pytest

from dlcodegen.planner.stated import read_stated

SAID = (
    ("image-segmentation", "segment the liver in 3D CT volumes", "“3D CT”: volumes are not read"),
    ("time-series-classification", "sort point clouds of trees", "“point clouds”: "),
    ("time-series-classification", "six heart conditions, several labels each", "“several labels”: "),
    ("graph-machine-learning", "regress the boiling point of molecules", "“regress”: graphs and nodes get a class"),
    ("graph-machine-learning", "link prediction among books", "“link prediction”: nodes and graphs get a class"),
    ("image-classification", "a small net by knowledge distillation", "“knowledge distillation”: "),
    ("token-classification", "BiLSTM and CRF for place names", "“CRF”: "),
    ("token-classification", "a BiLSTM-CRF for place names", "“CRF”: "),
    ("audio-classification", "seven birds, labels that may be combined", "“labels that may be combined”: several"),
    ("text-classification", "multi-label topics in Keras", "“multi-label”: several labels at once are told in PyTorch"),
    ("time-series-forecasting", "remaining useful life of pumps", "“remaining useful life”: the next values"),
    ("anomaly-detection", "denoise EEG recordings", "“denoise EEG recordings”: signals are not cleaned"),
    ("automatic-speech-recognition", "text to speech for Welsh", "“text to speech”: no speech is made"),
    ("image-to-text", "read handwritten postcards", "“handwritten”: a picture gets a sentence of known words"),
    ("self-supervised-learning", "match images and captions", "“images and captions”: only the pictures are read"),
    ("recommendation", "the next film of a session", "“session”: users and items are matched"),
    ("recommendation", "rank passages for a query", "“passages for a query”: texts are not read"),
    ("reinforcement-learning", "DQN with dueling heads", "“dueling”: the agent's network is a plain one"),
    ("reinforcement-learning", "balance a cart-pole by PPO", "“cart-pole”: the agent of main.py"),
    ("text-classification", "show Grad-CAM, and export to ONNX", "“Grad-CAM”: "),
    ("text-classification", "show Grad-CAM, and export to ONNX", "“ONNX”: "),
    ("image-segmentation", "a U-Net with a ResNet-34 encoder", "“ResNet-34 encoder”: the encoder is the model's own"),
    ("text-classification", "a GRU over GloVe vectors", "“GloVe”: the vectors of words are learnt"),
    ("unconditional-image-generation", "a GAN with spectral norm", "“spectral norm”: the discriminator's weights"),
    ("image-classification", "a net of at most 200k parameters", "“at most 200k parameters”: how many weights"),
    ("multimodal-classification", "photo and table -> price", "“-> price”: pictures with columns or texts get a class"),
    (
        "time-series-forecasting",
        "predict all 4 sensors",
        "“predict all 4 sensors”: the next values of the first column",
    ),
    ("video-classification", "a 3D ResNet for gestures", "“3D ResNet”: each frame is read by a 2-D network"),
    ("translation", "a beam of 4", "“beam of”: the most likely word"),
    ("reinforcement-learning", "PPO for LunarLander", "“LunarLander”: the environment in main.py is a simple one"),
    ("tabular-regression", "tune it with Optuna", "“Optuna”: settings are not searched for"),
)
SILENT = (
    ("image-classification", "several labels on each picture"),
    ("text-classification", "more than one topic for a letter"),
    ("image-classification", "without any distillation, please"),
    ("anomaly-detection", "a denoising autoencoder for ECG beats that are odd"),
    ("reinforcement-learning", "balance a cart-pole by DQN"),
    ("tabular-regression", "regress the price"),
    ("video-classification", "3D scans of shoes turning"),
)


@pytest.mark.parametrize(("category", "sentence", "expected"), SAID)
def test_it_is_said_what_nobody_builds(category: str, sentence: str, expected: str) -> None:
    notes = read_stated(sentence, "", category).notes
    assert [note for note in notes if note.startswith(expected)], notes


@pytest.mark.parametrize(("category", "sentence"), SILENT)
def test_nothing_is_said_of_what_is_built_or_not_wanted(category: str, sentence: str) -> None:
    assert read_stated(sentence, "", category).notes == []


def test_a_model_that_nobody_builds_is_a_stated_fact_behind_those_that_can_be_built() -> None:
    assert read_stated("find boats with YOLO", "", "object-detection").facts["architecture"]["value"] == "yolo"
    both = read_stated("find boats with YOLO on a ResNet backbone", "", "object-detection").facts
    assert both["architecture"]["value"] == "resnet"
