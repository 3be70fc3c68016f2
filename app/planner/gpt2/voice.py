"""One trained network's say: how likely each value of a closed field is, and drafts of the open fields."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from dlcodegen.context import PlanDecoding
from dlcodegen.planner.gpt2.family import output_of
from dlcodegen.planner.gpt2.weights import POSITIONS, Predictor

if TYPE_CHECKING:
    import torch

TEXTS = ("input", "output", "preprocess")


class Asked(NamedTuple):
    """What a plan is to be predicted for."""

    requirement: str
    dataset: str = ""
    framework: str = ""


@dataclass(frozen=True)
class Draft:
    """Open fields, as one hypothesis or one neighbour has them."""

    layers: list[str]
    texts: dict[str, str]
    weight: float


class Voice(Protocol):
    """Somebody who has heard some requests and can say something of each, in their order."""

    def after(self, name: str, values: Sequence[str]) -> "Voice":
        """The same, once this closed field has these values, one a request, whoever chose them."""

    def odds(self, name: str) -> list[dict[str, float]]:
        """For each request the distribution over the values of the closed field that comes next."""

    def drafts(self, way: PlanDecoding, beams: int, count: int, seed: int) -> list[list[Draft]]:
        """For each request the open fields: one draft, or for a consensus `count` sampled ones."""


Listener = Callable[[Sequence[Asked]], Voice]
"""Who hears requests and then has a say."""


@dataclass(frozen=True)
class NetworkVoice:
    """A network that has read some requests, and what was decided since; several threads may ask one network."""

    predictor: Predictor
    ids: list[list[int]]
    """The tokens up to here, of each request."""

    @classmethod
    def hearing(cls, predictor: Predictor, asked: Sequence[Asked]) -> "NetworkVoice":
        """It has read the requests, and nothing is decided."""
        return cls(predictor, [predictor.vocabulary.prompt(*each) for each in asked])

    def after(self, name: str, values: Sequence[str]) -> "NetworkVoice":
        """The same network, once this closed field has these values."""
        closed = self.predictor.vocabulary.closed
        told = [ids + closed(name, value) for ids, value in zip(self.ids, values, strict=True)]
        return NetworkVoice(self.predictor, told)

    def odds(self, name: str) -> list[dict[str, float]]:
        """One look at the network's output: every value is one token."""
        import torch

        vocabulary = self.predictor.vocabulary
        known = vocabulary.value_ids[name]
        temperature = self.predictor.facts.get("temperature", 1.0) if name == "category" else 1.0
        with torch.inference_mode():
            logits = self._next(vocabulary.marker[f"<{name}>"])[:, known.start : known.stop]
            shares = torch.softmax(logits.float() / temperature, dim=1).tolist()
        return [dict(zip(vocabulary.values[name], each, strict=True)) for each in shares]

    def _next(self, marker: int) -> "torch.Tensor":
        """Logits of what follows this marker: requests x vocabulary."""
        import torch

        network = self.predictor.network
        marked = [[*ids, marker] for ids in self.ids]
        # Padding comes last, and attention looks back only: no mask is needed.
        padded = [ids + [marker] * (max(map(len, marked)) - len(ids)) for ids in marked]
        hidden = network.base_model(input_ids=torch.tensor(padded, device=network.device)).last_hidden_state
        last = torch.tensor([len(ids) - 1 for ids in marked], device=network.device)
        logits: torch.Tensor = output_of(network)(hidden[torch.arange(len(marked)), last])
        return logits

    def drafts(self, way: PlanDecoding, beams: int, count: int, seed: int) -> list[list[Draft]]:
        """Generated under the grammar.

        Of sampled drafts the longest are given up: one that tells every layer of a ResNet would keep all waiting.
        """
        import torch
        from transformers import LogitsProcessorList, StoppingCriteriaList

        from dlcodegen.planner.gpt2.grammar import MostEnded

        vocabulary, network = self.predictor.vocabulary, self.predictor.network
        end, pad, several = vocabulary.marker["<end>"], vocabulary.marker["<pad>"], way == "consensus"
        start = [[*ids, vocabulary.marker["<layers>"]] for ids in self.ids]
        width = max(map(len, start))
        padded = torch.tensor([[pad] * (width - len(ids)) + ids for ids in start], device=network.device)
        with torch.random.fork_rng(), torch.inference_mode():
            torch.manual_seed(seed)
            found = cast(Any, network).generate(
                padded,
                attention_mask=(padded != pad).long(),
                logits_processor=LogitsProcessorList([self.predictor.grammar]),
                stopping_criteria=StoppingCriteriaList([MostEnded(end, count)] if several else []),
                max_length=POSITIONS,
                do_sample=way in ("sampled", "consensus"),
                num_return_sequences=count if several else 1,
                num_beams=beams if way == "beam" else 1,
                pad_token_id=pad,
                eos_token_id=end,
            )
        written = found[:, width:].tolist()
        each = len(written) // len(start)
        return [self._whole(written[place : place + each]) for place in range(0, len(written), each)]

    def _whole(self, written: Sequence[Sequence[int]]) -> list[Draft]:
        """The finished ones of one request, which share the say."""
        whole = [sequence for sequence in written if self.predictor.vocabulary.marker["<end>"] in sequence]
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
