"""Classes that are named, colours and layer widths in many wordings; and near misses that state nothing."""

import pytest

from dlcodegen.planner.stated import read_stated

CLASSES: dict[tuple[str, int], tuple[str, ...]] = {
    ("time-series-classification", 3): ("ecg beats normal / pvc / other", "machine state idle/cutting/broken"),
    ("text-classification", 3): ("mood of a post: happy/sad/neutral", "urgent / normal / later, by the mail's text"),
    ("text-classification", 4): (
        "hockey/chess/golf/tennis news",
        "telling jokes, riddles, proverbs and poems apart",
        "recognise letters, invoices, orders and complaints",
    ),
    ("image-classification", 5): (
        "leaf photos: healthy / rust / mildew / scab / mosaic",
        "severity (KL grade 0-4) of radiographs",
        "photos on a quality scale from 1 to 5",
    ),
    ("text-classification", 5): ("star rating (1 to 5) of an app review", "1-5 stars from the text"),
    ("text-classification", 10): ("predict a rating between 1 to 10 of a review",),
    ("audio-classification", 3): ("normal vs wheeze vs crackle", "calm versus tense versus angry voices"),
    ("tabular-classification", 3): (
        "wine grade low, medium or high from 11 columns",
        "risk class low/medium/high",
        "predict the type dry, sweet or sour",
    ),
    ("image-classification", 2): (
        "castings ok/defective",
        "a cat/dog classifier",
        "tell ripe melons from unripe ones, photos",
        "tell a real banknote from a fake one",
        "distinguish weeds from crops in photos",
        "separate forged from genuine signatures in scans",
        "tell wolves and huskies apart in photos",
        "distinguish between oaks and beeches",
        "pictures of seeds: viable or not",
        "which mushrooms are edible and which are not, from photos",
    ),
    ("audio-classification", 2): (
        "Tell a healthy cough from a sick one",
        "tell snoring from breathing in clips",
        "which engines are worn and which ones not, 16 kHz",
    ),
    ("graph-machine-learning", 2): (
        "which accounts in a payment network are mules and which are not",
        "separate those that defect from those that stay",
    ),
    ("object-detection", 3): (
        "boxes drawn around bees, wasps and hornets",
        "detect cars, buses and trucks in frames",
        "find screws, nuts or bolts on a belt",
        "locate ripe apples, unripe apples and leaves",
        "count cows, sheep and goats in drone images, with boxes",
        "a detector for tents, caravans and campfires",
    ),
    ("object-detection", 2): (
        "detect cars and pedestrians",
        "find helmets and vests in site photos",
        "detection of buoys and boats",
    ),
    ("object-detection", 1): (
        "detect licence plates, only one class",
        "single-class detector for drones",
        "find balls; just one class",
        "boxes around trees (1 class)",
    ),
}
NO_CLASSES: dict[str, tuple[str, ...]] = {
    "image-classification": (
        "classify photos in data/images/all",
        "compare CNN/ViT/MLP on photos",
        "photos as png/jpg/tiff",
        "classify photos with PyTorch and/or Keras",
        "report precision/recall/F1 of a photo classifier",
        "distinguish birds from photos",
        "tell the species from a leaf",
        "distinguish plants from their leaves",
        "in a dish, as one number, from a picture",
        "identify age, sex and mood of people in photos",
        "train/validation/test folders of photos",
    ),
    "tabular-classification": (
        "predict the winner from age/weight/height",
        "acceleration x/y/z",
        "speed in km/h and height in m/s",
        "predict the class with class weights, early stopping or dropout",
        "predict a score from 0 to 100",
        "use grade 3.5-4.5 records",
        "predict the type from age, weight or height",
        "predict the rank of a player, his/her/their age",
    ),
    "audio-classification": ("tell the mood from a song", "tell the genre from recordings"),
    "object-detection": (
        "detect cars, report mAP and IoU",
        "detect cars and draw boxes",
        "find faces and give scores",
        "locate wheat heads in photos, 20 epochs and Adam",
    ),
}
CHANNELS: dict[str, int | None] = {
    "28x28 pixels, grey": 1,
    "photos of 64x64, gray": 1,
    "grey, 96x96": 1,
    "images are grey": 1,
    "pictures: all grey; 48 px": 1,
    "JPEGs in grey, 32x32": 1,
    "scans with grey levels": 1,
    "crops (grey), 40x40": 1,
    "320x320, colour, annotated": 3,
    "photos, colour": 3,
    "color, 128x128": 3,
    "images are coloured.": 3,
    "photos of grey wolves": None,
    "classify cats as black, white or grey": None,
    "grey matter in scans": None,
    "photos of birds and their colour": None,
    "people in grey coats": None,
}
WIDTHS: dict[str, list[int] | None] = {
    "Dense network 128-64-32": [128, 64, 32],
    "an MLP of 256-128": [256, 128],
    "a 64-32-16 network": [64, 32, 16],
    "network: 512-256-128-64, ReLU": [512, 256, 128, 64],
    "dense layers 100-50": [100, 50],
    "feed-forward net (48-24-12)": [48, 24, 12],
    "two towers 128-64": [128, 64],
    "hidden layers of 128 and 64": [128, 64],
    "MLP with sizes 32, 16 and 8": [32, 16, 8],
    "a 300-100-10 dense head": [300, 100, 10],
    "trained on the network 2019-2021": None,
    "freeze layers 3-5": None,
    "20-30 rows": None,
    "phone 555-123-4567": None,
}


