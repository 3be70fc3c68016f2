"""Reading what the user gave: is it something to work on, and what does it state?"""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from dlcodegen.errors import RequirementError, SettingsError
from dlcodegen.planner.category import find_category
from dlcodegen.planner.stated import read_stated
from dlcodegen.planner.without_settings import without_settings
from dlcodegen.report import Fact

Opinion = Callable[[str, str], dict[str, float]]
"""(requirement, dataset) -> how likely each category is."""
MAX_CHARACTERS = 20_000
_SHARES_WORDS = 5.0
"""BM25 score from which on a requirement and a sample have more in common than a chance word."""
_ENGLISH_WORDS = (
    "the a an of to in with for and from on using use i want is into my by that it as be this are or at each per one "
    "train build predict learning"
)
_FOREIGN_WORDS = (
    "der die das den und mit von aus ich für ein eine einen oder le la les des du de et avec un une par pour dans el "
    "los las del una con para por il gli di dei delle da per um uma os das dos com em"
)
_ENGLISH, _FOREIGN = frozenset(_ENGLISH_WORDS.split()), frozenset(_FOREIGN_WORDS.split())


class ReadRequirement(NamedTuple):
    """What is known before anything is planned."""

    category: str
    confidence: float
    framework: str
    facts: list[Fact]
    notes: list[str]
    """What the user should hear about how the requirement was understood."""


def read_requirement(
    requirement: str, dataset: str = "", data: str = "", framework: str = "", opinion: Opinion | None = None
) -> ReadRequirement:
    """Validate the request and read what it states.

    `framework` given wins over one that the requirement names; `opinion`: the plan predictor's on the category.
    Raises RequirementError when there is nothing to work on, SettingsError when `data` does not exist or the framework
    is unknown.
    """
    check_request(requirement, dataset, data, framework)
    requirement = requirement.strip()
    category = find_category(requirement, dataset, task_odds(requirement, dataset, opinion) if opinion else None)
    if category.name == "other":
        raise RequirementError(
            "it is not clear what should be learnt: name the data and the goal, "
            'such as "forecast the next 24 hours of load from the past week"' + _nearest_tasks(requirement)
        )
    reading = read_stated(requirement, dataset, category.name, framework)
    chosen = str(reading.facts["framework"]["value"]) if "framework" in reading.facts else "pytorch"
    notes = [*_language_note(requirement), *reading.notes]
    return ReadRequirement(category.name, category.confidence, chosen, list(reading.facts.values()), notes)


def check_request(requirement: str, dataset: str = "", data: str = "", framework: str = "") -> None:
    """What can be said without reading it, and before a predictor is loaded, which takes seconds.

    Raises RequirementError when there is nothing to read, SettingsError as `read_requirement` does.
    """
    for name, text in (("requirement", requirement), ("dataset description", dataset)):
        _validate_text(name, text)
    if not requirement.strip():
        raise RequirementError(
            "the requirement is empty: say what should be learnt from which data, "
            'such as "classify photos of flowers into 5 classes"'
        )
    if framework not in ("", "pytorch", "keras"):
        raise SettingsError(f"framework is pytorch or keras, not {framework!r}")
    if data and not Path(data).expanduser().exists():
        raise SettingsError(f"--data {data}: there is no such file or folder")


def task_odds(requirement: str, dataset: str, opinion: Opinion) -> dict[str, float]:
    """The opinion on the request as it stands and on what is left without its settings: the geometric mean of both.

    Both add up to 1, and so does the mean.
    """
    whole, left = opinion(requirement, dataset), without_settings(requirement)
    if not left or left == requirement:
        return whole
    task = opinion(left, dataset)
    means = {name: math.sqrt(share * task[name]) for name, share in whole.items()}
    total = sum(means.values())
    return {name: mean / total for name, mean in means.items()}


def _nearest_tasks(requirement: str) -> str:
    """`; if it is image-to-image or ..., say so`: the tasks of the samples that share most words with it."""
    from dlcodegen.corpus.pool import shipped_pool
    from dlcodegen.corpus.retrieval import rank_by_words

    pool = shipped_pool()
    ranked = rank_by_words(requirement, [], list(pool.shipped), pool)
    tasks = list(dict.fromkeys(item.sample.category for item in ranked if item.score > _SHARES_WORDS))[:2]
    return f"; if it is {' or '.join(tasks)}, say so in these words" if tasks else ""


def _validate_text(name: str, text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise RequirementError(
            f"the {name} has {len(text):,} characters, at most {MAX_CHARACTERS:,} can be read: "
            "give the essence in a few sentences"
        )
    if re.search(r"[\x00-\x08\x0e-\x1f\x7f\ufffd\ud800-\udfff]", text):
        raise RequirementError(f"the {name} holds bytes that are no text: give it as UTF-8 text")


def _language_note(requirement: str) -> list[str]:
    words = set(re.findall(r"[^\W\d_]+", requirement.lower()))
    another_alphabet = sum(1 for letter in requirement if ord(letter) > 0x24F) > len(requirement) / 5
    foreign = words & _FOREIGN or any(not word.isascii() for word in words)
    if another_alphabet or (foreign and not words & _ENGLISH):
        return ["the requirement does not look like English: it was understood as far as its words were recognised"]
    return []
