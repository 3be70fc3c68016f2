"""From a request to the values of a plan: closed fields are decided, open ones are written.

A closed field's distribution over all its values is read off in one step, averaged over the networks that there are,
and where there are classifiers and a memory, with what they and the nearest rows say. Names are decided by the most
likely value, numbers by the median, which is wrong by least. The open fields are then generated under a grammar:
greedily, by beams (as in the paper), sampled once, or by consensus: the candidate that is most like all others, out of
several sampled ones and those of the nearest rows (minimum Bayes risk).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from dlcodegen.context import PlanDecoding
from dlcodegen.planner.classifier.classifier import Classifier
from dlcodegen.planner.gpt2.consensus import decide_name, decide_number, layer_likeness, medoid, text_likeness
from dlcodegen.planner.gpt2.memory import Neighbour, Remembering
from dlcodegen.planner.gpt2.rows import CLOSED, NUMBERS
from dlcodegen.planner.gpt2.voice import TEXTS, Asked, Draft, Listener, NetworkVoice, Voice
from dlcodegen.planner.gpt2.weights import Predictor


@dataclass(frozen=True)
class Settings:
    """How a plan is decoded."""

    way: PlanDecoding = "greedy"
    beams: int = 3
    drafts: int = 12
    """Sampled plans that a consensus is found among."""
    neighbours: int = 25
    """Rows of the memory that have a say, of those that are near by their words."""
    trust: float = 0.5
    """The memory's share of the say where there is one, from 0 to 1: half is as good as any on the paper's dev rows."""
    untold: frozenset[str] = frozenset()
    """Closed fields in which the memory has no say."""
    layers: Literal["written", "remembered"] = "written"
    """Remembered ones are those of the row that is most like all near ones; a consensus weighs both kinds."""
    seed: int = 42


@dataclass(frozen=True)
class _Heard:
    """Who has a say about some requests."""

    voices: list[Voice]
    near: list[list[Neighbour]]
    """Of each request."""
    classified: Mapping[str, list[dict[str, float]]]
    """Field -> how likely a classifier holds its values, for each request."""

    def after(self, name: str, values: list[str]) -> "_Heard":
        """The networks go on from a field that is decided."""
        return replace(self, voices=[voice.after(name, values) for voice in self.voices])


@dataclass
class Decoded:
    """The fields of a plan as text, and how likely each value of a closed field was."""

    values: dict[str, str] = field(default_factory=dict)
    layers: list[str] = field(default_factory=list)
    odds: dict[str, dict[str, float]] = field(default_factory=dict)

    def to_paper(self) -> dict[str, Any]:
        """The paper's JSON object, with the category as the training rows spell it."""
        rate, batch, epochs = (float(self.values[name]) for name in NUMBERS)
        return {
            "Task Category": self.values["category"],
            "Dataset": {"Input": self.values["input"], "Output": self.values["output"]},
            "Preprocess": self.values["preprocess"],
            "Model Architecture": {
                "Layers": self.layers,
                "Hyperparameters": {
                    "optimizer": self.values["optimizer"],
                    "loss function": self.values["loss"],
                    "learning rate": rate,
                    "batch size": int(batch),
                    "epochs": int(epochs),
                    "evaluation metric": self.values["metric"],
                },
            },
        }


