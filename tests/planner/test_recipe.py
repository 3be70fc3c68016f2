"""The recipe of the training data: what was written is complete and fits the pool; the rows are seeded and right."""

import re
from collections import Counter, defaultdict
from random import Random

import pytest

from dlcodegen import categories
from dlcodegen.categories import CATEGORIES
from dlcodegen.corpus.pool import shipped_pool
from dlcodegen.plan import SolutionPlan
from dlcodegen.planner.recipe.material import Material, in_other_languages, material, what_is_no_task
from dlcodegen.planner.recipe.pairs import Pair, pairs
from dlcodegen.planner.recipe.statements import statements
from dlcodegen.planner.recipe.wording import as_typed
from dlcodegen.planner.stated import read_stated

WRITTEN = [category for category in CATEGORIES if category != "other"]
SLOTS = {"goal", "title", "inputs", "model"}
SCRIPTS = "[\u0370-\u1fff\u3040-\u9fff\uac00-\ud7af]"
"""Letters that are not Latin ones."""


@pytest.fixture(scope="module")
def samples() -> dict[str, set[str]]:
    """Category -> names of its samples."""
    found: dict[str, set[str]] = defaultdict(set)
    for sample in shipped_pool().shipped.values():
        found[sample.category].add(sample.id.split("/")[1])
    return found


@pytest.fixture(scope="module")
def train() -> list[Pair]:
    return list(pairs(400, seed=1))


@pytest.fixture(scope="module")
def dev() -> list[Pair]:
    return list(pairs(400, seed=1, dev=True))


def spelt(pair: Pair) -> str:
    """The canonical category of a row."""
    found = re.search(r'"Task Category": "([^"]+)"', pair.plan_text)
    assert found
    return categories.nearest(found.group(1))


@pytest.mark.parametrize("category", WRITTEN)
class TestMaterial:
    def test_there_is_enough_of_it(self, category: str) -> None:
        written = material(category)
        assert len(written.topics) >= 30
        assert len(written.phrasings) == len(set(written.phrasings)) >= 20
        for topic in written.topics:
            for texts in (topic.goals, topic.titles, topic.inputs, topic.datasets, topic.samples):
                assert texts
                assert all(text.strip() == text and text for text in texts), topic.goals

    def test_topics_name_samples_of_the_category(self, category: str, samples: dict[str, set[str]]) -> None:
        for topic in material(category).topics:
            assert set(topic.samples) <= samples[category], topic.goals

    def test_every_sample_has_names_and_no_other(self, category: str, samples: dict[str, set[str]]) -> None:
        named = material(category).architectures
        assert named.keys() == samples[category]
        for names in named.values():
            assert len(names) == len({name.lower() for name in names}) >= 4

    def test_phrasings_have_slots_that_there_are(self, category: str) -> None:
        slots = [re.findall(r"\{(.*?)\}", phrasing) for phrasing in material(category).phrasings]
        assert all(set(each) <= SLOTS and set(each) & {"goal", "title"} for each in slots)
        assert all(len(each) == len(set(each)) for each in slots)
        assert {"model" in each for each in slots} == {True, False}
        filled = dict.fromkeys(SLOTS, "x")
        assert all("{" not in phrasing.format(**filled) for phrasing in material(category).phrasings)

    def test_nothing_stands_in_two_topics(self, category: str) -> None:
        """Otherwise a dev topic would not be new."""
        topics = material(category).topics
        for texts in ([*topic.goals, *topic.titles] for topic in topics):
            assert len(texts) == len(set(texts))
        goals = Counter(text.lower() for topic in topics for text in {*topic.goals, *topic.titles})
        datasets = Counter(text.lower() for topic in topics for text in set(topic.datasets))
        assert [text for text, times in (goals + datasets).items() if times > 1] == []


def test_nothing_is_written_for_other() -> None:
    with pytest.raises(FileNotFoundError):
        material("other")


def test_other_languages_are_of_known_categories_and_not_english() -> None:
    rows = in_other_languages()
    assert len(rows) >= 300
    assert {row["category"] for row in rows} <= set(WRITTEN)
    assert len({row["requirement"] for row in rows}) == len(rows)
    assert sum(bool(re.search(SCRIPTS, row["requirement"])) for row in rows) >= 10


def test_what_is_no_task_is_no_repetition() -> None:
    lines = what_is_no_task()
    assert len(lines) >= 300
    assert all(line.strip() for line in lines)
    assert len(set(lines)) == len(lines)


