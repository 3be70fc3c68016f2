"""Wordings of one task that share no keyword, near misses, and where words outweigh the predictor."""

import pytest

from dlcodegen.categories import CATEGORIES
from dlcodegen.errors import RequirementError
from dlcodegen.planner.category import find_category

SAID: dict[str, tuple[str, ...]] = {
    "object-detection": (
        "detect number plates in dashcam frames",
        "find screws in pictures of a conveyor",
        "spot hedgehogs in night camera stills",
        "locate all buoys in drone footage",
        "detect cows and sheep in aerial photos",
        "detect potholes in road images, only one class",
    ),
    "image-classification": (
        "detect defects in photos of castings",
        "detect cracks in images of tiles",
        "spot diseases in leaf photos",
        "detect forgeries in pictures",
        "which of 12 knots is in this snapshot",
    ),
    "image-regression": (
        "number of seeds in a dish, from a picture",
        "how many berries are on a branch in a photo",
        "count the bees in a picture of a comb",
        "count of people in a webcam image, one number",
        "the number of boats in a harbour from aerial images",
    ),
    "depth-estimation": (
        "the distance in metres of every pixel of a picture",
        "how far away is each pixel of a street photo",
        "for every pixel the distance to the camera",
        "depth of all pixels from one photo",
        "predict how far everything is in a picture",
        "a range image from a single photo",
    ),
    "image-segmentation": (
        "outline solar panels in aerial images",
        "draw the contours of cells in micrographs, microscopy images",
        "footprints of buildings in satellite images",
        "mark every pixel that is road in drone images",
        "trace the borders of lakes in satellite pictures",
        "cut out the person in a photo",
        "Give each pixel of a micrograph one of four labels",
    ),
    "image-to-image": (
        "turn blurred scans into sharp ones",
        "make dark photos into clear pictures",
        "thumbnails to pictures four times as large",
        "tint old black and white film frames",
        "Give grey photographs plausible colours",
    ),
    "image-to-text": ("write sentences about what a photo shows, with a model", "text for each picture with a model"),
    "video-classification": (
        "which gymnastic moves are shown in a video",
        "tell exercises apart from short clips of a video",
        "recognise actions in footage",
    ),
    "text-generation": (
        "char level lstm that writes limericks",
        "an RNN that writes sea shanties",
        "a character-wise GRU for fairy tales that writes fables",
        "char GPT on my diary",
        "a model that makes up proverbs",
        "a transformer which continues a tale",
        "an LSTM that invents slogans",
    ),
    "text-classification": (
        "char level CNN that classifies e-mails",
        "route mails to 7 departments",
        "dispatch customer mails to teams",
        "triage support messages",
        "tell jokes and riddles apart by their text",
    ),
    "summarization": (
        "boil long tickets down to one line",
        "condense reports to three sentences",
        "shorten transcripts to two sentences with a transformer",
        "headline generator with seq2seq",
        "reduce minutes of meetings to the key points",
    ),
    "automatic-speech-recognition": (
        "turn voice memos into text",
        "spoken notes to text",
        "put radio calls into writing",
    ),
    "anomaly-detection": (
        "flag odd pump readings",
        "Spot weird network connections",
        "learn what normal looks like and tell when it deviates",
        "only recordings of the healthy turbine are there, raise an alarm",
        "suspicious events of a server",
        "auffällige Werte finden",
        "all we have is data of ordinary days; detect strange days",
    ),
    "recommendation": (
        "suggest what to read next to members of a library",
        "predict what a customer may buy next",
        "two towers for films",
        "suggest songs that a listener will play",
        "propose dishes to customers",
    ),
}
DECIDED = (
    ("image-segmentation", "U-Net that outlines solar panels in aerial images"),
    ("image-segmentation", "a U-Net for the contours of nuclei in microscope images"),
    ("image-regression", "number of seeds in a petri dish, as one number, from a picture"),
    ("text-generation", "character-level language model that writes odes"),
    ("object-detection", "draw a bounding box around each hive"),
)


@pytest.mark.parametrize(
    ("category", "sentence"), [(category, sentence) for category, lines in SAID.items() for sentence in lines]
)
def test_the_task_is_found_by_its_meaning(category: str, sentence: str) -> None:
    assert find_category(sentence).name == category


@pytest.mark.parametrize("mistaken", ["image-classification", "audio-classification", "other"])
@pytest.mark.parametrize(("category", "sentence"), DECIDED)
def test_words_that_leave_no_doubt_decide_unless_the_predictor_is_sure(
    category: str, sentence: str, mistaken: str
) -> None:
    def odds(share: float) -> dict[str, float]:
        return {**dict.fromkeys(CATEGORIES, (1 - share) / len(CATEGORIES)), mistaken: share}

    assert find_category(sentence, "", odds(0.65)).name == category
    sure = find_category(sentence, "", odds(0.997)).name
    assert sure == (category if mistaken == "other" else mistaken)


def test_the_predictor_decides_between_tasks_that_words_leave_open() -> None:
    sentence = "sort photos of the car park by the number of cars in a picture"
    for likely in ("image-classification", "image-regression"):
        odds = {**dict.fromkeys(CATEGORIES, 0.0001), likely: 0.997}
        assert find_category(sentence, "", odds).name == likely


@pytest.mark.parametrize(
    "sentence",
    ["shorten the text below to a hundred words", "translate this into French", "continue the story of the fox",
     "give me a recipe for bread", "write limericks about my cat", "rewrite the following in plain English"],
)  # fmt: skip
def test_work_that_needs_no_training_is_refused(sentence: str) -> None:
    with pytest.raises(RequirementError, match="does not ask for a deep-learning task"):
        find_category(sentence)