class Decoder:
    """Decodes plans with one predictor, or with several that were trained on the same rows.

    All decide the closed fields; the first writes the open ones, for a text cannot be averaged.
    """

    def __init__(
        self,
        predictors: Predictor | Sequence[Predictor | Listener],
        memory: Remembering | None = None,
        settings: Settings | None = None,
        classifiers: Mapping[str, Classifier] | None = None,
    ) -> None:
        """`classifiers`: of closed fields with names for values."""
        self._classifiers = classifiers or {}
        several = [predictors] if isinstance(predictors, Predictor) else predictors
        self._listeners: list[Listener] = [
            partial(NetworkVoice.hearing, each) if isinstance(each, Predictor) else each for each in several
        ]
        self.memory, self.settings = memory, settings or Settings()

    def decoding(self, settings: Settings) -> "Decoder":
        """One of the same networks that decodes otherwise."""
        other = copy(self)
        other.settings = settings
        return other

    def decode(
        self, requirement: str, dataset: str = "", framework: str = "", known: Mapping[str, str] | None = None
    ) -> Decoded:
        """A complete plan; `known`: closed fields that are not to be predicted."""
        return self.decode_all([Asked(requirement, dataset, framework)], known)[0]

    def decode_all(self, asked: Sequence[Asked], known: Mapping[str, str] | None = None) -> list[Decoded]:
        """The plans of several requests, side by side: a network that is asked about all at once is idle less."""
        heard = self._hear(asked)
        plans = [Decoded() for _ in asked]
        for name in CLOSED:
            for plan, odds in zip(plans, self._odds(name, heard), strict=True):
                plan.odds[name] = odds
                decided = decide_number(odds) if name in NUMBERS else decide_name(odds)
                plan.values[name] = (known or {}).get(name) or decided
            heard = heard.after(name, [plan.values[name] for plan in plans])
        for plan, near, drafts in zip(plans, heard.near, self._drafts(heard), strict=True):
            self._write(plan, near, drafts)
        return plans

    def category_odds(self, requirement: str, dataset: str = "", framework: str = "") -> dict[str, float]:
        """How likely each category is, spelt as in the training rows."""
        return self._odds("category", self._hear([Asked(requirement, dataset, framework)]))[0]

    def _hear(self, asked: Sequence[Asked]) -> _Heard:
        texts = [(each.requirement, each.dataset) for each in asked]
        return _Heard(
            [listener(asked) for listener in self._listeners],
            [self.memory.nearest(*each, self.settings.neighbours) if self.memory else [] for each in texts],
            {name: [judge.odds(*each) for each in texts] for name, judge in self._classifiers.items()},
        )

    def _odds(self, name: str, heard: _Heard) -> list[dict[str, float]]:
        """For each request what all say of this field."""
        said = zip(*(voice.odds(name) for voice in heard.voices), strict=True)
        classified = heard.classified.get(name) or [{} for _ in heard.near]
        return [self._mixed(name, *each) for each in zip(said, classified, heard.near, strict=True)]

    def _mixed(
        self, name: str, said: Sequence[dict[str, float]], classified: dict[str, float], near: list[Neighbour]
    ) -> dict[str, float]:
        """The mean of the networks, mixed with what the neighbours say; a classifier counts as much as the networks."""
        told = near if name not in self.settings.untold else []
        voting = [neighbour for neighbour in told if name in neighbour.row.values]
        total = sum(neighbour.weight for neighbour in voting)
        remembered = self.settings.trust if total else 0.0
        learnt = 1 - remembered
        whole = remembered + learnt * (2 if classified else 1)
        odds: Counter[str] = Counter()
        for network in said:
            _add(odds, network, learnt / whole / len(said))
        _add(odds, classified, learnt / whole)
        for neighbour in voting:
            _add(odds, {neighbour.row.values[name]: neighbour.weight}, remembered / whole / total)
        return dict(odds)

    def _drafts(self, heard: _Heard) -> list[list[Draft]]:
        """What the first network writes for each request; nothing where the memory has the whole say."""
        settings = self.settings
        if settings.way == "consensus" and settings.trust == 1 and all(heard.near):
            return [[] for _ in heard.near]
        return heard.voices[0].drafts(settings.way, settings.beams, settings.drafts, settings.seed)

    def _write(self, plan: Decoded, near: list[Neighbour], drafts: list[Draft]) -> None:
        if self.settings.way != "consensus":
            remembered = self.settings.layers == "remembered" and _layers_of(self._candidates([], near))
            plan.layers = remembered or drafts[0].layers
            plan.values |= drafts[0].texts
            return
        candidates = self._candidates(drafts, near)
        plan.layers = _layers_of(candidates)
        for name in TEXTS:
            said = [(draft.texts[name], draft.weight) for draft in candidates if name in draft.texts]
            plan.values[name] = medoid(said, text_likeness) if said else ""  # no near row has any

    def _candidates(self, drafts: list[Draft], near: list[Neighbour]) -> list[Draft]:
        """What the network and the neighbours say, each counted by its share in the say."""
        trust = self.settings.trust if near else 0.0
        own = [Draft(each.layers, each.texts, (1 - trust) * each.weight) for each in drafts]
        return own + [Draft(each.row.layers, each.row.values, trust * each.weight) for each in near]


def _layers_of(drafts: Sequence[Draft]) -> list[str]:
    """Those that are most like all others; none where no draft has any."""
    weighed = [(draft.layers, draft.weight) for draft in drafts if draft.layers]
    return medoid(weighed, layer_likeness) if weighed else []


def _add(odds: "Counter[str]", said: Mapping[str, float], share: float) -> None:
    for value, likely in said.items():
        odds[value] += share * likely  # type: ignore[assignment]


__all__ = ["Asked", "Decoded", "Decoder", "Settings"]
