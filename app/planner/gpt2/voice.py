"""One trained network's say: how likely each value of a closed field is, and drafts of the open fields."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dlcodegen.planner.gpt2.weights import Predictor

TEXTS = ("input", "output", "preprocess")
Way = Literal["greedy", "beam", "consensus"]


@dataclass(frozen=True)
class Draft:
    """Open fields, as one hypothesis or one neighbour has them."""

    layers: list[str]
    texts: dict[str, str]
    weight: float


@dataclass(frozen=True)
class Voice:
    """A network that has read one request, and what was decided since; several threads may ask one network."""

    predictor: Predictor
    ids: list[int]
    """The tokens up to here."""

    @classmethod
    def hearing(cls, predictor: Predictor, requirement: str, dataset: str = "", framework: str = "") -> "Voice":
        """It has read the request, and nothing is decided."""
        return cls(predictor, predictor.vocabulary.prompt(requirement, dataset, framework))

    def after(self, name: str, value: str) -> "Voice":
        """The same network, once this closed field has this value, whoever chose it."""
        return Voice(self.predictor, self.ids + self.predictor.vocabulary.closed(name, value))

    def odds(self, name: str) -> dict[str, float]:
        """The distribution over the values of a closed field that comes next."""
        import torch

        vocabulary = self.predictor.vocabulary
        known = vocabulary.value_ids[name]
        marked = torch.tensor([[*self.ids, vocabulary.marker[f"<{name}>"]]])
        with torch.inference_mode():
            logits = self.predictor.network(input_ids=marked, logits_to_keep=1).logits[0, -1, known.start : known.stop]
        temperature = self.predictor.facts.get("temperature", 1.0) if name == "category" else 1.0
        shares = torch.softmax(logits.float() / temperature, dim=0).tolist()
        return dict(zip(vocabulary.values[name], shares, strict=True))

    def drafts(self, way: Way, beams: int, count: int, seed: int) -> list[Draft]:
        """The open fields, generated under the grammar: the best draft, or for a consensus `count` sampled ones.

        Of these the longest are given up: one that tells every layer of a ResNet would keep all others waiting.
        """
        import torch
        from transformers import LogitsProcessorList, StoppingCriteriaList

        from dlcodegen.planner.gpt2.grammar import MostEnded, PlanGrammar

        vocabulary = self.predictor.vocabulary
        start = torch.tensor([[*self.ids, vocabulary.marker["<layers>"]]])
        end, several = vocabulary.marker["<end>"], way == "consensus"
        longest = self.predictor.network.config.n_positions
        with torch.random.fork_rng(devices=[]), torch.inference_mode():
            torch.manual_seed(seed)
            found = self.predictor.network.generate(
                start,
                attention_mask=torch.ones_like(start),
                logits_processor=LogitsProcessorList([PlanGrammar(vocabulary, longest)]),
                stopping_criteria=StoppingCriteriaList([MostEnded(end)] if several else []),
                max_length=longest,
                do_sample=several,
                num_return_sequences=count if several else 1,
                num_beams=beams if way == "beam" else 1,
                pad_token_id=vocabulary.marker["<pad>"],
                eos_token_id=end,
            )
        whole = [sequence for sequence in found[:, start.shape[1] :].tolist() if end in sequence]
        return [self._read(sequence, 1 / len(whole)) for sequence in whole]

    def _read(self, ids: Sequence[int], weight: float) -> Draft:
        """The open fields of a generated sequence."""
        vocabulary = self.predictor.vocabulary
        marker = vocabulary.marker
        names = {marker[f"<{name}>"]: name for name in ("layer", *TEXTS)}
        parts: list[tuple[str, list[int]]] = []
        for token in ids:
            if token in names:
                parts.append((names[token], []))
            elif token not in (marker["<end>"], marker["<pad>"]):
                parts[-1][1].append(token)
        layers = [vocabulary.text(written) for name, written in parts if name == "layer"]
        texts = {name: vocabulary.text(written) for name, written in parts if name != "layer"}
        return Draft(layers, texts, weight)
