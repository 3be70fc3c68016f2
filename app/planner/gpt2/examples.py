"""Training rows as numbers: token ids, and how much each counts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from dlcodegen.planner.gpt2.family import output_of
from dlcodegen.planner.gpt2.rows import CLOSED, PlanRow
from dlcodegen.planner.gpt2.vocabulary import Vocabulary
from dlcodegen.planner.gpt2.weights import POSITIONS

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class Emphasis:
    """How much a token counts in the loss. Words of the plan count 1."""

    prompt: float = 0.3
    """Learning to expect what people write helps to read it."""
    value: float = 2.0
    """A closed field is one token, and decides more than a word does."""


@dataclass(frozen=True)
class Noise:
    """Changes to prompts while training, so that single words are not relied upon; shares from 0 to 1."""

    dropped_words: float = 0.1
    dropped_dataset: float = 0.15
    """People often give no description of their data."""
    dropped_framework: float = 0.2
    """The category is asked for before the framework is known."""
    renamed: float = 0.5
    """Rows told about other things: what a plan takes over from the request is to be copied, not known by heart."""


_STRETCH = 400
"""Rows, about a dozen batches, among which those of like length are put together."""


class Example(NamedTuple):
    """Token ids, with the weight of each as something to be predicted."""

    ids: list[int]
    weights: list[float]


def encode(row: PlanRow, vocabulary: Vocabulary, emphasis: Emphasis, noise: Noise | None, random: Random) -> Example:
    """The whole row; the end of a plan that is too long for the model is not learnt."""
    requirement, dataset, framework = row.requirement, row.dataset, row.framework
    if noise is not None:
        requirement = _thinned(requirement, noise.dropped_words, random)
        dataset = "" if random.random() < noise.dropped_dataset else _thinned(dataset, noise.dropped_words, random)
        framework = "" if random.random() < noise.dropped_framework else framework
    ids = vocabulary.prompt(requirement, dataset, framework)
    weights = [emphasis.prompt] * len(ids)
    for name in CLOSED:
        if name in row.values and (pair := vocabulary.closed(name, row.values[name])):
            ids += pair
            weights += [0.0, emphasis.value]  # which field comes next is not for the model to decide
    if row.layers:
        written = vocabulary.open(row)
        ids += written
        weights += [0.0, *[1.0] * (len(written) - 1)]
    return Example(ids[:POSITIONS], weights[:POSITIONS])


def batches(examples: Sequence[Example], tokens: int, random: Random | None) -> Iterator[list[Example]]:
    """Batches of about so many tokens, padding included: neighbours in length together, in random order if any.

    Rows of one task are of like length: sorted as a whole, a batch would hold one task. So stretches are sorted apart.
    """
    order = list(range(len(examples)))
    if random is not None:
        random.shuffle(order)
    stretches = [order[start : start + _STRETCH] for start in range(0, len(order), _STRETCH)]
    for stretch in stretches:
        whole = list(_batches(sorted(stretch, key=lambda place: len(examples[place].ids)), examples, tokens))
        if random is not None:
            random.shuffle(whole)
        yield from whole


def _batches(places: Sequence[int], examples: Sequence[Example], tokens: int) -> Iterator[list[Example]]:
    batch: list[Example] = []
    for place in places:
        if batch and (len(batch) + 1) * len(examples[place].ids) > tokens:
            yield batch
            batch = []
        batch.append(examples[place])
    if batch:
        yield batch


def loss_of(network: "PreTrainedModel", batch: Sequence[Example], pad: int, device: str) -> "torch.Tensor":
    """Weighted mean cross-entropy of a batch, as a scalar."""
    import torch
    from torch.nn.functional import cross_entropy

    longest = max(len(example.ids) for example in batch)
    ids = torch.tensor([example.ids + [pad] * (longest - len(example.ids)) for example in batch], device=device)
    weights = torch.tensor(
        [example.weights + [0.0] * (longest - len(example.ids)) for example in batch], device=device
    )[:, 1:]
    # Padding comes last, and attention looks back only: no mask is needed.
    hidden = network.base_model(input_ids=ids).last_hidden_state[:, :-1]
    counted = weights > 0  # the widest layer is spared where nothing is to be learnt
    logits = output_of(network)(hidden[counted])
    each = cross_entropy(logits.float(), ids[:, 1:][counted], reduction="none")
    return (each * weights[counted]).sum() / weights.sum()


def _thinned(text: str, share: float, random: Random) -> str:
    """The text without this share of its words."""
    return " ".join(word for word in text.split() if random.random() >= share)
