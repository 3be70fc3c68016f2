"""Language first: a small GPT-2 that has read text of the field, to be the `base` of a training.

A few thousand rows teach a network what plans look like, hardly what words mean, or that a phrase may come again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from dlcodegen.errors import InputError
from dlcodegen.planner.gpt2 import weights
from dlcodegen.planner.gpt2.examples import Example, batches, loss_of
from dlcodegen.planner.gpt2.steps import has_fast_bfloat16, share_of_rate
from dlcodegen.planner.gpt2.training_recipe import SIZES, Size
from dlcodegen.planner.gpt2.vocabulary import learnt_pieces

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_PIECES = 8192
_SECTION = 512
"""Tokens that are read at a time."""
Report = Callable[[int, int, float], None]
"""Called after each step with the steps done, all steps, and the loss."""


@dataclass(frozen=True)
class Reading:
    """How often what is read, by how large a network, and how."""

    size: Size = "large"
    epochs: int = 1
    dropout: float = 0.2
    """For the training that comes after: while much is read once, nothing is left out."""
    learning_rate: float = 8e-4
    batch_tokens: int = 16_384
    seed: int = 42


def pretrain(texts: Sequence[str], out: Path, reading: Reading, report: Report = lambda *_: None) -> None:
    """Learn the texts, and write the folder of a GPT-2 with its tokenizer to `out`.

    Raises InputError when they do not fill one section.
    """
    import torch

    torch.manual_seed(reading.seed)
    pieces = learnt_pieces(texts, _PIECES)
    sections = list(_sections(texts, pieces))
    if not sections:
        raise InputError(f"the texts have fewer than {_SECTION} tokens: no language is learnt from so little")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    width, depth = SIZES[reading.size]
    network = weights.new_network(pieces.get_vocab_size(), width, depth, reading.dropout)
    network.to(device)  # type: ignore[arg-type]
    network.eval()  # type: ignore[no-untyped-call]
    optimizer = torch.optim.AdamW(network.parameters(), lr=reading.learning_rate, weight_decay=0.1, betas=(0.9, 0.98))
    order = [
        batch
        for epoch in range(reading.epochs)
        for batch in batches(sections, reading.batch_tokens, Random(reading.seed + epoch))
    ]
    for step, batch in enumerate(order):
        for group in optimizer.param_groups:
            group["lr"] = reading.learning_rate * share_of_rate(step / len(order))
        with torch.autocast(device, dtype=torch.bfloat16, enabled=has_fast_bfloat16(device)):
            loss = loss_of(network, batch, 0, device)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        report(step + 1, len(order), loss.item())
    weights.save_base(network, pieces, out)


def _sections(texts: Sequence[str], pieces: "Tokenizer") -> Iterator[Example]:
    """All texts in a row, cut into sections."""
    ids = [token for text in texts for token in pieces.encode(text, add_special_tokens=False).ids]
    for start in range(0, len(ids) - _SECTION + 1, _SECTION):
        yield Example(ids[start : start + _SECTION], [1.0] * _SECTION)
