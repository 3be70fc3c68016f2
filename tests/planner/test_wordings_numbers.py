"""One fact, many wordings: how people count classes, steps, tokens, sensors and seconds, and what only looks so."""

import pytest

from dlcodegen.planner.stated import read_stated

READ: dict[tuple[str, str], dict[str, object]] = {
    ("text-classification", "num_classes"): {
        "sort incoming letters into 9 trays": 9,
        "route every mail to one of 7 departments": 7,
        "assign each complaint to one of our 12 teams": 12,
        "group the notes into 6 moods": 6,
        "file customer letters under 5 headings": 5,
        "put jokes in 3 drawers": 3,
        "E-Mails automatisch in 4 Ordner sortieren, klassifizieren in 4 Töpfe": 4,
        "which of 14 authors wrote this page?": 14,
        "predict one of 18 mother tongues from an essay": 18,
        "identify 20 poets by their lines": 20,
        "dispatch tickets, by their text, among eight desks": 8,
    },
    ("image-classification", "num_classes"): {
        "recognise 24 hand signs in webcam pictures": 24,
        "tell 6 mushrooms apart in photos": 6,
        "tell apart 9 ripening levels, photos": 9,
        "distinguish between 15 knots in pictures": 15,
        "which one of the 10 stamps is in the picture": 10,
        "classify pictures of screws into 5 bolts": 5,
        "sort pics of lego into 11 bricks": 11,
        "differentiate 7 clouds from photos": 7,
    },
    ("audio-classification", "num_classes"): {
        "which of 8 engines is running?": 8,
        "recognise 10 spoken digits in one-second clips": 10,
        "identify 30 voices, 16 kHz": 30,
        "Tell which of the 5 bells rings": 5,
    },
    ("video-classification", "num_classes"): {
        "sort short clips into 8 yoga poses, 16 frames": 8,
        "which of 12 dance moves is shown?": 12,
        "recognise 5 exercises": 5,
    },
    ("time-series-classification", "num_classes"): {
        "which of 6 appliances draws this current?": 6,
        "distinguish 4 gaits by their IMU": 4,
        "classify power curves into 9 machines": 9,
    },
    ("time-series-forecasting", "window"): {
        "predict the next 12 months from the last 36": 36,
        "forecast the next 6 hours given the past 48, GRU": 48,
        "predict the next value using the previous 20": 20,
        "the next 2 days from the last 7, hourly readings": 168,
        "forecast demand out of the preceding 90.": 90,
        "predict the next hour from the last 24 (hours) of load": 24,
        "predict one step ahead with 30 lags": 30,
        "48 hours of history, forecast the next 12 hours": 48,
        "forecast with the past 14 daily counts": 14,
        "forecast; Fenster von 96": 96,
    },
    ("time-series-forecasting", "horizon"): {
        "from the last 36 months forecast the next 12": 12,
        "tomorrow's 24 hourly prices": 24,
        "forecast tomorrow's 96 quarter-hourly loads": 96,
        "predict tomorrow's 48 half-hourly values from the last 7 days": 48,
        "predict the 24 hourly loads of tomorrow": 24,
        "the 7 daily sales of next week": 7,
        "forecast the next 24 hourly values": 24,
        "all 24 hours of tomorrow, hourly data": 24,
        "forecast tomorrow's hourly yield": 24,
        "hourly demand for tomorrow": 24,
        "predict tomorrow's maximum temperature": 1,
    },
    ("time-series-forecasting", "num_features"): {
        "forecast the load of 5 stations together, next hour": 5,
        "forecast 8 turbines jointly": 8,
        "predict 3 stores at the same time, next week": 3,
    },
    ("time-series-classification", "window"): {
        "100 steps of 6 sensor channels": 100,
        "128 samples of 9 signals, 6 classes": 128,
        "250 readings x 3 axes": 250,
        "60 ticks by 4 variables": 60,
    },
    ("anomaly-detection", "num_features"): {
        "Anomalien finden, 14 Sensoren": 14,
        "22 Kanäle, Autoencoder": 22,
        "détecter des anomalies, 8 capteurs": 8,
        "anomalías en 12 sensores": 12,
        "anomalie in 6 sensori": 6,
        "Ausreißer in 9 Messgrößen": 9,
        "fünf Variablen einer Pumpe": 5,
        "odd values of 16 thermocouples": 16,
        "11 Kennzahlen je Stunde": 11,
        "19 electrodes": 19,
    },
    ("question-answering", "sequence_length"): {
        "passages of 200 tokens": 200,
        "paragraphs with about 150 words": 150,
        "contexts are cut to 384 tokens": 384,
        "each passage has 256 subwords": 256,
        "300-token passages": 300,
        "paragraphs that contain 120 words": 120,
        "texts of no more than 180 words": 180,
        "questions and articles of 400 word pieces": 400,
        "Texte von 90 Wörtern": 90,
    },
    ("text-classification", "sequence_length"): {
        "tweets of 60 words": 60,
        "comments are 40 tokens long": 40,
        "80-word abstracts": 80,
    },
    ("audio-classification", "clip_seconds"): {
        "Clips are 2 s at 16 kHz": 2,
        "each clip is 3 seconds long": 3,
        "recordings last 4 s": 4,
        "every recording lasts about 10 seconds": 10,
        "snippets have a length of 1.5 s": 1.5,
        "utterances are all 2.5 seconds": 2.5,
        "5 s per clip": 5,
        "clips trimmed to 6 s, each recording is 6 s": 6,
        "Aufnahmen von 8 Sekunden": 8,
        "4 s of audio": 4,
    },
    ("keypoint-detection", "num_keypoints"): {
        "68 points per face": 68,
        "find 4 corners of a document": 4,
        "mark 19 anatomical points": 19,
        "5 markers on each glove": 5,
        "21 (x, y) points on a hand": 21,
        "regress 136 coordinates": 68,
        "860 pictures, 17 joints": 17,
        "900 crops, 12 eyelid points": 12,
    },
    ("image-regression", "num_outputs"): {
        "predict two values from a photo": 2,
        "estimate the 3 angles of a joint": 3,
    },
    ("recommendation", "latent_dim"): {
        "matrix factorization with 32 factors": 32,
        "20 latent factors": 20,
        "factorise with rank 16": 16,
        "embeddings of 48": 48,
        "64-dimensional embeddings": 64,
    },
    ("text-classification", "embedding_dim"): {
        "embeddings of size 64": 64,
        "embeddings of dimension 50": 50,
        "embeddings with a size of 300": 300,
        "embedding width 96": 96,
        "embed_dim=128": 128,
    },
}
NOT_READ: dict[tuple[str, str], tuple[str, ...]] = {
    ("text-classification", "num_classes"): (
        "sort texts after training on 5 folds",
        "classify reviews, cut into 3 chunks",
        "which of our 300 customers will leave? by their mails",
        "which of 10,000 letters are urgent",
        "sort mail on 2 servers into piles",
        "put the data into 4 batches and classify it",
        "group texts by author, 20 epochs",
        "recognise 300 patients by their letters",
        "which of 3 models is best for texts",
        "classify each text in 10 minutes",
    ),
    ("image-classification", "num_classes"): (
        "classify crops, resized to 96 pixels, from 3 cameras",
        "recognise birds in 500 photos",
        "map images to 128 dimensions, then classify",
        "group photos in 16 patches",
        "sort photos in 2 seconds each",
        "identify birds in 20 recordings",
    ),
    ("time-series-forecasting", "window"): (
        "train on the last 10% of the rows",
        "the last 2 layers are dense",
        "all but the last 3 are for training",
        "forecast for the 5 last shops",
    ),
    ("time-series-forecasting", "horizon"): ("forecast the top 10 of sales", "forecast 3 days of the past"),
    ("time-series-classification", "window"): ("10,000 samples of 3 sensors", "2 steps: scale, then classify"),
    ("anomaly-detection", "num_features"): ("500 Messwerte pro Tag", "Sensoren von 3 Herstellern"),
    ("question-answering", "sequence_length"): (
        "a dictionary of 5000 words",
        "answers of 5 words",
        "a corpus of 20000 tokens",
        "summaries of at most 30 words",
        "a 40 word abstract",
    ),
    ("audio-classification", "clip_seconds"): (
        "clips are 2 years old",
        "recordings of 5 speakers",
        "clips have 3 sizes",
        "trained for 20 seconds",
    ),
    ("keypoint-detection", "num_keypoints"): (
        "3 percentage points better",
        "2000 data points",
        "15,000 points of view",
        "improve by 2 points of accuracy",
    ),
    ("tabular-regression", "num_outputs"): ("predict prices from 8 values", "estimate cost with 3 numbers"),
    ("recommendation", "latent_dim"): ("rank the 20 best films", "a factor 3 faster"),
}


def fact(category: str, sentence: str, name: str) -> object:
    read = read_stated(sentence, "", category).facts.get(name)
    return None if read is None else read["value"]


@pytest.mark.parametrize(
    ("category", "name", "sentence", "value"),
    [(*key, sentence, value) for key, sentences in READ.items() for sentence, value in sentences.items()],
)
def test_a_number_is_read_in_any_usual_wording(category: str, name: str, sentence: str, value: object) -> None:
    assert fact(category, sentence, name) == value


@pytest.mark.parametrize(
    ("category", "name", "sentence"),
    [(*key, sentence) for key, sentences in NOT_READ.items() for sentence in sentences],
)
def test_what_counts_something_else_is_not_read(category: str, name: str, sentence: str) -> None:
    assert fact(category, sentence, name) is None


def test_a_number_that_is_said_twice_in_other_words_is_no_contradiction() -> None:
    reading = read_stated("tomorrow's 24 hourly prices, that is the 24 hourly prices of tomorrow", "",
                          "time-series-forecasting")  # fmt: skip
    assert reading.notes == []