def value(category: str, sentence: str, name: str) -> object:
    read = read_stated(sentence, "", category).facts.get(name)
    return None if read is None else read["value"]


@pytest.mark.parametrize(
    ("category", "count", "sentence"), [(*key, line) for key, lines in CLASSES.items() for line in lines]
)
def test_named_classes_are_counted(category: str, count: int, sentence: str) -> None:
    assert value(category, sentence, "num_classes") == count


@pytest.mark.parametrize(("category", "sentence"), [(key, line) for key, lines in NO_CLASSES.items() for line in lines])
def test_what_names_no_classes_is_not_counted(category: str, sentence: str) -> None:
    assert value(category, sentence, "num_classes") is None


@pytest.mark.parametrize(("sentence", "channels"), CHANNELS.items())
def test_the_pictures_colour_tells_the_channels(sentence: str, channels: int | None) -> None:
    assert value("image-classification", sentence, "channels") == channels


@pytest.mark.parametrize(("sentence", "widths"), WIDTHS.items())
def test_widths_with_dashes_are_layers(sentence: str, widths: list[int] | None) -> None:
    assert value("tabular-classification", sentence, "hidden_units") == widths


@pytest.mark.parametrize(
    ("category", "sentence", "architecture"),
    [
        ("depth-estimation", "depth with an encoder-decoder", None),
        ("text-classification", "a text CNN with dilated convolutions", "cnn"),
        ("text-classification", "tweets with a TCN", "tcn"),
        ("time-series-forecasting", "dilated convolutions", "tcn"),
        ("image-to-text", "an encoder-decoder", "seq2seq"),
        ("translation", "an encoder-decoder", "seq2seq"),
    ],
)
def test_a_description_names_an_architecture_only_where_the_task_has_it(
    category: str, sentence: str, architecture: str | None
) -> None:
    assert value(category, sentence, "architecture") == architecture


@pytest.mark.parametrize(
    ("sentence", "metrics"),
    [
        ("mean average precision at IoU 0.5", ["map_50"]),
        ("mAP@0.5 and recall", ["map_50", "recall"]),
        ("mean average precision (IoU threshold of 0.5), precision", ["map_50", "precision"]),
        ("IoU and average precision", ["iou", "average_precision"]),
        ("precision, recall", ["precision", "recall"]),
    ],
)
def test_the_longest_name_of_a_metric_counts(sentence: str, metrics: list[str]) -> None:
    assert value("object-detection", f"find birds, {sentence}", "metric") == metrics