def test_rows_are_seeded(train: list[Pair]) -> None:
    assert list(pairs(60, seed=1)) == train[:60]
    assert list(pairs(60, seed=2)) != train[:60]


def test_rows_are_varied(train: list[Pair]) -> None:
    assert len({spelt(pair) for pair in train}) >= 28
    assert len({pair.requirement for pair in train}) > 380
    assert len({pair.plan_text for pair in train}) > 150
    assert {pair.framework for pair in train} == {"pytorch", "keras"}
    assert 0.05 < sum(not pair.dataset for pair in train) / len(train) < 0.6
    assert sum(not pair.requirement.isascii() for pair in train) >= 5


def of_topics(written: Material, dev: bool) -> set[str]:
    return {text for place, topic in enumerate(written.topics) if (place % 12 == 0) == dev for text in topic.datasets}


def test_dev_rows_are_about_topics_that_no_training_row_shows(train: list[Pair], dev: list[Pair]) -> None:
    for rows, is_dev in ((train, False), (dev, True)):
        described = [pair for pair in rows if pair.dataset]
        assert len(described) > 150
        for pair in described:
            assert pair.dataset in of_topics(material(spelt(pair)), is_dev)
            assert pair.dataset not in of_topics(material(spelt(pair)), not is_dev)
    assert not {pair.requirement for pair in train} & {pair.requirement for pair in dev}


def test_a_share_of_the_rows_asks_for_no_plan() -> None:
    rows = [spelt(pair) for pair in pairs(60, seed=3, no_tasks=0.5)]
    assert 15 < rows.count("other") < 45
    assert "other" not in [spelt(pair) for pair in pairs(60, seed=3, no_tasks=0)]


def test_every_plan_is_valid_and_holds_what_its_row_states(train: list[Pair], dev: list[Pair]) -> None:
    seen: Counter[str] = Counter()
    for pair in [*train, *dev]:
        category = spelt(pair)
        if category == "other":
            continue
        plan = SolutionPlan.from_text(pair.plan_text)
        assert (plan.category, bool(plan.layers)) == (category, True)
        facts = read_stated(pair.requirement, pair.dataset, category, pair.framework).facts
        stated = {name: fact["value"] for name, fact in facts.items()}
        settings = plan.hyperparameters
        held = {"learning_rate": settings.learning_rate, "batch_size": settings.batch_size, "epochs": settings.epochs}
        for name, value in {**held, "loss": settings.loss_function}.items():
            assert stated.get(name, value) == value, pair.requirement
        if "optimizer" in stated:
            assert settings.optimizer.startswith(str(stated["optimizer"])), pair.requirement
        if isinstance(metric := stated.get("metric"), list):
            assert settings.evaluation_metric == metric[0], pair.requirement
        seen.update(stated.keys())
    assert all(seen[name] >= 20 for name in ("learning_rate", "batch_size", "epochs", "optimizer", "loss", "metric"))


@pytest.mark.parametrize("category", WRITTEN)
def test_statements_are_of_different_kinds_and_as_many_as_asked_for(category: str) -> None:
    for seed in range(30):
        made = statements(category, 3, Random(seed))
        assert len(made) == 3
        assert sum(bool(re.search(r"\d ?x ?\d|input size", text)) for text in made) <= 1  # no two sizes
        assert sum("horizon" in text or "predict" in text or "to the next" in text for text in made) <= 1
        assert all(text and "{" not in text for text in made)
    assert statements(category, 0, Random(0)) == []


def test_careless_wording_keeps_numbers_and_most_of_the_words() -> None:
    text = (
        "Please segment 3 organs in 256x256 images with a U-Net, lr 1e-4, batch size 16, at least 0.85 Dice, 40 epochs."
    )
    numbers = re.findall(r"[\d.]*\d(?:e-\d+)?", text)
    made = [as_typed(text, Random(seed)) for seed in range(500)]
    assert all(re.findall(r"[\d.]*\d(?:e-\d+)?", each) == numbers for each in made)
    assert len(set(made)) > 50
    assert made.count(text) > 100  # most people write with care
    kept = [sum(word in each.split() for word in text.split()) / len(text.split()) for each in made]
    assert min(kept) > 0.6
    assert made == [as_typed(text, Random(seed)) for seed in range(500)]


@pytest.mark.parametrize("text", ["", "a", "ab cd", "4", "...", "用卷积神经网络", "ß" * 40, "naïve Übung über alles"])
def test_careless_wording_takes_any_text(text: str) -> None:
    for seed in range(100):
        assert bool(as_typed(text, Random(seed)).strip()) >= bool(text)  # no words are never made of some
