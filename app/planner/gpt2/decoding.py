"""From a request to the values of a plan: closed fields are decided, open ones are written.

A closed field's distribution over all its values is read off in one step; where there is a memory, it is averaged with
what the nearest rows say. Names are decided by the most likely value, numbers by the median, which is wrong by least.
The open fields are then generated under a grammar: greedily, by beams (as in the paper), or by consensus: the candidate
that is most like all others, out of several sampled ones and those of the nearest rows (minimum Bayes risk).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dlcodegen.planner.gpt2.consensus import decide_name, decide_number, layer_likeness, medoid, text_likeness
from dlcodegen.planner.gpt2.memory import Memory, Neighbour
from dlcodegen.planner.gpt2.rows import CLOSED, NUMBERS
from dlcodegen.planner.gpt2.weights import Predictor

Way = Literal["greedy", "beam", "consensus"]
_TEXTS = ("input", "output", "preprocess")


@dataclass(frozen=True)
class Settings:
    """How a plan is decoded."""

    way: Way = "greedy"
    beams: int = 3
    drafts: int = 12
    """Sampled plans that a consensus is found among."""
    neighbours: int = 25
    """Rows of the memory that have a say."""
    trust: float = 0.5
    """The memory's share of the say, from 0 to 1; without a memory it is 0."""
    seed: int = 42


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


@dataclass(frozen=True)
class _Draft:
    """Open fields, as one hypothesis or one neighbour has them."""

    layers: list[str]
    texts: dict[str, str]
    weight: float


class Decoder:
    """Decodes plans with one predictor."""

    def __init__(self, predictor: Predictor, memory: Memory | None = None, settings: Settings | None = None) -> None:
        self.predictor, self.memory, self.settings = predictor, memory, settings or Settings()
        self._vocabulary = predictor.vocabulary

    def decode(
        self, requirement: str, dataset: str = "", framework: str = "", known: Mapping[str, str] | None = None
    ) -> Decoded:
        """A complete plan; `known`: closed fields that are not to be predicted."""
        near = self.memory.nearest(requirement, dataset, self.settings.neighbours) if self.memory else []
        ids = self._vocabulary.prompt(requirement, dataset, framework)
        decoded = Decoded()
        for name in CLOSED:
            odds = self._mixed(name, self.odds(ids, name), near)
            decoded.odds[name] = odds
            value = (known or {}).get(name) or (decide_number(odds) if name in NUMBERS else decide_name(odds))
            decoded.values[name] = value
            ids = ids + self._vocabulary.closed(name, value)
        self._write(ids, near, decoded)
        return decoded

    def category_odds(self, requirement: str, dataset: str = "", framework: str = "") -> dict[str, float]:
        """How likely each category is, spelt as in the training rows."""
        near = self.memory.nearest(requirement, dataset, self.settings.neighbours) if self.memory else []
        ids = self._vocabulary.prompt(requirement, dataset, framework)
        return self._mixed("category", self.odds(ids, "category"), near)

    def odds(self, ids: list[int], name: str) -> dict[str, float]:
        """The network's distribution over the values of a closed field, after these tokens."""
        import torch

        known = self._vocabulary.value_ids[name]
        marked = torch.tensor([[*ids, self._vocabulary.marker[f"<{name}>"]]])
        with torch.inference_mode():
            logits = self.predictor.network(input_ids=marked, logits_to_keep=1).logits[0, -1, known.start : known.stop]
        temperature = self.predictor.facts.get("temperature", 1.0) if name == "category" else 1.0
        shares = torch.softmax(logits.float() / temperature, dim=0).tolist()
        return dict(zip(self._vocabulary.values[name], shares, strict=True))

    def _mixed(self, name: str, own: dict[str, float], near: list[Neighbour]) -> dict[str, float]:
        voting = [neighbour for neighbour in near if name in neighbour.row.values]
        total = sum(neighbour.weight for neighbour in voting)
        trust = self.settings.trust if total else 0.0
        odds = {value: (1 - trust) * share for value, share in own.items()}
        for neighbour in voting:
            value = neighbour.row.values[name]
            odds[value] = odds.get(value, 0.0) + trust * neighbour.weight / total
        return odds

    def _write(self, ids: list[int], near: list[Neighbour], decoded: Decoded) -> None:
        settings = self.settings
        if settings.way != "consensus":
            best = self._generated(ids)[0]
            decoded.layers = best.layers
            decoded.values |= best.texts
            return
        generated = [] if near and settings.trust == 1 else self._generated(ids)
        drafts = [_Draft(each.layers, each.texts, (1 - settings.trust) * each.weight) for each in generated]
        drafts += [_Draft(each.row.layers, each.row.values, settings.trust * each.weight) for each in near]
        decoded.layers = medoid([(draft.layers, draft.weight) for draft in drafts if draft.layers], layer_likeness)
        for name in _TEXTS:
            said = [(draft.texts[name], draft.weight) for draft in drafts if name in draft.texts]
            decoded.values[name] = medoid(said, text_likeness)

    def _generated(self, ids: list[int]) -> list[_Draft]:
        import torch
        from transformers import LogitsProcessorList

        from dlcodegen.planner.gpt2.grammar import PlanGrammar

        settings, vocabulary = self.settings, self._vocabulary
        start = torch.tensor([[*ids, vocabulary.marker["<layers>"]]])
        several = settings.way == "consensus"
        longest = self.predictor.network.config.n_positions
        with torch.random.fork_rng(devices=[]), torch.inference_mode():
            torch.manual_seed(settings.seed)
            found = self.predictor.network.generate(
                start,
                attention_mask=torch.ones_like(start),
                logits_processor=LogitsProcessorList([PlanGrammar(vocabulary, longest)]),
                max_length=longest,
                do_sample=several,
                num_return_sequences=settings.drafts if several else 1,
                num_beams=settings.beams if settings.way == "beam" else 1,
                pad_token_id=vocabulary.marker["<pad>"],
                eos_token_id=vocabulary.marker["<end>"],
            )
        return [self._read(sequence[start.shape[1] :], 1 / len(found)) for sequence in found.tolist()]

    def _read(self, ids: list[int], weight: float) -> _Draft:
        """The open fields of a generated sequence."""
        marker = self._vocabulary.marker
        names = {marker[f"<{name}>"]: name for name in ("layer", *_TEXTS)}
        parts: list[tuple[str, list[int]]] = []
        for token in ids:
            if token in names:
                parts.append((names[token], []))
            elif token not in (marker["<end>"], marker["<pad>"]):
                parts[-1][1].append(token)
        layers = [self._vocabulary.text(written) for name, written in parts if name == "layer"]
        texts = {name: self._vocabulary.text(written) for name, written in parts if name != "layer"}
        return _Draft(layers, texts, weight)


__all__ = ["Decoded", "Decoder", "Settings", "Way"]