def test_a_transformers_embeddings_are_as_wide_as_the_transformer() -> None:
    sentence = "mini GPT, 6 layers, 8 heads, embedding size 512"
    assert value("text-generation", sentence, "hidden_size") == 512
    assert value("text-generation", "an LSTM with embeddings of 64", "hidden_size") is None
    assert value("translation", "transformer with d_model 128 and embeddings of 64", "hidden_size") == 128


@pytest.mark.parametrize(
    ("category", "sentence", "count"),
    [
        ("tabular-classification", "the result is H, D or A", 3),
        ("tabular-classification", "14 ratings from 0 to 5; the target is satisfied or not", 2),
        ("text-classification", "recipes: vegan, vegetarian or with meat", 3),
        ("text-classification", "Sentiment of film reviews, positive or negative", 2),
        ("graph-machine-learning", "proteins as graphs, enzyme or not", 2),
        ("image-segmentation", "each image has a binary mask", 2),
        ("tabular-classification", "tell adoptions from transfers and returns", None),
        ("graph-machine-learning", "tell letters from node coordinates", None),
        ("tabular-classification", "tell ransomware by handles, threads and injected modules", None),
        ("object-detection", "gives for every finding the file, its category and the corners of its box", None),
    ],
)
def test_of_several_readings_the_likely_one_is_taken(category: str, sentence: str, count: int | None) -> None:
    assert value(category, sentence, "num_classes") == count


@pytest.mark.parametrize(
    ("category", "sentence", "metrics"),
    [
        ("time-series-forecasting", "rent of the next 5 days, sMAPE and MAPE", ["smape", "mape"]),
        ("tabular-regression", "predict rents, RMSLE", ["rmsle"]),
        ("keypoint-detection", "40 landmarks, MSE, NME metric", ["nme"]),
        ("text-classification", "grade essays, QWK", ["cohen_kappa"]),
        ("recommendation", "NDCG@10, hit ratio and recall@10", ["ndcg", "hit_rate_at_10", "recall_at_10"]),
        ("depth-estimation", "report abs rel, then RMSE and delta1", ["abs_rel", "rmse", "delta_1"]),
        ("metric-learning", "rank-1 and mAP", ["recall_at_1", "average_precision"]),
        ("image-to-text", "METEOR and CIDEr", ["meteor", "cider"]),
        ("automatic-speech-recognition", "CER and WER", ["character_error_rate", "word_error_rate"]),
    ],
)
def test_metrics_of_one_task_are_read(category: str, sentence: str, metrics: list[str]) -> None:
    assert value(category, sentence, "metric") == metrics


@pytest.mark.parametrize(
    ("category", "sentence", "architecture"),
    [
        ("depth-estimation", "an encoder-decoder with skip connections", "unet"),
        ("image-classification", "a CNN with skip connections", "resnet"),
        ("image-segmentation", "nnU-Net for livers", "unet"),
        ("video-classification", "an R(2+1)D-like network", "3d-cnn"),
        ("recommendation", "SASRec for films", "gru4rec"),
        ("recommendation", "collaborative filtering of films", "matrix-factorisation"),
        ("unconditional-image-generation", "a beta-VAE of sprites", "vae"),
        ("text-generation", "a char-LSTM that writes", "lstm"),
        ("automatic-speech-recognition", "conformer-ctc for Welsh", "conformer"),
    ],
)
def test_an_architecture_is_read_by_what_it_consists_of_too(category: str, sentence: str, architecture: str) -> None:
    assert value(category, sentence, "architecture") == architecture


@pytest.mark.parametrize(
    ("category", "sentence", "loss"),
    [
        ("image-segmentation", "loss = 0.5*BCE + 0.5*Dice", "binary cross-entropy + Dice"),
        ("metric-learning", "triplet + CE", "triplet loss"),
        ("keypoint-detection", "an adaptive wing loss", "wing loss"),
        ("depth-estimation", "SILog loss", "SILog loss"),
        ("time-series-forecasting", "LSTM, adam, mse, 9 epochs", "mean squared error"),
    ],
)
def test_a_loss_is_read_whether_a_script_can_have_it_or_not(category: str, sentence: str, loss: str) -> None:
    assert value(category, sentence, "loss") == loss
